"""distil: ask the teacher, through the ledger. A request that finds no answer is a drop, and harms no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reasonry.errors import UsageError, WorkFailed
from reasonry.registry import find
from reasonry.sections import DistilSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import TableWriter
from reasonry.teachers.asking import Answered, Budget, Unanswered, ask_all
from reasonry.types import Drop, Question, Request, Sampling, Trace, conversation

VERSION = 1
ROWS = Trace


def distil(section: DistilSection, context: StageContext, writer: TableWriter) -> StageResult:
    """Ask `samples` times for every question, in order; traces come in the order of the requests."""
    curated = context.upstream["curate"]
    teacher = find("teacher", section.teacher).call(section)
    tally = _Tally()
    total = curated.rows_out * section.samples if isinstance(section.samples, int) else None
    with context.console.meter("distil", total) as meter:
        requests = _requests(section, teacher, context, writer)
        for outcome in ask_all(
            teacher,
            requests,
            context.open_ledger(),
            concurrency=section.concurrency,
            attempts=section.attempts,
            price=section.price,
            budget=None if context.budget_usd is None else Budget(context.budget_usd),
        ):
            if isinstance(outcome, Answered):
                writer.append(_trace(outcome))
            else:
                writer.drop(_unanswered(outcome))
            tally.add(outcome)
            meter.advance(note=tally.note())
    for drop in getattr(teacher, "set_aside", ()):
        writer.drop(drop)
    tally.check(section)
    return StageResult(curated.rows_out, tally.metrics(), tally.cost_usd)


def _requests(section: DistilSection, teacher: Any, context: StageContext, writer: TableWriter) -> Iterator[Request]:
    for question in context.store.rows(context.upstream["curate"], Question):
        recorded = teacher.recorded(question)
        if section.samples == "all" and recorded is None:
            raise UsageError(
                f'samples = "all" needs recorded answers, and {section.teacher} makes new ones',
                place="distil.samples",
                hint="distil.samples = 1",
            )
        wanted = recorded if section.samples == "all" else section.samples
        if recorded is not None:
            wanted = min(wanted or 0, recorded)
        if not wanted:
            writer.drop(Drop(question.id, "distil", "no_recorded_response", "the recording has no answer to it"))
        prompt = section.prompt.replace("{prompt}", question.prompt)
        for index in range(wanted or 0):
            sampling = Sampling(section.temperature, section.top_p, section.max_tokens, index)
            yield Request(conversation(prompt, section.system), sampling, question)


def _trace(outcome: Answered) -> Trace:
    reply, request = outcome.reply, outcome.request
    return Trace(
        question_id=request.question.id,
        index=request.sampling.index,
        reasoning=reply.reasoning,
        response=reply.response,
        teacher=reply.model,
        finish=reply.finish,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        cost_usd=outcome.cost_usd,
        ledger_key=outcome.key,
    )


def _unanswered(outcome: Unanswered) -> Drop:
    request = outcome.request
    return Drop(f"{request.question.id}#{request.sampling.index}", "distil", "unanswered", str(outcome.error))


class _Tally:
    """What was answered, from where, and for how much."""

    def __init__(self) -> None:
        self.answered = 0
        self.unanswered = 0
        self.from_ledger = 0
        self.tokens_in = 0
        self.tokens_out = 0
        self.cost_usd: float | None = None
        self._unpriced = 0
        self._last_error = ""

    def add(self, outcome: Answered | Unanswered) -> None:
        if isinstance(outcome, Unanswered):
            self.unanswered += 1
            self._last_error = str(outcome.error)
            return
        self.answered += 1
        self.from_ledger += outcome.from_ledger
        self.tokens_in += outcome.reply.tokens_in or 0
        self.tokens_out += outcome.reply.tokens_out or 0
        if outcome.cost_usd is None:
            self._unpriced += 1
        else:
            self.cost_usd = (self.cost_usd or 0.0) + outcome.cost_usd
        if self._unpriced:
            self.cost_usd = None  # a sum with an unknown in it is unknown

    def note(self) -> str:
        return "" if self.cost_usd is None else f"${self.cost_usd:.4f}"

    def check(self, section: DistilSection) -> None:
        """Too many unanswered requests are the endpoint's failure, not a property of the questions."""
        asked = self.answered + self.unanswered
        if not asked:
            raise WorkFailed(
                "nothing was asked", place="distil", hint="no question came through, or no recording matches"
            )
        if self.unanswered > section.max_failed * asked:
            raise WorkFailed(
                f"{self.unanswered:,} of {asked:,} requests found no answer; the last: {self._last_error}",
                place="distil",
                hint="answers so far are in the ledger: run again to resume, or raise distil.max_failed",
            )

    def metrics(self) -> dict[str, Any]:
        return {
            "requests": self.answered + self.unanswered,
            "answered": self.answered,
            "unanswered": self.unanswered,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "cost_usd": self.cost_usd,
        }
