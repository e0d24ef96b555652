"""Where the next round's questions come from: to each weak slice in proportion to its error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reasonry.recipe import Recipe
from reasonry.recipe_text import parse, read_text
from reasonry.stages.selecting.apportion import apportion, as_shares

__all__ = ["Source", "added", "sources_of", "spend"]


@dataclass(frozen=True, slots=True)
class Source:
    """A source that can give more questions: the key that says how many, how many those are, and of which domain.

    A larger number keeps the first questions as they are, so what was asked before is asked again and found.
    """

    key: str
    domain: str
    count: int

    @property
    def setting(self) -> str:
        """As `--set` takes it."""
        return f"{self.key}={self.count}"


def sources_of(recipe: Recipe) -> list[Source]:
    """The sources whose `count` or `take` can be raised, and whose questions are of one domain."""
    return list(_sources(recipe))


def _sources(recipe: Recipe) -> Iterator[Source]:
    several = isinstance(parse(read_text(recipe.path), recipe.path).get("questions"), list)
    for i, section in enumerate(recipe.questions):
        fields: Any = getattr(section, "fields", None)
        if getattr(fields, "domain", None) is not None:
            continue  # each row has a domain of its own: more rows are more of every slice
        key = "take" if section.take is not None else "count"
        count = getattr(section, key, None)
        if isinstance(count, int):
            yield Source(f"questions.{i}.{key}" if several else f"questions.{key}", section.domain, count)


def spend(sources: Sequence[Source], errors: Mapping[str, float], questions: int) -> list[Source]:
    """The sources with so many questions more: to each domain by its error, within it by the sources' sizes.

    A domain without an error here gets nothing. Where no source is left to give any, all stay as they are.
    """
    sizes = Counter[str]()
    for source in sources:
        sizes[source.domain] += source.count
    shares = as_shares({one.key: errors.get(one.domain, 0.0) * one.count / sizes[one.domain] for one in sources})
    given = apportion(shares, questions)
    return [replace(source, count=source.count + given.get(source.key, 0)) for source in sources]


def added(before: Sequence[Source], after: Sequence[Source]) -> dict[str, int]:
    """By domain, how many questions more are asked for."""
    found = Counter[str]()
    for old, new in zip(before, after, strict=True):
        found[old.domain] += new.count - old.count
    return dict(found)
