"""One worker process, as its parent sees it: started, spoken to without ever blocking, killed with its children."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reasonry import env
from reasonry.contracts import Work
from reasonry.executors.frames import FrameReader, encode
from reasonry.executors.marker import Marker, new_marker_file

__all__ = ["WorkerProcess", "worker_environment"]

_READ_BYTES = 1 << 16
_PIPE_BYTES = 1 << 18  # so that a parent that is busy elsewhere keeps no worker waiting
_FIXED = {
    # One thread for each worker: the processors are already shared out among workers.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # One allocation arena: each further one would reserve address space that the memory limit counts.
    "MALLOC_ARENA_MAX": "1",
    # The same order of sets in every worker, so that results do not depend on who did the row.
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
}


def worker_environment() -> dict[str, str]:
    """What a worker sees of our environment: where things are, and no secret."""
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return env.for_workers() | _FIXED | {"PYTHONPATH": paths}


class WorkerProcess:
    """A worker, in a session of its own so that Ctrl-C reaches only the parent."""

    def __init__(self, work: Work) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        with tempfile.TemporaryFile() as file:
            new_marker_file(file)
            self._process = self._start(file.fileno())
            self.marker = Marker(file.fileno())
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stdin = self._process.stdin.fileno()
        self.stdout = self._process.stdout.fileno()
        for pipe in (self.stdin, self.stdout):
            os.set_blocking(pipe, False)
            _widen(pipe)
        self._frames = FrameReader()
        self._unsent = bytearray()
        self.rows_done = 0
        self.is_ready = False
        self.has_ended = False
        self._status: int | None = None
        self.send(encode({"target": work.target, "options": dict(work.options)}))

    def _start(self, marker: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "reasonry.executors.worker", str(marker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=worker_environment(),
            start_new_session=True,
            pass_fds=(marker,),
        )

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent) and not self.has_ended

    def send(self, frame: bytes) -> None:
        self._unsent += frame
        self.flush()

    def flush(self) -> None:
        """Write what the pipe takes now. A worker that is gone shows at its other end, in receive()."""
        while self._unsent:
            try:
                written = os.write(self.stdin, self._unsent[:_READ_BYTES])
            except BlockingIOError:
                return
            except BrokenPipeError:
                self._unsent.clear()
                return
            del self._unsent[:written]

    def receive(self) -> Iterator[list[Any]]:
        """Every frame that has arrived; sets `has_ended` when there will be no more."""
        while not self.has_ended:
            try:
                piece = os.read(self.stdout, _READ_BYTES)
            except BlockingIOError:
                # A process that escaped from the worker's group may hold its end open.
                self.has_ended = self._status is not None
                return
            self.has_ended = not piece
            yield from self._frames.feed(piece)

    def end(self) -> int:
        """Kill what is left of it and its children; its exit status, negative for a signal.

        What it had sent before can still be received.
        """
        if self._status is not None:
            return self._status  # its number may belong to another process by now
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone already
            os.killpg(self._process.pid, signal.SIGKILL)
        self._status = self._process.wait()
        return self._status

    def complaint(self) -> str:
        """The last line it wrote to stderr before it was ready."""
        self._complaints.seek(0)
        lines = self._complaints.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def close(self) -> None:
        self.end()
        self.has_ended = True
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self._complaints.close()
        self.marker.close()


def _widen(pipe: int) -> None:
    """Where the system lets us (Linux, within a user's quota)."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
