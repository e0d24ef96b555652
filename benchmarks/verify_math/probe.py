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
    _judged("1", "\\frac{1}{2}")

    def probe(request: dict[str, Any]) -> dict[str, Any]:
        text = request["text"] if "text" in request else texts[request["name"]]()
        clear_caches()
        start, wall = cpu_s(), time.perf_counter()
        found: dict[str, Any] = {}
        try:
            found["status"], found["compared"] = PLACES[request["place"]](text, request.get("other", "1"))
        except Exception as exc:  # noqa: BLE001 - whatever it raises is the finding
            found |= {"status": "raised", "compared": "", "raised": f"{type(exc).__name__}: {exc}"[:200]}
        spent, waited = cpu_s() - start, time.perf_counter() - wall
        return found | {"cpu_ms": 1e3 * spent, "wall_ms": 1e3 * waited, "peak_mb": peak_mb()}

    serve({"version": reasonry.__version__, "names": list(texts), "peak_mb": peak_mb()}, probe)


def peak_mb() -> float:
    """The largest resident size of this process and of its children so far, in MB.

    `getrusage` would count what the process was before it became this program, where the kernel says it better.
    """
    status = Path("/proc/self/status")
    lines = status.read_text("ascii", "ignore").splitlines() if status.is_file() else []
    own = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
    if own is None:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024 / 1e6


if __name__ == "__main__":
    main()
