"""Round after round below one folder, and why it ended.

    DIR/tables, DIR/ledger.sqlite   what all rounds share: what was asked once is not asked again
    DIR/rounds/0, 1, ...            a run folder for each round; 1-seed-1 with another seed of the training
    DIR/control                     that of the control arm, where there is one
    DIR/iteration.json              scores, gains, settings, signals, and why it stopped

What is sealed is never done again, so the same command goes on where a killed one stopped, and a larger number of
rounds goes on from the last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reasonry.ablating import shared_run
from reasonry.ablating.matrix import toml_literal, train_places
from reasonry.console import Console
from reasonry.errors import BudgetReached, RecipeError, StoreError, UsageError, UsedUp, WorkFailed
from reasonry.identity import digest
from reasonry.iterating.reading import read_round
from reasonry.iterating.resampling import StudentSampling, sampling_for
from reasonry.iterating.round import Again, Round, difference_facts, gain_between, round_facts, run_facts
from reasonry.iterating.slicing import slicing_of, test_questions
from reasonry.iterating.spending import Source, added, sources_of, spend
from reasonry.iterating.words import control_words, recipe_warnings, warnings_of
from reasonry.recipe import Recipe, derive_seed, load_recipe
from reasonry.run import RunResult, locked
from reasonry.store import Store, write_durably
from reasonry.teachers.student import student_name

__all__ = ["Iteration", "iterate"]

Why = Literal["no_gain", "lost", "nothing_wrong", "no_source", "used_up", "rounds", "budget"]

_WORDS: Mapping[Why, str] = {
    "no_gain": "the interval of the last gain includes zero",
    "lost": "the last round is worse than the one before it",
    "nothing_wrong": "every test question is answered right",
    "no_source": "no slice with errors has a source that can be asked for more",
    "used_up": "a source has no more questions",
    "rounds": "all rounds that were asked for are done",
    "budget": "the budget is reached",
}


@dataclass(frozen=True, slots=True)
class Iteration:
    """Finished rounds. `facts` is what `iteration.json` holds."""

    folder: Path
    digest: str
    facts: Mapping[str, Any]


def iterate(
    recipe: Recipe,
    folder: Path,
    *,
    rounds: int = 3,
    questions: int | None = None,
    slices: str = "domain",
    student_samples: int | None = None,
    student_temperature: float | None = None,
    has_control: bool = False,
    seeds: int = 1,
    workers: int | None = None,
    console: Console | None = None,
) -> Iteration:
    """Run the recipe, then so many rounds more at most, each with `questions` more where the student is weak.

    `questions` None: as many as the recipe asks its growing sources for. `slices`: by what weakness is looked for (see
    `slicing_of`). `student_samples`: how often the student of the round before answers each question too (see
    `sampling_for`). `has_control`: at the end one more run, with as many questions spread evenly. `seeds`: how often
    each run trains its students, so that a gain's interval holds the training's own spread.

    Raises RecipeError for a recipe that trains or evaluates nothing, UsageError where no source can be asked for more,
    BudgetReached at the budget (what was finished is written before), and the error of the stage that failed.
    """
    if not recipe.train or not recipe.evaluate:
        raise RecipeError("iterating trains and evaluates", place=str(recipe.path), hint="add [train] and [[evaluate]]")
    sampling = sampling_for(recipe, student_samples, student_temperature)
    sources = sources_of(recipe, None if slices == "domain" else slicing_of(slices, test_questions(recipe).values()))
    if not sources:
        raise UsageError(
            "no source can be asked for more questions",
            place=f"{recipe.path}: questions",
            hint=f"a source with `count`, or with `take`, and one {slices}: questions.0.take = 1000",
        )
    each = questions if questions is not None else sum(source.count for source in sources)
    plan = _Plan(rounds, each, slices, sampling, has_control, seeds)
    with locked(folder):
        Store(folder / "tables").sweep()
        return _Rounds(recipe, folder, sources, plan, workers, console or Console()).run()


@dataclass(frozen=True, slots=True)
class _Plan:
    """How many rounds at most, with how many new questions each, and what else is done."""

    rounds: int
    questions: int
    slices: str
    sampling: StudentSampling
    has_control: bool
    seeds: int


@dataclass(slots=True)
class _Rounds:
    recipe: Recipe
    folder: Path
    sources: Sequence[Source]
    plan: _Plan
    workers: int | None
    console: Console
    done: list[Round] = field(default_factory=list[Round])
    control: Round | None = None
    control_words: str | None = None
    detail: str = ""

    def run(self) -> Iteration:
        why: Why | None = None
        try:
            why = self._go_on()
            if self.plan.has_control:
                self._write(why)
                self._compare_with_control()
        except BudgetReached:
            if self.done:
                self._write(why or "budget")
            raise
        return self._write(why)

    def _go_on(self) -> Why:
        """Round after round; why there is no further one."""
        while (why := self._why()) is None:
            try:
                self.done.append(self._round())
            except UsedUp as exc:
                if not self.done:
                    raise
                self.detail = f": {exc.message}"
                return "used_up"
            self._tell(self.done[-1])
            self._write(None)  # a later round may fail: what is finished can be read
        return why

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
        return "rounds" if last.number == self.plan.rounds else None

    def _next_sources(self) -> Sequence[Source]:
        if not self.done:
            return self.sources
        last = self.done[-1]
        return spend(last.sources, {one.name: one.error for one in last.read.slices}, self.plan.questions)

    def _round(self) -> Round:
        number, sources = len(self.done), self._next_sources()
        before = self.done[-1] if self.done else None
        asked = added(before.sources, sources) if before else {}
        told = f"round {number}" + "".join(f", {n:,} more of {name}" for name, n in asked.items() if n)
        if before and self.plan.sampling.samples:
            told += f"; the student of round {before.number} answers too, {self.plan.sampling.samples} times"
        self.console.note(told)
        return self._made(number, self.folder / "rounds" / str(number), before, sources, asked)

    def _made(
        self, number: int, place: Path, before: Round | None, sources: Sequence[Source], asked: Mapping[str, int]
    ) -> Round:
        """Run a round into its folder, and read what came of it; `before` is its parent, whose student samples."""
        recipe = load_recipe(self.recipe.path, self._settings(before, sources))
        result = self._run(recipe, place)
        again = [self._trained_again(recipe, place, number) for number in range(1, self.plan.seeds)]
        store = Store(self.folder / "tables")
        read = read_round(recipe, [result, *(one.result for one in again)], store, self.plan.slices)
        if before is not None and read.test != before.read.test:
            raise WorkFailed(
                "the test is not that of the round before", place=str(place), hint="was a file of it edited?"
            )
        warnings = [
            *warnings_of(read, before.read if before else None, asked),
            *recipe_warnings(recipe, read, [source.slice for source in sources]),
            *(f"gate missed: {gate.detail}" for gate in result.gates if not gate.passed),
        ]
        return Round(
            number=number,
            recipe=recipe,
            sources=sources,
            asked=asked,
            result=result,
            read=read,
            gain=gain_between(before.read, read) if before else None,
            warnings=warnings,
            checkpoint=_checkpoint(recipe, result, store),
            student=student_name(before.checkpoint) if before and self.plan.sampling.samples else None,
            again=again,
        )

    def _run(self, recipe: Recipe, place: Path) -> RunResult:
        return shared_run(recipe, place, self.folder, workers=self.workers, console=self.console)

    def _trained_again(self, recipe: Recipe, place: Path, number: int) -> Again:
        """The same run with another seed of the training: all that was sealed before the training is shared."""
        seed = derive_seed(recipe.seed, "train", "again", number)
        seeded = [f"{one}.seed={seed}" for one in train_places(recipe.path)]
        other = load_recipe(recipe.path, (*recipe.overrides, *seeded))
        return Again(other, self._run(other, place.with_name(f"{place.name}-seed-{number}")))

    def _settings(self, before: Round | None, sources: Sequence[Source]) -> tuple[str, ...]:
        """Round 0 is the recipe as it is."""
        if before is None:
            return self.recipe.overrides
        changed = [new.setting for old, new in zip(self.sources, sources, strict=True) if new != old]
        student = self.plan.sampling.settings(self.recipe, before.checkpoint)
        return (*self.recipe.overrides, *changed, *student, f"parent={toml_literal(before.result.run)}")

    def _compare_with_control(self) -> None:
        """As many new questions as there are in the last round, spread evenly: as if all slices were equally weak."""
        last = self.done[-1]
        total = sum(one.count for one in last.sources) - sum(one.count for one in self.sources)
        if not total:
            self.control_words = "no control: no question more was asked for"
            return
        even = spend(self.sources, {source.slice: 1.0 for source in self.sources}, total)
        if even == last.sources:
            self.control_words = f"no control: up to round {last.number} the new questions were spread evenly"
            return
        self.console.note(f"control: {total:,} questions more, spread evenly")
        try:
            # Its parent, and the student that samples, are those of the round that it is compared with.
            asked = added(self.sources, even)
            self.control = self._made(last.number, self.folder / "control", self.done[-2], even, asked)
        except UsedUp as exc:
            self.control_words = f"no control: {exc.message}"
            return
        self.control_words = control_words(last.number, gain_between(self.control.read, last.read))
        self.console.done(self.control_words)

    def _tell(self, done: Round) -> None:
        self.console.done(done.words)
        for warning in done.warnings:
            self.console.warn(warning)

    def _write(self, why: Why | None) -> Iteration:
        made = [one for one in (*self.done, self.control) if one is not None]
        results = [each for one in made for each in (one.result, *(again.result for again in one.again))]
        whole = digest("iteration", [one.digest for one in results])
        facts = {
            "schema": 1,
            "recipe": self.recipe.name,
            "recipe_digest": self.recipe.digest,
            "digest": whole,
            "student": self.recipe.train[0].name,
            **self._plan_facts(),
            "stopped": why,
            "stopped_words": _stopped(why, self.done[-1].number) + self.detail,
            **self._outcome_facts(),
        }
        try:
            text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
            write_durably(self.folder / "iteration.json", text + "\n")
        except OSError as exc:
            raise StoreError(f"cannot be written: {exc.strerror}", place=str(self.folder)) from exc
        return Iteration(self.folder, whole, facts)

    def _plan_facts(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "test": self.done[0].read.test,
            "slices_by": plan.slices,
            "most_rounds": plan.rounds,
            "questions_per_round": plan.questions,
            "seeds": plan.seeds,
            "student_samples": plan.sampling.samples,
            "student_temperature": plan.sampling.temperature if plan.sampling.samples else None,
        }

    def _outcome_facts(self) -> dict[str, Any]:
        first, last, control = self.done[0], self.done[-1], self.control
        overall = gain_between(first.read, last.read) if last is not first else None
        told = None
        if control is not None:
            difference = difference_facts(gain_between(control.read, last.read))
            told = {"kind": "even", "folder": "control", **run_facts(control), "difference": difference}
            told["warnings"] = list(control.warnings)
        return {
            "overall": difference_facts(overall),
            "rounds": [round_facts(one) for one in self.done],
            "control": told,
            "control_words": self.control_words,
        }


def _checkpoint(recipe: Recipe, result: RunResult, store: Store) -> Path:
    """Of the first student, as the run trained it."""
    key = next(one.key for one in result.stages if one.stage == "train" and one.label == recipe.train[0].name)
    return store.folder("train", key) / "checkpoint"


def _stopped(why: Why | None, number: int) -> str:
    if why is None:
        return f"not ended after round {number}: the same command goes on"
    return f"stopped after round {number}: {_WORDS[why]}"
