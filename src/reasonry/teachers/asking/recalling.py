"""Asking a teacher that has its answers at hand: no loop and no tries, so nothing but the reading takes time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reasonry.contracts import AtHand
from reasonry.errors import TeacherError
from reasonry.teachers.asking.outcomes import Answered, Counters, Outcome, Series, Unanswered
from reasonry.types import Request

__all__ = ["recalled"]


def recalled(teacher: AtHand, series: Iterable[Series], counters: Counters) -> Iterator[Sequence[Outcome]]:
    """All outcomes of each series, none of which has more. Raises the teacher's error where it would meet every one."""
    for one in series:
        yield [_outcome(teacher, request, counters) for request in one.start()]


def _outcome(teacher: AtHand, request: Request, counters: Counters) -> Outcome:
    counters.tries += 1
    counters.settled += 1
    try:
        reply = teacher.recall(request)
    except TeacherError as error:
        if error.fatal:
            raise
        return Unanswered(request, error)
    counters.answered += 1
    counters.tokens_in += reply.tokens_in or 0
    counters.tokens_out += reply.tokens_out or 0
    return Answered(request, reply, None, None, from_ledger=False)
