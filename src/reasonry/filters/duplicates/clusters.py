"""From pairs that are alike to clusters, and to the one of each that survives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

__all__ = ["Merge", "UnionFind", "merges"]

MOST_SURVIVORS = 32  # of one cluster that a member is compared with: whoever is like none of them stays

Similarity = Callable[[int, int], float | None]


class Merge(NamedTuple):
    """A question that goes, and the survivor that it goes for."""

    place: int
    survivor: int
    similarity: float


class UnionFind:
    """Sets of numbers that grow together. The least member stands for its set."""

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}

    def root(self, member: int) -> int:
        parents = self._parents
        while (parent := parents.setdefault(member, member)) != member:
            parents[member] = member = parents[parent]
        return member

    def join(self, one: int, other: int) -> None:
        first, second = self.root(one), self.root(other)
        self._parents[max(first, second)] = min(first, second)

    def sets(self) -> list[list[int]]:
        """Every set that was joined of several, its members ascending; the set of the least member first."""
        found: dict[int, list[int]] = {}
        for member in sorted(self._parents):
            found.setdefault(self.root(member), []).append(member)
        return [members for members in found.values() if len(members) > 1]


def merges(
    pairs: Iterable[tuple[int, int]], similarity: Similarity, rank: Callable[[int], tuple[int, int]]
) -> Iterator[Merge]:
    """Which questions go, and for whom.

    `pairs` may be alike, `similarity` says whether they are (and None where not). Alike pairs make clusters. In each,
    the member of the lowest rank survives, and whoever is alike to it goes; of those that are left, again, the lowest
    survives. So a chain of small steps takes nobody along who is not alike to a survivor.
    """
    known: dict[tuple[int, int], float] = {}
    joined = UnionFind()
    for one, other in pairs:
        if joined.root(one) != joined.root(other) and (found := similarity(one, other)) is not None:
            known[one, other] = known[other, one] = found
            joined.join(one, other)
    for cluster in joined.sets():
        yield from _merged(sorted(cluster, key=rank), similarity, known)


def _merged(cluster: Sequence[int], similarity: Similarity, known: dict[tuple[int, int], float]) -> Iterator[Merge]:
    survivors: list[int] = []
    for member in cluster:
        for survivor in survivors[:MOST_SURVIVORS]:
            found = known.get((survivor, member)) or similarity(survivor, member)
            if found is not None:
                yield Merge(member, survivor, found)
                break
        else:
            survivors.append(member)
