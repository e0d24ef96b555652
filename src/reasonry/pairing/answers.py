"""The answers of one score, question by question, read from its sealed table without the responses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from reasonry.pairing.finding import Sealed
from reasonry.types import Status

__all__ = ["Answers", "Asked", "read_answers"]

_COLUMNS = ("question_id", "status", "domain", "source", "difficulty")


@dataclass(slots=True)
class Asked:
    """One question: the scores of its samples, and where it belongs. What is not known is empty."""

    domain: str
    source: str
    difficulty: float | None
    scores: list[float] = field(default_factory=list[float])
    samples: int = 0

    @property
    def mean(self) -> float | None:
        """The share of its samples that are right. None: none of them could be scored."""
        return sum(self.scores) / len(self.scores) if self.scores else None


@dataclass(frozen=True, slots=True)
class Answers:
    """All questions of one score, and how many rows have no score by our own fault."""

    questions: dict[str, Asked]
    rows: int
    unscored: dict[str, int]


def read_answers(sealed: Sealed) -> Answers:
    """Read a sealed evaluation. Raises StoreError for a damaged table."""
    questions: dict[str, Asked] = {}
    unscored = {Status.ERROR.value: 0, Status.SKIPPED.value: 0}
    rows = 0
    for question_id, status, domain, source, difficulty in _rows(sealed):
        rows += 1
        asked = questions.get(question_id)
        if asked is None:
            asked = questions[question_id] = Asked(domain or "", source or "", difficulty)
        asked.samples += 1
        score = Status(status).score
        if score is None:
            unscored[status] += 1
        else:
            asked.scores.append(score)
    return Answers(questions, rows, unscored)


def _rows(sealed: Sealed) -> Iterator[Sequence[Any]]:
    """Rows of the columns wanted; those that an older version did not write are None."""
    for batch in sealed.store.batches(sealed.manifest, list(_COLUMNS)):
        there = set(batch.schema.names)
        nothing = [None] * batch.num_rows
        columns = [batch.column(name).to_pylist() if name in there else nothing for name in _COLUMNS]
        yield from zip(*columns, strict=True)
