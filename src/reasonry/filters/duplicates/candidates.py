"""Pairs of texts that may be near-duplicates, without comparing all with all.

In a small group every pair is one. In a large one MinHash-LSH finds them (Broder, "On the resemblance and containment
of documents", 1997; bands as in Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3), over the
rarest words of each text: what many texts of a group share is a template, and says nothing about which are one.
A crowded bucket is hashed again over words that are rare in it. What then is still alike, word for word, is compared
with its nearest neighbours in the order of rows alone: no text has more than a few hundred candidates in a group of
any size.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from reasonry.filters.duplicates.clusters import UnionFind

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["CROWD", "candidate_pairs"]

CROWD = 24  # texts that are compared all with all
RAREST = 16  # words of a text that are hashed
BANDS, ROWS = 20, 3  # texts that share half of these words meet with a probability of 0.93, a tenth of them with 0.02
LEAST_SHARED = 0.25  # of the signature, for a pair that met in a bucket
DEPTH = 3
NEIGHBOURS = 12
SEED = 7
SIGNED_AT_ONCE = 1 << 14  # texts, between rensa and numpy


def candidate_pairs(places: Sequence[int], words_of: Callable[[int], Sequence[str]]) -> list[tuple[int, int]]:
    """The pairs of `places` (ascending) that may be near-duplicates, in order, each ascending.

    `words_of` gives the words of the text at a place; it is called once for each, and in a small group never.
    """
    import numpy as np

    if len(places) <= CROWD:
        return list(combinations(places, 2))
    of_group = np.asarray(places)
    found = [np.empty((0, 2), of_group.dtype), *_hashed(of_group, _tokens(places, words_of), 1)]
    return [(one, other) for one, other in np.unique(np.concatenate(found), axis=0).tolist()]


@dataclass(frozen=True, slots=True)
class _Tokens:
    """The distinct words of texts, as numbers. Those of text i are ids[starts[i]:starts[i + 1]]."""

    ids: Array
    starts: Array

    @property
    def texts(self) -> int:
        return len(self.starts) - 1

    @property
    def text_of(self) -> Array:
        import numpy as np

        return np.repeat(np.arange(self.texts), np.diff(self.starts))

    def of(self, texts: Array) -> _Tokens:
        """The tokens of some of the texts, in their order."""
        import numpy as np

        chosen = np.zeros(self.texts, bool)
        chosen[texts] = True
        return _gathered(self.ids[chosen[self.text_of]], np.diff(self.starts)[texts])


def _gathered(ids: Array, counts: Array) -> _Tokens:
    import numpy as np

    return _Tokens(ids, np.concatenate(([0], np.cumsum(counts))))


def _tokens(places: Sequence[int], words_of: Callable[[int], Sequence[str]]) -> _Tokens:
    import numpy as np

    vocabulary: dict[str, int] = {}
    ids, counts = array("l"), array("l")
    for place in places:
        distinct = dict.fromkeys(words_of(place))
        ids.extend([vocabulary.setdefault(word, len(vocabulary)) for word in distinct])
        counts.append(len(distinct))
    return _gathered(np.asarray(ids), np.asarray(counts))


def _rarest(tokens: _Tokens) -> _Tokens:
    """Of each text the words that are rarest in these texts; none that only one has, or more than a quarter."""
    import numpy as np

    frequency = np.bincount(tokens.ids)[tokens.ids]
    kept = np.flatnonzero((frequency > 1) & (frequency <= tokens.texts // 4))
    text_of = tokens.text_of[kept]
    order = np.lexsort((tokens.ids[kept], frequency[kept], text_of))
    counts = np.bincount(text_of, minlength=tokens.texts)
    first = np.cumsum(counts) - counts
    rank = np.arange(len(order)) - np.repeat(first, counts)
    return _gathered(tokens.ids[kept[order[rank < RAREST]]], np.minimum(counts, RAREST))


def _hashed(places: Array, tokens: _Tokens, depth: int) -> Iterator[Array]:
    """Candidate pairs of a large group, some of them more than once."""
    import numpy as np

    rarest = _rarest(tokens)
    hashable = np.flatnonzero(np.diff(rarest.starts) > 0)
    yield from _neighbours(places[np.diff(rarest.starts) == 0])
    signatures = _signatures(rarest.of(hashable))
    crowded = UnionFind()
    for band in range(BANDS):
        for bucket in _buckets(signatures[:, ROWS * band : ROWS * (band + 1)]):
            if len(bucket) > CROWD:
                for text in bucket[1:].tolist():
                    crowded.join(int(bucket[0]), text)
            else:
                yield places[hashable[_alike(_all_pairs(bucket), signatures)]]
    for crowd in crowded.sets():
        members = hashable[crowd]
        if depth < DEPTH:
            yield from _hashed(places[members], tokens.of(members), depth + 1)
        else:
            yield from _neighbours(places[members])


def _signatures(tokens: _Tokens) -> Array:
    """The MinHash signature of each text: 32-bit numbers, a row for each."""
    import numpy as np
    from rensa import RMinHash  # pyright: ignore[reportAttributeAccessIssue] - made by its Rust part

    mixed = _mixed(tokens.ids.astype(np.uint64))
    rows: list[Array] = [np.empty((0, BANDS * ROWS), np.uint32)]
    for start in range(0, tokens.texts, SIGNED_AT_ONCE):
        starts = tokens.starts[start : start + SIGNED_AT_ONCE + 1]
        hashes = mixed[starts[0] : starts[-1]]
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            hashes, (starts - starts[0]).astype(np.uint64), BANDS * ROWS, SEED
        )
        rows.append(np.array(matrix.to_rows(), np.uint32))
    return np.concatenate(rows)


def _mixed(numbers: Array) -> Array:
    """Numbers spread over 64 bits (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    import numpy as np

    numbers = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _buckets(band: Array) -> Iterator[Array]:
    """The texts that agree in every number of a band, where there are at least two; each bucket ascending."""
    import numpy as np

    key = np.zeros(len(band), np.uint64)
    for column in band.T:
        key = _mixed(key ^ column.astype(np.uint64))
    order = np.argsort(key, kind="stable")
    borders = np.flatnonzero(np.diff(key[order])) + 1
    for bucket in np.split(order, borders):
        if len(bucket) > 1:
            yield bucket


def _alike(pairs: Array, signatures: Array) -> Array:
    """The pairs whose signatures agree in a share of their numbers, which estimates the share of common words."""
    shared = (signatures[pairs[:, 0]] == signatures[pairs[:, 1]]).mean(axis=1)
    return pairs[shared >= LEAST_SHARED]


def _all_pairs(places: Array) -> Array:
    import numpy as np

    left, right = np.triu_indices(len(places), 1)
    return np.stack((places[left], places[right]), axis=1)


def _neighbours(places: Array) -> Iterator[Array]:
    """Each with the next few in order."""
    import numpy as np

    for distance in range(1, min(NEIGHBOURS, len(places) - 1) + 1):
        yield np.stack((places[:-distance], places[distance:]), axis=1)
