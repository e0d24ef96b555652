"""The engine: one event loop that sends what may be sent, records what comes back, and tries again what failed.

It has no task for a request that waits: `_pump` takes the next request when a gate is open, and starts one task for one
try. A pause between tries is a timer. What is done is kept as a key alone, since the ledger has the reply.

That nothing is paid twice rests on three steps on the loop. A request is looked up in the ledger together with its
chunk, and put in line under its key; another one with that key then waits for it. Before it is sent its key is claimed,
which no two ledger objects can do at once. And unless the ledger was ours alone since the look, it is looked up again.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from reasonry.contracts import Teacher
from reasonry.errors import ReasonryError, TeacherError, WorkFailed
from reasonry.ledger import Ledger, LedgerEntry
from reasonry.sections import PriceOptions
from reasonry.teachers.asking.admission import Admission, Turn
from reasonry.teachers.asking.attempts import Attempt, entry_of, try_once
from reasonry.teachers.asking.cases import Case, Item, Stored
from reasonry.teachers.asking.company import Company
from reasonry.teachers.asking.entries import read_entry
from reasonry.teachers.asking.loops import LoopThread
from reasonry.teachers.asking.outcomes import Answered, Counters, Outcome, Unanswered, Waits
from reasonry.teachers.asking.recorder import Recorder
from reasonry.teachers.asking.spending import Purse
from reasonry.types import Reply, Request

__all__ = ["Engine"]

_AT_ONCE = 64  # requests sent before the loop may do something else
_ELSEWHERE_S = 0.5  # between two looks at a request that another process asks
_HELD_CHARACTERS = 32 << 20  # of replies that need not be read back from the ledger
_UNWRITTEN_CHARACTERS = 32 << 20  # of replies on their way to the disk; with more, nothing is asked for
_REFUSALS_PER_TRY = 8  # being told to come back later is no failed try, but nobody comes back for ever


class Engine:
    """Methods without a word on threads run on the loop; `feed`, `wait_for`, `answered`, `drain`, `close` elsewhere."""

    def __init__(
        self,
        loop: LoopThread,
        teacher: Teacher,
        admission: Admission,
        ledger: Ledger | None,
        purse: Purse,
        price: PriceOptions | None,
        attempts: int,
        waits: Waits,
        counters: Counters,
        say: Callable[[str], None],
        company: Company,
    ) -> None:
        self._company = company
        self._thread = loop
        self._loop = loop.loop
        self._teacher = teacher
        self._admission = admission
        self._ledger = ledger
        self._purse = purse
        self._price = price
        self._attempts = attempts
        self._waits = waits
        self._counters = counters
        self._say = say
        self._items: deque[Item] = deque()  # in line
        self._next: deque[Item] = deque()  # those that go before: tried before, or of a question that was begun
        self._flights: dict[str, list[Item]] = {}  # by key: the item that is in line or asked, then who waits for it
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._wake: asyncio.TimerHandle | None = None
        self._recorder = (
            None if ledger is None else Recorder(loop.loop, ledger, self._durable, self._stop, self._written)
        )
        self._held = 0  # characters of replies that were kept in memory, counted on the loop
        self._delivered = 0  # ... and handed over, counted on the caller's thread
        self._error: BaseException | None = None
        self._news = threading.Condition()
        self._awaited: Case | None = None
        self._is_pumping = False
        self._loop.set_exception_handler(self._crashed)

    # The caller's thread.

    def feed(self, cases: Sequence[Case]) -> None:
        """Hand over cases, to be begun in order."""
        if cases:
            self._loop.call_soon_threadsafe(self._begin, cases)

    def wait_for(self, case: Case, seconds: float) -> bool:
        """Until a case is done, or so long. Raises what ended the run, once nothing is under way any more."""
        if case.is_done:
            return True
        with self._news:
            self._awaited = case
            self._news.wait_for(lambda: case.is_done or self._has_ended(), seconds)
            self._awaited = None
            if not case.is_done and self._has_ended():
                assert self._error is not None
                raise self._error
        return case.is_done

    def _has_ended(self) -> bool:
        return self._error is not None and self._is_idle()

    def answered(self, stored: Stored, entry: LedgerEntry) -> Answered:
        """What is stored, with its reply."""
        if stored.entry is not None:
            self._delivered += len(stored.entry.reply or "")
        return Answered(stored.request, read_entry(entry), stored.key, self._cost(entry), stored.from_ledger)

    def close(self) -> None:
        """Cancel what is under way; wait for what is being written."""
        self._thread.submit(self._close()).result()
        with self._news:
            self._news.wait_for(lambda: not self._pending)
        for key in self._flights:  # not before: another process would ask for what is on its way to the disk
            if self._ledger is not None:
                self._ledger.release(key)

    async def _close(self) -> None:
        self._error = self._error or asyncio.CancelledError()
        self._cancel_timers()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def halt(self, error: BaseException) -> None:
        """Send nothing more; from any thread."""
        self._loop.call_soon_threadsafe(self._stop, error)

    def drain(self, error: BaseException) -> None:
        """Send nothing more, and wait for what is under way, which is paid for."""
        self.halt(error)
        if self._counters.in_flight:
            what = f"{self._counters.in_flight:,} requests are under way: their answers are waited for"
            why = "interrupted" if isinstance(error, KeyboardInterrupt) else "stopping"
            self._say(f"{why}; {what} (Ctrl-C again gives them up)")
        with self._news:
            self._news.wait_for(self._has_ended)

    # The loop.

    @property
    def _pending(self) -> int:
        """Entries that are not on the disk yet."""
        return 0 if self._recorder is None else self._recorder.pending

    def _is_idle(self) -> bool:
        return not self._tasks and not self._pending

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    def _stop(self, error: BaseException) -> None:
        """Send nothing more; what is under way is still recorded."""
        if self._error is None:
            self._error = error
            self._company.stop(error)
        self._cancel_timers()
        self._tell()

    def _crashed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A bug in a callback must end the run, for nobody would finish what it was about to do."""
        if "handle" in context and isinstance(error := context.get("exception"), BaseException):
            self._stop(error)
        else:
            loop.default_exception_handler(context)

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _later(self, seconds: float, item: Item) -> None:
        def due() -> None:
            self._timers.discard(timer)
            self._next.append(item)
            self._pump()

        timer = self._loop.call_later(seconds, due)
        self._timers.add(timer)

    def _pump(self) -> None:
        """Send as much as may be sent now."""
        if self._is_pumping:
            return
        self._is_pumping = True
        try:
            for _ in range(_AT_ONCE):
                if self._error is not None or not self._send_next():
                    return
            self._loop.call_soon(self._pump)
        except ReasonryError as error:  # the ledger cannot be read
            self._stop(error)
        finally:
            self._is_pumping = False

    def _send_next(self) -> bool:
        """Look at one request: whether it makes sense to look at another right away."""
        line = self._next or self._items
        if not line or (self._recorder is not None and self._recorder.characters > _UNWRITTEN_CHARACTERS):
            return False
        item = line[0]
        if not item.is_claimed and not self._is_ours(item):
            line.popleft()
            return True
        if self._recorder is not None:
            self._recorder.check_room()
        reserved = self._purse.reserve(item.request)
        if reserved is None:
            if not self._tasks:  # what others hold of the budget ends without a word to us
                self._wake_in(_ELSEWHERE_S)
            return False
        now = self._loop.time()
        is_last = item.failed_at is not None and item.failures == self._attempts - 1
        turn = self._admission.take(item.characters, now, item.failed_at, elsewhere=is_last)
        if turn is None:
            self._purse.settle(reserved, 0.0)
            self._wake_in(self._admission.ready_in_s(item.characters, now, item.failed_at, elsewhere=is_last))
            return False
        line.popleft()
        self._start(self._try(item, turn, reserved))
        return True

    def _wake_in(self, seconds: float | None) -> None:
        """Pump again when a gate opens by itself; it is done anyway when a try ends."""
        if self._wake is not None:
            self._wake.cancel()
        self._wake = None if seconds is None else self._loop.call_later(seconds, self._pump)

    def _begin(self, cases: Sequence[Case]) -> None:
        """Put the first requests of new cases in line."""
        if self._error is not None:
            return
        try:
            self._line_up([item for case in cases for item in self._items_of(case, case.first)], self._items)
        except ReasonryError as error:  # the ledger cannot be read
            self._stop(error)
        self._pump()

    def _items_of(self, case: Case, requests: Sequence[Request]) -> list[Item]:
        """The requests of a case's next round. A case without any is done."""
        teacher, start = self._teacher, len(case.outcomes)
        case.round_start = start
        case.missing = len(requests)
        case.outcomes.extend([None] * len(requests))  # type: ignore[list-item]  # filled before anyone reads them
        if not requests:
            self._finish(case)
        is_kept = self._ledger is not None
        return [
            Item(request, case, place, request.key(teacher.model, teacher.served_by) if is_kept else None)
            for place, request in enumerate(requests, start)
        ]

    def _line_up(self, items: Sequence[Item], line: deque[Item]) -> None:
        """Settle what the ledger has; join what is under way; put the rest in line."""
        if self._ledger is None:
            line.extend(items)
            return
        was_alone = self._ledger.is_alone
        keys = {item.key for item in items if item.key is not None and item.key not in self._flights}
        known = self._ledger.answered(keys)
        for item in items:
            assert item.key is not None
            if (flight := self._flights.get(item.key)) is not None:
                flight.append(item)
            elif (entry := known.get(item.key)) is not None:
                self._settle(item, self._counted(item, entry))
            else:
                item.is_fresh = was_alone
                self._flights[item.key] = [item]
                line.append(item)

    def _is_ours(self, item: Item) -> bool:
        """Whether an item is to be asked for by us now; else it was settled or put aside."""
        assert item.key is not None
        assert self._ledger is not None
        is_claimed = self._ledger.claim(item.key)
        if is_claimed and item.is_fresh and self._ledger.is_alone:
            item.is_claimed = True
            return True
        entry = self._ledger.answered([item.key]).get(item.key)
        if entry is not None:
            self._settle_flight(item, lambda one: self._counted(one, entry))
        elif is_claimed:
            item.is_claimed = True
            return True
        else:
            self._later(_ELSEWHERE_S, item)
        return False

    def _counted(self, item: Item, entry: LedgerEntry) -> Outcome | Stored:
        """An answer that was there."""
        cost = self._cost(entry)
        self._counters.found += 1
        self._counters.cost_usd += cost or 0.0
        self._counters.is_cost_known &= cost is not None
        self._purse.count(item.request, cost)
        return self._kept(item, entry, from_ledger=True)

    def _kept(self, item: Item, entry: LedgerEntry, *, from_ledger: bool) -> Outcome | Stored:
        """An answer: with its reply where the case decides by it, else by its key alone."""
        if item.case.series.has_more:
            return self.answered(Stored(item.request, entry.key, from_ledger), entry)
        assert self._ledger is not None
        # The entry that we wrote is the one that stands unless somebody else could write too.
        is_held = self._held - self._delivered < _HELD_CHARACTERS and self._ledger.is_alone
        if is_held:
            self._held += len(entry.reply or "")
        return Stored(item.request, entry.key, from_ledger, entry if is_held else None)

    def _cost(self, entry: LedgerEntry) -> float | None:
        """By the price in force, which is part of the stage's key; the entry keeps what was thought at the time."""
        return self._price.cost_usd(entry.tokens_in, entry.tokens_out) if self._price else None

    def _start(self, coroutine: Any) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self._stop(WorkFailed("what decides on further requests was cancelled"))  # unless we did it
        elif (error := task.exception()) is not None:
            self._stop(error)
        if self._error is not None:
            self._tell()

    async def _try(self, item: Item, turn: Turn, reserved: float) -> None:
        """One try, recorded whatever comes of it."""
        counters = self._counters
        counters.tries += 1
        counters.in_flight += 1
        start, at = time.perf_counter(), time.time()
        result: Reply | TeacherError | None = None
        try:
            result = await try_once(turn.gate.call, item.request)
        finally:
            counters.in_flight -= 1
            turn.gate.ended(turn, result, self._loop.time())  # None: cancelled
            if not isinstance(result, Reply):
                self._purse.settle(reserved, 0.0)
        seconds = time.perf_counter() - start
        if isinstance(result, Reply):
            self._answered(item, result, reserved, seconds, at)
        elif result is not None:
            item.failed_at = turn.gate
            self._failed(item, result, seconds, at)
        self._pump()

    def _answered(self, item: Item, reply: Reply, reserved: float, seconds: float, at: float) -> None:
        counters = self._counters
        counters.tokens_in += reply.tokens_in or 0
        counters.tokens_out += reply.tokens_out or 0
        if self._recorder is None:
            counters.answered += 1
            self._purse.settle(reserved, 0.0)
            self._settle(item, Answered(item.request, reply, None, None, from_ledger=False))
            return
        self._recorder.record(item, self._entry(item, reply, seconds, at), reserved)

    def _failed(self, item: Item, error: TeacherError, seconds: float, at: float) -> None:
        item.refusals += error.http_status == 429
        item.failures += error.http_status != 429
        if self._recorder is not None:
            self._recorder.record(item, self._entry(item, error, seconds, at), 0.0)
        if (hopeless := self._admission.without_hope()) is not None:
            self._stop(hopeless)
        elif error.fatal:
            item.failures -= 1
            self._next.append(item)  # another endpoint may do it
        elif self._error is None and error.retryable and self._may_try_again(item):
            self._later(self._waits.pause_s(item.tries, error), item)
        elif self._error is None or not error.retryable:
            self._settle_flight(item, lambda one: Unanswered(one.request, error))

    def _may_try_again(self, item: Item) -> bool:
        return item.failures < self._attempts and item.refusals < self._attempts * _REFUSALS_PER_TRY

    def _written(self) -> None:
        if self._error is not None:
            self._tell()
        self._pump()

    def _durable(self, item: Item, entry: LedgerEntry, reserved: float) -> None:
        cost = self._cost(entry)
        counters = self._counters
        counters.answered += 1
        counters.cost_usd += cost or 0.0
        counters.is_cost_known &= cost is not None
        self._purse.settle(reserved, cost)
        first = item
        self._settle_flight(item, lambda one: self._kept(one, entry, from_ledger=one is not first))

    def _settle_flight(self, item: Item, outcome_of: Any) -> None:
        """Settle an item, and those that waited for the same key."""
        if item.key is None:
            self._settle(item, outcome_of(item))
            return
        assert self._ledger is not None
        waiting = self._flights.pop(item.key, [item])
        self._ledger.release(item.key)
        for one in waiting:
            self._settle(one, outcome_of(one))

    def _settle(self, item: Item, outcome: Outcome | Stored) -> None:
        case = item.case
        self._counters.settled += 1
        case.outcomes[item.place] = outcome
        case.missing -= 1
        if case.missing:
            return
        if case.series.has_more and self._error is None:
            self._start(self._proceed(case))
        elif not case.series.has_more:
            self._finish(case)

    def _entry(self, item: Item, result: Reply | TeacherError, seconds: float, at: float) -> LedgerEntry:
        assert item.key is not None
        attempt = Attempt(item.key, item.tries + isinstance(result, Reply), seconds, at)
        return entry_of(attempt, item.request, result, self._teacher, self._price)

    async def _proceed(self, case: Case) -> None:
        """Let the series decide on what was answered, then forget the replies."""
        answered: list[Any] = case.outcomes[case.round_start :]
        requests = await case.series.proceed(answered)
        if self._ledger is not None:
            case.outcomes[case.round_start :] = [
                Stored(o.request, o.key, o.from_ledger) if isinstance(o, Answered) and o.key is not None else o
                for o in answered
            ]
        self._line_up(self._items_of(case, requests), self._next)
        self._pump()

    def _finish(self, case: Case) -> None:
        case.is_done = True
        if self._awaited is case:
            self._tell()
