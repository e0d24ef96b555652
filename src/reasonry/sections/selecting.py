"""Which verified traces become examples, how many of each question, and how many of each group."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reasonry.sections.base import Section

__all__ = [
    "OTHERS",
    "UNKNOWN",
    "By",
    "DifficultyOptions",
    "MixLevel",
    "MixOptions",
    "SelectSection",
    "TraceFilterSection",
]

By = Literal["domain", "source", "license", "difficulty", "teacher"]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0)]

OTHERS = "*"
"""In targets, shares and caps: each group that has no entry of its own."""
UNKNOWN = "unknown"
"""The level of questions whose difficulty is not known."""


class TraceFilterSection(Section):
    """One filter over verified traces, by name."""

    part_field: ClassVar[str | None] = "filter"

    filter: str


class DifficultyOptions(Section):
    """How hard questions are found to be, and which are kept."""

    measure: Literal["pass_rate", "judge"] = Field(
        default="pass_rate",
        description="pass_rate: correct ones among the scored samples; judge: the number that came with the question",
    )
    min: float | None = Field(default=None, description="least pass rate, or least number of the judge")
    max: float | None = Field(default=None, description="greatest pass rate, or greatest number of the judge")
    min_samples: Annotated[int, Field(ge=1)] = Field(
        default=1, description="pass_rate: with fewer scored samples the difficulty is unknown"
    )
    unknown: Literal["keep", "drop"] = Field(default="keep", description="questions whose difficulty is not known")
    levels: dict[str, float] = Field(
        default_factory=dict[str, float],
        description="names of levels, each with the greatest value in it, ascending; the last holds all above too",
    )

    @model_validator(mode="after")
    def _is_possible(self) -> DifficultyOptions:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise _refused("min is above max: nothing would be kept")
        if self.measure == "judge" and self.min_samples > 1:
            raise _refused("min_samples speaks of a pass rate, not of a judge's number")
        bounds = [bound for bound in (self.min, self.max) if bound is not None]
        if self.measure == "pass_rate" and not all(0 <= bound <= 1 for bound in bounds):
            raise _refused("a pass rate is between 0 and 1")
        if not all(low < high for low, high in pairwise(self.levels.values())):
            raise _refused("levels do not ascend: each names the greatest value in it")
        if {OTHERS, UNKNOWN} & set(self.levels):
            raise _refused(f"no level may be named '{OTHERS}' or '{UNKNOWN}'")
        return self


class MixLevel(Section):
    """How a number of examples is shared out among groups: by shares, or by a temperature."""

    by: By = Field(default="domain", description="what makes a group")
    shares: dict[str, Share] | None = Field(
        default=None, description='weights by group; "*" stands for each other group, which else gets nothing'
    )
    temperature: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="shares proportional to n ** temperature: 1 = as they are (the default), 0 = equal"
    )
    short: Literal["fill", "leave"] | None = Field(
        default=None,
        description="where a group has fewer than its share: fill (the default) gives the rest to the others",
    )
    within: MixLevel | None = Field(default=None, description="how each group's number is shared out in turn")

    @model_validator(mode="after")
    def _has_one_rule(self) -> MixLevel:
        if self.shares is not None and self.temperature is not None:
            raise _refused("shares and temperature both say how the number is shared out: choose one")
        if self.shares is not None and not any(self.shares.values()):
            raise _refused("no share is above 0: nothing would be kept")
        return self

    @property
    def levels(self) -> Iterator[MixLevel]:
        """This level and those within, from the outside."""
        yield self
        if self.within is not None:
            yield from self.within.levels


class MixOptions(MixLevel):
    """How many examples of each group there are."""

    targets: dict[str, Count] | None = Field(
        default=None, description='examples by group, at most; "*" for each other group, which else gets nothing'
    )
    total: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="examples in all, at most; default: as many as the shares hold for"
    )
    caps: dict[By, Count | dict[str, Count]] = Field(
        default_factory=dict[By, "int | dict[str, int]"],
        description="before all else: examples of each group at most, or of the groups that are named",
    )

    @model_validator(mode="after")
    def _is_one_mix(self) -> MixOptions:
        by = [level.by for level in self.levels]
        if len(set(by)) < len(by):
            raise _refused("two levels of the mix go by the same")
        if self.targets is not None:
            self._check_targets(self.targets)
        elif self.total is None and self.short is not None:
            raise _refused("short needs a total: without one, the shares decide how many there are")
        says = (self.targets, self.total, self.shares, self.temperature, self.within)
        if all(said is None for said in says) and not self.caps:
            raise _refused("the mix asks for nothing: give it a total, targets, shares, a temperature or caps")
        return self

    def _check_targets(self, targets: dict[str, int]) -> None:
        for name in ("shares", "temperature", "short"):
            if getattr(self, name) is not None:
                raise _refused(f"targets and {name} contradict each other: a target is a number of its own")
        if self.total is not None:
            raise _refused("targets make the total: leave it out")
        if not any(targets.values()):
            raise _refused("no target is above 0: nothing would be kept")
        for name, target in targets.items():
            cap = self.cap_of(self.by, name)
            if cap is not None and cap < target:
                raise _refused(f"the cap of {self.by} '{name}' ({cap}) is below its target ({target})")

    def cap_of(self, by: By, name: str) -> int | None:
        """How many examples of a group there may be at most, before all else."""
        cap = self.caps.get(by)
        return cap.get(name, cap.get(OTHERS)) if isinstance(cap, dict) else cap

    def names_of(self, by: By) -> set[str]:
        """The groups that are named, but for `*`."""
        cap = self.caps.get(by)
        named = set[str](cap if isinstance(cap, dict) else ())
        for level in self.levels:
            if level.by == by:
                named |= set(level.shares or ())
        if self.by == by:
            named |= set(self.targets or ())
        return named - {OTHERS}


class SelectSection(Section):
    """Which verified traces become examples."""

    keep: Literal["correct", "all", "majority"] = Field(
        default="correct", description="majority: those whose answer most samples of their question gave"
    )
    agreement: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="majority: the least share of a question's samples that must agree"
    )
    difficulty: DifficultyOptions | None = None
    filters: list[Any] = Field(default_factory=list[Any], description="filters over traces, in order")
    distinct: bool = Field(default=False, description="of a question's traces with the same text, only the first")
    per_question: Annotated[int, Field(ge=1)] | None = Field(default=None, description="at most; default: no limit")
    best: Literal["first", "shortest", "longest", "random"] = Field(
        default="first", description="which of a question's traces come first, by tokens where all are counted"
    )
    mix: MixOptions | None = None
    system: str | None = Field(default=None, description="system prompt of the examples")
    seed: int | None = Field(default=None, description="default: derived from the recipe's seed")

    @model_validator(mode="after")
    def _fits_together(self) -> SelectSection:
        if self.agreement is not None and self.keep != "majority":
            raise _refused('agreement needs keep = "majority"')
        if self.best != "first" and self.per_question is None and self.mix is None:
            raise _refused("best chooses nothing: give per_question or a mix")
        if self.mix is not None:
            self._check_levels(self.mix)
        return self

    def key_content(self) -> dict[str, Any]:
        """Without `distinct` where it is off, so that a table made before there was such a rule is still found."""
        content = super().key_content()
        return content if self.distinct else {name: value for name, value in content.items() if name != "distinct"}

    def _check_levels(self, mix: MixOptions) -> None:
        goes_by = {*(level.by for level in mix.levels), *mix.caps}
        if "difficulty" not in goes_by:
            return
        levels = self.difficulty.levels if self.difficulty is not None else {}
        if not levels:
            example = "{ levels = { hard = 0.34, medium = 0.67, easy = 1.0 } }"
            raise _refused(f"a mix by difficulty needs levels: add difficulty = {example}")
        known = [*levels, UNKNOWN]
        if unknown := mix.names_of("difficulty") - set(known):
            raise _refused(f"no level of difficulty is named '{min(unknown)}'; there are {', '.join(known)}")


def _refused(why: str) -> PydanticCustomError:
    return PydanticCustomError("contradiction", "{why}", {"why": why})
