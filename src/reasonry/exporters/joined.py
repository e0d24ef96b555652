"""The tables of a run side by side: every trace with its question, verdict, and what became of it.

All tables stand in the order of the questions (decision 012), so they are read in step and never held. What the traces
themselves say, which is nearly all there is, stays in Arrow's columns on its way: Python sees the small fields alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from reasonry.exporters.contract import Publishing
from reasonry.joining import InStep, mismatch
from reasonry.store import Manifest
from reasonry.types import Drop, JsonMap

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["QuestionFacts", "StoryBatch", "TraceStory", "drops_before_traces", "questions_of", "stories_of"]

Row = TypeVar("Row")
TEXTS = ("reasoning", "response")
_QUESTION_ID = re.compile(r"q-[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True)
class QuestionFacts:
    """What is published of a question."""

    id: str
    prompt: str
    answer: str | None
    domain: str
    source: str
    license: str
    meta: str

    @property
    def origin(self) -> JsonMap:
        """Where it was read."""
        return json.loads(self.meta).get("origin", {})


@dataclass(frozen=True, slots=True)
class TraceFacts:
    """A trace without its texts."""

    id: str
    question_id: str
    teacher: str
    finish: str
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class VerdictFacts:
    """What is published of a verdict."""

    trace_id: str
    status: str
    verifier: str
    extracted: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class ExampleFacts:
    """An example without its messages."""

    id: str
    question_id: str
    trace_id: str
    verdict_id: str
    kept_because: str


@dataclass(frozen=True, slots=True)
class TraceStory:
    """One trace and all that was decided about it. It became an example, or it has the drop that says why not."""

    trace: TraceFacts
    question: QuestionFacts
    verdict: VerdictFacts | None
    example: ExampleFacts | None
    drop: Drop | None


@dataclass(frozen=True, slots=True)
class StoryBatch:
    """Some traces in a row. `texts` has the columns `reasoning` and `response`, a row for each story."""

    stories: list[TraceStory]
    texts: pa.RecordBatch

    def where(self, holds: Callable[[TraceStory], bool]) -> StoryBatch:
        """The stories of which something holds."""
        import pyarrow as pa

        places = [place for place, story in enumerate(self.stories) if holds(story)]
        return StoryBatch([self.stories[place] for place in places], self.texts.take(pa.array(places, pa.int64())))


def questions_of(publishing: Publishing) -> Iterator[QuestionFacts]:
    """Every question that was read, kept or not, in order."""
    manifest = publishing.manifests.get("collect") or publishing.manifests["curate"]
    return _rows(publishing, manifest, QuestionFacts)


def drops_before_traces(publishing: Publishing) -> Iterator[tuple[Drop, QuestionFacts | None]]:
    """What left the line before there was a trace of it, with its question, where there was one.

    Raises StoreError where the tables do not belong together.
    """
    for stage in ("collect", "curate", "distil"):
        manifest = publishing.manifests.get(stage)
        if manifest is not None and manifest.dropped:
            yield from _with_questions(publishing, manifest)


def _with_questions(publishing: Publishing, manifest: Manifest) -> Iterator[tuple[Drop, QuestionFacts | None]]:
    steps = InStep(questions_of(publishing), lambda question: question.id)
    for drop in publishing.store.drops(manifest):
        name = drop.row_id.partition("#")[0]
        if not _QUESTION_ID.match(name):  # a row of a file, which never was a question
            yield drop, None
            continue
        question = steps.skip_to(name)
        if question is None:
            raise _mismatch(manifest, f"a drop is about {name}, which is not among the questions, or not there")
        yield drop, question


def stories_of(publishing: Publishing) -> Iterator[StoryBatch]:
    """Every trace, in order, some megabytes at a time. Raises StoreError where the tables do not belong together."""
    walk = _Walk(publishing)
    columns = tuple(TraceFacts.__slots__)
    for batch in publishing.store.batches(publishing.manifests["distil"], [*columns, *TEXTS]):
        values = (batch.column(name).to_pylist() for name in columns)
        stories = [walk.story(TraceFacts(*row)) for row in zip(*values, strict=True)]
        yield StoryBatch(stories, batch.select(list(TEXTS)))
    walk.finish()


class _Walk:
    """The tables beside the traces, each as far as the traces have come."""

    def __init__(self, publishing: Publishing) -> None:
        manifests = publishing.manifests
        self._manifests = manifests
        self._questions = InStep(questions_of(publishing), lambda row: row.id)
        self._verdicts = InStep(_rows(publishing, manifests["verify"], VerdictFacts), lambda row: row.trace_id)
        self._examples = InStep(_rows(publishing, manifests["select"], ExampleFacts), lambda row: row.trace_id)
        self._drops = InStep(publishing.store.drops(manifests["select"]), lambda row: row.row_id)

    def story(self, trace: TraceFacts) -> TraceStory:
        """The next trace's."""
        question = self._questions.skip_to(trace.question_id)
        if question is None:
            what = f"trace {trace.id} answers a question that is not among those read, or not there"
            raise _mismatch(self._manifests["distil"], what)
        example = self._examples.take(trace.id)
        drop = self._drops.take(trace.id) if example is None else None
        return TraceStory(trace, question, self._verdicts.take(trace.id), example, drop)

    def finish(self) -> None:
        """Whatever is left belongs to no trace."""
        for rows, stage in ((self._verdicts, "verify"), (self._examples, "select"), (self._drops, "select")):
            if rows.is_left:
                raise _mismatch(self._manifests[stage], "its rows do not follow the order of the traces")


def _rows(publishing: Publishing, manifest: Manifest, facts: Callable[..., Row]) -> Iterator[Row]:
    """The columns of a table that are named like the fields of `facts`."""
    columns: Any = getattr(facts, "__slots__", ())
    return (facts(*values) for values in publishing.store.values(manifest, columns))


def _mismatch(manifest: Manifest, what: str) -> Exception:
    return mismatch(f"{manifest.stage}/{manifest.key}", what)
