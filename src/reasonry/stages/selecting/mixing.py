"""The mix: two walks over the same traces. The first collects a few numbers of each, then all is decided at once.

Held for each trace that comes to the mix: 8 bytes for its lot, 4 for its rank, 4 for its group, 4 for each cap; while
it is decided, some 60 more. Which of a group stay goes by rank, then by lot: first one trace of every question, then
the second ones.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from reasonry.sections import MixOptions, SelectSection
from reasonry.sections.selecting import By
from reasonry.stages.selecting.fates import Fate
from reasonry.stages.selecting.ranking import Lots
from reasonry.stages.selecting.sharing import Division, Path, divide

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

__all__ = ["Mix", "Settlement", "group_of"]

_NOT_CAPPED = -1


def group_of(fate: Fate, by: By) -> str:
    """The name of the group that a trace belongs to."""
    question = fate.candidate.question
    match by:
        case "domain":
            return question.domain
        case "source":
            return question.source
        case "license":
            return question.license
        case "difficulty":
            return fate.level
        case "teacher":
            return fate.candidate.trace.teacher


Name = TypeVar("Name", str, Path)


class _Column(Generic[Name]):
    """One name for each trace: the names once, and a number for each trace."""

    def __init__(self) -> None:
        self.names: list[Name] = []
        self._code_of: dict[Name, int] = {}
        self._codes = array("I")

    @property
    def codes(self) -> Numbers:
        import numpy as np

        return np.asarray(self._codes).astype(np.int64)

    def add(self, name: Name) -> None:
        code = self._code_of.get(name)
        if code is None:
            code = self._code_of[name] = len(self.names)
            self.names.append(name)
        self._codes.append(code)

    def name(self, row: int) -> Name:
        return self.names[self._codes[row]]

    def by_name(self, numbers: Numbers) -> dict[Name, int]:
        """Numbers by code as numbers by name."""
        return {name: int(number) for name, number in zip(self.names, numbers, strict=True)}


class Mix:
    """The traces that may stay, and then which of them do."""

    def __init__(self, section: SelectSection, options: MixOptions) -> None:
        self._options = options
        self._lot_of = Lots(section.seed).of
        self._by: list[By] = [level.by for level in options.levels]
        self._lots = array("Q")
        self._ranks = array("I")
        self._groups = _Column[Path]()
        self._capped: dict[By, _Column[str]] = {by: _Column[str]() for by in options.caps}

    def add(self, fate: Fate) -> None:
        """Take a standing trace in."""
        self._lots.append(self._lot_of(fate.candidate.trace.id))
        self._ranks.append(fate.rank)
        self._groups.add(tuple(group_of(fate, by) for by in self._by))
        for by, column in self._capped.items():
            column.add(group_of(fate, by))

    def settle(self) -> Settlement:
        """Decide which traces stay."""
        import numpy as np

        caps = self._caps()
        is_free = caps == _NOT_CAPPED
        groups = self._groups.codes
        count = len(self._groups.names)
        available = np.bincount(groups, minlength=count)
        capped = np.bincount(groups[~is_free], minlength=count)
        division = divide(self._options, self._groups.by_name(available), self._groups.by_name(capped))
        numbers = np.array([division.kept(path) for path in self._groups.names], dtype=np.int64)
        kept = is_free & (self._places(groups, is_free) < numbers[groups])
        return Settlement(self._options, division, self._groups, self._capped, kept, caps)

    def _caps(self) -> Numbers:
        """For each trace the number of the cap that it is beyond, the first one; -1 where none."""
        import numpy as np

        caps = np.full(len(self._lots), _NOT_CAPPED, dtype=np.int64)
        for number, (by, column) in enumerate(self._capped.items()):
            limits = [self._options.cap_of(by, name) for name in column.names]
            most = np.array([len(caps) if limit is None else limit for limit in limits], dtype=np.int64)
            is_free = caps == _NOT_CAPPED
            caps[is_free & (self._places(column.codes, is_free) >= most[column.codes])] = number
        return caps

    def _places(self, groups: Numbers, is_free: Mask) -> Numbers:
        """The place of each free trace in its group: by rank, then by lot. (0 for the others.)"""
        import numpy as np

        rows = np.flatnonzero(is_free)
        lots = np.asarray(self._lots)[rows]
        ranks = np.asarray(self._ranks)[rows]
        order = rows[np.lexsort((lots, ranks, groups[rows]))]
        ordered = groups[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        sizes = np.diff(starts, append=len(order))
        places = np.zeros(len(groups), dtype=np.int64)
        places[order] = np.arange(len(order)) - np.repeat(starts, sizes)
        return places


@dataclass(frozen=True, slots=True)
class Settlement:
    """Which traces stay, by the order in which they were added, and what is said of each."""

    options: MixOptions
    division: Division
    groups: _Column[Path]
    capped: Mapping[By, _Column[str]]
    kept: Mask
    caps: Numbers

    def decided(self, row: int, fate: Fate) -> Fate:
        """The trace that was added as number `row`, kept or dropped."""
        path = self.groups.name(row)
        if self.kept[row]:
            return fate.kept(f"in the mix: {self.division.told(path)}")._replace(group=path)
        cap = int(self.caps[row])
        if cap == _NOT_CAPPED:
            return fate.dropped("mix", f"{self.division.told(path)} (select.mix)")
        by = list(self.capped)[cap]
        name = self.capped[by].name(row)
        most = self.options.cap_of(by, name)
        return fate.dropped("mix_cap", f"{by} {name}: at most {most:,} (select.mix.caps)")
