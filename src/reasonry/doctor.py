"""doctor: does this machine have what a run needs? Every check does the thing it speaks of."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from reasonry import env
from reasonry.cluster import connected, resources
from reasonry.contracts import Limits, Work
from reasonry.errors import PartError, ReasonryError
from reasonry.ledger import Ledger, LedgerEntry
from reasonry.registry import all_parts, find
from reasonry.sandbox import Sandbox, SandboxUnavailable

__all__ = ["Check", "examine"]

_LOW_DISK_BYTES = 2 << 30
_EXTRAS = {
    "train": ("torch", "transformers", "tokenizers", "safetensors"),
    "hub": ("datasets",),
    "gym": ("reasoning-gym",),
    "vllm": ("vllm",),
    "ray": ("ray",),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `is_needed` False: only some recipes need it. `fix` is one thing to do."""

    name: str
    passed: bool
    detail: str
    is_needed: bool = True
    fix: str = ""


def examine(folder: Path) -> list[Check]:
    """Examine this machine for runs under `folder`."""
    return [*_software(), *_world(folder), *_environment()]


def _software() -> Iterator[Check]:
    is_new = sys.version_info >= (3, 11)
    yield Check("python", is_new, platform.python_version(), fix="install Python 3.11 or newer")
    for extra, packages in _EXTRAS.items():
        found = {name: _version(name) for name in packages}
        missing = [name for name, number in found.items() if number is None]
        detail = ", ".join(f"{name} {number or 'missing'}" for name, number in found.items())
        yield Check(f"extra {extra}", not missing, detail, is_needed=False, fix=f"pip install 'reasonry[{extra}]'")
    broken = [part for part in all_parts() if isinstance(part, PartError)]
    for error in broken:
        yield Check("part", passed=False, detail=str(error), fix=error.hint or "")
    if not broken:
        yield Check("parts", passed=True, detail="every part can be imported")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _world(folder: Path) -> Iterator[Check]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Check("processors", passed=True, detail=str(cores))
    existing = next(parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    yield Check("disk", free > _LOW_DISK_BYTES, f"{free / 1e9:.1f} GB free at {existing}", fix="free some space")
    yield _ledger_check(existing)
    yield _worker_check()
    yield from _cluster_checks()
    yield from _sandbox_checks()


def _ledger_check(folder: Path) -> Check:
    """Write an entry in a ledger there and read it back from a second connection."""
    fix = "choose a folder on a local, writable disk (--out, REASONRY_LEDGER)"
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".doctor-") as scratch:
            path = Path(scratch) / "ledger.sqlite"
            with Ledger(path) as ledger, Ledger(path) as other:
                entry = LedgerEntry("r-0", 1, "answered", "{}", "{}", "", "", 0, 0, None, None, "", 0.0, 0.0)
                ledger.submit(entry).result(timeout=30)
                is_there = "r-0" in other.answered(["r-0"])
    except (OSError, ReasonryError) as exc:
        return Check("ledger", passed=False, detail=str(exc), fix=fix)
    return Check("ledger", is_there, f"SQLite {sqlite3.sqlite_version}, written and read back", fix=fix)


def _worker_check() -> Check:
    """Start a worker process, and see that its limits hold: one row answers, one that loops for ever is stopped."""
    with find("executor", "local").call(1) as executor:
        rows = [{"loop": False}, {"loop": True}]
        outcomes = list(executor.map(Work("reasonry.doctor:canary"), rows, Limits(0.5, 2048)))
    found = [outcome.failure or "answered" for outcome in outcomes]
    passed = found == ["answered", "timeout"]
    return Check("worker limits", passed, ", ".join(found), fix="report what system this machine runs")


def canary(_options: object) -> object:
    """The work of `_worker_check`, in the worker."""

    def work(row: dict[str, bool]) -> str:
        while row["loop"]:
            pass
        return "answered"

    return work


def _cluster_checks() -> Iterator[Check]:
    """Connect to the Ray cluster, if there is one. None is started."""
    if _version("ray") is None:
        return
    try:
        with connected():
            found = resources()
    except ReasonryError as exc:
        yield Check("ray cluster", passed=False, detail=str(exc), is_needed=False, fix=exc.hint or "")
        return
    detail = ", ".join(f"{found.get(name, 0):.0f} {name}" for name in ("CPU", "GPU"))
    yield Check("ray cluster", passed=True, detail=f"it answers, with {detail}", is_needed=False)


# Reads a file of the host, the environment, the network and its own library, as a program could that means harm.
_INTRUDER = """
import os, socket, json
from os import environ
reached = [name for name in environ if "REASONRY" in name]
for path in ({canary!r}, "/etc/shadow", "/proc/1/environ"):
    try:
        reached.append(open(path).read(8) and path)
    except OSError:
        pass
try:
    reached.append(socket.socket() and "a socket")
except OSError:
    pass
try:
    reached.append(os.fork() and "a process")
except OSError:
    pass
try:
    reached.append(open(json.__file__, "a") and "its library")
except OSError:
    pass
print(reached)
"""


def _sandbox_checks() -> Iterator[Check]:
    """Run a program that tries to get out, and one in every language."""
    with tempfile.NamedTemporaryFile() as canary, Sandbox() as sandbox:
        canary.write(b"a canary")
        canary.flush()
        try:
            outcome = sandbox.run(_INTRUDER.format(canary=canary.name))
        except SandboxUnavailable as exc:
            yield Check("sandbox", passed=False, detail=str(exc), is_needed=False, fix=exc.hint or "")
            return
        told = outcome.stdout.decode().strip() or outcome.stderr.decode()[-200:]
        detail = f"tier {outcome.tier}; a program that tries to get out reaches {told}"
        yield Check("sandbox", told == "[]", detail, is_needed=False, fix="report what system this machine runs")
        yield from (_language_check(sandbox, name, program) for name, program in _GREETINGS.items())


_GREETINGS = {
    "cpp": '#include <bits/stdc++.h>\nint main() { std::cout << "hello"; }',
    "javascript": 'console.log("hello")',
    "java": 'public class Main { public static void main(String[] x) { System.out.println("hello"); } }',
}


def _language_check(sandbox: Sandbox, language: str, program: str) -> Check:
    name = f"language {language}"
    try:
        outcome = sandbox.run(program, language)
    except SandboxUnavailable as exc:
        return Check(name, passed=False, detail=str(exc), is_needed=False, fix=exc.hint or "")
    passed = outcome.stdout.strip() == b"hello"
    detail = "compiled and run" if passed else outcome.detail or outcome.stderr.decode("utf-8", "replace")[-200:]
    return Check(name, passed, detail, is_needed=False, fix="only programs in this language need it")


def _environment() -> Iterator[Check]:
    for variable in env.VARIABLES:
        if variable.secret:
            detail = "set" if env.secret(variable.name) else "not set"
        else:
            detail = env.read(variable.name) or "not set"
        yield Check(variable.name, passed=True, detail=f"{detail} ({variable.meaning})", is_needed=False)
