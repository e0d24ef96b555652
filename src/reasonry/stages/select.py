"""select: from verified traces to examples. Every trace that is not kept is a drop with its reason."""

from __future__ import annotations

from collections import Counter

from reasonry.sections import SelectSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import TableWriter
from reasonry.types import Drop, Example, Message, Question, Status, Trace, VerdictRow, conversation, whole_text

VERSION = 1
ROWS = Example


def select(section: SelectSection, context: StageContext, writer: TableWriter) -> StageResult:
    """Walk traces and verdicts side by side; the first samples of a question come first."""
    questions = context.questions()
    traces = context.upstream["distil"]
    kept: Counter[str] = Counter()
    rows = zip(
        context.store.rows(traces, Trace), context.store.rows(context.upstream["verify"], VerdictRow), strict=True
    )
    for trace, verdict in rows:
        drop = _reason_to_drop(section, trace, verdict, kept[trace.question_id])
        if drop is not None:
            writer.drop(drop)
            continue
        kept[trace.question_id] += 1
        writer.append(_example(section, questions[trace.question_id], trace, verdict))
    metrics = {"examples": writer.rows_out, "questions": len(kept), "traces": traces.rows_out}
    return StageResult(traces.rows_out, metrics)


def _reason_to_drop(section: SelectSection, trace: Trace, verdict: VerdictRow, kept: int) -> Drop | None:
    if section.keep == "correct" and verdict.status is not Status.CORRECT:
        return Drop(trace.id, "select", f"not_correct_{verdict.status}", verdict.detail or f"verdict: {verdict.status}")
    if not trace.response and not trace.reasoning:
        return Drop(trace.id, "select", "empty", "the teacher wrote nothing")
    if section.per_question is not None and kept >= section.per_question:
        reason = f"{kept} of this question's traces are kept already (select.per_question)"
        return Drop(trace.id, "select", "per_question", reason)
    return None


def _example(section: SelectSection, question: Question, trace: Trace, verdict: VerdictRow) -> Example:
    answer = Message("assistant", whole_text(trace.reasoning, trace.response, trace.finish))
    because = f"{verdict.status} by {verdict.verifier}" if section.keep == "correct" else "keep = all"
    return Example(
        messages=(*conversation(question.prompt, section.system), answer),
        question_id=question.id,
        trace_id=trace.id,
        verdict_id=verdict.id,
        kept_because=because,
    )
