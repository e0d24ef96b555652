"""Graders as processes that answer a pair at a time and are killed when they hang."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.verify_math.process import CannotStart, Process

__all__ = ["OURS", "OWN_LIBRARIES", "PEERS", "CannotStart", "Grade", "Grader", "install_peers"]

OURS = "reasonry"
OWN_LIBRARIES = ("math-verify", "math-verify-raw", "exact")  # run under our own interpreter
PEERS = ("math-verify", "math-verify-raw", "mathruler", "verl-prime", "hendrycks", "minerva", "inspect-ai", "exact")
LIMIT_S = 10.0  # wall time of one pair: what takes longer is killed
OWN_TIMEOUT_S = 4.9  # wall time from which a peer's own timeout (5 s or more) has struck
WHOLE = ("math-verify==0.9.0", "mathruler==0.1.0", "inspect-ai==0.3.285", "sympy", "pylatexenc", "numpy", "datasets")
BARE = ("verl==0.9.1", "lm-eval==0.4.13", "antlr4-python3-runtime==4.11.1")  # without what they depend on
_RUNNER = Path(__file__).with_name("runner.py")


@dataclass(frozen=True, slots=True)
class Grade:
    """What a grader said of one pair. `outcome` is ok, error (it raised), timeout (its own) or hung (killed)."""

    equal: bool
    outcome: str = "ok"
    cpu_s: float = 0.0
    said: dict[str, Any] | None = None


class Grader:
    """A grader's process. Raises CannotStart where the grader cannot be loaded."""

    def __init__(self, name: str, peers_python: Path | None = None, limit_s: float = LIMIT_S) -> None:
        self.name, self._limit_s = name, limit_s
        own = name == OURS or name in OWN_LIBRARIES or peers_python is None
        python = sys.executable if own else str(peers_python)
        program = ["-m", "benchmarks.verify_math.ours"] if name == OURS else [str(_RUNNER), name]
        self._process = Process([python, *program], limit_s)

    @property
    def version(self) -> str:
        return self._process.hello["version"]

    def __enter__(self) -> Self:
        self._process.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._process.__exit__(kind, error, _)

    def grade(self, gold: str, given: str, prompt: str = "") -> Grade:
        """Ask about one pair."""
        start = time.monotonic()
        reply = self._process.ask({"gold": gold, "given": given, "prompt": prompt})
        if reply is None:
            return Grade(equal=False, outcome="hung", cpu_s=self._limit_s)
        return Grade(bool(reply["equal"]), self._outcome(reply, time.monotonic() - start), reply["cpu_s"], reply)

    def clear(self) -> None:
        """Make SymPy forget what it remembers."""
        self._process.tell({"clear": True})

    def _outcome(self, reply: dict[str, Any], wall_s: float) -> str:
        if reply.get("status") == "timeout" or (self.name != OURS and wall_s > OWN_TIMEOUT_S and not reply["equal"]):
            return "timeout"
        return "error" if "error" in reply else "ok"


def install_peers(folder: Path | None = None) -> Path:
    """Make a virtual environment for the peers, in a temporary folder by default; returns its interpreter."""
    folder = folder or Path(tempfile.gettempdir()) / "reasonry-peers"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    _pip(python, WHOLE)
    _pip(python, ("--no-deps", *BARE))
    return python


def _pip(python: Path, arguments: Iterable[str]) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, stdout=sys.stderr)
