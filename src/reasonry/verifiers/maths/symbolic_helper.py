"""The process behind `symbolic`: loads Math-Verify, then forks a child with limits for each pair on stdin."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["main"]

WALL_FACTOR = 6.0  # wall seconds for one of CPU time: for children that wait


def main() -> None:
    """Answer pairs until stdin ends."""
    logging.disable(logging.CRITICAL)
    _compare(r"\int_0^1 x\,dx + \sin^2 x", r"\frac{1}{2}")  # loads what a comparison needs before anything is forked
    _say("ready")
    for line in sys.stdin:
        _say(_limited(json.loads(line)))


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def _limited(request: dict[str, Any]) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _serve(request, writer)
    os.close(writer)
    deadline = time.monotonic() + WALL_FACTOR * request["cpu_s"]
    os.set_blocking(reader, False)
    word = ""
    while time.monotonic() < deadline:
        done, _ = os.waitpid(child, os.WNOHANG)
        if done:
            word = os.read(reader, 200).decode()
            child = 0
            break
        time.sleep(0.002)
    os.close(reader)
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return word or "too large to evaluate"


def _serve(request: dict[str, Any], writer: int) -> None:
    """In the child: compare within limits, write one word, and leave without any of the parent's clean-up."""
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, request["cpu_s"])
        limit = _address_space() + (request["memory_mb"] << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.write(writer, _compare(request["reference"], request["answer"]).encode())
    except MemoryError:
        os._exit(1)  # silence says: too costly
    except BaseException:  # noqa: BLE001 - SymPy raises anything, and that is no fault of the answer
        os.write(writer, b"the algebra system failed")
    os._exit(0)


def _address_space() -> int:
    """Bytes of address space that this process has now."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return 1 << 30
    return pages * resource.getpagesize()


def _compare(reference: str, answer: str) -> str:
    gold = _parse(reference)
    if gold is None:
        return "the reference cannot be read"
    given = _parse(answer)
    if given is None:
        return "not readable as mathematics"
    return "equal" if _are_equal(gold, given) else "different"


def _parse(text: str) -> Any:
    """The SymPy expression of a whole text; None where there is none."""
    from math_verify import LatexExtractionConfig, parse

    config = [LatexExtractionConfig(boxed_match_priority=-1)]
    timeless: Any = None  # its type says int, its documentation None
    parsed = parse(f"${text}$", config, fallback_mode="no_fallback", parsing_timeout=timeless)
    return parsed[0] if parsed and not _is_undefined(parsed[0]) else None


def _is_undefined(expression: Any) -> bool:
    import sympy

    return isinstance(expression, sympy.Basic) and expression.has(sympy.zoo, sympy.nan)


def _are_equal(gold: Any, given: Any) -> bool:
    from math_verify import verify

    # Math-Verify rounds to 6 decimals, which makes all tiny numbers equal: its "equal" is checked again.
    return verify(gold, given, timeout_seconds=None) and not _are_far_apart(gold, given)


def _are_far_apart(gold: Any, given: Any) -> bool:
    import sympy

    if not (isinstance(gold, sympy.Expr) and isinstance(given, sympy.Expr)):
        return False
    if gold.free_symbols or given.free_symbols or gold == given:
        return False
    one, other = (sympy.N(value.doit(), 30) for value in (gold, given))
    if not (one.is_number and other.is_number and one.is_finite and other.is_finite):
        return False
    return bool(abs(one - other) > 1e-10 * max(abs(one), abs(other)))


if __name__ == "__main__":
    main()
