"""Ask many requests: in order, in parallel, through the ledger.

The caller's thread pulls questions and takes outcomes; an event loop on another thread talks to the teacher
(`reasonry.teachers.asking.engine`). What is promised:

- outcomes come in the order of the requests, and memory is bounded by what is in flight, not by what waits;
- no more requests are with the teacher at any moment than it serves well, and never more than `concurrency`;
- a reply is on disk, in the ledger, before it is handed out; what is there is never asked again;
- requests with the same key are asked once, also by two processes on one ledger;
- a request that fails harms no other. Only an error that would meet every request ends the run, after what is
  under way has been recorded.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import chain

from reasonry.contracts import AtHand, Teacher
from reasonry.errors import LedgerError, ReasonryError
from reasonry.ledger import Ledger, LedgerEntry
from reasonry.sections import PriceOptions
from reasonry.teachers.asking.admission import Admission
from reasonry.teachers.asking.cases import Case, Stored
from reasonry.teachers.asking.company import Company
from reasonry.teachers.asking.engine import Engine
from reasonry.teachers.asking.loops import LoopThread
from reasonry.teachers.asking.outcomes import Answered, Counters, Outcome, Series, Single, Unanswered, Waits
from reasonry.teachers.asking.recalling import recalled
from reasonry.teachers.asking.spending import Budget, Purse
from reasonry.types import Request

__all__ = ["Answered", "Asking", "Budget", "Outcome", "Unanswered", "Waits", "ask_all", "ask_series"]

_CHUNK = 256  # requests handed to the engine at once, and replies read back at once
# A slow answer holds up its successors' delivery, but not their asking until the window is full.
_WINDOW = 20_000  # requests, of which the ledger has the replies
_WINDOW_PER_SLOT = 8  # where replies are held in memory, since no ledger has them
_WATCH_S = 1.0


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
    seeks_knee: bool = False,
) -> Iterator[Outcome]:
    """Ask every request, streaming: one outcome for each, in order. `requests` is pulled as outcomes are taken.

    A teacher that is not paid goes past the ledger. `waits` defaults to the teacher's own, where it has one.

    Raises a fatal TeacherError (a refused key, an unknown model), LedgerError, or BudgetReached, each after what
    was under way has been recorded, as it is after an interrupt. Closing the iterator cancels what is under way.
    """
    options = Asking(concurrency, attempts, price, budget, waits, seeks_knee)
    for outcomes in ask_series(teacher, map(Single, requests), ledger, options):
        yield from outcomes


@dataclass(frozen=True, slots=True)
class Asking:
    """How to ask. `concurrency` is the most in flight; `seeks_knee` leaves it open how many serve best below that.

    `say` is told, from another thread, what a person should know: an endpoint that does not answer. In a `company`,
    what ends the asking of one ends that of all, and each first yields nothing, once, when its first requests are
    handed over: so all are begun before any is waited for.
    """

    concurrency: int = 16
    attempts: int = 8
    price: PriceOptions | None = None
    budget: Budget | None = None
    waits: Waits | None = None
    seeks_knee: bool = False
    say: Callable[[str], None] | None = None
    company: Company | None = None


def ask_series(
    teacher: AbstractAsyncContextManager[Teacher],
    series: Iterable[Series],
    ledger: Ledger | None,
    options: Asking,
    watch: Callable[[Counters], None] | None = None,
) -> Iterator[Sequence[Outcome]]:
    """As `ask_all`, for questions whose answers decide what else is asked: all outcomes of each, in order.

    `watch` is called now and then, about once a second, on the caller's thread.
    """
    counters = Counters()
    say = options.say or _nothing
    with LoopThread("teacher") as loop, loop.hold(teacher) as opened:
        if opened.paid and ledger is None:
            raise LedgerError("a paid teacher needs a ledger", hint="pass one, so that no answer is paid for twice")
        series = iter(series)
        first = next(series, None)
        if first is None:
            yield from [()] if options.company else ()
            return
        series = chain((first,), series)
        if isinstance(opened, AtHand) and not opened.paid and not first.has_more:
            yield from [()] if options.company else ()
            yield from _Watch(watch, counters).over(recalled(opened, series, counters))
            return
        company = options.company or Company()
        engine = Engine(
            loop,
            opened,
            Admission.of(opened, options.concurrency, seeks_knee=options.seeks_knee, say=say),
            ledger if opened.paid else None,
            Purse(options.budget, options.price) if opened.paid else Purse(None, None),
            options.price,
            options.attempts,
            options.waits or getattr(opened, "waits", None) or Waits(),
            counters,
            say,
            company,
        )
        small = _WINDOW_PER_SLOT * options.concurrency
        window = max(_WINDOW, 2 * options.concurrency) if opened.paid else small
        delivery = _Delivery(engine, ledger, window, _Watch(watch, counters))
        with company.member(engine.halt):
            yield from delivery.outcomes(series, announces=options.company is not None)


def _nothing(text: str) -> None:
    """Nobody listens."""


class _Watch:
    """Shows the counters to someone, not more often than is worth it."""

    def __init__(self, show: Callable[[Counters], None] | None, counters: Counters) -> None:
        self._show = show
        self._counters = counters
        self._next = 0.0

    def over(self, outcomes: Iterator[Sequence[Outcome]]) -> Iterator[Sequence[Outcome]]:
        """The same outcomes, with a look after each."""
        for outcome in outcomes:
            yield outcome
            self.look()
        self.look(is_last=True)

    def look(self, *, is_last: bool = False) -> None:
        if self._show is not None and ((now := time.monotonic()) >= self._next or is_last):
            self._next = now + _WATCH_S
            self._show(self._counters)


class _Delivery:
    """The caller's side: feeds the engine a window ahead, and reads replies back from the ledger, in order."""

    def __init__(self, engine: Engine, ledger: Ledger | None, window: int, watch: _Watch) -> None:
        self._engine = engine
        self._ledger = ledger
        self._window = window
        self._chunk = min(_CHUNK, max(1, window // 2))
        self._watch = watch
        self._cases: deque[Case] = deque()
        self._held = 0  # requests of the cases above

    def outcomes(self, series: Iterable[Series], *, announces: bool) -> Iterator[Sequence[Outcome]]:
        iterator = iter(series)
        is_fed = False
        try:
            if announces:
                is_fed = not self._feed(iterator)
                yield ()
            while True:
                if not is_fed and self._has_room():
                    is_fed = not self._feed(iterator)
                    if not is_fed and self._has_room() and not self._cases[0].is_done:
                        continue
                if not self._cases:
                    return
                if self._engine.wait_for(self._cases[0], _WATCH_S):
                    yield from self._ready()
                self._watch.look()
        except (KeyboardInterrupt, ReasonryError) as error:
            self._engine.drain(error)
            raise
        finally:
            self._watch.look(is_last=True)
            self._engine.close()

    def _has_room(self) -> bool:
        """For a chunk worth handing over."""
        return self._window - self._held >= self._chunk

    def _feed(self, iterator: Iterator[Series]) -> bool:
        """Hand over one chunk; False where there is no more."""
        cases: list[Case] = []
        count = 0
        for series in iterator:
            cases.append(case := Case(series))
            count += case.size
            if count >= self._chunk:
                break
        self._cases.extend(cases)
        self._held += count
        self._engine.feed(cases)
        return count >= self._chunk

    def _ready(self) -> Iterator[Sequence[Outcome]]:
        """Every case at the head that is done, its replies read back together."""
        ready: list[Case] = []
        count = 0
        while self._cases and self._cases[0].is_done and count < _CHUNK:
            case = self._cases.popleft()
            self._held -= case.size
            count += len(case.outcomes)
            ready.append(case)
        keys = {o.key for case in ready for o in case.outcomes if isinstance(o, Stored) and o.entry is None}
        entries = self._ledger.answered(keys) if self._ledger is not None and keys else {}
        for case in ready:
            yield [self._whole(outcome, entries) for outcome in case.outcomes]

    def _whole(self, outcome: Outcome | Stored, entries: Mapping[str, LedgerEntry]) -> Outcome:
        if not isinstance(outcome, Stored):
            return outcome
        entry = outcome.entry or entries.get(outcome.key)
        if entry is None:
            hint = "the ledger was changed by something else; set it aside and start a new one"
            raise LedgerError(f"the answer {outcome.key} is gone", place="ledger", hint=hint)
        return self._engine.answered(outcome, entry)
