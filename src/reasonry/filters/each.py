"""Filters that look at one row at a time: a check says what is wrong with it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pydantic import Field

from reasonry.sections import FilterSection
from reasonry.types import Drop, Question

__all__ = ["Fault", "RowFilterSection", "each"]

_CONTENT = 2_000  # characters of a dropped prompt that its drop keeps


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is dropped: the rule's name, and the reason in words."""

    rule: str
    reason: str


class RowFilterSection(FilterSection):
    """What every filter that looks at one question at a time can be told."""

    domains: list[str] = Field(
        default_factory=list[str], description="only questions of these domains are looked at; default: all"
    )


def each(
    rows: Iterable[Question], options: RowFilterSection, check: Callable[[Question], Fault | None]
) -> Iterator[Question | Drop]:
    """Every question, or the drop that says what its check found."""
    domains = frozenset(options.domains)
    for question in rows:
        fault = None if domains and question.domain not in domains else check(question)
        if fault is None:
            yield question
        else:
            yield Drop(question.id, "curate", fault.rule, fault.reason, content=question.prompt[:_CONTENT])
