"""Our verifier on one hostile input at a time: what it takes, what it says, whether it raises.

python -m benchmarks.verify_math.probe MARKER

A request names an input and its place; the text is made here, so that no process holds more than one.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import reasonry
from benchmarks.verify_math.caches import clear_caches
from benchmarks.verify_math.hostile import hostile
from benchmarks.verify_math.runner import cpu_s, serve
from benchmarks.verify_math.tree import helpers_cpu_s, helpers_peak_mb, peak_mb
from reasonry.registry import find
from reasonry.types import Question, Verdict
from reasonry.verifiers.math import judge
from reasonry.verifiers.warm import warm_up

__all__ = ["PLACES", "main"]

PART = find("verifier", "math")


def _answered(reference: str, response: str) -> tuple[str, str]:
    verdict: Verdict = PART.call(Question("", reference, "math"), response)
    return verdict.status.value, verdict.evidence.get("compared", "")


def _judged(reference: str, answer: str) -> tuple[str, str]:
    judgement = judge(reference, answer)
    return judgement.status.value, judgement.compared


PLACES: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "boxed": lambda text, other: _answered(other, f"\\boxed{{{text}}}"),
    "response": lambda text, other: _answered(other, text),
    "reference": lambda text, other: _answered(text, f"\\boxed{{{other}}}"),
    "answer": lambda text, other: _judged(other, text),
    "judged reference": _judged,
    "both": lambda text, _: _judged(text, f"{text}+1"),
}
"""Where the hostile text stands. `other` is the harmless side."""


def main() -> None:
    texts = hostile(Path(sys.argv[1]))
    warm_up(PART.call)
    for reference, answer in (("1", "\\frac{1}{2}"), ("\\int_0^x e^{t^2} dt", "\\int_0^{x+1} e^{t^2} dt")):
        _judged(reference, answer)  # what loads late is loaded now

    def probe(request: dict[str, Any]) -> dict[str, Any]:
        text = request["text"] if "text" in request else texts[request["name"]]()
        clear_caches()
        start, wall = _spent_s(), time.perf_counter()
        found: dict[str, Any] = {}
        try:
            found["status"], found["compared"] = PLACES[request["place"]](text, request.get("other", "1"))
        except Exception as exc:  # noqa: BLE001 - whatever it raises is the finding
            found |= {"status": "raised", "compared": "", "raised": f"{type(exc).__name__}: {exc}"[:200]}
        spent, waited = _spent_s() - start, time.perf_counter() - wall
        return found | {"cpu_ms": 1e3 * spent, "wall_ms": 1e3 * waited, "peak_mb": _peak_mb()}

    serve({"version": reasonry.__version__, "names": list(texts), "peak_mb": _peak_mb()}, probe)


def _peak_mb() -> float:
    """The largest resident size of any of our processes so far, in MB.

    Where the kernel tells it for one program; `getrusage` counts what the process was before it became this one.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    own = peak_mb() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return max(own, children, helpers_peak_mb())


def _spent_s() -> float:
    """CPU time of this process, of its children that have ended, and of its helpers."""
    return cpu_s() + helpers_cpu_s()


if __name__ == "__main__":
    main()
