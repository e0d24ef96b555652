"""distil: ask the teacher, through the ledger. A request that finds no answer is a drop, and harms no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

from reasonry.contracts import Recording, Teacher
from reasonry.errors import UsageError
from reasonry.registry import find
from reasonry.sections import DistilSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.stages.tally import AnswerTally, ask, unanswered_drop
from reasonry.store import TableWriter
from reasonry.teachers.asking import Answered
from reasonry.types import Drop, Question, Request, Sampling, Trace, conversation

VERSION = 1
ROWS = Trace


def distil(section: DistilSection, context: StageContext, writer: TableWriter) -> StageResult:
    """Ask `samples` times for every question, in order; traces come in the order of the requests."""
    curated = context.upstream["curate"]
    teacher = _Held(find("teacher", section.teacher).call(section))
    tally = AnswerTally()
    total = curated.rows_out * section.samples if isinstance(section.samples, int) else None
    with context.console.meter("distil", total) as meter:
        for outcome in ask(section, teacher, _requests(section, teacher, context, writer), context):
            if isinstance(outcome, Answered):
                writer.append(_trace(outcome))
            else:
                writer.drop(unanswered_drop(outcome, "distil"))
            tally.add(outcome)
            meter.advance(note=tally.note())
    set_aside = teacher.opened.set_aside if isinstance(teacher.opened, Recording) else ()
    for drop in set_aside:
        writer.drop(drop)
    tally.check(section, "distil", set_aside)
    return StageResult(curated.rows_out, {**tally.metrics(), **_unmatched(teacher, context)}, tally.cost_usd)


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


def _requests(section: DistilSection, teacher: _Held, context: StageContext, writer: TableWriter) -> Iterator[Request]:
    """Made lazily, so the teacher is open by the time it is asked what it has recorded."""
    for question in context.store.rows(context.upstream["curate"], Question):
        assert teacher.opened is not None
        recorded = teacher.opened.recorded(question)
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
