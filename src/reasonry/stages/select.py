"""select: from verified traces to examples. Every trace that is not kept is a drop with its reason.

The rules, in order: `keep` (what the verdicts say), `difficulty`, the filters, `distinct`, `per_question`, the mix.
Examples and drops both stand in the order of the traces. One walk over the traces does it; a mix needs two.
"""

from __future__ import annotations

from collections.abc import Iterator

from reasonry.joining import candidates
from reasonry.sections import SelectSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.stages.selecting.fates import Fate
from reasonry.stages.selecting.line import SelectLine
from reasonry.store import TableWriter
from reasonry.types import Candidate, Example, Message, conversation, whole_text

VERSION = 2
ROWS = Example


def select(section: SelectSection, context: StageContext, writer: TableWriter) -> StageResult:
    """Walk along the traces, each with its question and verdict, and let the rules decide."""
    traces = context.upstream["distil"]
    walks = 1 if section.mix is None else 2
    with context.console.meter("select", walks * traces.rows_out) as meter:

        def walk() -> Iterator[Candidate]:
            for candidate in candidates(context.store, context.upstream):
                meter.advance()
                yield candidate

        line = SelectLine(section, walk, context.store.root)
        for fate in line.fates():
            if fate.drop is not None:
                writer.drop(fate.drop)
            else:
                writer.append(_example(section, fate))
    for remark in line.remarks():
        context.console.warn(remark)
    return StageResult(traces.rows_out, line.metrics(context.upstream["curate"].rows_out))


def _example(section: SelectSection, fate: Fate) -> Example:
    question, trace, verdict = fate.candidate.question, fate.candidate.trace, fate.candidate.verdict
    answer = Message("assistant", whole_text(trace.reasoning, trace.response, trace.finish))
    return Example(
        messages=(*conversation(question.prompt, section.system), answer),
        question_id=question.id,
        trace_id=trace.id,
        verdict_id=verdict.id,
        kept_because=", ".join(fate.because),
    )
