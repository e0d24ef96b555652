"""What a comparison of two runs finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Difference", "Group", "Instance", "StageDifference"]


@dataclass(frozen=True, slots=True)
class Instance:
    """One row of a group: its id, and what is said of it alone."""

    id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that entered, left or changed for one reason. `examples` are those with the first ids."""

    reason: str
    rows: int
    examples: Sequence[Instance]


@dataclass(frozen=True, slots=True)
class StageDifference:
    """One stage of both runs. `why` says what in the recipes, parts or inputs made them differ; rows None: not done.

    `label` names the student or the benchmark, where a stage has several tables. `dropped` are rows that no run has:
    they left in both, in each by another rule, or in one, while the other never came to have them.
    """

    stage: str
    label: str
    why: Sequence[str]
    rows_a: int | None
    rows_b: int | None
    entered: Sequence[Group] = field(default_factory=list[Group])
    left: Sequence[Group] = field(default_factory=list[Group])
    changed: Sequence[Group] = field(default_factory=list[Group])
    dropped: Sequence[Group] = field(default_factory=list[Group])

    @property
    def name(self) -> str:
        return f"{self.stage}:{self.label}" if self.label else self.stage

    @property
    def is_same(self) -> bool:
        """Whether every row and every drop is the same."""
        groups = (*self.entered, *self.left, *self.changed, *self.dropped)
        return self.rows_a == self.rows_b and not groups


@dataclass(frozen=True, slots=True)
class Difference:
    """Run A against run B: what entered is in B and was not in A."""

    a: Mapping[str, Any]
    b: Mapping[str, Any]
    stages: Sequence[StageDifference]

    @property
    def is_same(self) -> bool:
        """Whether every row of every stage that was compared is the same."""
        return all(stage.is_same for stage in self.stages)

    def as_json(self) -> dict[str, Any]:
        return {"schema": 1, "a": dict(self.a), "b": dict(self.b), "same": self.is_same} | {
            "stages": [{**asdict(stage), "same": stage.is_same} for stage in self.stages]
        }
