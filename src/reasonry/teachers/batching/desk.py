"""Who waits for which reply, while requests are gathered, submitted and collected."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reasonry.errors import TeacherError
from reasonry.teachers.batching.registry import RecordedBatch
from reasonry.types import Reply, Request

__all__ = ["Desk"]


@dataclass(slots=True, eq=False)
class _Asked:
    """A request and those who wait for its reply. `batch` None: it is in none yet."""

    request: Request
    reply: asyncio.Future[Reply]
    waiting: int = 0
    batch: RecordedBatch | None = None


class Desk:
    """The requests in hand, by their keys. `waiting` are those in no batch yet, in the order of asking.

    `arrived` is set when one more waits. `broken` is the error that ended everything.
    """

    def __init__(self, served_by: str) -> None:
        self.waiting: dict[str, None] = {}
        self.arrived = asyncio.Event()
        self.broken: TeacherError | None = None
        self._served_by = served_by
        self._asked: dict[str, _Asked] = {}

    async def ask(self, key: str, request: Request) -> Reply:
        """Wait for the reply. Who asks for a key that is asked for already gets the same one."""
        if self.broken is not None:
            raise copy.copy(self.broken)
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = _Asked(request, asyncio.get_running_loop().create_future())
            self.waiting[key] = None
            self.arrived.set()
        asked.waiting += 1
        try:
            return await asyncio.shield(asked.reply)
        finally:
            asked.waiting -= 1
            if not asked.waiting and not asked.reply.done():
                self._forget(key)

    def request(self, key: str) -> Request:
        return self._asked[key].request

    def is_asked_in(self, key: str, batch: RecordedBatch) -> bool:
        """Whether somebody waits for the reply that the batch brings."""
        asked = self._asked.get(key)
        return asked is not None and asked.batch is batch

    def asked_in(self, batch: RecordedBatch) -> list[str]:
        return [key for key in batch.keys if self.is_asked_in(key, batch)]

    def put_into(self, batch: RecordedBatch, keys: Iterable[str]) -> None:
        for key in keys:
            del self.waiting[key]
            self._asked[key].batch = batch

    def put_back(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._asked[key].batch = None
            self.waiting[key] = None
        self.arrived.set()

    def end(self, key: str, outcome: Reply | TeacherError) -> None:
        """Hand a reply or an error over, if somebody still waits."""
        asked = self._asked.get(key)
        self._forget(key)
        if asked is None or asked.reply.done():
            return
        if isinstance(outcome, Reply):
            asked.reply.set_result(outcome)
        else:
            outcome.place = outcome.place or self._served_by
            asked.reply.set_exception(outcome)

    def end_all(self, keys: Iterable[str], error: TeacherError) -> None:
        for key in keys:
            self.end(key, copy.copy(error))

    def break_off(self, error: TeacherError) -> None:
        """An error that every request would meet: nobody waits for hours to hear of it."""
        if self.broken is None:
            error.fatal = True
            error.place = error.place or self._served_by
            self.broken = error
            self.end_all(list(self._asked), error)

    def close(self) -> None:
        self.end_all(list(self._asked), TeacherError("the teacher was closed", retryable=True))

    def _forget(self, key: str) -> None:
        self._asked.pop(key, None)
        self.waiting.pop(key, None)
