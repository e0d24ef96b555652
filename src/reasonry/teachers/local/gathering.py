"""Requests that arrive one by one, answered in batches: for engines that are fast only when they do much at once.

One batch runs at a time, on a thread, since a model has one memory. While it runs, requests gather; the next batch
takes the longest waiting ones. Where fewer than a batch are there, it waits until no more come for a moment.
"""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from reasonry.errors import TeacherError

__all__ = ["Gatherer"]

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

_QUIET_S = 0.02  # who asks many requests asks the next one sooner than this
_LONGEST_S = 1.0  # a trickle of requests must not hold up those that wait
_DETAIL_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Asked, Answer]):
    asked: Asked
    future: asyncio.Future[Answer]


class Gatherer(AbstractAsyncContextManager["Gatherer[Asked, Answer]"], Generic[Asked, Answer]):
    """Gathers requests into batches for `work`; an async context manager. `asked` gives one answer.

    `work` gets at most `batch_size` requests and gives an answer, or a TeacherError, for each, in order. A TeacherError
    that it raises meets every request of the batch. Where it raises anything else, the batch is tried again in halves,
    until the requests that cause it stand alone: they fail, and the others are answered. (So memory that was too small
    for the batch may still be large enough for its halves.)

    A request that is cancelled while it waits is not computed; one that is cancelled while its batch runs changes
    nothing for the others. On leaving, what waits fails, and what runs is waited for.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], Sequence[Answer | TeacherError]],
        batch_size: int,
        *,
        quiet_s: float = _QUIET_S,
    ) -> None:
        self._work = work
        self._batch_size = batch_size
        self._quiet_s = quiet_s
        self._waiting: deque[_Waiting[Asked, Answer]] = deque()
        self._arrived = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._closing = False

    async def asked(self, asked: Asked) -> Answer:
        """The answer. Raises TeacherError where there is none."""
        if self._runner is None or self._runner.done():
            raise _closed()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(asked, future))
        self._arrived.set()
        return await future

    async def __aenter__(self) -> Gatherer[Asked, Answer]:
        self._closing = False
        self._runner = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._arrived.set()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner

    async def _run(self) -> None:
        batch: list[_Waiting[Asked, Answer]] = []
        try:
            while await self._gathered():
                batch = self._taken()
                if batch:
                    _deliver(batch, await asyncio.to_thread(self._attributed, [waiting.asked for waiting in batch]))
        finally:  # also where this task is cancelled: nobody is left waiting
            for waiting in (*batch, *self._waiting):
                _fail(waiting, _closed())
            self._waiting.clear()

    async def _gathered(self) -> bool:
        """Wait for a batch, or for as much of one as comes. False once this is closing."""
        clock = asyncio.get_running_loop().time
        while not self._waiting and not self._closing:
            await self._one_more()
        until = clock() + _LONGEST_S
        while len(self._waiting) < self._batch_size and not self._closing and clock() < until:
            try:
                async with asyncio.timeout(self._quiet_s):
                    await self._one_more()
            except TimeoutError:
                break
        return not self._closing

    async def _one_more(self) -> None:
        """Nothing else runs on the loop between the caller's look at the queue and the wait: no wake-up is lost."""
        self._arrived.clear()
        await self._arrived.wait()

    def _taken(self) -> list[_Waiting[Asked, Answer]]:
        """The longest waiting requests that somebody still wants."""
        batch: list[_Waiting[Asked, Answer]] = []
        while self._waiting and len(batch) < self._batch_size:
            waiting = self._waiting.popleft()
            if not waiting.future.done():
                batch.append(waiting)
        return batch

    def _attributed(self, asked: Sequence[Asked]) -> list[Answer | TeacherError]:
        """An answer or an error for each request, whatever `work` does. Runs on a thread."""
        try:
            answers = list(self._work(asked))
            if len(answers) != len(asked):
                raise ValueError(f"{len(answers)} answers to {len(asked)} requests")
            return answers
        except TeacherError as error:
            return [copy.copy(error) for _ in asked]
        except BaseException as exc:  # noqa: BLE001 - a panic of a Rust library is no Exception, and nobody may hang
            if len(asked) == 1:
                failed = f"the engine failed: {type(exc).__name__}: {exc}"
                return [TeacherError(failed[:_DETAIL_CHARACTERS])]
        middle = len(asked) // 2
        return self._attributed(asked[:middle]) + self._attributed(asked[middle:])


def _deliver(batch: Sequence[_Waiting[Asked, Answer]], answers: Sequence[Answer | TeacherError]) -> None:
    for waiting, answer in zip(batch, answers, strict=True):
        if isinstance(answer, TeacherError):
            _fail(waiting, answer)
        elif not waiting.future.done():
            waiting.future.set_result(answer)


def _fail(waiting: _Waiting[Asked, Answer], error: TeacherError) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(error)


def _closed() -> TeacherError:
    return TeacherError("the teacher is not open", hint="use it as an async context manager")
