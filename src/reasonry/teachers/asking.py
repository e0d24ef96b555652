"""Ask many requests: in order, in parallel, through the ledger.

The caller's thread pulls requests and takes outcomes; an event loop on another thread talks to the teacher. What
the engine promises:

- outcomes come in the order of the requests, and at most a window of them is held;
- at most `concurrency` requests are with the teacher at any moment;
- a reply is on disk, in the ledger, before it is handed out; what is there is never asked again;
- requests with the same key are asked once;
- a request that fails harms no other. Only an error that would meet every request ends the run, after what is
  under way has been recorded.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from reasonry.contracts import Teacher
from reasonry.errors import BudgetReached, LedgerError, ReasonryError, TeacherError
from reasonry.ledger import Ledger, LedgerEntry
from reasonry.sections import PriceOptions
from reasonry.teachers.entries import read_reply, reply_text, request_text, storable
from reasonry.teachers.loops import LoopThread
from reasonry.teachers.spending import Budget, Purse
from reasonry.types import Reply, Request

__all__ = ["Answered", "Budget", "Outcome", "Unanswered", "Waits", "ask_all"]

_LOOKUP = 256  # requests looked up in the ledger at once
_WINDOW_PER_SLOT = 8  # a slow answer holds up its successors' delivery, not their asking, until the window is full
_DETAIL_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Answered:
    """A request with its reply. `key` and `cost_usd` are None where the ledger is not used.

    `from_ledger`: nothing was paid for it now. It is no property of the result, so keep it out of tables.
    """

    request: Request
    reply: Reply
    key: str | None
    cost_usd: float | None
    from_ledger: bool


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that found no answer, and the last reason."""

    request: Request
    error: TeacherError


Outcome = Answered | Unanswered


@dataclass(frozen=True, slots=True)
class Waits:
    """Pauses between the tries of one request, in seconds: random, up to `first_s` doubled with every try.

    What the endpoint asks for (Retry-After) is waited in full, up to `longest_asked_s`.
    """

    first_s: float = 0.5
    longest_s: float = 60.0
    longest_asked_s: float = 600.0

    def __call__(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, TeacherError) else None
        pause = wait_random_exponential(multiplier=self.first_s, max=self.longest_s)(state)
        return max(pause, min(asked or 0.0, self.longest_asked_s))


def ask_all(
    teacher: AbstractAsyncContextManager[Teacher],
    requests: Iterable[Request],
    ledger: Ledger | None,
    *,
    concurrency: int = 16,
    attempts: int = 8,
    price: PriceOptions | None = None,
    budget: Budget | None = None,
    waits: Waits | None = None,
) -> Iterator[Outcome]:
    """Ask every request, streaming: one outcome for each, in order. `requests` is pulled as outcomes are taken.

    A teacher that is not paid goes past the ledger. `waits` defaults to the teacher's own, where it has one.

    Raises a fatal TeacherError (a refused key, an unknown model), LedgerError, or BudgetReached, each after what
    was under way has been recorded. Closing the iterator, or an interrupt, cancels what is under way.
    """
    with LoopThread("teacher") as loop, loop.hold(teacher) as opened:
        if opened.paid and ledger is None:
            raise LedgerError("a paid teacher needs a ledger", hint="pass one, so that no answer is paid for twice")
        asking = _Asking(
            loop,
            opened,
            ledger if opened.paid else None,
            Purse(budget, price) if opened.paid else Purse(None, None),
            price,
            concurrency,
            attempts,
            waits or getattr(opened, "waits", None) or Waits(),
        )
        yield from asking.outcomes(requests)


class _Stopped(Exception):
    """No further request is sent: the run has met an error that every request would meet."""


@dataclass(frozen=True, slots=True)
class _Asked:
    request: Request
    future: Future[Outcome]


class _Asking:
    """One run of `ask_all`. Methods with `async` run on the loop, the others on the caller's thread."""

    def __init__(
        self,
        loop: LoopThread,
        teacher: Teacher,
        ledger: Ledger | None,
        purse: Purse,
        price: PriceOptions | None,
        concurrency: int,
        attempts: int,
        waits: Waits,
    ) -> None:
        self._loop = loop
        self._teacher = teacher
        self._ledger = ledger
        self._purse = purse
        self._price = price
        self._attempts = attempts
        self._waits = waits
        self._window = concurrency * _WINDOW_PER_SLOT
        self._slots = asyncio.Semaphore(concurrency)
        self._tasks: set[asyncio.Task[Outcome]] = set()
        self._writes: set[Future[None]] = set()
        self._pending: dict[str, Future[Outcome]] = {}
        self._stop: ReasonryError | None = None
        self._stopping = asyncio.Event()

    def outcomes(self, requests: Iterable[Request]) -> Iterator[Outcome]:
        window: deque[_Asked] = deque()
        try:
            for asked in self._asked(requests):
                window.append(asked)
                while window and (len(window) >= self._window or window[0].future.done()):
                    yield _outcome(window.popleft())
            while window:
                yield _outcome(window.popleft())
        except _Stopped as stopped:
            wait([asked.future for asked in window])
            raise self._stop or stopped from None
        finally:
            self._abandon(window)

    def _asked(self, requests: Iterable[Request]) -> Iterator[_Asked]:
        """Every request, sent or found. Pulls one chunk at a time."""
        iterator = iter(requests)
        while chunk := list(itertools.islice(iterator, _LOOKUP)):
            if self._ledger is None:
                yield from (_Asked(request, self._send(request, None)) for request in chunk)
            else:
                yield from self._through(self._ledger, chunk)

    def _through(self, ledger: Ledger, chunk: Sequence[Request]) -> Iterator[_Asked]:
        keys = [request.key(self._teacher.model, self._teacher.served_by) for request in chunk]
        # What is done is in the ledger by now, if it was answered; so it is safe to forget before looking up.
        self._pending = {key: future for key, future in self._pending.items() if not future.done()}
        known = ledger.answered(key for key in keys if key not in self._pending)
        for request, key in zip(chunk, keys, strict=True):
            if key in known:
                yield _Asked(request, self._found(request, known[key]))
                continue
            if key not in self._pending:
                self._pending[key] = self._send(request, key)
            yield _Asked(request, self._pending[key])

    def _found(self, request: Request, entry: LedgerEntry) -> Future[Outcome]:
        cost = self._cost(entry)
        self._purse.count(cost)
        future: Future[Outcome] = Future()
        future.set_result(Answered(request, _read(entry), entry.key, cost, from_ledger=True))
        return future

    def _cost(self, entry: LedgerEntry) -> float | None:
        """By the price in force, which is part of the stage's key; the entry keeps what was thought at the time."""
        return self._price.cost_usd(entry.tokens_in, entry.tokens_out) if self._price else None

    def _send(self, request: Request, key: str | None) -> Future[Outcome]:
        return self._loop.submit(self._answer(request, key))

    def _abandon(self, window: Iterable[_Asked]) -> None:
        """Cancel what is under way; wait for writes that have begun, which a cancelled task no longer does."""
        for asked in window:
            asked.future.cancel()
        self._loop.submit(self._all_ended()).result()
        wait(self._writes.copy())

    async def _all_ended(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, request: Request, key: str | None) -> Outcome:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            async with self._slots:
                self._go_on()
                return await self._affordable(request, key)
        except (BudgetReached, LedgerError, TeacherError) as error:
            self._stop = self._stop or error
            self._stopping.set()
            raise _Stopped from error

    def _go_on(self) -> None:
        if self._stop is not None:
            raise _Stopped

    async def _affordable(self, request: Request, key: str | None) -> Outcome:
        reserved = await self._purse.reserve(request)
        cost: float | None = 0.0
        try:
            self._go_on()
            outcome = await self._tries(request, key)
            cost = outcome.cost_usd if isinstance(outcome, Answered) else 0.0
            return outcome
        finally:
            await self._purse.settle(reserved, cost)

    async def _tries(self, request: Request, key: str | None) -> Outcome:
        """Ask until there is an answer or no hope. Raises a fatal TeacherError."""
        numbers = itertools.count(1)

        async def once() -> Answered:
            self._go_on()
            return await self._once(request, key, next(numbers))

        retrying = AsyncRetrying(
            retry=retry_if_exception(self._may_help),
            stop=stop_after_attempt(self._attempts),
            wait=self._waits,
            sleep=self._pause,
            reraise=True,
        )
        try:
            return await retrying(once)
        except TeacherError as error:
            if error.fatal:
                raise
            return Unanswered(request, error)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the run."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _may_help(self, error: BaseException) -> bool:
        return isinstance(error, TeacherError) and error.retryable and not error.fatal and self._stop is None

    async def _once(self, request: Request, key: str | None, attempt: int) -> Answered:
        """One try, recorded whatever comes of it."""
        start, at = time.perf_counter(), time.time()
        try:
            reply = await _ask(self._teacher, request)
        except TeacherError as error:
            if key is not None:
                await self._record(self._entry(request, key, attempt, error, time.perf_counter() - start, at))
            raise
        if key is None:
            return Answered(request, reply, None, None, from_ledger=False)
        entry = self._entry(request, key, attempt, reply, time.perf_counter() - start, at)
        await self._record(entry)
        assert self._ledger is not None
        # Read back, so that this run and a resumed one see the same reply to the letter; and if another process
        # answered the same key first, its reply is the one that stands.
        stored = self._ledger.answered([key]).get(key, entry)
        return Answered(request, _read(stored), key, self._cost(stored), from_ledger=False)

    async def _record(self, entry: LedgerEntry) -> None:
        assert self._ledger is not None
        written = self._ledger.submit(entry)
        self._writes.add(written)
        written.add_done_callback(self._writes.discard)
        await asyncio.shield(asyncio.wrap_future(written))  # what was answered is kept, even when we are cancelled

    def _entry(
        self, request: Request, key: str, attempt: int, result: Reply | TeacherError, seconds: float, at: float
    ) -> LedgerEntry:
        teacher = self._teacher
        reply = result if isinstance(result, Reply) else None
        tokens_in, tokens_out = (reply.tokens_in, reply.tokens_out) if reply else (None, None)
        error = result if isinstance(result, TeacherError) else None
        return LedgerEntry(
            key=key,
            attempt=attempt,
            outcome="failed" if reply is None else "answered",
            request=request_text(request, teacher.model),
            reply=None if reply is None else reply_text(reply),
            model=teacher.model,
            served_by=teacher.served_by,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost_usd=self._price.cost_usd(tokens_in, tokens_out) if self._price and reply else None,
            http_status=error.http_status if error else None,
            detail=storable(str(error))[:_DETAIL_CHARACTERS] if error else "",
            seconds=seconds,
            at=at,
        )


async def _ask(teacher: Teacher, request: Request) -> Reply:
    """The boundary where a teacher's failure is attributed, once: whatever it raises becomes a TeacherError."""
    try:
        reply: Any = await teacher(request)
    except TeacherError:
        raise
    except Exception as exc:
        raise TeacherError(f"the teacher failed: {type(exc).__name__}: {str(exc)[:200]}") from exc
    if not isinstance(reply, Reply):
        raise TeacherError(f"the teacher returned a {type(reply).__name__}, not a Reply")
    return reply


def _outcome(asked: _Asked) -> Outcome:
    outcome = asked.future.result()
    if outcome.request is asked.request:
        return outcome
    if isinstance(outcome, Answered):  # another request with this key was asked, and paid for
        return replace(outcome, request=asked.request, from_ledger=True)
    return replace(outcome, request=asked.request)


def _read(entry: LedgerEntry) -> Reply:
    try:
        return read_reply(entry.reply or "")
    except (ValueError, TypeError) as exc:
        hint = "the ledger was changed by something else; set it aside and start a new one"
        raise LedgerError(f"the entry {entry.key} holds no reply: {exc}", place="ledger", hint=hint) from exc
