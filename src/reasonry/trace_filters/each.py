"""Filters that look at one trace at a time: a check says what is wrong with it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pydantic import Field

from reasonry.filters.each import Fault
from reasonry.sections import TraceFilterSection
from reasonry.types import Candidate, Drop

__all__ = ["Fault", "RowTraceFilterSection", "each"]


class RowTraceFilterSection(TraceFilterSection):
    """What every filter that looks at one trace at a time can be told."""

    domains: list[str] = Field(
        default_factory=list[str], description="only traces of questions of these domains are looked at; default: all"
    )


def each(
    candidates: Iterable[Candidate], options: RowTraceFilterSection, check: Callable[[Candidate], Fault | None]
) -> Iterator[Candidate | Drop]:
    """Every candidate, or the drop that says what its check found."""
    domains = frozenset(options.domains)
    for candidate in candidates:
        fault = None if domains and candidate.question.domain not in domains else check(candidate)
        yield candidate if fault is None else Drop(candidate.trace.id, "select", fault.rule, fault.reason)
