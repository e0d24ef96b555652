"""The section `ablate`: which settings are varied, how often, and what is compared with what."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from reasonry.errors import nearest_hint
from reasonry.sections.base import Section

__all__ = ["AblateSection", "FactorOptions", "LevelOptions", "Match"]

Match = Literal["steps", "examples", "tokens", "epochs"]
_NAME = r"^[^\x00-\x1f=]{1,60}$"


def _named(given: Any) -> Any:
    """Says of a name what the pattern says to a machine."""
    if isinstance(given, str) and re.fullmatch(_NAME, given) is None:
        raise PydanticCustomError("name", "a name has 1 to 60 characters, and neither a line break nor '='")
    return given


Name = Annotated[str, Field(pattern=_NAME), BeforeValidator(_named)]


class LevelOptions(Section):
    """One level of a factor: keys of the recipe, dotted, with the values that they have in it."""

    name: Name
    set: dict[str, Any] = Field(default_factory=dict[str, Any], description='{ "select.keep" = "all", ... }')
    match: Match | None = Field(default=None, description="how this level alone is matched; default: as the others")


class FactorOptions(Section):
    """What is varied together: a factor has levels, and every level is run with every level of the other factors."""

    name: Name
    levels: list[LevelOptions] = Field(min_length=2)
    control: str | None = Field(default=None, description="the level that the others are compared with; default: first")
    pairs: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(
        default_factory=list[list[str]], description="other comparisons: [level, the level it is compared with]"
    )
    compare: bool = Field(
        default=True, description="false: its levels are only conditions in which others are compared"
    )

    @model_validator(mode="after")
    def _names_its_levels(self) -> FactorOptions:
        names = [level.name for level in self.levels]
        if len(set(names)) < len(names):
            raise PydanticCustomError("levels", "two levels have one name", {})
        for name in (*([self.control] if self.control else ()), *(name for pair in self.pairs for name in pair)):
            if name not in names:
                told = {"name": name, "hint": nearest_hint(name, names)}
                raise PydanticCustomError("no_level", "no level is named '{name}': {hint}", told)
        return self

    @property
    def comparisons(self) -> list[tuple[str, str]]:
        """Which level is compared with which: (level, control)."""
        if not self.compare:
            return []
        control = self.control or self.levels[0].name
        first = [(level.name, control) for level in self.levels if level.name != control]
        return list(dict.fromkeys([*first, *((one, other) for one, other in self.pairs)]))


class AblateSection(Section):
    """A matrix of runs that differ in some settings, trained with several seeds each."""

    factors: list[FactorOptions] = Field(default_factory=list[FactorOptions])
    seeds: Annotated[int, Field(ge=1, le=100)] = Field(default=3, description="trainings of each cell")
    reseed: Literal["train", "all"] = Field(
        default="train", description="what a seed changes: the training alone, or the questions and the teacher too"
    )
    match: Match = Field(
        default="steps",
        description="what is equal in all cells: optimiser steps; examples (and steps); training tokens; passes over "
        "the examples",
    )
    audit: list[str] = Field(
        default_factory=list[str], description="verifiers that judge each cell's examples, without a say in the choice"
    )

    @model_validator(mode="after")
    def _has_factors_of_their_own(self) -> AblateSection:
        names = [factor.name for factor in self.factors]
        if len(set(names)) < len(names):
            raise PydanticCustomError("factors", "two factors have one name", {})
        return self
