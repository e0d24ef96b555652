"""Running a module of ours as root or as an ordinary user, whatever user runs the tests.

Run by root, an ordinary user may not be able to walk to the interpreter (it may lie in root's own home), so the way is
opened in a mount namespace of its own: `python -m tests.sandbox.places USER MODULE ARGUMENT...`.
"""

from __future__ import annotations

import json
import os
import site
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from reasonry.sandbox.inside import kernel

__all__ = ["USERS", "run_as"]

ROOT = Path(__file__).resolve().parents[2]
USERS = {"root": 0, "ordinary": 54_321}


def run_as(user: str, module: str, *arguments: str, timeout_s: float = 300) -> Any:
    """Run `python -m MODULE` as this user; what it prints on its last line, read as JSON. Only root can be another."""
    command = [sys.executable, "-m", "tests.sandbox.places", user, module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def main(user: str, module: str, *arguments: str) -> None:
    python: str = getattr(sys, "_base_executable", None) or sys.executable
    if os.geteuid() != 0:
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
    packages = [path for path in site.getsitepackages() if Path(path).is_dir()]
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    open_ways_to([sys.base_prefix, packages[0], str(ROOT)])
    os.chdir(ROOT)
    os.setgroups([])
    os.setresgid(USERS[user], USERS[user], USERS[user])
    os.setresuid(USERS[user], USERS[user], USERS[user])
    environment = {
        "HOME": "/nonexistent",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}:{packages[0]}",
        "SECRET_TOKEN": "not for programs",
    }
    os.execve(python, [python, "-s", "-B", "-m", module, *arguments], environment)


def open_ways_to(places: list[str]) -> None:
    """Where only root may walk to a place: an empty folder that anyone may enter over the way, and the place in it."""
    held = [(place, closed, os.open(place, os.O_PATH)) for place in places if (closed := first_closed(place))]
    for closed in dict.fromkeys(closed for _, closed, _ in held):
        kernel.mount("tmpfs", closed, "tmpfs", 0, "mode=755")
    for place, _, descriptor in held:
        Path(place).mkdir(parents=True, exist_ok=True)
        kernel.bind(place, source=f"/proc/self/fd/{descriptor}")


def first_closed(place: str) -> str | None:
    ways = [*reversed(Path(place).parents), Path(place)]
    return next((str(way) for way in ways if not way.stat().st_mode & stat.S_IXOTH), None)


if __name__ == "__main__":
    main(*sys.argv[1:])
