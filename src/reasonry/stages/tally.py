"""Asking a teacher from a stage, and counting what it answered: to distil, and to evaluate the teacher itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from reasonry import env
from reasonry.console import Spending
from reasonry.contracts import Teacher
from reasonry.errors import WorkFailed
from reasonry.registry import find
from reasonry.sections import DistilSection
from reasonry.stages.context import StageContext
from reasonry.teachers.asking.ask import Asking, ask_series
from reasonry.teachers.asking.company import Company
from reasonry.teachers.asking.outcomes import Answered, Counters, Outcome, Series, Single, Unanswered
from reasonry.teachers.batching.teacher import batched
from reasonry.teachers.http.options import OpenAIOptions
from reasonry.teachers.replay import ReplayOptions, ReplayTeacher
from reasonry.types import Drop, Request

__all__ = ["AnswerTally", "ask", "ask_questions", "spending", "teacher_of", "together", "unanswered_drop"]

_REPLAY_HINT = (
    "a recorded answer belongs to the question with the same prompt, and to the model named: look at `fields` and"
    " `model`, or allow more gaps by max_refused"
)
Number = TypeVar("Number", int, float)


def teacher_of(section: DistilSection, context: StageContext) -> AbstractAsyncContextManager[Teacher]:
    """The section's teacher; where it asks by batches, with their record beside the ledger.

    What recordings need on disk goes into the run's folder, where there is room for tables too.
    """
    teacher = find("teacher", section.teacher).call(section)
    recording: object = teacher
    if isinstance(recording, ReplayTeacher):
        recording.spool_in(context.folder)
    if not isinstance(section, OpenAIOptions):
        return teacher
    for site in section.sites:  # a recipe may be a stranger's: say where a key goes
        key = f", with the key in {site.key_variable}" if env.secret(site.key_variable) else ""
        context.console.note(f"asking {section.model} at {site.address.name}{key}")
    if section.batch is None:
        return teacher
    return batched(teacher, section.batch, context.open_ledger().path, context.console.note)


def ask(
    section: DistilSection,
    teacher: AbstractAsyncContextManager[Teacher],
    requests: Iterable[Request],
    context: StageContext,
    watch: Callable[[Counters], None] | None = None,
) -> Iterator[Outcome]:
    """Every request through the run's ledger and within its budget, in order."""
    for outcomes in ask_questions(section, teacher, map(Single, requests), context, watch):
        yield from outcomes


def ask_questions(
    section: DistilSection,
    teacher: AbstractAsyncContextManager[Teacher],
    series: Iterable[Series],
    context: StageContext,
    watch: Callable[[Counters], None] | None = None,
    company: Company | None = None,
) -> Iterator[Sequence[Outcome]]:
    """As `ask`, for questions whose answers decide what else is asked: all outcomes of each.

    `company`: with whom others are asked at the same time (see `Asking`).
    """
    batch = section.batch if isinstance(section, OpenAIOptions) else None
    is_open = section.concurrency == "auto"
    options = Asking(
        concurrency=batch.in_flight if batch is not None and is_open else section.most_in_flight,
        attempts=section.attempts,
        price=section.tariff,
        budget=context.budget,
        seeks_knee=is_open,
        say=context.console.warn,
        company=company,
    )
    return ask_series(teacher, series, context.open_ledger(), options, watch)


def spending(*counters: Counters) -> Spending:
    """What a meter shows of the work so far, of all that are asked."""
    cost = sum(one.cost_usd for one in counters) if all(one.is_cost_known for one in counters) else None
    return Spending(
        cost,
        sum(one.tokens_out for one in counters),
        sum(one.in_flight for one in counters),
        sum(one.settled for one in counters),
        sum(one.found for one in counters),
    )


def unanswered_drop(outcome: Unanswered, stage: str, first: int = 0) -> Drop:
    """A request without an answer as a row of the drops: `refused`, or `unanswered` by a failing endpoint.

    `first` is the number of the teacher's first sample among all of the question.
    """
    request = outcome.request
    rule = "unanswered" if outcome.error.retryable else "refused"
    return Drop(f"{request.question.id}#{first + request.sampling.index}", stage, rule, str(outcome.error))


class AnswerTally:
    """What was answered and for how much. A cost is counted once for each key, as it was paid.

    `paid` are the keys that were counted before, where several tallies share them.
    """

    def __init__(self, paid: set[str] | None = None) -> None:
        self.cost_usd: float | None = 0.0
        self._answered = 0
        self._unanswered = 0
        self._refused = 0
        self._tokens_in: int | None = 0
        self._tokens_out: int | None = 0
        self._paid = paid if paid is not None else set[str]()
        self._last_error = ""

    def add(self, outcome: Answered | Unanswered) -> None:
        if isinstance(outcome, Unanswered):
            self._unanswered += outcome.error.retryable
            self._refused += not outcome.error.retryable
            self._last_error = str(outcome.error)
            return
        self._answered += 1
        if outcome.key is not None and outcome.key in self._paid:
            return
        if outcome.key is not None:
            self._paid.add(outcome.key)
        self._tokens_in = _sum(self._tokens_in, outcome.reply.tokens_in)
        self._tokens_out = _sum(self._tokens_out, outcome.reply.tokens_out)
        self.cost_usd = _sum(self.cost_usd, outcome.cost_usd)

    def check(self, section: DistilSection, place: str, set_aside: Sequence[Drop] = ()) -> None:
        """Too many requests without an answer are the endpoint's failure, not a property of the questions.

        `set_aside` are recorded rows that could not be used. Raises WorkFailed, so that nothing is sealed and a later
        run asks again for just these.
        """
        asked = self.requests
        if not asked:
            hint = "no question came through, or no recording matches"
            if set_aside:
                first = set_aside[0]
                hint = f"{len(set_aside):,} recorded rows could not be used; {first.row_id}: {first.reason}"
            raise WorkFailed("nothing was asked", place=place, hint=hint)
        where = place if place.startswith("distil") else "distil"
        for count, limit, what, key in (
            (self._unanswered, section.max_failed, "found no answer", "max_failed"),
            (self._refused, section.max_refused, "were refused", "max_refused"),
        ):
            if count > limit * asked:
                raise WorkFailed(
                    f"{count:,} of {asked:,} requests {what}; the last: {self._last_error}",
                    place=place,
                    hint=_REPLAY_HINT
                    if isinstance(section, ReplayOptions)
                    else f"answers so far are in the ledger: run again to resume, or raise {where}.{key}",
                )

    @property
    def requests(self) -> int:
        return self._answered + self._unanswered + self._refused

    @property
    def answered(self) -> int:
        return self._answered

    def metrics(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "answered": self._answered,
            "unanswered": self._unanswered,
            "refused": self._refused,
            "tokens_in": self._tokens_in,
            "tokens_out": self._tokens_out,
            "cost_usd": self.cost_usd,
        }


def together(tallies: Sequence[AnswerTally]) -> dict[str, Any]:
    """The metrics of several tallies added up."""
    total, *others = [tally.metrics() for tally in tallies]
    for more in others:
        total = {name: _sum(value, more[name]) for name, value in total.items()}
    return total


def _sum(total: Number | None, more: Number | None) -> Number | None:
    """A sum with an unknown in it is unknown."""
    return None if total is None or more is None else total + more
