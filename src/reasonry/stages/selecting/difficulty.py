"""How hard a question is, from its samples or from a judge, and whether that is what the recipe wants."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reasonry.sections import DifficultyOptions
from reasonry.sections.selecting import UNKNOWN
from reasonry.types import Candidate, Question, Status

__all__ = ["Difficulty", "DifficultyTally", "difficulty_of", "level_of", "misfit"]


@dataclass(frozen=True, slots=True)
class Difficulty:
    """A pass rate or a judge's number. `value` None: not known, and `told` says why.

    `samples` is how many scored samples a pass rate rests on: with 4 of them it can only be 0, 1/4, 1/2, 3/4 or 1.
    """

    value: float | None
    told: str
    samples: int = 0


def difficulty_of(options: DifficultyOptions, candidates: Sequence[Candidate]) -> Difficulty:
    """The difficulty of one question, from all its samples."""
    if options.measure == "judge":
        return _judged(candidates[0].question)
    statuses = [candidate.verdict.status for candidate in candidates]
    scored = sum(status.score is not None for status in statuses)
    correct = sum(status is Status.CORRECT for status in statuses)
    if scored < options.min_samples:
        return Difficulty(None, f"{scored} scored samples, wanted {options.min_samples}", scored)
    return Difficulty(correct / scored, f"pass rate {correct} of {scored}", scored)


def _judged(question: Question) -> Difficulty:
    value = question.meta.get("difficulty")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return Difficulty(None, "the question came without a number for its difficulty")
    return Difficulty(float(value), f"difficulty {value:g}")


def level_of(options: DifficultyOptions, difficulty: Difficulty) -> str:
    """The name of the level: the first whose bound is not passed, the last where all are."""
    if difficulty.value is None or not options.levels:
        return UNKNOWN
    names = list(options.levels)
    return next((name for name in names if difficulty.value <= options.levels[name]), names[-1])


def misfit(options: DifficultyOptions, difficulty: Difficulty) -> tuple[str, str] | None:
    """The rule and the reason by which a question is dropped; None where it may stay."""
    value = difficulty.value
    if value is None:
        return ("difficulty_unknown", difficulty.told) if options.unknown == "drop" else None
    below, above = ("too_hard", "too_easy") if options.measure == "pass_rate" else ("too_easy", "too_hard")
    if options.min is not None and value < options.min:
        return below, f"{difficulty.told}, below {options.min:g} (select.difficulty.min)"
    if options.max is not None and value > options.max:
        return above, f"{difficulty.told}, above {options.max:g} (select.difficulty.max)"
    return None


@dataclass(slots=True)
class DifficultyTally:
    """Questions by level, and by the number of samples that their pass rate rests on."""

    by_level: Counter[str] = field(default_factory=Counter[str])
    by_samples: Counter[int] = field(default_factory=Counter[int])

    def add(self, level: str, difficulty: Difficulty) -> None:
        self.by_level[level if difficulty.value is not None else UNKNOWN] += 1
        self.by_samples[difficulty.samples] += 1

    def metrics(self, options: DifficultyOptions) -> dict[str, Any]:
        names = [name for name in [*(options.levels or ["known"]), UNKNOWN] if self.by_level[name]]
        told: dict[str, Any] = {
            "measure": options.measure,
            "questions_by_level": {name: self.by_level[name] for name in names},
        }
        if options.measure == "pass_rate":
            told["questions_by_samples"] = {str(n): self.by_samples[n] for n in sorted(self.by_samples)}
        return told
