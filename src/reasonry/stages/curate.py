"""curate: what happens to questions before money is spent. Every question leaves as a row or as a drop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reasonry.filters.evaluation import in_evaluation
from reasonry.registry import find
from reasonry.sections import CurateSection, EvaluateSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import TableWriter
from reasonry.types import Drop, Question

VERSION = 1
ROWS = Question

Rows = Iterable[Question]


@dataclass(frozen=True, slots=True)
class CurateOptions:
    """The section, and the benchmarks whose questions must stay out of training."""

    section: CurateSection
    evaluate: Sequence[EvaluateSection]


def curate(options: CurateOptions, context: StageContext, writer: TableWriter) -> StageResult:
    """Deduplicate, keep evaluation questions out, decontaminate, then the recipe's own filters, in that order."""
    source = context.upstream["collect"]
    rows: Rows = context.store.rows(source, Question)
    section = options.section
    if section.deduplicate:
        rows = _through(find("filter", "deduplicate").call(rows, section.deduplicate), writer)
    if options.evaluate:
        rows = _through(in_evaluation(rows, _evaluation_questions(options.evaluate)), writer)
    if section.decontaminate is not None:
        rows = _through(find("filter", "decontaminate").call(rows, section.decontaminate), writer)
    for chosen in section.filters:
        rows = _through(find("filter", chosen.filter).call(rows, chosen), writer)
    with context.console.meter("curate", source.rows_out) as meter:
        for row in rows:
            writer.append(row)
            meter.advance()
    return StageResult(source.rows_out, {"questions": writer.rows_out})


def _through(rows: Iterable[Question | Drop], writer: TableWriter) -> Iterator[Question]:
    """Kept rows go on to the next filter, drops to the table."""
    for row in rows:
        if isinstance(row, Drop):
            writer.drop(row)
        else:
            yield row


def _evaluation_questions(sections: Sequence[EvaluateSection]) -> Iterator[Question]:
    for section in sections:
        for row in find("benchmark", section.benchmark).call(section):
            if isinstance(row, Question):
                yield row
