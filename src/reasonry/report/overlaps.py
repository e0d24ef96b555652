"""Rows that ask what others ask: a benchmark's question, or that of a row which stayed. Found in the pass over drops.

What is worth a look comes first: hits with a low score, clusters that are large or whose members differ most. Memory
is bounded by what is shown, and by a count for each row that others were dropped for.
"""

from __future__ import annotations

import heapq
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reasonry.report.model import (
    Contamination,
    DuplicateCluster,
    DuplicateMember,
    Duplicates,
    HitCount,
    HitSample,
)
from reasonry.report.sampling import clip
from reasonry.store import Manifest, Store
from reasonry.types import Drop, Question

__all__ = ["Overlaps", "prompt_in"]

HITS_OF_A_KIND = 40  # there are five kinds, so 200 at most
LARGEST, LOOSEST, MEMBERS = 20, 30, 6
_SIMILARITY = re.compile(r"similarity (\d(?:\.\d+)?)")
_DUPLICATE = frozenset(("duplicate", "duplicate_conflicting_answer", "near_duplicate", "semantic_duplicate"))
_HIT = {"prompt": str, "text": str, "span": list, "benchmark": str, "row": str, "benchmark_text": str, "how": str}
_KEPT = {"rule": str, "benchmark": str, "row": str}


@dataclass(slots=True)
class _Cluster:
    size: int = 0
    similarity: float = 1.0


@dataclass(slots=True)
class Overlaps:
    """What the drops of a run say of contamination and duplicates, while they are read."""

    counts: Counter[tuple[str, str, str, bool]] = field(default_factory=Counter[tuple[str, str, str, bool]])
    hits: dict[str, _Lowest] = field(default_factory=dict[str, "_Lowest"])
    clusters: dict[str, _Cluster] = field(default_factory=dict[str, _Cluster])
    manifests: dict[str, Manifest] = field(default_factory=dict[str, Manifest])

    def add(self, manifest: Manifest, drop: Drop) -> None:
        """One drop of a table."""
        if drop.rule in _DUPLICATE and drop.other_id is not None:
            cluster = self.clusters.setdefault(drop.other_id, _Cluster())
            cluster.size += 1
            cluster.similarity = min(cluster.similarity, _alike(drop))
            self.manifests[manifest.key] = manifest
        elif (told := _told(drop)) is not None:
            self._count(_of_drop(drop, told))

    def add_kept(self, question: Question) -> None:
        """One row that a table kept, with a note of what it holds, if it has one."""
        note = question.meta.get("note")
        if isinstance(note, dict) and _has(note, _KEPT):
            self._count(_of_kept(question, note))

    def _count(self, hit: HitSample) -> None:
        self.counts[hit.benchmark, hit.rule, hit.how, hit.is_kept] += 1
        self.hits.setdefault(hit.how, _Lowest(HITS_OF_A_KIND)).offer(hit.score, hit.row_id, hit)

    def contamination(self) -> Contamination | None:
        """The hits; None where there is none."""
        if not self.counts:
            return None
        counts = [HitCount(*which, count) for which, count in sorted(self.counts.items())]
        hits = [hit for how in sorted(self.hits) for hit in self.hits[how]]
        return Contamination(self.counts.total(), counts, hits)

    def duplicates(self, store: Store, collected: Manifest | None) -> Duplicates | None:
        """The clusters, with their texts from the store; None where there is none."""
        if not self.clusters:
            return None
        shown = self._shown()
        members: dict[str, _Lowest] = {survivor: _Lowest(MEMBERS) for survivor in shown}
        for manifest in self.manifests.values():
            for drop in store.find(manifest, Drop, "other_id", members, "drops"):
                if drop.rule in _DUPLICATE and drop.other_id is not None:
                    members[drop.other_id].offer(_alike(drop), drop.row_id, _member(drop))
        found = store.find(collected, Question, "id", members) if collected else iter(())
        kept = {question.id: question for question in found}
        clusters = [
            _cluster(survivor, kept.get(survivor), self.clusters[survivor].size, members[survivor])
            for survivor in shown
        ]
        return Duplicates(sum(cluster.size for cluster in self.clusters.values()), len(self.clusters), clusters)

    def _shown(self) -> list[str]:
        """The survivors of the largest clusters, and then of those whose members differ most."""
        largest = heapq.nsmallest(
            LARGEST, self.clusters, key=lambda survivor: (-self.clusters[survivor].size, survivor)
        )
        rest = self.clusters.keys() - largest
        return largest + heapq.nsmallest(LOOSEST, rest, key=lambda one: (self.clusters[one].similarity, one))


class _Lowest:
    """The few offered items with the lowest score, the lowest first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[float, str, Any]] = []

    def offer(self, score: float, row_id: str, item: Any) -> None:
        self._heap.append((score, row_id, item))
        if len(self._heap) > 4 * self._size:
            self._heap = self._kept()

    def _kept(self) -> list[tuple[float, str, Any]]:
        return heapq.nsmallest(self._size, self._heap, key=lambda entry: entry[:2])

    def __iter__(self) -> Iterator[Any]:
        return (item for _, _, item in self._kept())


def prompt_in(content: str) -> str:
    """What a dropped row says: the prompt where the content tells of a hit, else the content itself."""
    told = _parsed(content)
    return content if told is None else told["prompt"]


def _told(drop: Drop) -> dict[str, Any] | None:
    """What a drop's content tells of a benchmark's question in it."""
    return None if drop.other_id is None else _parsed(drop.content)


def _parsed(content: str) -> dict[str, Any] | None:
    if not content.startswith("{") or '"benchmark_text"' not in content:
        return None
    try:
        told = json.loads(content)
    except ValueError:
        return None
    return told if isinstance(told, dict) and _has(told, _HIT) and _is_span(told["span"]) else None


def _has(told: dict[str, Any], shape: dict[str, type]) -> bool:
    score = told.get("score")
    is_score = isinstance(score, int | float) and 0.0 <= score <= 1.0
    return is_score and all(isinstance(told.get(name), kind) for name, kind in shape.items())


def _is_span(span: list[Any]) -> bool:
    return len(span) == 2 and all(type(end) is int for end in span) and 0 <= span[0] <= span[1]


def _of_drop(drop: Drop, told: dict[str, Any]) -> HitSample:
    prompt, (begin, end) = told["prompt"], told["span"]
    is_clipped = end > len(prompt)
    return HitSample(
        row_id=drop.row_id,
        rule=drop.rule,
        how=told["how"],
        is_kept=False,
        score=float(told["score"]),
        benchmark=told["benchmark"],
        row=told["row"],
        before=clip(prompt[:begin]),
        text=told["text"] if is_clipped else prompt[begin:end],
        after="" if is_clipped else clip(prompt[end:]),
        benchmark_text=told["benchmark_text"],
    )


def _of_kept(question: Question, note: dict[str, Any]) -> HitSample:
    return HitSample(
        row_id=question.id,
        rule=note["rule"],
        how="numbers changed",
        is_kept=True,
        score=float(note["score"]),
        benchmark=note["benchmark"],
        row=note["row"],
        before="",
        text=clip(question.prompt),
        after="",
        benchmark_text=None,
    )


def _alike(drop: Drop) -> float:
    similarity = _similarity(drop.reason)
    return 1.0 if similarity is None else similarity


def _similarity(reason: str) -> float | None:
    found = _SIMILARITY.search(reason)
    return None if found is None else float(found[1])


def _member(drop: Drop) -> DuplicateMember:
    return DuplicateMember(
        drop.row_id, drop.rule, _similarity(drop.reason), clip(drop.reason), clip(drop.content or "")
    )


def _cluster(survivor: str, kept: Question | None, size: int, members: Iterable[DuplicateMember]) -> DuplicateCluster:
    source, prompt = (kept.source, clip(kept.prompt)) if kept else ("", "")
    return DuplicateCluster(survivor, source, prompt, size, list(members))
