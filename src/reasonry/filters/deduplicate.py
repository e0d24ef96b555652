"""Deduplication: of the questions that ask the same, one survives.

`exact`: questions with the same folded text and the same set of choices. `minhash`: those, and near-duplicates: MinHash
finds candidates, and `likeness` decides each pair by what its texts share and what they do not. `semantic`: those that
are exact duplicates, and pairs whose embeddings by a model of the user's are close.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reasonry.contracts import Mapper
from reasonry.executors.spread import in_process
from reasonry.filters.duplicates.answers import are_equal
from reasonry.filters.duplicates.candidates import candidate_pairs
from reasonry.filters.duplicates.clusters import Merge, merges
from reasonry.filters.duplicates.gathered import Gathered, Record
from reasonry.filters.duplicates.likeness import Judge
from reasonry.filters.duplicates.semantic import model_input, semantic_merges
from reasonry.registry import Input, library_input, part
from reasonry.sections import DeduplicateOptions
from reasonry.types import Drop, Question

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["deduplicate"]

DUPLICATE = "duplicate"
CONFLICTING_ANSWER = "duplicate_conflicting_answer"
NEAR_DUPLICATE = "near_duplicate"
SEMANTIC_DUPLICATE = "semantic_duplicate"
RULES = {
    DUPLICATE: "it has the same text, but for typing, and the same choices as a question that stays",
    CONFLICTING_ANSWER: "so it has, but the reference answers differ: one of the two is wrong",
    NEAR_DUPLICATE: "it asks what a question that stays asks, in other words",
    SEMANTIC_DUPLICATE: "its embedding is close to that of a question that stays",
}

THRESHOLDS = {"minhash": 0.6, "semantic": 0.9}  # see docs/deduplication.md for how they were measured
SURVIVORS_HELD = 1024  # records of survivors that are kept for the next of their cluster

_LIBRARIES = {
    "exact": (),
    "minhash": ("numpy", "rapidfuzz", "rensa", "math-verify", "mpmath"),
    "semantic": ("numpy", "rapidfuzz", "math-verify", "mpmath", "sentence-transformers", "torch"),
}


def _inputs(options: DeduplicateOptions) -> Sequence[Input]:
    """The libraries that have a say in what is alike."""
    libraries = [library_input(name) for name in _LIBRARIES[options.method]]
    return libraries if options.model is None else [*libraries, model_input(options.model)]


@part("filter", "deduplicate", version=2, options=DeduplicateOptions, inputs=_inputs, rules=RULES)
def deduplicate(
    rows: Iterable[Question], options: DeduplicateOptions, *, mapper: Mapper = in_process
) -> Iterator[Question | Drop]:
    """Keep one of the questions that ask the same.

    Reads `rows` twice, and holds them only where they cannot be read again. A duplicate whose answer differs from the
    survivor's has a rule of its own: one of the two is wrong.
    """
    table = list(rows) if iter(rows) is rows else rows
    with Gathered(options) as gathered:
        gathered.read(table, mapper)
        fates = _fates(gathered, options)
        yield from _sorted_out(table, gathered, fates, options.method)


class _Fates:
    """For each place the survivor that it goes for (itself, where it stays), and how like it that is."""

    def __init__(self, survivors: Array) -> None:
        import numpy as np

        self.survivors = survivors
        self.similarities = np.ones(len(survivors))

    @property
    def staying(self) -> Array:
        import numpy as np

        return np.flatnonzero(self.survivors == np.arange(len(self.survivors)))

    def take(self, merged: Iterable[Merge]) -> None:
        """Let those that stayed so far go for others; who went for them goes with them."""
        import numpy as np

        now, similarity = np.arange(len(self.survivors)), np.ones(len(self.survivors))
        for merge in merged:
            now[merge.place], similarity[merge.place] = merge.survivor, merge.similarity
        self.similarities = similarity[self.survivors]
        self.survivors = now[self.survivors]


def _fates(gathered: Gathered, options: DeduplicateOptions) -> _Fates:
    fates = _Fates(_exact(gathered))
    if options.method == "minhash":
        fates.take(_near(gathered, _groups(gathered, fates.staying), options))
    elif options.method == "semantic":
        threshold = options.threshold or THRESHOLDS["semantic"]
        fates.take(semantic_merges(gathered, _groups(gathered, fates.staying), options, threshold))
    return fates


def _exact(gathered: Gathered) -> Array:
    """The survivor of each place among those with its key: the lowest rank, and the first of them."""
    import numpy as np

    keys = gathered.keys
    order = np.lexsort((gathered.ranks, keys[:, 1], keys[:, 0]))
    is_first = np.ones(len(order), bool)
    is_first[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    survivors = np.empty(len(order), np.int64)
    survivors[order] = order[np.flatnonzero(is_first)][np.cumsum(is_first) - 1]
    return survivors


def _groups(gathered: Gathered, staying: Array) -> list[list[int]]:
    """The places of each group of at least two, ascending; the group of the lowest place first."""
    import numpy as np

    groups = gathered.groups[staying]
    order = np.lexsort((groups[:, 1], groups[:, 0]))
    borders = np.flatnonzero((groups[order[1:]] != groups[order[:-1]]).any(axis=1)) + 1
    return sorted(staying[members].tolist() for members in np.split(order, borders) if len(members) > 1)


def _near(gathered: Gathered, groups: Iterable[list[int]], options: DeduplicateOptions) -> Iterator[Merge]:
    """The merges among near-duplicates, group by group."""
    judge = Judge(options.threshold or THRESHOLDS["minhash"], numbers=options.numbers, answers=options.answers)

    def similarity(one: int, other: int) -> float | None:
        return judge.similarity(gathered.reading(one), gathered.reading(other))

    def words_of(place: int) -> list[str]:
        return gathered.record(place).text.split()

    for places in groups:
        yield from merges(candidate_pairs(places, words_of), similarity, gathered.rank)


def _sorted_out(rows: Iterable[Question], gathered: Gathered, fates: _Fates, method: str) -> Iterator[Question | Drop]:
    """Every row as it fared, in order."""
    tell = _Tell(gathered, method)
    fared = zip(rows, fates.survivors.tolist(), fates.similarities.tolist(), strict=True)
    for place, (question, survivor, similarity) in enumerate(fared):
        yield question if survivor == place else tell.dropped(question, Merge(place, survivor, similarity))


class _Tell:
    """Says why a question goes."""

    def __init__(self, gathered: Gathered, method: str) -> None:
        self._method = method
        self._record = lru_cache(SURVIVORS_HELD)(gathered.record)
        self._id = lru_cache(SURVIVORS_HELD)(lambda place: gathered.record(place).id)
        self._keys = gathered.keys

    def dropped(self, question: Question, merge: Merge) -> Drop:
        rule, reason = self._why(question, merge, self._record(merge.survivor))
        return Drop(question.id, "curate", rule, reason, self._id(merge.survivor), question.prompt[:2000])

    def _why(self, question: Question, merge: Merge, kept: Record) -> tuple[str, str]:
        if (self._keys[merge.place] != self._keys[merge.survivor]).any():
            rule = SEMANTIC_DUPLICATE if self._method == "semantic" else NEAR_DUPLICATE
            how = f"({self._method}, similarity {merge.similarity:.2f})"
            return rule, f"nearly the same question as {kept.origin} {how}"
        own, reason = self._record(merge.place).answer, f"the same question as {kept.origin} (exact)"
        if own is None or kept.answer is None or are_equal(own, kept.answer):
            return DUPLICATE, reason
        answers = f"{_short(question.answer)} and not {_short(kept.reference)}"
        return CONFLICTING_ANSWER, f"{reason}, but its answer is {answers}"


def _short(answer: str | None) -> str:
    text = str(answer)
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"
