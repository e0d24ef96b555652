"""distil: ask the teacher, through the ledger. A request that finds no answer is a drop, and harms no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import Any

from reasonry.contracts import Recording, Teacher
from reasonry.errors import UsageError
from reasonry.sections import DistilSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.stages.live import verifying_live
from reasonry.stages.sampling import QuestionSeries, Verify, joined, samples_of
from reasonry.stages.tally import AnswerTally, ask_questions, spending, teacher_of, unanswered_drop
from reasonry.store import TableWriter
from reasonry.teachers.asking.outcomes import Answered, Outcome
from reasonry.types import Drop, Question, Trace

VERSION = 2
ROWS = Trace


def distil(section: DistilSection, context: StageContext, writer: TableWriter) -> StageResult:
    """Ask for every question as often as the recipe says; traces come in the order of questions and samples."""
    curated = context.upstream["curate"]
    teacher = _Held(teacher_of(section, context))
    tally, stopped = AnswerTally(), Counter[str]()
    with (
        _verifier(section, context) as verify,
        context.console.meter("distil", _total(section, curated.rows_out)) as meter,
    ):
        asked = _Asked(section, teacher, context, verify)
        for outcomes in ask_questions(section, teacher, asked.series(), context, lambda now: meter.tell(spending(now))):
            series = asked.finished()
            if not outcomes:
                reason = "the recording has no answer to it"
                writer.drop(Drop(series.question.id, "distil", "no_recorded_response", reason))
                continue
            for sample in samples_of(outcomes):
                _keep(sample, writer, tally)
            stopped[series.why] += 1
    set_aside = teacher.opened.set_aside if isinstance(teacher.opened, Recording) else ()
    for drop in set_aside:
        writer.drop(drop)
    tally.check(section, "distil", set_aside)
    metrics = {**tally.metrics(), **_unmatched(teacher, context)}
    if section.is_adaptive:
        metrics["stopped"] = dict(sorted(stopped.items()))
    return StageResult(curated.rows_out, metrics, tally.cost_usd)


def _total(section: DistilSection, questions: int) -> int | None:
    """The requests to come, where that can be told."""
    return questions * section.samples if isinstance(section.samples, int) and not section.is_adaptive else None


def _verifier(section: DistilSection, context: StageContext) -> AbstractContextManager[Verify | None]:
    if not section.is_adaptive:
        return nullcontext()
    return verifying_live(context.verify, context)


def _keep(sample: Sequence[Outcome], writer: TableWriter, tally: AnswerTally) -> None:
    """One sample as a trace, with what went on with it; or as a drop."""
    answered = [outcome for outcome in sample if isinstance(outcome, Answered)]
    for outcome in sample:
        tally.add(outcome)
        if not isinstance(outcome, Answered):
            writer.drop(unanswered_drop(outcome, "distil"))
    if answered:
        writer.append(_trace(answered))


def _unmatched(teacher: _Held, context: StageContext) -> dict[str, int]:
    """Recordings that answer none of the questions: nobody verifies them, so their number is told."""
    if not isinstance(teacher.opened, Recording):
        return {}
    count = teacher.opened.unmatched(context.store.rows(context.upstream["curate"], Question))
    if count:
        context.console.warn(f"{count:,} recorded responses answer a question that is not in this run")
    return {"recordings_unmatched": count}


class _Held(AbstractAsyncContextManager[Teacher]):
    """A teacher that can be reached while someone else keeps it open."""

    def __init__(self, teacher: AbstractAsyncContextManager[Teacher]) -> None:
        self._teacher = teacher
        self.opened: Teacher | None = None

    async def __aenter__(self) -> Teacher:
        self.opened = await self._teacher.__aenter__()
        return self.opened

    async def __aexit__(self, kind: Any, value: Any, trace: Any) -> bool | None:
        return await self._teacher.__aexit__(kind, value, trace)


class _Asked:
    """The questions as series, and how each of them ended, in the same order."""

    def __init__(self, section: DistilSection, teacher: _Held, context: StageContext, verify: Verify | None) -> None:
        self._section = section
        self._teacher = teacher
        self._context = context
        self._verify = verify
        self._under_way: dict[int, QuestionSeries] = {}
        self._begun = self._ended = 0

    def series(self) -> Iterator[QuestionSeries]:
        """Made lazily, so the teacher is open by the time it is asked what it has recorded."""
        for question in self._context.store.rows(self._context.upstream["curate"], Question):
            recorded = self._recorded(question)
            made = QuestionSeries(self._section, question, self._samples(recorded), self._verify, recorded)
            self._under_way[self._begun] = made
            self._begun += 1
            yield made

    def finished(self) -> QuestionSeries:
        """The next question in line, which is asked no further."""
        self._ended += 1
        return self._under_way.pop(self._ended - 1)

    def _recorded(self, question: Question) -> int | None:
        assert self._teacher.opened is not None
        return self._teacher.opened.recorded(question)

    def _samples(self, recorded: int | None) -> int:
        """How many samples are wanted of a question: none of one that a recording does not answer."""
        section = self._section
        if section.samples == "all" and recorded is None:
            raise UsageError(
                f'samples = "all" needs recorded answers, and {section.teacher} makes new ones',
                place="distil.samples",
                hint="distil.samples = 1",
            )
        wanted = recorded or 0 if section.samples == "all" else section.samples
        return wanted if recorded is None else min(wanted, recorded)


def _trace(parts: Sequence[Answered]) -> Trace:
    """The trace of a sample: one answer, or one and what went on with it, whose ledger keys are joined by "+"."""
    reply, request = joined([part.reply for part in parts]), parts[0].request
    keys = [part.key for part in parts if part.key is not None]
    costs = [part.cost_usd for part in parts]
    return Trace(
        question_id=request.question.id,
        index=request.sampling.index,
        reasoning=reply.reasoning,
        response=reply.response,
        teacher=reply.model,
        finish=reply.finish,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        ledger_key="+".join(keys) or None,
    )
