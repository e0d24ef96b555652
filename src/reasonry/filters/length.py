"""Limits on the length of a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reasonry.registry import part
from reasonry.sections import FilterSection
from reasonry.types import Drop, Question

__all__ = ["LengthSection", "length"]


class LengthSection(FilterSection):
    """How long a prompt may be, in characters (Unicode code points)."""

    min_characters: Annotated[int, Field(ge=1)] | None = Field(default=None, description="shortest prompt kept")
    max_characters: Annotated[int, Field(ge=1)] | None = Field(default=None, description="longest prompt kept")

    @model_validator(mode="after")
    def _in_order(self) -> LengthSection:
        low, high = self.min_characters, self.max_characters
        if low is not None and high is not None and low > high:
            raise PydanticCustomError("no_length", "min_characters is above max_characters: nothing would be kept")
        return self


@part("filter", "length", options=LengthSection)
def length(rows: Iterable[Question], options: LengthSection) -> Iterator[Question | Drop]:
    """Drop prompts that are shorter or longer than allowed."""
    low, high = options.min_characters, options.max_characters
    for question in rows:
        characters = len(question.prompt)
        if low is not None and characters < low:
            yield _dropped(question, "too_short", f"{characters} characters, fewer than {low}")
        elif high is not None and characters > high:
            yield _dropped(question, "too_long", f"{characters} characters, more than {high}")
        else:
            yield question


def _dropped(question: Question, rule: str, reason: str) -> Drop:
    return Drop(question.id, "curate", rule, reason, content=question.prompt[:2000])
