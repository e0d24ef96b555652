"""A process that answers one line of JSON with another, and is killed and started again when it takes too long."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE
from types import TracebackType
from typing import Any, Self

__all__ = ["CannotStart", "Process"]

START_S = 120.0  # wall time until the first line
_ROOT = Path(__file__).resolve().parents[2]


class CannotStart(Exception):
    """The process ended, or said nothing, before its first line."""


class Process:
    """One conversation. `hello` is the first line that the process wrote."""

    def __init__(self, command: Sequence[str], limit_s: float) -> None:
        self._command, self._limit_s = list(command), limit_s
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._kill()

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The reply; None where the process died or took longer than its limit: a fresh one stands ready then."""
        self.tell(request)
        reply = self._receive(self._limit_s)
        if reply is None:
            self._kill()
            self._start()
        return reply

    def tell(self, request: dict[str, Any]) -> None:
        """Send a line that has no reply."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died: there will be no reply

    def _start(self) -> None:
        env = {**os.environ, "TQDM_DISABLE": "1"}
        self._process = subprocess.Popen(
            self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=_ROOT, env=env, start_new_session=True
        )
        self._buffer = b""
        hello = self._receive(START_S)
        if hello is None:
            self._kill()
            raise CannotStart(" ".join(self._command))
        self.hello = hello

    def _kill(self) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
        self._process = None

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
