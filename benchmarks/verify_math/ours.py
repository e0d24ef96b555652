"""Our `math` verifier behind the same lines of JSON as the peers: used as a user would, by `run_verifier`.

python -m benchmarks.verify_math.ours
"""

from __future__ import annotations

from typing import Any

import reasonry
from benchmarks.verify_math.runner import serve
from reasonry.registry import find, run_verifier
from reasonry.types import Question, Status
from reasonry.verifiers.warm import warm_up

__all__ = ["main"]


def main() -> None:
    part = find("verifier", "math")
    warm_up(part.call)

    def grade(request: dict[str, Any]) -> dict[str, Any]:
        question = Question(request.get("prompt", ""), request["gold"], "math")
        verdict = run_verifier(part, question, request["given"])
        found: dict[str, Any] = {
            "equal": verdict.status is Status.CORRECT,
            "status": verdict.status.value,
            "extracted": verdict.extracted,
            "compared": verdict.evidence.get("compared", ""),
            "detail": verdict.detail,
        }
        return found | ({"error": verdict.detail} if verdict.status is Status.ERROR else {})

    serve({"version": reasonry.__version__}, grade)


if __name__ == "__main__":
    main()
