"""What a round came to: its scores by slice on the frozen test, what was learned from, and signals of collapse."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from reasonry.errors import RecipeError, WorkFailed
from reasonry.filters.normal import question_key
from reasonry.identity import digest
from reasonry.iterating.slicing import slicing_of, test_questions
from reasonry.recipe import Recipe
from reasonry.run import RunResult
from reasonry.stats import Interval, bootstrap_mean, wilson
from reasonry.store import Manifest, Store
from reasonry.types import Completion, Example, Question, Status

__all__ = ["Author", "RoundRead", "Signals", "Slice", "accuracy_of", "read_round"]

_MODEL = ("model", "model_revision")  # what a round changes; every other condition is frozen


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice of the test: how right the student is, and how much of it was asked and learned from."""

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
class Author:
    """Who wrote traces, how many of them are correct, and how many became examples.

    `rate` is the share of correct ones among those that could be scored, by question; None: none could be.
    """

    name: str
    traces: int
    correct: int
    examples: int
    rate: Interval | None


@dataclass(frozen=True, slots=True)
class RoundRead:
    """A finished round. `scores` are the shares of right samples by test question; `test` names the frozen test.

    `by_seed` are the accuracies of its trainings, which differ in their seeds alone; all else is of them together.
    `authors` are in the order in which they first wrote.
    """

    scores: Mapping[str, float]
    by_seed: Sequence[float]
    slices: Sequence[Slice]
    authors: Sequence[Author]
    accuracy: Interval
    signals: Signals
    test: str


def read_round(recipe: Recipe, results: Sequence[RunResult], store: Store, by: str = "domain") -> RoundRead:
    """Read what a run sealed, for the recipe's first student, sliced `by` (see `slicing_of`).

    `results`: the run, and others that differ from it in the training's seed alone.

    Raises RecipeError where that student is not evaluated, WorkFailed where nothing could be scored, or where a test
    question is among those to learn from.
    """
    result, student = results[0], recipe.train[0].name
    answered = [list(_completions(one, store, student)) for one in results]
    completions = [row for rows in answered for row in rows]
    if not completions:
        raise RecipeError(
            f"the student '{student}' is not evaluated",
            place=str(recipe.path),
            hint="add an [[evaluate]] table for it",
        )
    curated = {row.id: row for one in _sealed(result, store, "curate") for row in store.rows(one, Question)}
    examples = [row for one in _sealed(result, store, "select") for row in store.rows(one, Example)]
    tests = test_questions(recipe)
    refuse_leaks(tests, curated)
    slicing = slicing_of(by, tests.values())
    names = {name: slicing.name_of(tests[name]) for name in dict.fromkeys(map(_name, completions))}
    scores = dict(_scores(completions))
    if not scores:
        raise WorkFailed("no test question has a score", place=str(result.folder), hint="its report says why")
    asked = Counter(slicing.name_of(row) for row in curated.values())
    learned = Counter(slicing.name_of(curated[row.question_id]) for row in examples)
    slices = [
        Slice(name, accuracy_of(values), asked[name], learned[name]) for name, values in _grouped(scores, names).items()
    ]
    return RoundRead(
        scores=scores,
        by_seed=[fmean(score for _, score in _scores(rows)) for rows in answered],
        slices=sorted(slices, key=lambda one: (one.accuracy.estimate, one.name)),
        authors=_authors(result, store, examples),
        accuracy=accuracy_of(list(scores.values())),
        signals=_signals(completions, examples),
        test=_test_digest(list(_evaluated(result, store, student)), names),
    )


def accuracy_of(values: Sequence[float]) -> Interval:
    """The mean of the questions' scores: Wilson's interval for one sample each, else the bootstrap over questions."""
    if all(value in (0.0, 1.0) for value in values):
        return wilson(int(sum(values)), len(values))
    return bootstrap_mean(values, seed=int(digest("slice", sorted(values))[:8], 16))


def refuse_leaks(tests: Mapping[str, Question], curated: Mapping[str, Question]) -> None:
    """Curating keeps test questions out; this looks again. Raises WorkFailed where one is there all the same."""
    keys = {question_key(question): question.id for question in curated.values()}
    for name, question in tests.items():
        if (found := keys.get(question_key(question))) is not None:
            raise WorkFailed(
                f"the test question {question.id} is among those to learn from, as {found}",
                place=f"evaluate: {name.removesuffix(f'/{question.id}')}",
                hint="no score of this run can be believed: look at curate's table and its drops",
            )


def _authors(result: RunResult, store: Store, examples: Sequence[Example]) -> list[Author]:
    """Whoever wrote a trace of the run, by the name that the trace gives."""
    (distilled,), (verified,) = (list(_sealed(result, store, stage)) for stage in ("distil", "verify"))
    statuses = {trace: Status(status) for trace, status in store.values(verified, ["trace_id", "status"])}
    kept = {one.trace_id for one in examples}
    found: dict[str, _Written] = {}
    for trace, question, name in store.values(distilled, ["id", "question_id", "teacher"]):
        found.setdefault(name, _Written()).add(question, statuses[trace], is_kept=trace in kept)
    return [one.author(name) for name, one in found.items()]


@dataclass(slots=True)
class _Written:
    """What one author wrote, as it is counted. `scores` are by question."""

    traces: int = 0
    correct: int = 0
    examples: int = 0
    scores: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def add(self, question: str, status: Status, *, is_kept: bool) -> None:
        self.traces += 1
        self.correct += status is Status.CORRECT
        self.examples += is_kept
        if status.score is not None:
            self.scores.setdefault(question, []).append(status.score)

    def author(self, name: str) -> Author:
        rate = accuracy_of([fmean(scores) for scores in self.scores.values()]) if self.scores else None
        return Author(name, self.traces, self.correct, self.examples, rate)


def _sealed(result: RunResult, store: Store, stage: str) -> Iterator[Manifest]:
    for outcome in result.stages:
        if outcome.stage == stage and (manifest := store.sealed(stage, outcome.key)) is not None:
            yield manifest


def _evaluated(result: RunResult, store: Store, student: str) -> Iterator[Manifest]:
    for manifest in _sealed(result, store, "evaluate"):
        if manifest.metrics["student"] == student and not manifest.metrics["untrained"]:
            yield manifest


def _completions(result: RunResult, store: Store, student: str) -> Iterator[Completion]:
    for manifest in _evaluated(result, store, student):
        yield from store.rows(manifest, Completion)


def _name(row: Completion) -> str:
    return f"{row.benchmark}/{row.question_id}"


def _scores(completions: Sequence[Completion]) -> Iterator[tuple[str, float]]:
    """By question; one of which nothing could be verified has no score."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in completions:
        if (score := row.status.score) is not None:
            found[_name(row)].append(score)
    yield from ((name, fmean(scores)) for name, scores in sorted(found.items()))


def _grouped(scores: Mapping[str, float], names: Mapping[str, str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for name, score in scores.items():
        found[names[name]].append(score)
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


def _test_digest(evaluated: Sequence[Manifest], names: Mapping[str, str]) -> str:
    """Questions and conditions, all but the model."""
    conditions: list[dict[str, Any]] = [
        {name: value for name, value in one.metrics["conditions"].items() if name not in _MODEL} for one in evaluated
    ]
    return digest("test", conditions, sorted(names.items()))
