"""The check for teachers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from reasonry.ledger import Ledger
from reasonry.registry import Part, part_of
from reasonry.sections import DistilSection
from reasonry.teachers.asking.ask import Answered, Unanswered, Waits, ask_all
from reasonry.types import Finish, Reply, Request

__all__ = ["check_teacher"]


def check_teacher(
    teacher: Part | Callable[[Any], Any], options: DistilSection, request: Request, *, repeats: bool = False
) -> Reply:
    """Ask a teacher one request, as the distil stage does, and hold its answer to the contract; the reply.

    Asserts that it is a part that opens and closes twice over, names who answers, counts its recordings (or says
    that it makes new answers), and gives a whole Reply; with `repeats`, the same one when asked again. Nothing it
    was paid for is kept: the ledger is a temporary one.
    """
    made = teacher if isinstance(teacher, Part) else part_of(teacher)
    assert made.kind == "teacher", f"{made.name} is a {made.kind}, not a teacher"
    reply = _checked_reply(_asked(made, options, request))
    again = _checked_reply(_asked(made, options, request))
    if repeats:
        assert again == reply, f"{made.name} answers the same request in two ways: {reply!r}, then {again!r}"
    return reply


def _asked(teacher: Part, options: DistilSection, request: Request) -> Answered:
    opening = teacher.call(options)
    for name in ("model", "served_by"):
        value = getattr(opening, name, None)
        assert isinstance(value, str), f"{name} is {value!r}: it enters every ledger key, so it is text"
        assert value, f"{name} is empty: two teachers would share their ledger keys"
    assert isinstance(opening.paid, bool), f"paid is {opening.paid!r}: it is True or False"
    recorded = opening.recorded(request.question)
    assert recorded is None or (isinstance(recorded, int) and recorded >= 0), f"recorded gives {recorded!r}"
    with TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.sqlite") as ledger:
        outcomes = list(ask_all(opening, [request], ledger, waits=Waits(first_s=0.01, longest_s=0.1)))
        kept = [entry for entry in ledger.entries() if entry.outcome == "answered"]
    (outcome,) = outcomes
    assert not isinstance(outcome, Unanswered), f"no answer: {outcome.error}"
    assert len(kept) == opening.paid, f"{len(kept)} answers are in the ledger, and paid is {opening.paid}"
    return outcome


def _checked_reply(outcome: Answered) -> Reply:
    reply: Any = outcome.reply
    assert isinstance(reply, Reply), f"a teacher returns a Reply, not a {type(reply).__name__}"
    assert isinstance(reply.response, str), f"response is {reply.response!r}: it is text"
    assert isinstance(reply.reasoning, str), f"reasoning is {reply.reasoning!r}: it is text, empty where there is none"
    assert reply.response or reply.reasoning, "the reply is empty: raise a TeacherError with retryable=True instead"
    assert reply.finish in get_args(Finish), f"finish is {reply.finish!r}, not one of {get_args(Finish)}"
    assert reply.model, "the reply does not say which model answered"
    for count in (reply.tokens_in, reply.tokens_out):
        assert count is None or (isinstance(count, int) and count >= 0), f"{count!r} is no count of tokens"
    return reply
