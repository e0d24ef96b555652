"""One try of one request: made, and written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from reasonry.contracts import Teacher
from reasonry.errors import TeacherError
from reasonry.ledger import LedgerEntry
from reasonry.sections import PriceOptions
from reasonry.teachers.asking.entries import reply_text, request_text, storable
from reasonry.types import Reply, Request

__all__ = ["Attempt", "entry_of", "try_once"]

_DETAIL_CHARACTERS = 1000
_TEXTS = ("response", "reasoning", "finish", "model")
_COUNTS = ("tokens_in", "tokens_out")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which try of which request it was. `number` counts from 1, `at` is Unix time in seconds."""

    key: str
    number: int
    seconds: float
    at: float


async def try_once(call: Callable[[Request], Awaitable[Any]], request: Request) -> Reply | TeacherError:
    """The boundary where a teacher's failure is attributed, once: whatever it raises becomes a TeacherError."""
    try:
        reply: Any = await call(request)
    except TeacherError as error:
        return error
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        return TeacherError("the teacher cancelled it", retryable=True)  # nobody else did
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - a bug in a teacher is one request's failure
        return TeacherError(f"the teacher failed: {type(exc).__name__}: {str(exc)[:200]}")
    if not isinstance(reply, Reply):
        return TeacherError(f"the teacher returned a {type(reply).__name__}, not a Reply")
    if wrong := _of_another_type(reply):
        return TeacherError(f"the teacher returned a Reply whose {wrong} is a {type(getattr(reply, wrong)).__name__}")
    return reply


def _of_another_type(reply: Reply) -> str:
    """The first field that holds what it may not, and that nobody could read back from the ledger; "" for none."""
    for name in _TEXTS:
        if not isinstance(getattr(reply, name), str):
            return name
    for name in _COUNTS:
        if not isinstance(getattr(reply, name), int | None):
            return name
    return ""


def entry_of(
    attempt: Attempt, request: Request, result: Reply | TeacherError, teacher: Teacher, price: PriceOptions | None
) -> LedgerEntry:
    """An attempt as the ledger keeps it."""
    reply = result if isinstance(result, Reply) else None
    error = result if isinstance(result, TeacherError) else None
    tokens_in, tokens_out = (reply.tokens_in, reply.tokens_out) if reply else (None, None)
    return LedgerEntry(
        key=attempt.key,
        attempt=attempt.number,
        outcome="failed" if reply is None else "answered",
        request=request_text(request, teacher.model),
        reply=None if reply is None else reply_text(reply),
        model=teacher.model,
        served_by=teacher.served_by,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost_usd=price.cost_usd(tokens_in, tokens_out) if price and reply else None,
        http_status=error.http_status if error else None,
        detail=storable(str(error))[:_DETAIL_CHARACTERS] if error else "",
        seconds=attempt.seconds,
        at=attempt.at,
    )
