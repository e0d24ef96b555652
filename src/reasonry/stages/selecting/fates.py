"""What becomes of each trace, and how the recipe's filters are put into the line.

Everything flows in the order of the traces, whatever was decided: a rule looks at those that are still candidates and
lets the others pass. So examples and drops both leave in that order, and every trace is one or the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from reasonry.errors import PartError
from reasonry.registry import Part
from reasonry.sections import TraceFilterSection
from reasonry.sections.selecting import UNKNOWN
from reasonry.types import Candidate, Drop

__all__ = ["Fate", "by_question", "through"]


class Fate(NamedTuple):
    """A trace as far as the rules have looked: a candidate still, or dropped.

    `because` says what kept it so far, `level` how hard its question is, `rank` its place among the traces of its
    question (0 = first). `group` is the group of the mix that it belongs to, and `step` counts the rules that it came
    through. (A tuple, since several are made of each trace: a frozen dataclass takes five times as long.)
    """

    candidate: Candidate
    because: tuple[str, ...] = ()
    level: str = UNKNOWN
    rank: int = 0
    group: tuple[str, ...] = ()
    step: int = 0
    drop: Drop | None = None

    @property
    def is_standing(self) -> bool:
        return self.drop is None

    def dropped(self, rule: str, reason: str, *, other_id: str | None = None) -> Fate:
        """The same trace, dropped by a rule of the stage."""
        return self._replace(drop=Drop(self.candidate.trace.id, "select", rule, reason, other_id))

    def kept(self, *because: str) -> Fate:
        """The same trace, one rule further."""
        return self._replace(because=(*self.because, *because), step=self.step + 1)


def by_question(fates: Iterable[Fate]) -> Iterator[list[Fate]]:
    """All traces of one question at a time: they follow each other."""
    for _, group in groupby(fates, key=lambda fate: fate.candidate.trace.question_id):
        yield list(group)


def through(fates: Iterable[Fate], part: Part, options: TraceFilterSection) -> Iterator[Fate]:
    """What one filter makes of those that stand. Raises PartError where it breaks its contract.

    A filter may read ahead; those that were dropped before wait for their turn.
    """
    waiting = deque[Fate]()

    def standing() -> Iterator[Candidate]:
        for fate in fates:
            waiting.append(fate)
            if fate.is_standing:
                yield fate.candidate

    offered = standing()
    for row in part.call(offered, options):
        while waiting and not waiting[0].is_standing:
            yield waiting.popleft()
        if not waiting:
            raise _broken(part, "gave more rows than it was given")
        yield _decided(waiting.popleft(), row, part)
    for _ in offered:
        raise _broken(part, "did not read all rows")
    for fate in waiting:
        if fate.is_standing:
            raise _broken(part, "gave fewer rows than it was given")
        yield fate


def _decided(fate: Fate, row: Candidate | Drop, part: Part) -> Fate:
    row_id = row.row_id if isinstance(row, Drop) else row.trace.id
    if row_id != fate.candidate.trace.id:
        raise _broken(part, f"gave {row_id} where it was given {fate.candidate.trace.id}")
    return fate._replace(drop=row) if isinstance(row, Drop) else fate.kept()


def _broken(part: Part, what: str) -> PartError:
    return PartError(
        f"the filter '{part.label}' {what}",
        place="select.filters",
        hint="a trace_filter gives one row, kept or dropped, for each that it is given, in order",
    )
