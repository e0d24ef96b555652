"""Run a matrix of cells below one folder, and tell what came of it.

    DIR/tables, DIR/ledger.sqlite   what all cells share: each stage is sealed once
    DIR/cells/NAME/                 a run folder for each cell
    DIR/ablation.json               scores, effects, conclusions

What is sealed is never done again: the same command goes on where a killed one stopped, and a cell that was run before
costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from reasonry.ablating.audit import Judged, audited, judged
from reasonry.ablating.cells import prepared, sharing, step_of, trunk_of, without_publishing
from reasonry.ablating.children import Child, ledger_of, run_children, shared_run
from reasonry.ablating.evenness import evaluated, uneven
from reasonry.ablating.findings import Findings, Score, findings
from reasonry.ablating.matching import matched
from reasonry.ablating.matrix import Cell, factors_of, matrix
from reasonry.ablating.price import hold_budget
from reasonry.console import Console
from reasonry.errors import StoreError
from reasonry.executors.local import default_workers
from reasonry.identity import digest
from reasonry.plan import make_plan
from reasonry.recipe import Recipe, load_recipe
from reasonry.registry import find
from reasonry.run import load_run, locked
from reasonry.sections import AblateSection, FactorOptions
from reasonry.store import Store, write_durably
from reasonry.teachers.asking.spending import Budget

__all__ = ["Ablation", "ablate"]


@dataclass(frozen=True, slots=True)
class Ablation:
    """A finished matrix. `facts` is what `ablation.json` holds."""

    folder: Path
    digest: str
    findings: Findings
    facts: Mapping[str, Any]


def ablate(
    recipe: Recipe,
    folder: Path,
    *,
    section: AblateSection | None = None,
    varied: Sequence[str] = (),
    budget_usd: float | None = None,
    workers: int | None = None,
    console: Console | None = None,
) -> Ablation:
    """Run every cell of the recipe's `ablate` section (or `section`), with a factor for each of `varied`.

    Raises BudgetReached, before anything is paid, where the matrix would cost more than the budget, and before more is
    paid where it costs more than it seemed; the error of the stage that failed; WorkFailed where cells failed.
    """
    console = console or Console()
    chosen = section or recipe.ablate or AblateSection()
    for name in chosen.audit:
        find("verifier", name)  # before anything is done: they judge at the very end
    factors = factors_of(chosen, varied)
    cells = matrix(recipe, chosen, factors)
    with locked(folder):
        return _Matrix(recipe, folder, chosen, factors, cells, workers or default_workers(), console).run(budget_usd)


@dataclass(frozen=True, slots=True)
class _Matrix:
    recipe: Recipe
    folder: Path
    section: AblateSection
    factors: Sequence[FactorOptions]
    cells: Sequence[Cell]
    workers: int
    console: Console

    @property
    def store(self) -> Store:
        return Store(self.folder / "tables")

    def run(self, budget_usd: float | None) -> Ablation:
        self.store.sweep()
        recipes = [load_recipe(self.recipe.path, cell.settings) for cell in self.cells]
        self._make_trunks(recipes, hold_budget(recipes, self.store, ledger_of(self.folder), budget_usd))
        cells = self._matched()
        self._run(cells)
        return self._told(cells, self._judged(cells) if self.section.audit else {})

    def _make_trunks(self, recipes: Sequence[Recipe], budget: Budget | None) -> None:
        """Seal what comes before training, each table once: with all workers, one after the other."""
        trunks = {step_of(trunk, "select").key: trunk for trunk in map(trunk_of, recipes)}
        for number, (key, trunk) in enumerate(trunks.items(), start=1):
            if (sealed := self.store.sealed("select", key)) is not None and self.store.is_complete(sealed):
                continue
            self.console.note(f"examples {number} of {len(trunks)}")
            shared_run(
                trunk,
                self.folder / "upstream" / key[:12],
                self.folder,
                workers=self.workers,
                console=self.console,
                budget=budget,
            )

    def _matched(self) -> list[Cell]:
        ready = [prepared(cell, self.recipe.path, self.store) for cell in self.cells]
        controls = {factor.name: factor.control or factor.levels[0].name for factor in self.factors}
        control = next(one for one in ready if dict(one.cell.levels) == controls)
        return list(matched(ready, control, self.store))

    def _run(self, cells: Sequence[Cell]) -> None:
        recipes = [without_publishing(load_recipe(self.recipe.path, cell.settings)) for cell in cells]
        todo = [{step.key for step in make_plan(one) if not self.store.sealed(step.stage, step.key)} for one in recipes]
        groups = [[self._child(cells[i]) for i in group] for group in sharing(todo)]
        with self.console.meter("cells", len(cells)) as meter:
            run_children(groups, self.workers, lambda _: meter.advance())

    def _child(self, cell: Cell) -> Child:
        place = self._place(cell)
        return Child(str(self.recipe.path.resolve()), cell.settings, str(place.resolve()), str(self.folder.resolve()))

    def _place(self, cell: Cell) -> Path:
        return self.folder / "cells" / cell.name

    def _judged(self, cells: Sequence[Cell]) -> Mapping[str, Judged]:
        """By the key of the select stage; cells of several seeds share one."""
        made: dict[str, Judged] = {}
        with self.console.meter("audit", None):
            for cell in cells:
                recipe = trunk_of(load_recipe(self.recipe.path, cell.settings))
                key = step_of(recipe, "select").key
                if key not in made:
                    made[key] = judged(self.section.audit, recipe, self.store, workers=self.workers)
        return made

    def _told(self, cells: Sequence[Cell], found_right: Mapping[str, Judged]) -> Ablation:
        runs = [load_run(self._place(cell)) for cell in cells]
        told = [self._cell_facts(cell, run, found_right) for cell, run in zip(cells, runs, strict=True)]
        scores = [
            Score(cell.levels, cell.seed, score["benchmark"], score["student"], score["accuracy"], score["n"])
            for cell, facts in zip(cells, told, strict=True)
            for score in facts["scores"]
        ]
        found = findings(scores, self.factors)
        tested = [one for cell, run in zip(cells, runs, strict=True) for one in evaluated(cell, run, self.store)]
        found = replace(found, warnings=[*uneven(tested), *found.warnings])
        whole = digest("ablation", [(facts["name"], facts["digest"]) for facts in told])
        facts = {
            "schema": 1,
            "recipe": self.recipe.name,
            "recipe_digest": self.recipe.digest,
            "digest": whole,
            "seeds": self.section.seeds,
            "reseed": self.section.reseed,
            "match": self.section.match,
            "audit": list(self.section.audit),
            "factors": [
                {"name": factor.name, "levels": [level.name for level in factor.levels]} for factor in self.factors
            ],
            "cells": told,
            "groups": [{**asdict(group), "average": group.average} for group in found.groups],
            "comparisons": [asdict(one) for one in found.comparisons],
            "conclusions": [asdict(one) for one in found.conclusions],
            "warnings": list(found.warnings),
        }
        self._write(facts)
        return Ablation(self.folder, whole, found, facts)

    def _write(self, facts: Mapping[str, Any]) -> None:
        try:
            text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
            write_durably(self.folder / "ablation.json", text + "\n")
        except OSError as exc:
            raise StoreError(f"cannot be written: {exc.strerror}", place=str(self.folder)) from exc

    def _cell_facts(self, cell: Cell, run: Mapping[str, Any], found_right: Mapping[str, Judged]) -> dict[str, Any]:
        trained = {stage["label"]: stage for stage in run["stages"] if stage["stage"] == "train"}
        selected = next(stage for stage in run["stages"] if stage["stage"] == "select")
        left_out = {label: self._left_out(stage["key"]) for label, stage in trained.items()}
        right = found_right.get(selected["key"])
        return {
            "name": cell.name,
            "levels": dict(cell.levels),
            "seed": cell.seed,
            "match": cell.match,
            "run": run["run"],
            "digest": run["digest"],
            "settings": list(cell.settings),
            "examples": selected["rows_out"],
            "steps": {label: stage["rows_out"] for label, stage in trained.items()},
            "trained_on": {label: selected["rows_out"] - len(left) for label, left in left_out.items()},
            "audit": None
            if right is None
            else {label: asdict(audited(self.section.audit, right, left)) for label, left in left_out.items()},
            "scores": list(_scores(run)),
        }

    def _left_out(self, key: str) -> set[str]:
        """The examples that a training was not given, or could not use."""
        manifest = self.store.sealed("train", key)
        return set() if manifest is None else {drop.row_id for drop in self.store.drops(manifest)}


def _scores(run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    names = ("benchmark", "student", "n", "accuracy", "low", "high")
    for score in run["scores"]:
        if not score["untrained"] and score["accuracy"] is not None:
            yield {name: score[name] for name in names}
