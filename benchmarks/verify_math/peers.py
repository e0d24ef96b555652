"""Graders as processes that answer a pair at a time and are killed when they hang."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from types import TracebackType
from typing import Any, Self

__all__ = ["OURS", "PEERS", "Grade", "Grader", "PeerUnavailable", "install_peers"]

OURS = "reasonry"
OWN_LIBRARIES = ("math-verify", "math-verify-raw", "exact")  # run under our own interpreter
PEERS = ("math-verify", "math-verify-raw", "mathruler", "verl-prime", "hendrycks", "minerva", "inspect-ai", "exact")
LIMIT_S = 10.0  # wall time of one pair: what takes longer is killed
START_S = 120.0  # wall time of loading a grader
WHOLE = ("math-verify==0.9.0", "mathruler==0.1.0", "inspect-ai==0.3.285", "sympy", "pylatexenc", "numpy", "datasets")
BARE = ("verl==0.9.1", "lm-eval==0.4.13", "antlr4-python3-runtime==4.11.1")  # without what they depend on
_RUNNER = Path(__file__).with_name("runner.py")
_ROOT = Path(__file__).resolve().parents[2]


class PeerUnavailable(Exception):
    """A grader that cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What a grader said of one pair. `outcome` is ok, error (it raised), timeout (its own) or hung (killed)."""

    equal: bool
    outcome: str = "ok"
    cpu_s: float = 0.0
    said: dict[str, Any] | None = None


class Grader:
    """A grader's process, started again after every kill."""

    def __init__(self, name: str, peers_python: Path | None = None, limit_s: float = LIMIT_S) -> None:
        self.name, self._limit_s = name, limit_s
        own = name == OURS or name in OWN_LIBRARIES or peers_python is None
        self._python = sys.executable if own else str(peers_python)
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self.version = ""

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._kill()

    def grade(self, gold: str, given: str, prompt: str = "") -> Grade:
        """Ask about one pair."""
        reply = self._ask({"gold": gold, "given": given, "prompt": prompt})
        if reply is None:
            self._kill()
            self._start()
            return Grade(equal=False, outcome="hung", cpu_s=self._limit_s)
        outcome = "error" if "error" in reply else "timeout" if reply.get("status") == "timeout" else "ok"
        return Grade(bool(reply["equal"]), outcome, reply["cpu_s"], reply)

    def clear(self) -> None:
        """Make SymPy forget what it remembers."""
        self._send({"clear": True})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        self._send(request)
        return self._receive(self._limit_s)

    def _start(self) -> None:
        program = ["-m", "benchmarks.verify_math.ours"] if self.name == OURS else [str(_RUNNER), self.name]
        env = {**os.environ, "TQDM_DISABLE": "1"}
        command = [self._python, *program]
        self._process = subprocess.Popen(
            command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=_ROOT, env=env, start_new_session=True
        )
        self._buffer = b""
        hello = self._receive(START_S)
        if hello is None:
            self._kill()
            raise PeerUnavailable(self.name)
        self.version = hello["version"]

    def _kill(self) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
        self._process = None

    def _send(self, request: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died: there will be no reply

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        """The next line; None where none comes in time, or the process is gone."""
        assert self._process is not None
        assert self._process.stdout is not None
        out = self._process.stdout.fileno()
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([out], [], [], seconds)
            chunk = os.read(out, 1 << 20) if ready else b""
            if not chunk:
                return None
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)


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
