"""Slices: by what the questions are grouped, in the test and among those to learn from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from reasonry.errors import UsageError
from reasonry.pairing import bands_of
from reasonry.recipe import Recipe
from reasonry.registry import find
from reasonry.types import Question

__all__ = ["UNKNOWN", "Slicing", "slicing_of", "test_questions"]

UNKNOWN = "unknown"
_META = "meta."


@dataclass(frozen=True, slots=True)
class Slicing:
    """By what questions are grouped, and how: `name_of` gives the slice of any question."""

    by: str
    name_of: Callable[[Question], str]


def slicing_of(by: str, tests: Iterable[Question]) -> Slicing:
    """By `domain`, `source`, `difficulty` or `meta.KEY`. Difficulty is banded as `reasonry compare` does, by `tests`.

    Raises UsageError for another word, and where no test question has what it is to be grouped by.
    """
    if by in ("domain", "source"):
        return Slicing(by, lambda question: str(getattr(question, by)) or UNKNOWN)
    told = list(tests)
    if by == "difficulty":
        _refuse_unless(by, any(_number(question) is not None for question in told))
        band_of = bands_of([number for question in told if (number := _number(question)) is not None])
        return Slicing(by, lambda question: band_of(_number(question)) or UNKNOWN)
    if by.startswith(_META) and len(by) > len(_META):
        path = by.removeprefix(_META).split(".")
        _refuse_unless(by, any(_at(question.meta, path) is not None for question in told))
        return Slicing(by, lambda question: _at(question.meta, path) or UNKNOWN)
    raise UsageError(
        f"nothing to slice by is called '{by}'", place="--slices", hint="domain, difficulty, source or meta.KEY"
    )


def _refuse_unless(by: str, is_there: bool) -> None:
    if not is_there:
        hint = "name its column in [[questions]] and [[evaluate]]: fields = { difficulty = ..., meta = { ... } }"
        raise UsageError(f"no test question has {by}", place=f"--slices {by}", hint=hint)


def test_questions(recipe: Recipe) -> dict[str, Question]:
    """The questions of all that is evaluated, each by its benchmark and its id."""
    return dict(_test_questions(recipe))


def _test_questions(recipe: Recipe) -> Iterator[tuple[str, Question]]:
    for section in recipe.evaluate:
        for row in find("benchmark", section.benchmark).call(section):
            if isinstance(row, Question):
                yield f"{section.label}/{row.id}", row


def _number(question: Question) -> float | None:
    value: Any = question.meta.get("difficulty")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _at(meta: Any, path: list[str]) -> str | None:
    """What stands there as text; several tags are one slice, whatever their order. None: nothing that names one."""
    for name in path:
        meta = cast("Mapping[str, Any]", meta).get(name) if isinstance(meta, Mapping) else None
    if isinstance(meta, list | tuple):
        tags = [text for item in cast("list[Any]", meta) if (text := _text(item)) is not None]
        return ", ".join(sorted(tags)) or None
    return _text(meta)


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}"
    return value.strip() or None if isinstance(value, str) else None
