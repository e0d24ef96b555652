"""Decontamination: no question that shares a run of words with a benchmark's question.

The measure is the n-gram overlap of Brown et al., "Language Models are Few-Shot Learners" (2020), appendix C, with
13 words by default. A benchmark question of fewer words is compared as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reasonry.errors import InputError
from reasonry.filters.normal import normal_text, words
from reasonry.records import SetAside, file_sha256, open_records
from reasonry.registry import Input, part
from reasonry.sections import DecontaminateOptions
from reasonry.sources.mapping import Mapped, question_from
from reasonry.types import Drop, Question

__all__ = ["decontaminate"]

CONTAMINATED = "contaminated"


def benchmark_inputs(options: DecontaminateOptions) -> Sequence[Input]:
    """The benchmark files, by content."""
    files = [path.resolved for path in options.against]
    return [Input(file.name, file_sha256(file), file.stat().st_size) for file in files]


@part("filter", "decontaminate", options=DecontaminateOptions, inputs=benchmark_inputs)
def decontaminate(rows: Iterable[Question], options: DecontaminateOptions) -> Iterator[Question | Drop]:
    """Drop questions that share a run of words with a benchmark's question.

    Raises InputError for a benchmark row that holds no question: what cannot be read cannot be kept out.
    """
    index = _Index(options.ngram)
    for path in options.against:
        for place, question in _benchmark_questions(path.resolved, options):
            index.add(place, question)
    for question in rows:
        found = index.find(question)
        yield question if found is None else _dropped(question, found)


@dataclass(frozen=True, slots=True)
class _Source:
    place: str
    id: str


@dataclass(frozen=True, slots=True)
class _Hit:
    source: _Source
    shared: str
    whole: bool


@dataclass(slots=True)
class _Index:
    """Where each run of `ngram` words stands in the benchmarks; the first place is kept."""

    ngram: int
    runs: dict[str, _Source] = field(default_factory=dict[str, _Source])
    whole: dict[str, _Source] = field(default_factory=dict[str, _Source])

    def add(self, place: str, question: Question) -> None:
        source = _Source(place, str(question.meta.get("id") or place))
        runs = list(_runs(words(question.prompt), self.ngram))
        if not runs:
            self.whole.setdefault(normal_text(question.prompt), source)
        for run in runs:
            self.runs.setdefault(run, source)

    def find(self, question: Question) -> _Hit | None:
        text = normal_text(question.prompt)
        if (source := self.whole.get(text)) is not None:
            return _Hit(source, text, whole=True)
        for run in _runs(words(question.prompt), self.ngram):
            if (source := self.runs.get(run)) is not None:
                return _Hit(source, run, whole=False)
        return None


def _runs(sequence: Sequence[str], size: int) -> Iterator[str]:
    return (" ".join(sequence[i : i + size]) for i in range(len(sequence) - size + 1))


def _benchmark_questions(file: Path, options: DecontaminateOptions) -> Iterator[tuple[str, Question]]:
    fields = options.fields.model_copy(update={"answer": None, "choices": None, "spec": None})
    mapped = Mapped(fields=fields, verifier="")
    for row in open_records(file):
        result = row if isinstance(row, SetAside) else question_from(row, mapped, {})
        if not isinstance(result, Question):
            raise InputError(
                f"a benchmark question cannot be read: {result.reason}",
                place=f"{file}:{row.row}",
                hint="mend or remove the row, or check decontaminate.fields",
            )
        yield f"{row.file}:{row.row}", result


def _dropped(question: Question, hit: _Hit) -> Drop:
    shared = hit.shared if len(hit.shared) <= 200 else f"{hit.shared[:197]}..."
    what = "is the same question as" if hit.whole else f"shares {len(hit.shared.split())} words with"
    return Drop(
        question.id,
        "curate",
        CONTAMINATED,
        f"{what} {hit.source.place}: '{shared}'",
        hit.source.id,
        question.prompt[:2000],
    )
