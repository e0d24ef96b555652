"""The rules in their order: from candidates to what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from reasonry.registry import find
from reasonry.sections import MixOptions, SelectSection
from reasonry.stages.selecting.composition import Composition
from reasonry.stages.selecting.difficulty import DifficultyTally
from reasonry.stages.selecting.fates import Fate, through
from reasonry.stages.selecting.judging import judged
from reasonry.stages.selecting.mixing import Mix
from reasonry.stages.selecting.ranking import distinct, ranked
from reasonry.stages.selecting.remarks import remarks
from reasonry.stages.selecting.sharing import Division, describe
from reasonry.stages.selecting.spool import spool
from reasonry.types import Candidate

__all__ = ["SelectLine"]


class SelectLine:
    """All candidates on their way through the rules of a section.

    `walk` begins a walk along all candidates, in order; a mix needs two. `folder` is for what waits between them.
    """

    def __init__(self, section: SelectSection, walk: Callable[[], Iterable[Candidate]], folder: Path) -> None:
        self._section = section
        self._walk = walk
        self._folder = folder
        self._difficulties = DifficultyTally()
        self._division: Division | None = None
        self._composition = Composition()

    def fates(self) -> Iterator[Fate]:
        """What becomes of every trace, in order."""
        options = self._section.mix
        return self._composition.counting(self._ruled() if options is None else self._mixed(options))

    def _ruled(self) -> Iterator[Fate]:
        """Under all rules but the mix: they look at one question at a time."""
        fates = judged(self._section, self._walk(), self._difficulties)
        for chosen in self._section.filters:
            fates = through(fates, find("trace_filter", chosen.filter), chosen)
        return ranked(self._section, distinct(fates) if self._section.distinct else fates)

    def _mixed(self, options: MixOptions) -> Iterator[Fate]:
        mix = Mix(self._section, options)
        with spool(self._folder) as notes:
            for fate in self._ruled():
                notes.write(fate)
                if fate.is_standing:
                    mix.add(fate)
            settlement = mix.settle()
            self._division = settlement.division
            added = 0
            for fate in notes.read(self._walk()):
                yield settlement.decided(added, fate) if fate.is_standing else fate
                added += fate.is_standing

    def remarks(self) -> Iterator[str]:
        """What the recipe asks for and could not have."""
        section, composition = self._section, self._composition
        if section.keep == "majority" and composition.traces and composition.traces == composition.questions_seen:
            yield 'keep = "majority": no question has more than one trace, so each is its own majority'
        if section.mix is not None and self._division is not None:
            yield from remarks(section.mix, self._division)

    def metrics(self, questions: int) -> dict[str, Any]:
        """Figures of the stage; `questions` were asked, those without any trace too."""
        section, division = self._section, self._division
        metrics = self._composition.metrics(questions)
        if section.difficulty is not None:
            metrics["difficulty"] = self._difficulties.metrics(section.difficulty)
        rule = describe(section.mix) if section.mix is not None else ""
        metrics["mix"] = {"rule": rule, "groups": self._composition.table(division)}
        if division is not None:
            metrics["mix_short_groups"] = len(list(division.short()))
            metrics["mix_missing"] = sum(group.missing for group in division.short())
        return metrics
