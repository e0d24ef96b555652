"""Round after round below one folder, and why it ended.

    DIR/tables, DIR/ledger.sqlite   what all rounds share: what was asked once is not asked again
    DIR/rounds/0, 1, ...            a run folder for each round
    DIR/iteration.json              scores, gains, settings, signals, and why it stopped

What is sealed is never done again, so the same command goes on where a killed one stopped, and a larger number of
rounds goes on from the last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from reasonry.ablating import shared_run
from reasonry.ablating.matrix import toml_literal
from reasonry.console import Console
from reasonry.errors import BudgetReached, RecipeError, StoreError, UsageError, WorkFailed
from reasonry.identity import digest
from reasonry.iterating.reading import RoundRead, read_round
from reasonry.iterating.spending import Source, added, sources_of, spend
from reasonry.iterating.words import gain_words, recipe_warnings, warnings_of
from reasonry.recipe import Recipe, load_recipe
from reasonry.run import RunResult, locked
from reasonry.stats import Difference, paired_difference
from reasonry.store import Store, write_durably

__all__ = ["Iteration", "iterate"]

Why = Literal["no_gain", "lost", "nothing_wrong", "no_source", "rounds", "budget"]

_WORDS: Mapping[Why, str] = {
    "no_gain": "the interval of the last gain includes zero",
    "lost": "the last round is worse than the one before it",
    "nothing_wrong": "every test question is answered right",
    "no_source": "no slice with errors has a source that can be asked for more",
    "rounds": "all rounds that were asked for are done",
    "budget": "the budget is reached",
}


@dataclass(frozen=True, slots=True)
class Iteration:
    """Finished rounds. `facts` is what `iteration.json` holds."""

    folder: Path
    digest: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Round:
    number: int
    recipe: Recipe
    sources: Sequence[Source]
    asked: dict[str, int]
    result: RunResult
    read: RoundRead
    gain: Difference | None
    warnings: Sequence[str]


def iterate(
    recipe: Recipe,
    folder: Path,
    *,
    rounds: int = 3,
    questions: int | None = None,
    workers: int | None = None,
    console: Console | None = None,
) -> Iteration:
    """Run the recipe, then so many rounds more at most, each with `questions` more where the student is weak.

    `questions` None: as many as the recipe asks its growing sources for. Raises RecipeError for a recipe that trains or
    evaluates nothing, UsageError where no source can be asked for more, BudgetReached at the budget (what was finished
    is written before), and the error of the stage that failed.
    """
    if not recipe.train or not recipe.evaluate:
        raise RecipeError("iterating trains and evaluates", place=str(recipe.path), hint="add [train] and [[evaluate]]")
    sources = sources_of(recipe)
    if not sources:
        raise UsageError(
            "no source can be asked for more questions",
            place=f"{recipe.path}: questions",
            hint="a source with `count`, or with `take`, and one domain: questions.0.take = 1000",
        )
    each = questions if questions is not None else sum(source.count for source in sources)
    with locked(folder):
        Store(folder / "tables").sweep()
        return _Rounds(recipe, folder, sources, rounds, each, workers, console or Console()).run()


@dataclass(slots=True)
class _Rounds:
    recipe: Recipe
    folder: Path
    sources: Sequence[Source]
    most: int
    questions: int
    workers: int | None
    console: Console
    done: list[_Round] = field(default_factory=list[_Round])

    def run(self) -> Iteration:
        try:
            while (why := self._why()) is None:
                self.done.append(self._round())
                self._tell(self.done[-1])
                self._write(None)  # a later round may fail: what is finished can be read
        except BudgetReached:
            if self.done:
                self._write("budget")
            raise
        return self._write(why)

    def _why(self) -> Why | None:
        """Why there is no further round; None where there is one."""
        if not self.done:
            return None
        last = self.done[-1]
        if last.gain is not None and not last.gain.is_clear:
            return "no_gain"
        if last.gain is not None and last.gain.estimate < 0:
            return "lost"
        if not any(one.error for one in last.read.slices):
            return "nothing_wrong"
        if self._next_sources() == last.sources:
            return "no_source"
        return "rounds" if last.number == self.most else None

    def _next_sources(self) -> Sequence[Source]:
        if not self.done:
            return self.sources
        last = self.done[-1]
        return spend(last.sources, {one.name: one.error for one in last.read.slices}, self.questions)

    def _round(self) -> _Round:
        number, sources = len(self.done), self._next_sources()
        before = self.done[-1] if self.done else None
        asked = added(before.sources, sources) if before else {}
        recipe = load_recipe(self.recipe.path, self._settings(before, sources))
        place = self.folder / "rounds" / str(number)
        self.console.note(f"round {number}" + "".join(f", {n:,} more of {name}" for name, n in asked.items() if n))
        result = shared_run(recipe, place, self.folder, workers=self.workers, console=self.console)
        read = read_round(recipe, result, Store(self.folder / "tables"))
        if before is not None and read.test != before.read.test:
            raise WorkFailed(
                "the test is not that of the round before", place=str(place), hint="was a file of it edited?"
            )
        gain = _gain(before.read, read) if before else None
        warnings = [
            *warnings_of(read, before.read if before else None, asked),
            *recipe_warnings(recipe, read, [source.domain for source in sources]),
            *(f"gate missed: {gate.detail}" for gate in result.gates if not gate.passed),
        ]
        return _Round(number, recipe, sources, asked, result, read, gain, warnings)

    def _settings(self, before: _Round | None, sources: Sequence[Source]) -> tuple[str, ...]:
        """Round 0 is the recipe as it is."""
        if before is None:
            return self.recipe.overrides
        changed = [new.setting for old, new in zip(self.sources, sources, strict=True) if new != old]
        return (*self.recipe.overrides, *changed, f"parent={toml_literal(before.result.run)}")

    def _tell(self, done: _Round) -> None:
        self.console.done(_words(done))
        for warning in done.warnings:
            self.console.warn(warning)

    def _write(self, why: Why | None) -> Iteration:
        told = [_facts(one) for one in self.done]
        whole = digest("iteration", [one["digest"] for one in told])
        first, last = self.done[0], self.done[-1]
        overall = _gain(first.read, last.read) if last is not first else None
        facts = {
            "schema": 1,
            "recipe": self.recipe.name,
            "recipe_digest": self.recipe.digest,
            "digest": whole,
            "student": self.recipe.train[0].name,
            "test": first.read.test,
            "most_rounds": self.most,
            "questions_per_round": self.questions,
            "stopped": why,
            "stopped_words": _stopped(why, last.number),
            "overall": _difference(overall),
            "rounds": told,
        }
        try:
            text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
            write_durably(self.folder / "iteration.json", text + "\n")
        except OSError as exc:
            raise StoreError(f"cannot be written: {exc.strerror}", place=str(self.folder)) from exc
        return Iteration(self.folder, whole, facts)


def _gain(before: RoundRead, now: RoundRead) -> Difference:
    """On the questions that both could be scored on."""
    common = [name for name in before.scores if name in now.scores]
    return paired_difference([before.scores[name] for name in common], [now.scores[name] for name in common])


def _words(one: _Round) -> str:
    return gain_words(one.number, one.gain, str(one.read.accuracy))


def _stopped(why: Why | None, number: int) -> str:
    if why is None:
        return f"not ended after round {number}: the same command goes on"
    return f"stopped after round {number}: {_WORDS[why]}"


def _difference(one: Difference | None) -> dict[str, Any] | None:
    return None if one is None else {**asdict(one), "is_clear": one.is_clear}


def _facts(one: _Round) -> dict[str, Any]:
    costs = [stage.cost_usd for stage in one.result.stages if stage.stage == "distil"]
    return {
        "round": one.number,
        "folder": f"rounds/{one.number}",
        "run": one.result.run,
        "digest": one.result.digest,
        "parent": one.recipe.parent,
        "settings": list(one.recipe.overrides),
        "accuracy": asdict(one.read.accuracy),
        "gain": _difference(one.gain),
        "words": _words(one),
        "slices": [
            {
                "name": each.name,
                "accuracy": asdict(each.accuracy),
                "questions": each.questions,
                "added": one.asked.get(each.name, 0),
                "examples": each.examples,
            }
            for each in one.read.slices
        ],
        "signals": asdict(one.read.signals),
        "warnings": list(one.warnings),
        "cost_usd": costs[0] if costs else None,
    }
