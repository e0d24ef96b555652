"""evaluate: a student (trained or not) or a teacher on a benchmark. Every completion and verdict is kept.

Questions, answers and verdicts stream: in memory is what is under way, and of each question its verdicts.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from reasonry.console import Meter
from reasonry.contracts import Limits
from reasonry.errors import InputError
from reasonry.registry import find
from reasonry.sections import DistilSection, EvaluateSection
from reasonry.stages.conditions import Asked, asked_conditions, conditions_digest, verifier_conditions
from reasonry.stages.context import StageContext, StageResult
from reasonry.stages.respondents import Answer, CheckpointRespondent, Respondent, TeacherRespondent
from reasonry.stages.scoring import ScoreTally
from reasonry.store import TableWriter
from reasonry.types import Completion, Drop, Question, Verdict, whole_text
from reasonry.verifiers.batch import VerifyItem, verify_all

VERSION = 4
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


class _Judged(NamedTuple):
    answer: Answer
    verdict: Verdict


def evaluate(options: EvaluateOptions, context: StageContext, writer: TableWriter) -> StageResult:
    """Answer every question of the benchmark `samples` times, verify, and score with intervals.

    Raises WorkFailed where more answers than `max_error_rate` could not be verified: then there is no score.
    """
    section, tally, asked = options.section, ScoreTally(), Asked()
    total = None if section.limit is None else section.limit * section.samples
    with context.console.meter(f"evaluate {section.label}/{options.name}", total) as meter:
        respondent = _respondent(options, context, writer, meter)
        questions = _questions(section, writer, asked, respondent)
        with closing(_judged(respondent.answers(questions), context)) as judged:
            for answer, verdict in judged:
                writer.append(_completion(options, answer, verdict))
                tally.add(answer.question.id, answer.reply.finish, verdict)
                meter.advance()
    tally.check_errors(section)
    if tally.errors:
        context.console.warn(f"{section.label}: {tally.errors:,} answers could not be verified; they are in no figure")
    conditions = {
        **asked_conditions(section, asked, is_ours=respondent.is_ours),
        **respondent.conditions(),
        **verifier_conditions(section, context.verify),
    }
    metrics = {**_names(options, asked, conditions), **tally.metrics(section), **respondent.facts()}
    return StageResult(len(asked) + _dropped_questions(writer), metrics, respondent.cost_usd)


def _respondent(options: EvaluateOptions, context: StageContext, writer: TableWriter, meter: Meter) -> Respondent:
    if options.teacher is not None:
        return TeacherRespondent(options.section, options.teacher, options.name, context, writer, meter)
    return CheckpointRespondent(options.section, options.checkpoint or _checkpoint_of(options.who, context))


def _checkpoint_of(who: Who, context: StageContext) -> Path:
    manifest = context.upstream["train"]
    return context.store.folder(manifest.stage, manifest.key) / ("untrained" if who == "untrained" else "checkpoint")


def _questions(
    section: EvaluateSection, writer: TableWriter, asked: Asked, respondent: Respondent
) -> Iterator[Question]:
    """The questions, each once: a repeated one would count as independent evidence."""
    for row in find("benchmark", section.benchmark).call(section):
        if isinstance(row, Drop):
            writer.drop(Drop(row.row_id, "evaluate", row.rule, row.reason, row.other_id, row.content))
        elif row.id in asked:
            writer.drop(Drop(row.id, "evaluate", "same_question", "the benchmark has it twice", other_id=row.id))
        else:
            asked.add(row, respondent.messages(row))
            yield row
            if len(asked) == section.limit:
                return
    if not asked:
        raise InputError("the benchmark has no usable question", place=f"evaluate: {section.label}")


def _dropped_questions(writer: TableWriter) -> int:
    """Rows of the benchmark that were set aside; a sample without an answer is no such row."""
    return sum(count for rule, count in writer.dropped.items() if rule not in ("unanswered", "refused"))


def _judged(answers: Iterable[Answer], context: StageContext) -> Generator[_Judged]:
    """Every answer with its verdict, in order; answers are taken as verdicts come."""
    waiting: deque[Answer] = deque()
    limits = Limits(context.verify.timeout_s, context.verify.memory_mb)
    with context.open_executor() as executor:
        for verdict in verify_all(_items(answers, waiting), executor, limits, sandbox=context.verify.tier):
            yield _Judged(waiting.popleft(), verdict)


def _items(answers: Iterable[Answer], waiting: deque[Answer]) -> Iterator[VerifyItem]:
    for answer in answers:
        waiting.append(answer)
        reply = answer.reply
        yield VerifyItem(answer.question, whole_text(reply.reasoning, reply.response, reply.finish), reply.finish)


def _completion(options: EvaluateOptions, answer: Answer, verdict: Verdict) -> Completion:
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
        source=question.source,
        difficulty=_difficulty_of(question),
    )


def _difficulty_of(question: Question) -> float | None:
    value: Any = question.meta.get("difficulty")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _names(options: EvaluateOptions, asked: Asked, conditions: dict[str, Any]) -> dict[str, Any]:
    """Whose score this is, on what, and under which conditions."""
    section, origin = options.section, asked.origin
    return {
        "student": options.name.removesuffix("/untrained"),
        "benchmark": section.label,
        "benchmark_revision": origin.get("revision") or origin.get("sha256"),
        "untrained": options.who == "untrained",
        "conditions": dict(sorted(conditions.items())),
        "conditions_digest": conditions_digest(conditions),
    }
