"""A worker process: `python -m reasonry.executors.worker`, spoken to in frames over stdin and stdout.

The first frame says what to import; each further one is a row with its limits. For each row the worker says
`start`, then `done` with the value or `fail` with the reason. Two limits need no help from the code that runs:

- CPU time: a profiling timer whose signal keeps its default action, so the kernel ends the process wherever it is,
  in Python, in C, or in any thread. The parent sees the signal and knows which row ran.
- Memory: the address space is capped while a row runs.

This is a fence against accidents, not a sandbox: work that means harm needs one of its own.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Generator
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

from reasonry.executors.frames import encode, read_payload

__all__ = ["main"]

MAX_DETAIL = 500  # characters
Prepare = Callable[[Any], object]


def main() -> None:
    """Serve rows until stdin ends. Never returns: the process leaves with the parent."""
    channel = _Channel()
    rows = SimpleQueue[bytes]()
    Thread(target=_receive, args=(channel.source, rows), daemon=True).start()
    _restore_default_signals()
    setup = json.loads(rows.get())
    try:
        call = _load(setup["target"], setup["options"])
    except BaseException as exc:  # noqa: BLE001 - whatever it is, the parent must be told
        channel.send(["failed", _describe(exc)])
        os._exit(1)
    channel.silence()
    channel.send(["ready"])
    prepare = getattr(call, "prepare", None)
    while True:
        _serve(channel, call, prepare, json.loads(rows.get()))


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

    def send(self, value: object) -> None:
        self.send_bytes(encode(value))

    def send_bytes(self, frame: bytes) -> None:
        view = memoryview(frame)
        while view:
            view = view[os.write(self._target, view) :]


def _receive(source: BinaryIO, rows: SimpleQueue[bytes]) -> None:
    """Read ahead in a thread, so that the end of the parent is noticed in the middle of a row too."""
    while (payload := read_payload(source)) is not None:
        rows.put(payload)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # and whatever the work started
    os._exit(0)


def _restore_default_signals() -> None:
    """What the parent ignores or blocks is inherited through exec, and would disarm the CPU limit."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})


def _load(target: str, options: dict[str, Any]) -> Callable[[Any], Any]:
    module, _, factory = target.partition(":")
    return getattr(importlib.import_module(module), factory)(options)


def _serve(channel: _Channel, call: Callable[[Any], Any], prepare: Prepare | None, frame: list[Any]) -> None:
    index, row, cpu_s, memory_mb = frame
    if prepare is not None:
        with contextlib.suppress(Exception):  # the row's own run meets the same failure, and reports it
            prepare(row)
    channel.send(["start", index])
    channel.send_bytes(_run(call, index, row, cpu_s, memory_mb))


def _run(call: Callable[[Any], Any], index: int, row: Any, cpu_s: float, memory_mb: int) -> bytes:
    """The frame that reports one row. Writing the value as JSON is within the limits too."""
    try:
        with _limits(cpu_s, memory_mb):
            return encode(["done", index, call(row)])
    except MemoryError:
        return encode(["fail", index, "memory", f"more than {memory_mb} MB of memory"])
    except BaseException as exc:  # noqa: BLE001 - sys.exit() in the work is the work's failure as well
        return encode(["fail", index, "raised", _describe(exc)])


@contextlib.contextmanager
def _limits(cpu_s: float, memory_mb: int) -> Generator[None]:
    _limit_memory(memory_mb << 20)
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        _limit_memory(None)


def _limit_memory(size: int | None) -> None:
    """Cap the address space in bytes; None lifts the cap."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = hard if size is None or (hard != resource.RLIM_INFINITY and hard < size) else size
    # Some systems (macOS) know the limit and refuse to set it: the CPU limit then stands alone.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _describe(exc: BaseException) -> str:
    try:
        text = str(exc)
    except Exception as broken:  # noqa: BLE001 - an exception that cannot even say what it is
        text = f"(its text raised {type(broken).__name__})"
    return f"{type(exc).__name__}: {text}"[:MAX_DETAIL]


if __name__ == "__main__":
    main()
