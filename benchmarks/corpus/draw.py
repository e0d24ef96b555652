"""Random draws that repeat on every machine, in streams that can be re-drawn one at a time.

A question is drawn from several streams. Drawing one of them anew while the others stay gives a question that differs
in that respect only: other numbers, another thing asked, another operator. `words` (names, objects) and `phrasing`
carry no meaning; the others do, and what was drawn from them identifies a question (`Draw.signature`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

__all__ = ["MEANING", "Draw", "Stream", "seed_of"]

MEANING = ("numbers", "asked", "operator", "entity")
_MASK = (1 << 64) - 1
_Item = TypeVar("_Item")


def seed_of(*parts: object) -> int:
    """64 bits from the digest of the parts."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class Stream:
    """SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014)."""

    __slots__ = ("_state", "_twist", "drawn")

    def __init__(self, seed: int, twist: tuple[int, int] | None = None) -> None:
        """`twist` (which draw, by how much) changes one draw and leaves those before and after it as they are."""
        self._state = seed & _MASK
        self._twist = twist
        self.drawn: list[int] = []

    def below(self, limit: int) -> int:
        """An integer from 0 to limit - 1. The bias, at most limit / 2**64, is of no account here."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        value = (mixed ^ (mixed >> 31)) % limit
        if self._twist is not None and self._twist[0] == len(self.drawn) and limit > 1:
            value = (value + 1 + self._twist[1] % (limit - 1)) % limit
        self.drawn.append(value)
        return value

    def between(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, share: float) -> bool:
        """True in `share` of the draws, to a millionth."""
        return self.below(1_000_000) < share * 1_000_000

    def pick(self, items: Sequence[_Item]) -> _Item:
        return items[self.below(len(items))]

    def sample(self, items: Sequence[_Item], count: int) -> list[_Item]:
        """`count` different items, in random order."""
        rest = list(items)
        return [rest.pop(self.below(len(rest))) for _ in range(count)]

    def subset(self, items: Sequence[_Item], count: int) -> list[_Item]:
        """`count` different items, in their own order: what is recorded does not depend on the order of the draws."""
        places = sorted(self.sample(range(len(items)), count))
        self.drawn[-count:] = places
        return [items[place] for place in places]

    def shuffled(self, items: Sequence[_Item]) -> list[_Item]:
        return self.sample(items, len(items))

    def weighted(self, items: Sequence[tuple[_Item, int]]) -> _Item:
        """One of (item, weight)."""
        at = self.below(sum(weight for _, weight in items))
        for item, weight in items:
            if (at := at - weight) < 0:
                return item
        raise ValueError("no weights")


@dataclass(slots=True)
class Draw:
    """The streams of one question, each made when it is first used."""

    seed: int
    changed: dict[str, int] = field(default_factory=dict[str, int])
    twists: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    streams: dict[str, Stream] = field(default_factory=dict[str, Stream])

    def stream(self, name: str) -> Stream:
        if (known := self.streams.get(name)) is not None:
            return known
        made = Stream(seed_of(self.seed, name, self.changed.get(name, 0)), self.twists.get(name))
        self.streams[name] = made
        return made

    @property
    def words(self) -> Stream:
        return self.stream("words")

    @property
    def phrasing(self) -> Stream:
        return self.stream("phrasing")

    @property
    def numbers(self) -> Stream:
        return self.stream("numbers")

    @property
    def asked(self) -> Stream:
        return self.stream("asked")

    @property
    def operator(self) -> Stream:
        return self.stream("operator")

    @property
    def entity(self) -> Stream:
        return self.stream("entity")

    @property
    def choices(self) -> Stream:
        return self.stream("choices")

    def anew(self, *names: str, salt: int = 1) -> Draw:
        """The same draws but for these streams; another salt, other draws."""
        return Draw(self.seed, {**self.changed, **dict.fromkeys(names, salt)}, self.twists)

    def twisted(self, name: str, at: int, by: int) -> Draw:
        """The same draws but for one of this stream."""
        return Draw(self.seed, self.changed, {**self.twists, name: (at, by)})

    def signature(self) -> tuple[tuple[int, ...], ...]:
        """What was drawn from the streams that carry meaning."""
        return tuple(tuple(self.streams[name].drawn) if name in self.streams else () for name in MEANING)
