"""Questions by how hard a judge found them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reasonry.filters.each import Fault, RowFilterSection, each
from reasonry.registry import part
from reasonry.types import Drop, Question

__all__ = ["RULES", "DifficultySection", "difficulty"]

RULES = {
    "too_easy": "the difficulty is below `min`",
    "too_hard": "the difficulty is above `max`",
    "difficulty_unknown": 'the question has no number for it (with `unknown = "drop"`)',
}


class DifficultySection(RowFilterSection):
    """Which difficulties are kept, on the scale of the numbers that came with the questions."""

    min: float | None = Field(default=None, description="easiest kept")
    max: float | None = Field(default=None, description="hardest kept")
    unknown: Literal["keep", "drop"] = Field(default="keep", description="questions that came without a number")

    @model_validator(mode="after")
    def _in_order(self) -> DifficultySection:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("no_difficulty", "min is above max: nothing would be kept")
        return self


@part("filter", "difficulty", options=DifficultySection, rules=RULES)
def difficulty(rows: Iterable[Question], options: DifficultySection) -> Iterator[Question | Drop]:
    """Drop questions that a judge found easier or harder than asked for (`fields.difficulty`)."""
    low, high = options.min, options.max

    def check(question: Question) -> Fault | None:
        value = question.meta.get("difficulty")
        if not isinstance(value, int | float) or isinstance(value, bool):
            unknown = Fault("difficulty_unknown", "no number came with the question")
            return None if options.unknown == "keep" else unknown
        if low is not None and value < low:
            return Fault("too_easy", f"difficulty {value:g}, below {low:g}")
        if high is not None and value > high:
            return Fault("too_hard", f"difficulty {value:g}, above {high:g}")
        return None

    return each(rows, options, check)
