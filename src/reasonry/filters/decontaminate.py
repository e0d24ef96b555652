"""Decontamination: no question that a benchmark asks too, whatever its spelling and whatever stands around it.

Candidates are found by runs of words that a row shares with few of the benchmarks' questions (`contamination_seeds`),
looked at again by their words and numbers (`contamination_outline`), and then compared as a whole: an alignment of the
folded texts, choices as a set, numbers apart (`contamination_match`). A row is dropped for what of the question it
holds, not for a phrase. See docs/decontamination.md.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reasonry.contracts import Mapper, Work
from reasonry.executors.spread import in_process
from reasonry.filters.contamination_benchmarks import Listed, benchmark_inputs, benchmark_questions, choices_of
from reasonry.filters.contamination_index import prepared
from reasonry.identity import canonical_json
from reasonry.registry import part
from reasonry.sections import DecontaminateOptions
from reasonry.types import Drop, JsonMap, Question

__all__ = ["CONTAMINATED", "NUMBERS_CHANGED", "Hit", "decontaminate", "hits"]

CONTAMINATED = "contaminated"
NUMBERS_CHANGED = "contaminated_numbers_changed"
RULES = {
    CONTAMINATED: "a benchmark asks the same question, in whatever spelling and whatever stands around it",
    NUMBERS_CHANGED: "a benchmark asks the same question with other numbers",
}
_CLIP, _QUOTE = 2000, 160  # characters of a text that are kept, and of a span that a reason quotes
_SAYS = {
    "same text": "the same text as",
    "embedded": "holds the whole of",
    "near": "nearly the same as",
    "shuffled choices": "the same, its choices in another order, as",
    "numbers changed": "the same with other numbers as",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Hit:
    """A benchmark's question in a row. `span` is in characters of the row's prompt; `score` is 0 to 1."""

    listed: Listed
    how: str
    score: float
    span: tuple[int, int]

    @property
    def is_other_numbers(self) -> bool:
        return self.how == "numbers changed"

    def reason(self, question: Question) -> str:
        """What was found, for a person."""
        begin, end = self.span
        quote = " ".join(question.prompt[begin:end].split())
        quote = quote if len(quote) <= _QUOTE else f"{quote[: _QUOTE - 3]}..."
        where = f"{self.listed.benchmark}, row {self.listed.row}"
        return f"{_SAYS[self.how]} {where} (score {self.score:.2f}, characters {begin}-{end}): '{quote}'"

    def content(self, question: Question) -> JsonMap:
        """The same for programs, with both texts."""
        begin, end = self.span
        return {
            "prompt": question.prompt[:_CLIP],
            "span": [begin, end],
            "text": question.prompt[begin:end][:_CLIP],
            "benchmark": self.listed.benchmark,
            "row": self.listed.row,
            "benchmark_text": self.listed.prompt[:_CLIP],
            "how": self.how,
            "score": self.score,
        }

    def drop(self, question: Question, rule: str) -> Drop:
        content = canonical_json(self.content(question))
        return Drop(question.id, "curate", rule, self.reason(question), self.listed.id, content)

    def note(self) -> JsonMap:
        """For a row that is kept."""
        return {
            "rule": NUMBERS_CHANGED,
            "other_id": self.listed.id,
            "benchmark": self.listed.benchmark,
            "row": self.listed.row,
            "score": self.score,
        }


@part("filter", "decontaminate", version=2, options=DecontaminateOptions, inputs=benchmark_inputs, rules=RULES)
def decontaminate(
    rows: Iterable[Question], options: DecontaminateOptions, *, mapper: Mapper = in_process
) -> Iterator[Question | Drop]:
    """Drop questions that a benchmark asks too.

    Raises InputError for a benchmark row that holds no question: what cannot be read cannot be kept out.
    """
    for question, hit in hits(rows, list(benchmark_questions(options)), options.ngram, mapper):
        if hit is None:
            yield question
        elif hit.is_other_numbers and options.numbers_changed == "keep":
            yield dataclasses.replace(question, meta={**question.meta, "note": dict(hit.note())})
        else:
            yield hit.drop(question, NUMBERS_CHANGED if hit.is_other_numbers else CONTAMINATED)


def hits(
    rows: Iterable[Question], questions: Sequence[Listed], ngram: int, mapper: Mapper
) -> Iterator[tuple[Question, Hit | None]]:
    """Every row, with the benchmark's question that it holds. Of the rows only those under way are held."""
    work = Work(
        "reasonry.filters.contamination_index:searcher",
        {"questions": [prepared(one.prompt, one.choices) for one in questions], "ngram": ngram},
    )
    waiting: deque[Question] = deque()

    def fed() -> Iterator[JsonMap]:
        for question in rows:
            waiting.append(question)
            yield {"prompt": question.prompt, "choices": choices_of(question)}

    for found in mapper(work, fed()):
        yield waiting.popleft(), None if found is None else _hit(found, questions)


def _hit(found: Mapping[str, Any], questions: Sequence[Listed]) -> Hit:
    begin, end = found["span"]
    return Hit(questions[found["question"]], found["how"], found["score"], (begin, end))
