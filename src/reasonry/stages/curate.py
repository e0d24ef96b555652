"""curate: what happens to questions before money is spent. Every question leaves as a row or as a drop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from reasonry.contracts import Mapper
from reasonry.errors import PartError
from reasonry.executors.spread import in_process, spread
from reasonry.filters.evaluation import in_evaluation
from reasonry.registry import find
from reasonry.sections import CurateSection, EvaluateSection, FilterSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import Manifest, Store, TableWriter
from reasonry.types import Drop, Question

VERSION = 2
ROWS = Question

_WORTH_SPREADING = 5_000  # rows: fewer are done before worker processes have started

Rows = Iterable[Question | Drop]


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
        for row in _curated(options, _Table(context.store, source), mapper):
            if isinstance(row, Drop):
                writer.drop(row)
            else:
                writer.append(row)
            meter.advance()
    return StageResult(source.rows_out, {"questions": writer.rows_out})


def _curated(options: CurateOptions, table: Iterable[Question], mapper: Mapper) -> Rows:
    """Every row as it came out of the last filter that saw it, in the order of the table."""
    section, rows = options.section, cast("Rows", table)
    if section.deduplicate:
        rows = find("filter", "deduplicate").call(table, section.deduplicate, mapper=mapper)
    if options.evaluate:
        rows = _through("in_evaluation", partial(_kept_out, options.evaluate, mapper), rows)
    if section.decontaminate is not None:
        decontaminate = partial(find("filter", "decontaminate").call, mapper=mapper)
        rows = _through("decontaminate", lambda kept: decontaminate(kept, section.decontaminate), rows)
    for chosen in section.filters:
        rows = _through(chosen.filter, partial(_filtered, chosen), rows)
    return rows


def _kept_out(sections: Sequence[EvaluateSection], mapper: Mapper, rows: Iterable[Question]) -> Rows:
    return in_evaluation(rows, _evaluation_questions(sections), mapper=mapper)


def _filtered(chosen: FilterSection, rows: Iterable[Question]) -> Rows:
    return find("filter", chosen.filter).call(rows, chosen)


@dataclass(frozen=True, slots=True)
class _Table(Iterable[Question]):
    """The collected questions, read anew each time they are walked through: nobody holds them."""

    store: Store
    manifest: Manifest

    def __iter__(self) -> Iterator[Question]:
        return self.store.rows(self.manifest, Question)


def _through(name: str, filtered: Callable[[Iterable[Question]], Rows], rows: Rows) -> Iterator[Question | Drop]:
    """Kept rows go on to the next filter; what was dropped before passes it by, and stays in its place.

    A filter may read some rows ahead, so the drops between those it has read wait for it. Raises PartError where it
    does not give one output for each row, in order.
    """
    read = deque[Question | Drop]()

    def kept() -> Iterator[Question]:
        for row in rows:
            read.append(row)
            if not isinstance(row, Drop):
                yield row

    for made in filtered(kept()):
        yield from _leading_drops(read)
        if not read or _id_of(read.popleft()) != _id_of(made):
            hint = "a filter yields each question it reads, or a Drop of it, in the order in which it reads them"
            raise PartError(f"the filter '{name}' lost the order of the rows", place="curate", hint=hint)
        yield made
    yield from _leading_drops(read)
    if read:
        raise PartError(f"the filter '{name}' left rows without a word", place="curate", hint="yield a Drop of each")


def _leading_drops(read: deque[Question | Drop]) -> Iterator[Drop]:
    while read and isinstance(drop := read[0], Drop):
        read.popleft()
        yield drop


def _id_of(row: Question | Drop) -> str:
    return row.row_id if isinstance(row, Drop) else row.id


def _evaluation_questions(sections: Sequence[EvaluateSection]) -> Iterator[Question]:
    for section in sections:
        for row in find("benchmark", section.benchmark).call(section):
            if isinstance(row, Question):
                yield row
