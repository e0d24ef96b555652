"""How many examples of each group there shall be: targets, shares and temperatures against what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from reasonry.sections import MixLevel, MixOptions
from reasonry.sections.selecting import OTHERS
from reasonry.stages.selecting.apportion import apportion, as_many_as_hold, as_shares

__all__ = ["Division", "GroupNumbers", "Path", "describe", "divide"]

Path = tuple[str, ...]
Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class GroupNumbers:
    """One group of the mix. `path` ends with its name, after those of the groups around it.

    `available` came to the mix, `capped` of them are beyond a cap, `wanted` is what the recipe asks for, `kept` what it
    gets. `is_named`: the recipe speaks of it, by its name or by `*`.
    """

    path: Path
    by: str
    available: int
    capped: int
    wanted: int
    kept: int
    is_named: bool

    @property
    def missing(self) -> int:
        return max(0, self.wanted - self.kept)


@dataclass(frozen=True, slots=True)
class Division:
    """All groups with their numbers, each followed by those within. `limited_by` ended a mix without a total."""

    groups: Mapping[Path, GroupNumbers]
    limited_by: str | None = None

    def kept(self, path: Path) -> int:
        """How many of a group stay; none of a group within one of which nothing stays."""
        group = self.groups.get(path)
        return group.kept if group is not None else 0

    def told(self, path: Path) -> str:
        """What became of a group, in words: of the outermost one where nothing of that stays."""
        around = [self.groups[path[:depth]] for depth in range(1, len(path) + 1) if path[:depth] in self.groups]
        group = next((group for group in around if not group.kept), around[-1])
        if not group.is_named:
            return f"the mix names no {group.by} '{group.path[-1]}'"
        return f"{group.kept:,} of {group.available:,} of {group.by} {' / '.join(group.path)}"

    def short(self) -> Iterator[GroupNumbers]:
        """The groups that have fewer than the recipe asks for."""
        return (group for group in self.groups.values() if group.missing)


class _Numbers(NamedTuple):
    """What each group is wanted to have, and what it gets."""

    wanted: Mapping[str, int]
    given: Mapping[str, int]


class _Stock:
    """What is there, for each group at every level."""

    def __init__(self, available: Mapping[Path, int], capped: Mapping[Path, int]) -> None:
        self.available = _sums(available)
        self.capped = _sums(capped)
        self._names: dict[Path, set[str]] = {}
        for path in self.available:
            self._names.setdefault(path[:-1], set()).add(path[-1])

    def free_within(self, path: Path) -> dict[str, int]:
        """What no cap took, by the next name below a path."""
        names = sorted(self._names.get(path, ()))
        return {name: self.available[(*path, name)] - self.capped[(*path, name)] for name in names}


def divide(options: MixOptions, available: Mapping[Path, int], capped: Mapping[Path, int]) -> Division:
    """Share the examples out, level by level. `available` and `capped` are by the innermost groups."""
    stock = _Stock(available, capped)
    found = list(_share_out(options, options.total, (), stock))
    groups = {group.path: group for group in sorted(found, key=lambda group: group.path)}
    is_open = options.total is None and options.targets is None
    return Division(groups, _limit(options, stock.free_within(())) if is_open else None)


def _share_out(level: MixLevel, total: int | None, path: Path, stock: _Stock) -> Iterator[GroupNumbers]:
    """The groups of one level and all within them."""
    free = stock.free_within(path)
    numbers = _numbers(level, total, free)
    for name in {**free, **numbers.wanted}:
        here, kept = (*path, name), numbers.given.get(name, 0)
        if level.within is not None and kept:
            inner = list(_share_out(level.within, kept, here, stock))
            kept = sum(group.kept for group in inner if len(group.path) == len(here) + 1)
            yield from inner
        wanted = numbers.wanted.get(name, 0)
        available, capped = stock.available[here], stock.capped[here]
        yield GroupNumbers(here, level.by, available, capped, wanted, kept, is_named=_is_named(level, name))


def _is_named(level: MixLevel, name: str) -> bool:
    entries = level.targets if isinstance(level, MixOptions) and level.targets is not None else level.shares
    return entries is None or name in entries or OTHERS in entries


def _numbers(level: MixLevel, total: int | None, free: Mapping[str, int]) -> _Numbers:
    if isinstance(level, MixOptions) and level.targets is not None:
        wanted = _named(level.targets, free)
        return _Numbers(wanted, _at_most(wanted, free))
    shares = as_shares(_weights(level, free))
    if total is None:
        given = as_many_as_hold(shares, free)
        return _Numbers(given, given)
    wanted = apportion(shares, total)
    return _Numbers(wanted, _at_most(wanted, free) if level.short == "leave" else apportion(shares, total, free))


def _at_most(wanted: Mapping[str, int], free: Mapping[str, int]) -> dict[str, int]:
    return {name: min(number, free.get(name, 0)) for name, number in wanted.items()}


def _limit(level: MixLevel, free: Mapping[str, int]) -> str | None:
    """The group that is used up where others are not."""
    given = as_many_as_hold(as_shares(_weights(level, free)), free)
    used_up = [name for name, number in sorted(given.items()) if 0 < number == free[name]]
    return used_up[0] if used_up and any(number < free.get(name, 0) for name, number in given.items()) else None


def _weights(level: MixLevel, free: Mapping[str, int]) -> dict[str, float]:
    if level.shares is not None:
        return _named(level.shares, free)
    temperature = 1.0 if level.temperature is None else level.temperature
    return {name: float(number) ** temperature for name, number in free.items() if number}


def _named(given: Mapping[str, Number], free: Mapping[str, int]) -> dict[str, Number]:
    """The entries by name, and `*` for each group that has none of its own."""
    named = {name: number for name, number in given.items() if name != OTHERS}
    if OTHERS in given:
        named |= {name: given[OTHERS] for name in free if name not in named}
    return named


def _sums(by_leaf: Mapping[Path, int]) -> Counter[Path]:
    """Numbers by group at every level, from those of the innermost groups."""
    sums = Counter[Path]()
    for leaf, number in by_leaf.items():
        for depth in range(1, len(leaf) + 1):
            sums[leaf[:depth]] += number
    return sums


def describe(options: MixOptions) -> str:
    """The mix in words, for the card."""
    levels = ", then within each ".join(_level_said(level) for level in options.levels)
    total = [f"{options.total:,} in all"] if options.total else []
    if options.total is None and options.targets is None:
        total = ["as many as the shares hold for"]
    caps = [f"at most {_cap_said(cap)} of each {by}" for by, cap in options.caps.items()]
    return "; ".join([levels, *total, *caps])


def _level_said(level: MixLevel) -> str:
    if isinstance(level, MixOptions) and level.targets is not None:
        return f"by {level.by}: targets {_pairs(level.targets)}"
    if level.shares is not None:
        rule = f"shares {_pairs(level.shares)}"
    else:
        rule = f"temperature {1.0 if level.temperature is None else level.temperature:g}"
    return f"by {level.by}: {rule}" + (" (a short group leaves its rest)" if level.short == "leave" else "")


def _cap_said(cap: int | Mapping[str, int]) -> str:
    return f"{cap:,}" if isinstance(cap, int) else f"({_pairs(cap)})"


def _pairs(given: Mapping[str, int] | Mapping[str, float]) -> str:
    return ", ".join(f"{name} {number:,.12g}" for name, number in given.items())
