"""What a comparison of two scores finds, and how it is said: in words by rule, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reasonry.pairing.finding import Sealed
from reasonry.pairing.obstacles import Obstacle
from reasonry.stats import Difference

__all__ = ["LEVEL", "Comparison", "Flip", "Side", "Slice", "in_words"]

LEVEL = 0.05
"""A difference is called one where its interval leaves zero out and its p value is not above this."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two scores, and how many of its questions the comparison could not use."""

    sealed: Sealed
    mean: float
    rows: int
    questions: int
    unscored_rows: Mapping[str, int]
    only_here: int
    unscored_questions: int

    def as_json(self) -> dict[str, Any]:
        numbers = {name: getattr(self, name) for name in ("mean", "rows", "questions", "only_here")}
        unscored = {"unscored_rows": dict(self.unscored_rows), "unscored_questions": self.unscored_questions}
        return {**self.sealed.as_json(), **numbers, **unscored, "dropped": dict(self.sealed.manifest.dropped)}


@dataclass(frozen=True, slots=True)
class Slice:
    """The difference on some of the questions. `p_corrected` is Holm's over all slices of the comparison."""

    by: str
    value: str
    mean_a: float
    mean_b: float
    difference: Difference
    p_corrected: float

    @property
    def is_clear(self) -> bool:
        return self.difference.is_clear and self.p_corrected <= LEVEL

    def as_json(self) -> dict[str, Any]:
        means = {"by": self.by, "value": self.value, "mean_a": self.mean_a, "mean_b": self.mean_b}
        return {**means, **asdict(self.difference), "p_corrected": self.p_corrected, "clear": self.is_clear}


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that one of the two solves and the other does not, with an answer of each that shows it."""

    question_id: str
    prompt: str
    answer: str | None
    mean_a: float
    mean_b: float
    response_a: str
    response_b: str
    extracted_a: str | None
    extracted_b: str | None
    status_a: str
    status_b: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same questions. `difference` is B's mean score less A's."""

    a: Side
    b: Side
    obstacles: Sequence[Obstacle]
    difference: Difference
    slices: Sequence[Slice]
    gained: Sequence[Flip]
    """B solves them, A does not."""
    lost: Sequence[Flip]
    """A solves them, B does not."""

    @property
    def is_clear(self) -> bool:
        return self.difference.is_clear and self.difference.p <= LEVEL

    def as_json(self) -> dict[str, Any]:
        """One object; what is in it keeps its name and meaning within a `schema` version."""
        return {
            "schema": 1,
            "a": self.a.as_json(),
            "b": self.b.as_json(),
            "conditions_match": not self.obstacles,
            "conditions_that_differ": [obstacle.as_json() for obstacle in self.obstacles],
            "questions": self.difference.n,
            "difference": {**asdict(self.difference), "clear": self.is_clear},
            "in_words": in_words(self.difference),
            "slices": [one.as_json() for one in self.slices],
            "flips": {
                "gained": [asdict(flip) for flip in self.gained],
                "lost": [asdict(flip) for flip in self.lost],
            },
        }


def in_words(found: Difference) -> str:
    """The finding, by rule: better by so much; or not detected, and what would have been."""
    points = abs(found.estimate) * 100
    if found.is_clear and found.p <= LEVEL:
        better, low, high = ("B", found.low, found.high) if found.estimate > 0 else ("A", -found.high, -found.low)
        return f"{better} is better by {points:.1f} points [{low * 100:.1f}, {high * 100:.1f}]"
    return (
        f"no difference detected (B - A: {found.estimate * 100:+.1f} points"
        f" [{found.low * 100:+.1f}, {found.high * 100:+.1f}]);"
        f" one of {found.detectable * 100:.1f} points would have been, in four of five cases"
    )
