"""The last rung: Math-Verify (and SymPy behind it), in a process that can be killed.

One process loads the library once and forks a child for each pair; the child has limits on CPU time and memory that the
kernel enforces. Nothing of it is loaded into the process that asks, no signal of the caller's is touched, and it works
from any thread. Math-Verify's own timeouts, which work by signals, are off.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reasonry import env

__all__ = ["Comparison", "compare_symbolically", "stop"]

CPU_S = 0.8  # for one pair
MEMORY_MB = 40  # beyond what the library takes
START_S = 60.0  # wall seconds for loading the library
MAX_LENGTH = 2_000  # characters


class Comparison(StrEnum):
    """What came of comparing two expressions."""

    EQUAL = "equal"
    DIFFERENT = "different"
    REFERENCE_UNREADABLE = "the reference cannot be read"
    ANSWER_UNREADABLE = "not readable as mathematics"
    COSTLY = "too large to evaluate"
    FAILED = "the algebra system failed"


@dataclass(slots=True)
class _Helper:
    process: subprocess.Popen[bytes] | None = None


_helper = _Helper()
_lock = threading.Lock()


def compare_symbolically(reference: str, answer: str) -> Comparison:
    """Compare two spelled LaTeX texts by a computer algebra system, within its limits."""
    if len(reference) > MAX_LENGTH:
        return Comparison.REFERENCE_UNREADABLE
    if len(answer) > MAX_LENGTH:
        return Comparison.COSTLY
    with _lock:
        for _ in range(2):  # the helper itself may have been killed from outside
            with contextlib.suppress(BrokenPipeError, EOFError, ValueError):
                return _ask(reference, answer)
            _stop()
    return Comparison.FAILED  # ours, and never the model's


def _ask(reference: str, answer: str) -> Comparison:
    process = _started()
    assert process.stdin is not None
    request = {"reference": reference, "answer": answer, "cpu_s": CPU_S, "memory_mb": MEMORY_MB}
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    return Comparison(_line(process, 10 * CPU_S))


def _started() -> subprocess.Popen[bytes]:
    """The helper, started where there is none. It ends with its stdin, and so with us."""
    if _helper.process is not None and _helper.process.poll() is not None:
        _stop()
    if _helper.process is None:
        _helper.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "reasonry.verifiers.maths.symbolic_helper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env.for_workers() | {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
        )
        if _line(_helper.process, START_S) != "ready":
            raise EOFError("the helper did not start")
    return _helper.process


def _line(process: subprocess.Popen[bytes], seconds: float) -> str:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(seconds):
            raise EOFError("the helper does not answer")
    line = process.stdout.readline()
    if not line:
        raise EOFError("the helper has ended")
    return line.decode().strip()


def _stop() -> None:
    process, _helper.process = _helper.process, None
    if process is None:
        return
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def stop() -> None:
    """End the helper, if one runs."""
    with _lock:
        _stop()


atexit.register(stop)
