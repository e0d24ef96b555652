"""evaluate: a student (trained or not) or the teacher on a benchmark. Every completion and verdict is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from reasonry.console import Meter
from reasonry.contracts import Limits
from reasonry.errors import InputError
from reasonry.prompts import messages_of
from reasonry.registry import find
from reasonry.sections import DistilSection, EvaluateSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.stages.tally import AnswerTally, ask, spending, teacher_of, unanswered_drop
from reasonry.stats import bootstrap_mean, wilson
from reasonry.store import TableWriter
from reasonry.teachers.asking.outcomes import Answered
from reasonry.teachers.local.checkpoint import load_student
from reasonry.types import (
    Completion,
    Drop,
    Question,
    Reply,
    Request,
    Sampling,
    Status,
    Verdict,
    conversation,
    whole_text,
)
from reasonry.verifiers.batch import VerifyItem, verify_all

VERSION = 2
ROWS = Completion
Who = Literal["student", "untrained", "teacher"]


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """The section, and who is evaluated: a student of the train stage, its untrained self, or a teacher.

    `checkpoint` names a folder outside the run.
    """

    section: EvaluateSection
    who: Who
    name: str
    teacher: DistilSection | None = None
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    question: Question
    index: int
    reply: Reply


def evaluate(options: EvaluateOptions, context: StageContext, writer: TableWriter) -> StageResult:
    """Answer every question of the benchmark `samples` times, verify, and score with an interval."""
    section = options.section
    questions = _questions(section, writer)
    rows_in = len(questions) + sum(writer.dropped.values())
    total = len(questions) * section.samples
    tally, asked = _Tally(), AnswerTally()
    with context.console.meter(f"evaluate {section.label}/{options.name}", total) as meter:
        answers = list(_answers(options, questions, context, writer, asked, meter))
        for answer, verdict in zip(answers, _verdicts(answers, context), strict=True):
            writer.append(_completion(options, answer, verdict))
            tally.add(answer, verdict)
            meter.advance()
    teacher = {} if options.teacher is None else {"teacher": asked.metrics()}
    cost = None if options.teacher is None else asked.cost_usd
    return StageResult(rows_in, {**_conditions(options), **tally.metrics(section), **teacher}, cost)


def _questions(section: EvaluateSection, writer: TableWriter) -> list[Question]:
    """The questions, each once: a repeated one would count as independent evidence."""
    questions: dict[str, Question] = {}
    for row in find("benchmark", section.benchmark).call(section):
        if isinstance(row, Drop):
            writer.drop(Drop(row.row_id, "evaluate", row.rule, row.reason, row.other_id, row.content))
        elif row.id in questions:
            writer.drop(Drop(row.id, "evaluate", "same_question", "the benchmark has it twice", other_id=row.id))
        elif section.limit is None or len(questions) < section.limit:
            questions[row.id] = row
    if not questions:
        raise InputError("the benchmark has no usable question", place=f"evaluate: {section.label}")
    return list(questions.values())


def _answers(
    options: EvaluateOptions,
    questions: Sequence[Question],
    context: StageContext,
    writer: TableWriter,
    tally: AnswerTally,
    meter: Meter,
) -> Iterator[_Answer]:
    asked = [(question, index) for question in questions for index in range(options.section.samples)]
    if options.teacher is not None:
        yield from _teacher_answers(options, options.teacher, asked, context, writer, tally, meter)
        return
    section = options.section
    student = load_student(options.checkpoint or _checkpoint_of(options.who, context))
    replies = student.generate(
        [conversation(question.prompt) for question, _ in asked],
        Sampling(temperature=section.temperature, max_tokens=section.max_tokens),
        seed=section.seed or 0,
        batch_size=section.batch_size,
    )
    for (question, index), reply in zip(asked, replies, strict=True):
        yield _Answer(question, index, reply)


def _checkpoint_of(who: Who, context: StageContext) -> Path:
    manifest = context.upstream["train"]
    return context.store.folder(manifest.stage, manifest.key) / ("untrained" if who == "untrained" else "checkpoint")


def _teacher_answers(
    options: EvaluateOptions,
    teacher: DistilSection,
    asked: Iterable[tuple[Question, int]],
    context: StageContext,
    writer: TableWriter,
    tally: AnswerTally,
    meter: Meter,
) -> Iterator[_Answer]:
    section = options.section
    requests = (
        Request(
            messages_of(teacher, question),
            Sampling(section.temperature, teacher.top_p, section.max_tokens, index),
            question,
        )
        for question, index in asked
    )
    opened = teacher_of(teacher, context)
    for outcome in ask(teacher, opened, requests, context, lambda now: meter.tell(replace(spending(now), done=None))):
        tally.add(outcome)
        if isinstance(outcome, Answered):
            yield _Answer(outcome.request.question, outcome.request.sampling.index, outcome.reply)
        else:
            writer.drop(unanswered_drop(outcome, "evaluate"))
    tally.check(teacher, f"evaluate: {section.label}")


def _verdicts(answers: Sequence[_Answer], context: StageContext) -> Iterator[Verdict]:
    limits = Limits(context.verify.timeout_s, context.verify.memory_mb)
    items = (
        VerifyItem(a.question, whole_text(a.reply.reasoning, a.reply.response, a.reply.finish), a.reply.finish)
        for a in answers
    )
    with context.open_executor() as executor:
        yield from verify_all(items, executor, limits)


def _completion(options: EvaluateOptions, answer: _Answer, verdict: Verdict) -> Completion:
    question, reply = answer.question, answer.reply
    return Completion(
        student=options.name,
        benchmark=options.section.label,
        question_id=question.id,
        index=answer.index,
        prompt=question.prompt,
        answer=question.answer,
        domain=question.domain,
        response=whole_text(reply.reasoning, reply.response, reply.finish),
        finish=reply.finish,
        status=verdict.status,
        verifier=verdict.verifier,
        extracted=verdict.extracted,
        detail=verdict.detail,
        evidence=verdict.evidence,
        seconds=verdict.seconds,
    )


def _conditions(options: EvaluateOptions) -> dict[str, Any]:
    section = options.section
    return {
        "student": options.name.removesuffix("/untrained"),
        "benchmark": section.label,
        "untrained": options.who == "untrained",
        "conditions": {
            "samples": section.samples,
            "temperature": section.temperature,
            "max_tokens": section.max_tokens,
            "seed": section.seed,
            "limit": section.limit,
        },
    }


class _Tally:
    """Scores with their questions, so that samples of one question are not taken for independent."""

    def __init__(self) -> None:
        self._statuses: Counter[str] = Counter()
        self._scores: list[float] = []
        self._questions: list[str] = []
        self._truncated = 0

    def add(self, answer: _Answer, verdict: Verdict) -> None:
        self._statuses[verdict.status.value] += 1
        self._truncated += answer.reply.finish == "length"
        if verdict.status.score is not None:
            self._scores.append(verdict.status.score)
            self._questions.append(answer.question.id)

    def metrics(self, section: EvaluateSection) -> dict[str, Any]:
        rows = self._statuses.total()
        metrics: dict[str, Any] = {
            "n": len(self._scores),
            "rows": rows,
            "statuses": {status.value: self._statuses[status.value] for status in Status},
            "truncated_rate": self._truncated / rows if rows else 0.0,
        }
        if not self._scores:
            return metrics
        if section.samples == 1:
            share = wilson(int(sum(self._scores)), len(self._scores))
        elif len(set(self._scores)) == 1:
            # Resampling equal values shows no spread; so many questions, all alike, still leave room for chance.
            questions = len(set(self._questions))
            share = wilson(int(self._scores[0]) * questions, questions)
        else:
            share = bootstrap_mean(self._scores, self._questions, seed=section.seed or 0)
        return metrics | {"accuracy": share.estimate, "low": share.low, "high": share.high, "interval": share.method}
