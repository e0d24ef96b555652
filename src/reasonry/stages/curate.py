"""curate: what happens to questions before money is spent. Every question leaves as a row or as a drop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reasonry.contracts import Mapper
from reasonry.executors.spread import in_process, spread
from reasonry.filters.evaluation import in_evaluation
from reasonry.registry import find
from reasonry.sections import CurateSection, EvaluateSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import Manifest, Store, TableWriter
from reasonry.types import Drop, Question

VERSION = 2
ROWS = Question

_WORTH_SPREADING = 5_000  # rows: fewer are done before worker processes have started

Rows = Iterable[Question]


@dataclass(frozen=True, slots=True)
class CurateOptions:
    """The section, and the benchmarks whose questions must stay out of training."""

    section: CurateSection
    evaluate: Sequence[EvaluateSection]


def curate(options: CurateOptions, context: StageContext, writer: TableWriter) -> StageResult:
    """Deduplicate, keep evaluation questions out, decontaminate, then the recipe's own filters, in that order."""
    source = context.upstream["collect"]
    with context.open_executor() as executor, context.console.meter("curate", source.rows_out) as meter:
        mapper = spread(executor) if source.rows_out >= _WORTH_SPREADING else in_process
        for row in _curated(options, _Table(context.store, source), mapper, writer):
            writer.append(row)
            meter.advance()
    return StageResult(source.rows_out, {"questions": writer.rows_out})


def _curated(options: CurateOptions, table: Rows, mapper: Mapper, writer: TableWriter) -> Rows:
    """The rows that came through every filter. Each filter gives one output for each row, so all stay in order."""
    section, rows = options.section, table
    if section.deduplicate:
        rows = _through(find("filter", "deduplicate").call(rows, section.deduplicate, mapper=mapper), writer)
    if options.evaluate:
        rows = _through(in_evaluation(rows, _evaluation_questions(options.evaluate)), writer)
    if section.decontaminate is not None:
        rows = _through(find("filter", "decontaminate").call(rows, section.decontaminate, mapper=mapper), writer)
    for chosen in section.filters:
        rows = _through(find("filter", chosen.filter).call(rows, chosen), writer)
    return rows


@dataclass(frozen=True, slots=True)
class _Table(Iterable[Question]):
    """The collected questions, read anew each time they are walked through: nobody holds them."""

    store: Store
    manifest: Manifest

    def __iter__(self) -> Iterator[Question]:
        return self.store.rows(self.manifest, Question)


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
