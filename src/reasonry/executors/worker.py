"""A worker process: `python -m reasonry.executors.worker MARKER`, spoken to in frames over stdin and stdout.

The first frame says what to import; each further one brings rows with their limits. Results go back several at a time:
when a frame's rows are done, and before a further row once the oldest has waited for some milliseconds. Two limits
need no help from the code that runs:

- CPU time: a profiling timer, wound up anew for each row, whose signal keeps its default action, so the kernel ends
  the process wherever it is, in Python, in C, or in any thread. The marker tells the parent which row that was.
- Memory: the address space is capped while rows run.

This is a fence against accidents, not a sandbox: work that means harm needs one of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from threading import Thread
from typing import Any, BinaryIO

from reasonry.executors.frames import encode, json_bytes, read_frame, results_frame
from reasonry.executors.marker import PREPARING, RUNNING, Marker
from reasonry.pulse import on_beat

__all__ = ["main"]

MAX_DETAIL = 500  # characters
FLUSH_S = 0.005  # how long a result waits for others before the next row begins
FLUSH_BYTES = 1 << 18
Call = Callable[[Any], Any]


def main() -> None:
    """Serve rows until stdin ends. Never returns: the process leaves with the parent."""
    channel = _Channel()
    marker = Marker(descriptor := int(sys.argv[1]))
    os.close(descriptor)
    on_beat(marker.beat)
    Thread(target=_leave_with_parent, args=(channel.source.fileno(),), daemon=True).start()
    _restore_default_signals()
    setup = channel.receive()
    try:
        call = _load(setup["target"], setup["options"])
    except BaseException as exc:  # noqa: BLE001 - whatever it is, the parent must be told
        channel.send(encode(["failed", _describe(exc)]))
        os._exit(1)
    channel.silence()
    channel.send(encode(["ready"]))
    server = _Server(channel, marker, call)
    while True:
        server.serve(*channel.receive())


class _Channel:
    """Private copies of stdin and stdout, so that printing work cannot disturb the frames."""

    def __init__(self) -> None:
        self.source: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._target = os.dup(1)
        self._null = os.open(os.devnull, os.O_RDWR)
        os.dup2(self._null, 0)
        os.dup2(self._null, 1)

    def silence(self) -> None:
        """From here on, what the work prints is dropped; up to here, stderr tells why a start failed."""
        sys.stderr.flush()
        os.dup2(self._null, 2)

    def receive(self) -> Any:
        """The next frame. Where there is none any more, this does not return."""
        value = read_frame(self.source)
        if value is None:
            _leave()
        return value

    def send(self, frame: bytes) -> None:
        view = memoryview(frame)
        try:
            while view:
                view = view[os.write(self._target, view) :]
        except OSError:
            # The work closed our pipe, or the parent is gone. The parent kills a worker it cannot hear: whichever of us
            # is first, the row's ending must read the same.
            os.kill(os.getpid(), signal.SIGKILL)


def _leave_with_parent(source: int) -> None:
    """Wait for the end of the parent in a thread, so that it is noticed in the middle of a row too."""
    poll = select.poll()
    poll.register(source, 0)  # nothing but the other end's closing
    poll.poll()
    _leave()


def _leave() -> None:
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # and whatever the work started
    os._exit(0)


def _restore_default_signals() -> None:
    """What the parent ignores or blocks is inherited through exec, and would disarm the CPU limit."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})


def _load(target: str, options: dict[str, Any]) -> Call:
    module, _, factory = target.partition(":")
    return getattr(importlib.import_module(module), factory)(options)


class _Server:
    """Runs the rows of a frame one after the other, each within its limits."""

    def __init__(self, channel: _Channel, marker: Marker, call: Call) -> None:
        self._channel = channel
        self._marker = marker
        self._call = call
        self._prepare: Call | None = getattr(call, "prepare", None)
        self._limits = _Limits()
        self._results: list[bytes] = []
        self._bytes = 0

    def serve(self, cpu_s: float, memory_mb: int, rows: list[tuple[int, Any]]) -> None:
        began = flushed = time.perf_counter()
        self._prepare_all(rows)
        self._limits.set(cpu_s, memory_mb)
        for index, row in rows:
            if self._results and (self._bytes > FLUSH_BYTES or time.perf_counter() - flushed > FLUSH_S):
                self._flush(None)
                flushed = time.perf_counter()
                self._limits.cap_memory()
            result = self._run(index, row)
            self._results.append(result)
            self._bytes += len(result)
        self._flush(time.perf_counter() - began)

    def _prepare_all(self, rows: list[tuple[int, Any]]) -> None:
        """Before any row's clock starts."""
        if self._prepare is None:
            return
        for index, row in rows:
            self._marker.set(index, PREPARING)
            with contextlib.suppress(Exception):  # the row's own run meets the same failure, and reports it
                self._prepare(row)

    def _run(self, index: int, row: Any) -> bytes:
        """What became of one row, as JSON. Writing the value as JSON is within the limits too."""
        self._marker.set(index, RUNNING)
        self._limits.start_timer()
        try:
            return b'[%d,"done",%s]' % (index, json_bytes(self._call(row)))
        except MemoryError:
            self._limits.lift()
            result = json_bytes([index, "fail", "memory", f"more than {self._limits.memory_mb} MB of memory"])
        except BaseException as exc:  # noqa: BLE001 - sys.exit() in the work is the work's failure as well
            self._limits.lift()
            result = json_bytes([index, "fail", "raised", _describe(exc)])
        self._limits.cap_memory()  # only now is what the exception held free again
        return result

    def _flush(self, seconds: float | None) -> None:
        """Send what is finished, outside all limits. `seconds` says that the frame is done, and how long it took."""
        self._limits.lift()
        self._marker.set_idle()
        results, self._results, self._bytes = self._results, [], 0
        self._channel.send(results_frame(seconds, results))


class _Limits:
    """The two limits of the rows under way."""

    def __init__(self) -> None:
        self.memory_mb = 0
        self._cpu_s = 0.0
        _, self._most = resource.getrlimit(resource.RLIMIT_AS)

    def set(self, cpu_s: float, memory_mb: int) -> None:
        self._cpu_s, self.memory_mb = cpu_s, memory_mb
        self.cap_memory()

    def start_timer(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, self._cpu_s)

    def cap_memory(self) -> None:
        """Cap the address space; the memory that earlier rows left behind counts as well."""
        size = self.memory_mb << 20
        is_over = self._most != resource.RLIM_INFINITY and self._most < size
        self._set_memory(self._most if is_over else size)

    def lift(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._set_memory(self._most)

    def _set_memory(self, size: int) -> None:
        # Some systems (macOS) know the limit and refuse to set it: the CPU limit then stands alone.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (size, self._most))


def _describe(exc: BaseException) -> str:
    try:
        text = str(exc)
    except Exception as broken:  # noqa: BLE001 - an exception that cannot even say what it is
        text = f"(its text raised {type(broken).__name__})"
    return f"{type(exc).__name__}: {text}"[:MAX_DETAIL]


if __name__ == "__main__":
    main()
