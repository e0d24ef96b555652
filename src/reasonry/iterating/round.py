"""A round that was made: what it asked for, what came of it, and how `iteration.json` tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from reasonry.ablating.findings import noise_of
from reasonry.iterating.reading import Author, RoundRead
from reasonry.iterating.spending import Source
from reasonry.iterating.words import gain_words
from reasonry.recipe import Recipe
from reasonry.run import RunResult
from reasonry.stats import Difference, difference_of_runs, paired_difference

__all__ = ["Again", "Round", "difference_facts", "gain_between", "round_facts", "run_facts"]


@dataclass(frozen=True, slots=True)
class Again:
    """A run that differs from its round's in the seed of the training alone."""

    recipe: Recipe
    result: RunResult


@dataclass(frozen=True, slots=True)
class Round:
    """A finished round. `student` names the one that sampled in it, in the words of its traces; None: none did.

    `again` are its runs with other seeds of the training, each with its recipe.
    """

    number: int
    recipe: Recipe
    sources: Sequence[Source]
    asked: Mapping[str, int]
    result: RunResult
    read: RoundRead
    gain: Difference | None
    warnings: Sequence[str]
    checkpoint: Path
    student: str | None
    again: Sequence[Again] = ()

    @property
    def words(self) -> str:
        return gain_words(self.number, self.gain, str(self.read.accuracy))


def gain_between(before: RoundRead, now: RoundRead) -> Difference:
    """What one has more than the other: on the questions that both could be scored on, or over the trainings' seeds.

    Trained once each, it is paired by question. Trained with several seeds, it is Welch's over the seeds, so that the
    training's own spread is in it; and an accuracy is never taken for more exact than its number of questions.
    """
    if len(before.by_seed) > 1 and len(now.by_seed) > 1:
        noises = [noise_of(fmean(one.by_seed), len(one.scores)) for one in (before, now)]
        return difference_of_runs(before.by_seed, now.by_seed, least_variances=noises)
    common = [name for name in before.scores if name in now.scores]
    return paired_difference([before.scores[name] for name in common], [now.scores[name] for name in common])


def round_facts(one: Round) -> dict[str, Any]:
    """The round as JSON."""
    return {
        "round": one.number,
        "folder": f"rounds/{one.number}",
        **run_facts(one),
        "gain": difference_facts(one.gain),
        "words": one.words,
        "signals": asdict(one.read.signals),
        "warnings": list(one.warnings),
    }


def run_facts(one: Round) -> dict[str, Any]:
    """What a round has as any run has it."""
    costs = [stage.cost_usd for stage in one.result.stages if stage.stage == "distil"]
    return {
        "run": one.result.run,
        "digest": one.result.digest,
        "parent": one.recipe.parent,
        "settings": list(one.recipe.overrides),
        "accuracy": asdict(one.read.accuracy),
        "by_seed": list(one.read.by_seed),
        "again": [
            {"run": each.result.run, "digest": each.result.digest, "settings": list(each.recipe.overrides)}
            for each in one.again
        ],
        "slices": list(_slices(one)),
        "authors": [_author(each, one.student) for each in one.read.authors],
        "cost_usd": costs[0] if costs else None,
    }


def _slices(one: Round) -> Iterator[dict[str, Any]]:
    for each in one.read.slices:
        yield {
            "name": each.name,
            "accuracy": asdict(each.accuracy),
            "questions": each.questions,
            "added": one.asked.get(each.name, 0),
            "examples": each.examples,
        }


def _author(one: Author, student: str | None) -> dict[str, Any]:
    return {**asdict(one), "is_student": one.name == student}


def difference_facts(one: Difference | None) -> dict[str, Any] | None:
    """An effect as JSON; None where there is none."""
    return None if one is None else {**asdict(one), "is_clear": one.is_clear}
