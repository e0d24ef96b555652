"""Where the next round's questions come from: to each weak slice in proportion to its error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from reasonry.iterating.slicing import Slicing
from reasonry.recipe import Recipe
from reasonry.recipe_text import parse, read_text
from reasonry.registry import find
from reasonry.sections import QuestionsSection
from reasonry.stages.selecting.apportion import apportion, as_shares
from reasonry.types import Question

__all__ = ["Source", "added", "sources_of", "spend"]


@dataclass(frozen=True, slots=True)
class Source:
    """A source that can give more questions: the key that says how many, how many those are, and of which slice.

    A larger number keeps the first questions as they are, so what was asked before is asked again and found.
    """

    key: str
    slice: str
    count: int

    @property
    def setting(self) -> str:
        """As `--set` takes it."""
        return f"{self.key}={self.count}"


def sources_of(recipe: Recipe, slicing: Slicing | None = None) -> list[Source]:
    """The sources whose `count` or `take` can be raised, and whose questions are all of one slice.

    By domain (the default) the recipe says which; otherwise the questions that it asks for are read.
    """
    return list(_sources(recipe, slicing))


def _sources(recipe: Recipe, slicing: Slicing | None) -> Iterator[Source]:
    several = isinstance(parse(read_text(recipe.path), recipe.path).get("questions"), list)
    for i, section in enumerate(recipe.questions):
        key = "take" if section.take is not None else "count"
        count = getattr(section, key, None)
        if not isinstance(count, int):
            continue
        if (name := _slice_of(section, slicing, count)) is not None:
            yield Source(f"questions.{i}.{key}" if several else f"questions.{key}", name, count)


def _slice_of(section: QuestionsSection, slicing: Slicing | None, count: int) -> str | None:
    """The one slice of a source; None where its rows are of several: more rows are then more of every slice."""
    if slicing is None or slicing.by == "domain":
        fields: Any = getattr(section, "fields", None)
        return section.domain if getattr(fields, "domain", None) is None else None
    rows: Iterable[Any] = find("source", section.source).call(section)
    questions = (row for row in rows if isinstance(row, Question))
    names = {slicing.name_of(question) for question in islice(questions, count)}
    return names.pop() if len(names) == 1 else None


def spend(sources: Sequence[Source], errors: Mapping[str, float], questions: int) -> list[Source]:
    """The sources with so many questions more: to each slice by its error, within it by the sources' sizes.

    A slice without an error here gets nothing. Where no source is left to give any, all stay as they are.
    """
    sizes = Counter[str]()
    for source in sources:
        sizes[source.slice] += source.count
    shares = as_shares({one.key: errors.get(one.slice, 0.0) * one.count / sizes[one.slice] for one in sources})
    given = apportion(shares, questions)
    return [replace(source, count=source.count + given.get(source.key, 0)) for source in sources]


def added(before: Sequence[Source], after: Sequence[Source]) -> dict[str, int]:
    """By slice, how many questions more are asked for."""
    found = Counter[str]()
    for old, new in zip(before, after, strict=True):
        found[old.slice] += new.count - old.count
    return dict(found)
