"""Running a module of ours as root or as an ordinary user, whatever user runs the tests.

Run by root, an ordinary user may not be able to reach the interpreter (it may lie in root's own home), so it is shown
to them at another place, in a mount namespace of its own: `python -m tests.sandbox.places USER MODULE ARGUMENT...`.
"""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import tempfile
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
    if os.geteuid() != 0:
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
    packages = [path for path in site.getsitepackages() if Path(path).is_dir()]
    shown = {"python": sys.base_prefix, "packages": packages[0], "project": str(ROOT)}
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    with tempfile.TemporaryDirectory(dir="/opt") as folder:
        kernel.mount("tmpfs", folder, "tmpfs", 0, "mode=755")
        for name, source in shown.items():
            Path(folder, name).mkdir()
            kernel.bind(f"{folder}/{name}", source=source)
        home = Path(folder, "home")
        home.mkdir()
        os.chown(home, USERS[user], USERS[user])
        os.chdir(f"{folder}/project")
        os.setgroups([])
        os.setresgid(USERS[user], USERS[user], USERS[user])
        os.setresuid(USERS[user], USERS[user], USERS[user])
        environment = {
            "HOME": str(home),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": f"{folder}/project/src:{folder}/project:{folder}/packages",
            "SECRET_TOKEN": "not for programs",
        }
        python = f"{folder}/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
        os.execve(python, [python, "-s", "-B", "-m", module, *arguments], environment)


if __name__ == "__main__":
    main(*sys.argv[1:])
