"""Tables side by side: rows of several tables that stand in one order, read in step and never held.

Questions leave `curate` in the order in which they were read, and every later stage keeps that order. So each trace
finds its question, and each question its drop, by walking on: memory does not grow with the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from reasonry.errors import StoreError
from reasonry.store import Manifest, Store
from reasonry.types import Candidate, Question, Trace, VerdictRow

__all__ = ["InStep", "candidates", "mismatch", "with_questions"]

Row = TypeVar("Row")


class InStep(Generic[Row]):
    """Rows that follow the order of others, each taken when its turn comes."""

    def __init__(self, rows: Iterator[Row], name_of: Callable[[Row], str]) -> None:
        self._rows = rows
        self._name_of = name_of
        self._next = next(rows, None)

    @property
    def is_left(self) -> bool:
        """Whether there are rows whose turn never came."""
        return self._next is not None

    def take(self, name: str) -> Row | None:
        """The next row, where it is the one of this name; None where its turn is later."""
        row = self._next
        if row is None or self._name_of(row) != name:
            return None
        self._next = next(self._rows, None)
        return row

    def skip_to(self, name: str) -> Row | None:
        """The row of this name, passing over those before it; None where there is none from here on.

        The row is not used up: the next call may ask for it again.
        """
        while self._next is not None and self._name_of(self._next) != name:
            self._next = next(self._rows, None)
        return self._next


def with_questions(traces: Iterable[Trace], questions: Iterator[Question]) -> Iterator[tuple[Question, Trace]]:
    """Each trace with its question. Raises StoreError where the tables do not belong together."""
    steps = InStep(questions, lambda question: question.id)
    for trace in traces:
        question = steps.skip_to(trace.question_id)
        if question is None:
            raise mismatch("distil", f"trace {trace.id} answers a question that is not among the curated, or not there")
        yield question, trace


def candidates(store: Store, manifests: Mapping[str, Manifest]) -> Iterator[Candidate]:
    """Every trace with its question and its verdict, in order. Raises StoreError where they do not belong together."""
    traces = store.rows(manifests["distil"], Trace)
    verdicts = store.rows(manifests["verify"], VerdictRow)
    pairs = with_questions(traces, store.rows(manifests["curate"], Question))
    for (question, trace), verdict in zip(pairs, verdicts, strict=True):
        if verdict.trace_id != trace.id:
            raise mismatch("verify", f"verdict {verdict.id} stands beside a trace that it is not about")
        yield Candidate(question, trace, verdict)


def mismatch(place: str, what: str) -> StoreError:
    """The error for tables that are not of one run."""
    return StoreError(
        f"the tables do not belong together: {what}",
        place=place,
        hint="run the recipe again: sealed tables of another recipe are not mixed in",
    )
