"""Which of several questions that ask the same is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reasonry.sections import DeduplicateOptions
from reasonry.types import Question

__all__ = ["Preference"]

Test = Callable[[Question], bool]

_LACKS: dict[str, Test] = {
    "answer": lambda question: question.answer is None and not any(map(question.spec.get, ("tests", "harness"))),
    "verified": lambda question: not question.meta.get("verified"),
    "license": lambda question: question.license in ("", "unknown"),
}


class Preference:
    """The order of preference that a recipe asks for: the first criterion that tells two questions apart decides."""

    def __init__(self, options: DeduplicateOptions) -> None:
        self._criteria: Sequence[str] = options.prefer
        self._sources = {source: place for place, source in enumerate(options.sources)}

    def rank(self, question: Question) -> int:
        """The lowest is kept; of equals, the first in the order of rows. Each criterion is a digit of the number."""
        rank = 0
        for criterion in self._criteria:
            if criterion == "source":
                unlisted = len(self._sources)
                rank = rank * (unlisted + 1) + self._sources.get(question.source, unlisted)
            else:
                rank = 2 * rank + _LACKS[criterion](question)
        return rank
