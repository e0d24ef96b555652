"""What a round came to: its scores by slice on the frozen test, what was learned from, and signals of collapse."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from reasonry.errors import RecipeError, WorkFailed
from reasonry.filters.normal import question_key
from reasonry.identity import digest
from reasonry.recipe import Recipe
from reasonry.registry import find
from reasonry.run import RunResult
from reasonry.stats import Interval, bootstrap_mean, wilson
from reasonry.store import Manifest, Store
from reasonry.types import Completion, Example, Question, Status

__all__ = ["RoundRead", "Signals", "Slice", "accuracy_of", "read_round"]

_MODEL = ("model", "model_revision")  # what a round changes; every other condition is frozen


@dataclass(frozen=True, slots=True)
class Slice:
    """One domain of the test: how right the student is, and how much of it was asked and learned from."""

    name: str
    accuracy: Interval
    questions: int
    examples: int

    @property
    def error(self) -> float:
        return 1.0 - self.accuracy.estimate


@dataclass(frozen=True, slots=True)
class Signals:
    """What tells that a student collapses, or that its examples do.

    Entropies are in bits, over the final answers of all test questions: the student's, and the right ones.
    `mean_length` counts characters of an answer.
    """

    answer_entropy: float
    reference_entropy: float
    mean_length: float
    unparsed_rate: float
    truncated_rate: float
    repeated_examples: float


@dataclass(frozen=True, slots=True)
class RoundRead:
    """A finished round. `scores` are the shares of right samples by test question; `test` names the frozen test."""

    scores: Mapping[str, float]
    slices: Sequence[Slice]
    accuracy: Interval
    signals: Signals
    test: str


def read_round(recipe: Recipe, result: RunResult, store: Store) -> RoundRead:
    """Read what a run sealed, for the recipe's first student.

    Raises RecipeError where that student is not evaluated, WorkFailed where nothing could be scored, or where a test
    question is among those to learn from.
    """
    evaluated = [one for one in _sealed(result, store, "evaluate") if _is_of(one, recipe.train[0].name)]
    completions = [row for one in evaluated for row in store.rows(one, Completion)]
    if not completions:
        raise RecipeError(
            f"the student '{recipe.train[0].name}' is not evaluated",
            place=str(recipe.path),
            hint="add an [[evaluate]] table for it",
        )
    curated = {row.id: row for one in _sealed(result, store, "curate") for row in store.rows(one, Question)}
    examples = [row for one in _sealed(result, store, "select") for row in store.rows(one, Example)]
    refuse_leaks(recipe, curated)
    domains = {_name(row): row.domain for row in completions}
    scores = dict(_scores(completions))
    if not scores:
        raise WorkFailed("no test question has a score", place=str(result.folder), hint="its report says why")
    asked = Counter(row.domain for row in curated.values())
    learned = Counter(curated[row.question_id].domain for row in examples)
    slices = [
        Slice(name, accuracy_of(values), asked[name], learned[name])
        for name, values in _grouped(scores, domains).items()
    ]
    return RoundRead(
        scores=scores,
        slices=sorted(slices, key=lambda one: (one.accuracy.estimate, one.name)),
        accuracy=accuracy_of(list(scores.values())),
        signals=_signals(completions, examples),
        test=_test_digest(evaluated, domains),
    )


def accuracy_of(values: Sequence[float]) -> Interval:
    """The mean of the questions' scores: Wilson's interval for one sample each, else the bootstrap over questions."""
    if all(value in (0.0, 1.0) for value in values):
        return wilson(int(sum(values)), len(values))
    return bootstrap_mean(values, seed=int(digest("slice", sorted(values))[:8], 16))


def refuse_leaks(recipe: Recipe, curated: Mapping[str, Question]) -> None:
    """Curating keeps test questions out; this looks again. Raises WorkFailed where one is there all the same."""
    keys = {question_key(question): question.id for question in curated.values()}
    for section in recipe.evaluate:
        for row in find("benchmark", section.benchmark).call(section):
            if isinstance(row, Question) and (found := keys.get(question_key(row))) is not None:
                raise WorkFailed(
                    f"the test question {row.id} is among those to learn from, as {found}",
                    place=f"evaluate: {section.label}",
                    hint="no score of this run can be believed: look at curate's table and its drops",
                )


def _sealed(result: RunResult, store: Store, stage: str) -> Iterator[Manifest]:
    for outcome in result.stages:
        if outcome.stage == stage and (manifest := store.sealed(stage, outcome.key)) is not None:
            yield manifest


def _is_of(manifest: Manifest, student: str) -> bool:
    return manifest.metrics["student"] == student and not manifest.metrics["untrained"]


def _name(row: Completion) -> str:
    return f"{row.benchmark}/{row.question_id}"


def _scores(completions: Sequence[Completion]) -> Iterator[tuple[str, float]]:
    """By question; one of which nothing could be verified has no score."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in completions:
        if (score := row.status.score) is not None:
            found[_name(row)].append(score)
    yield from ((name, fmean(scores)) for name, scores in sorted(found.items()))


def _grouped(scores: Mapping[str, float], domains: Mapping[str, str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for name, score in scores.items():
        found[domains[name]].append(score)
    return found


def _signals(completions: Sequence[Completion], examples: Sequence[Example]) -> Signals:
    n = len(completions)
    references = [row.answer for row in completions if row.answer is not None]
    return Signals(
        answer_entropy=_entropy([row.extracted for row in completions if row.extracted is not None]),
        reference_entropy=_entropy(references),
        mean_length=fmean(len(row.response) for row in completions),
        unparsed_rate=sum(row.status is Status.UNPARSED for row in completions) / n,
        truncated_rate=sum(row.finish == "length" for row in completions) / n,
        repeated_examples=1 - len({row.messages for row in examples}) / len(examples) if examples else 0.0,
    )


def _entropy(answers: Sequence[str]) -> float:
    """Shannon's entropy of how often each answer is given, in bits."""
    n = len(answers)
    return math.fsum(count / n * math.log2(n / count) for count in Counter(answers).values())


def _test_digest(evaluated: Sequence[Manifest], domains: Mapping[str, str]) -> str:
    """Questions and conditions, all but the model."""
    conditions: list[dict[str, Any]] = [
        {name: value for name, value in one.metrics["conditions"].items() if name not in _MODEL} for one in evaluated
    ]
    return digest("test", conditions, sorted(domains.items()))
