"""The tables of a run side by side: every trace with its question, verdict, and what became of it.

Traces, verdicts, examples and drops stand in the same order, so they are read in step and never held; only the
questions are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from reasonry.errors import StoreError
from reasonry.exporters.contract import Publishing
from reasonry.store import Manifest
from reasonry.types import Drop, Example, Question, Trace, VerdictRow

__all__ = ["TraceStory", "drops_before_traces", "questions_of", "trace_stories"]

Row = TypeVar("Row")
BEFORE_TRACES = ("collect", "curate", "distil")


@dataclass(frozen=True, slots=True)
class TraceStory:
    """One trace and all that was decided about it. It became an example, or it has the drop that says why not."""

    trace: Trace
    question: Question
    verdict: VerdictRow | None
    example: Example | None
    drop: Drop | None


def questions_of(publishing: Publishing) -> dict[str, Question]:
    """Every question that was read, kept or not, by id."""
    manifest = publishing.manifests.get("collect") or publishing.manifests["curate"]
    return {question.id: question for question in publishing.store.rows(manifest, Question)}


def drops_before_traces(publishing: Publishing) -> Iterator[Drop]:
    """What left the line before there was a trace of it."""
    for stage in BEFORE_TRACES:
        manifest = publishing.manifests.get(stage)
        if manifest is not None:
            yield from publishing.store.drops(manifest)


def trace_stories(publishing: Publishing, questions: dict[str, Question]) -> Iterator[TraceStory]:
    """Every trace, in order. Raises StoreError where the tables do not belong together."""
    store, manifests = publishing.store, publishing.manifests
    verdicts = _InStep(store.rows(manifests["verify"], VerdictRow), lambda row: row.trace_id)
    examples = _InStep(store.rows(manifests["select"], Example), lambda row: row.trace_id)
    drops = _InStep(store.drops(manifests["select"]), lambda row: row.row_id)
    for trace in store.rows(manifests["distil"], Trace):
        question = questions.get(trace.question_id)
        if question is None:
            raise _mismatch(manifests["distil"], f"trace {trace.id} answers a question that was never read")
        example = examples.take(trace.id)
        drop = drops.take(trace.id) if example is None else None
        yield TraceStory(trace, question, verdicts.take(trace.id), example, drop)
    for rows, stage in ((verdicts, "verify"), (examples, "select"), (drops, "select")):
        if rows.is_left:
            raise _mismatch(manifests[stage], "its rows do not follow the order of the traces")


class _InStep(Generic[Row]):
    """Rows that follow the traces' order, taken when their trace comes by."""

    def __init__(self, rows: Iterator[Row], trace_id: Callable[[Row], str]) -> None:
        self._rows = rows
        self._trace_id = trace_id
        self._next = next(rows, None)

    @property
    def is_left(self) -> bool:
        return self._next is not None

    def take(self, trace_id: str) -> Row | None:
        row = self._next
        if row is None or self._trace_id(row) != trace_id:
            return None
        self._next = next(self._rows, None)
        return row


def _mismatch(manifest: Manifest, what: str) -> StoreError:
    return StoreError(
        f"the tables do not belong together: {what}",
        place=f"{manifest.stage}/{manifest.key}",
        hint="run the recipe again: sealed tables of another recipe are not mixed in",
    )
