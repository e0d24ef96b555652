"""Limits on the length of a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reasonry.filters.each import Fault, RowFilterSection, each
from reasonry.registry import part
from reasonry.types import Drop, Question

__all__ = ["RULES", "LengthSection", "length"]

RULES = {
    "too_short": "the prompt has fewer characters than `min_characters`",
    "too_long": "the prompt has more characters than `max_characters`",
}


class LengthSection(RowFilterSection):
    """How long a prompt may be, in characters (Unicode code points)."""

    min_characters: Annotated[int, Field(ge=1)] | None = Field(default=None, description="shortest prompt kept")
    max_characters: Annotated[int, Field(ge=1)] | None = Field(default=None, description="longest prompt kept")

    @model_validator(mode="after")
    def _in_order(self) -> LengthSection:
        low, high = self.min_characters, self.max_characters
        if low is not None and high is not None and low > high:
            raise PydanticCustomError("no_length", "min_characters is above max_characters: nothing would be kept")
        return self


@part("filter", "length", options=LengthSection, rules=RULES)
def length(rows: Iterable[Question], options: LengthSection) -> Iterator[Question | Drop]:
    """Drop prompts that are shorter or longer than allowed."""
    low, high = options.min_characters, options.max_characters

    def check(question: Question) -> Fault | None:
        characters = len(question.prompt)
        if low is not None and characters < low:
            return Fault("too_short", f"{characters} characters, fewer than {low}")
        if high is not None and characters > high:
            return Fault("too_long", f"{characters} characters, more than {high}")
        return None

    return each(rows, options, check)
