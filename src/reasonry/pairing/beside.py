"""A run's scores beside published ones: comparable where every condition was stated and is the same.

A published score has no answers of its own, so nothing is paired here: what can be said is whether the run's interval
holds the published figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reasonry.benchmarks.published_scores import PublishedScore
from reasonry.errors import UsageError
from reasonry.pairing.finding import Sealed, sealed_scores, trained
from reasonry.pairing.obstacles import Obstacle, shown

__all__ = ["Beside", "ScoreBeside", "beside_published"]

_COMPARED = (
    "harness",
    "question_count",
    "samples",
    "temperature",
    "top_p",
    "max_tokens",
    "system_prompt",
    "prompt",
)


@dataclass(frozen=True, slots=True)
class Beside:
    """One published score, and what keeps the run's from being compared with it (A is the run)."""

    published: PublishedScore
    obstacles: Sequence[Obstacle]

    @property
    def is_comparable(self) -> bool:
        return not self.obstacles

    def why_not(self) -> str:
        """What differs, with both values, and what is unknown on which side: here it can often be stated."""
        unknown = [one for one in self.obstacles if one.is_unknown]
        told = {
            "differs": [
                f"{one.name} {shown(one.b)} (here {shown(one.a)})" for one in self.obstacles if not one.is_unknown
            ],
            "not stated there": [one.name for one in unknown if one.b is None],
            "not stated here": [one.name for one in unknown if one.a is None],
        }
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in told.items() if names)

    def as_json(self) -> dict[str, Any]:
        differing = [obstacle.as_json() for obstacle in self.obstacles]
        return {**asdict(self.published), "comparable": self.is_comparable, "conditions_that_differ": differing}


@dataclass(frozen=True, slots=True)
class ScoreBeside:
    """One score of the run, with the published ones on the same benchmark, the comparable first."""

    sealed: Sealed
    accuracy: float
    low: float
    high: float
    published: Sequence[Beside]

    def verdict(self, beside: Beside) -> str:
        """What may be said of a comparable one, by rule."""
        points = (self.accuracy - beside.published.value) * 100
        if self.low <= beside.published.value <= self.high:
            return f"{points:+.1f} points: within the run's interval, no difference shown"
        return f"{points:+.1f} points: outside the run's interval"

    def as_json(self) -> dict[str, Any]:
        return {
            **self.sealed.as_json(),
            "benchmark": self.sealed.part,
            "published": [
                {**one.as_json(), "in_words": self.verdict(one) if one.is_comparable else None}
                for one in self.published
            ],
        }


def beside_published(run: str, published: Sequence[PublishedScore]) -> list[ScoreBeside]:
    """Each score of a run (or the one named) beside the published ones on its benchmark. Raises UsageError."""
    scored = [sealed for sealed in trained(sealed_scores(run)) if sealed.metrics.get("accuracy") is not None]
    if not scored:
        raise UsageError("nothing could be scored in it", place=run, hint="reasonry eval says why")
    return [_beside(sealed, [one for one in published if one.benchmark == sealed.part]) for sealed in scored]


def _beside(sealed: Sealed, published: Sequence[PublishedScore]) -> ScoreBeside:
    here = _conditions(sealed)
    partial = list(_missing_answers(sealed))
    found = [Beside(score, [*_obstacles(here, score.conditions), *partial]) for score in published]
    found.sort(key=lambda one: not one.is_comparable)
    accuracy, low, high = (float(sealed.metrics[name]) for name in ("accuracy", "low", "high"))
    return ScoreBeside(sealed, accuracy, low, high, found)


def _conditions(sealed: Sealed) -> dict[str, Any]:
    """The run's conditions by the names that published ones have. What is unknown is left out."""
    conditions = sealed.conditions
    here = {name: conditions[name] for name in _COMPARED if conditions.get(name) is not None}
    if conditions and conditions.get("served_by") != "replay":
        here.setdefault("system_prompt", "")
    if (verifier := conditions.get("verifier")) is not None:
        here["harness"] = f"reasonry {verifier}"
    return here


def _missing_answers(sealed: Sealed) -> Iterator[Obstacle]:
    coverage = sealed.metrics.get("coverage", 1.0)
    if coverage < 1.0:
        yield Obstacle("coverage", coverage, 1.0, is_unknown=False)


def _obstacles(here: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[Obstacle]:
    is_greedy = here.get("temperature") == 0 and there.get("temperature") == 0
    for name in _COMPARED:
        a, b = here.get(name), there.get(name)
        if name == "top_p" and is_greedy:
            continue  # where nothing is drawn it decides nothing
        if a is None or b is None or a != b:
            yield Obstacle(name, a, b, a is None or b is None)
    if "special" in there:
        yield Obstacle("special", None, there["special"], is_unknown=False)
