"""A pilot: really ask a few questions, so that a plan can say what all of them will take.

Nothing of it is wasted. The questions are collected and curated as in a run, and sealed; the answers go into the run's
ledger, under the keys that the run will look for. What the pilot's own table adds is which questions they were.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reasonry import env
from reasonry.console import Console
from reasonry.errors import UsageError
from reasonry.history import PILOT, drawn
from reasonry.identity import digest
from reasonry.ledger import Ledger
from reasonry.plan import Step, seal
from reasonry.recipe import Recipe
from reasonry.registry import find
from reasonry.run import locked, refuse_foreign
from reasonry.stages import collect, curate, distil
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import Manifest, Store
from reasonry.teachers.asking.spending import Budget
from reasonry.types import Question

__all__ = ["ledger_path", "pilot"]

_QUESTIONS = "pilot-questions"


def ledger_path(folder: Path, given: Path | None) -> Path:
    """The ledger of a run: the one that is named, REASONRY_LEDGER, or that in its folder."""
    return given or Path(env.read("REASONRY_LEDGER") or folder / "ledger.sqlite")


def pilot(
    recipe: Recipe,
    steps: Sequence[Step],
    folder: Path,
    count: int,
    *,
    console: Console | None = None,
    ledger: Path | None = None,
) -> Manifest | None:
    """Ask `count` of the curated questions, within the recipe's budget. None where all of them were asked before.

    The questions are drawn by the digests of their ids: the same ones every time, and a larger pilot holds a smaller
    one. Raises what a run raises: BudgetReached, the errors of a stage, UsageError for a folder in use.
    """
    by_stage = {step.stage: step for step in steps}
    if "distil" not in by_stage:
        raise UsageError("nothing is distilled, so there is nothing to ask", place="plan --pilot", hint="add [distil]")
    refuse_foreign(recipe, folder)
    with locked(folder), _Pilot(recipe, folder, console or Console(), ledger_path(folder, ledger)) as work:
        work.store.sweep()
        collected, curated, distilled = (by_stage[stage] for stage in ("collect", "curate", "distil"))
        if work.store.sealed("distil", distilled.key) is not None:
            return None
        for section in recipe.questions:
            if (part := find("source", section.source)).needs is not None:
                part.needs()
        first = work.done(collected, collect.collect, collect.ROWS, {})
        second = work.done(curated, curate.curate, curate.ROWS, {"collect": first})
        return work.ask(distilled, second, count)


class _Pilot:
    """The run folder while a pilot works in it."""

    def __init__(self, recipe: Recipe, folder: Path, console: Console, ledger: Path) -> None:
        self.store = Store(folder / "tables")
        self._recipe = recipe
        self._folder = folder
        self._console = console
        self._ledger_path = ledger
        self._ledger: Ledger | None = None
        self._budget = Budget(recipe.budget.usd) if recipe.budget else None

    def __enter__(self) -> _Pilot:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ledger is not None:
            self._ledger.close()

    def done(self, step: Step, function: Any, rows: type[Any], upstream: Mapping[str, Manifest]) -> Manifest:
        """The step's table: sealed before, or now."""
        sealed = self.store.sealed(step.stage, step.key)
        if sealed is not None and self.store.is_complete(sealed):
            return sealed
        start = time.perf_counter()
        with self.store.write(step.stage, step.key, rows) as writer:
            result: StageResult = function(step.options, self._context(upstream), writer)
            manifest = seal(writer, step, result)
        self._console.done(f"{step.name:<34} {manifest.rows_out:>8,} rows · {time.perf_counter() - start:.1f} s")
        return manifest

    def ask(self, step: Step, curated: Manifest, count: int) -> Manifest:
        """Distil a table of `count` questions, as the run will distil all of them."""
        key = digest(PILOT, step.key, count)
        sealed = self.store.sealed(PILOT, key)
        if sealed is not None and self.store.is_complete(sealed):
            return sealed
        some = self._some(curated, count, key)
        with self.store.write(PILOT, key, distil.ROWS) as writer:
            result = distil.distil(step.options, self._context({"curate": some}), writer)
            return writer.seal(
                section=step.section,
                parts=step.parts,
                inputs={"curate": some.key},
                sources=[asdict(source) for source in step.sources],
                rows_in=result.rows_in,
                metrics={**result.metrics, "of": step.key},
                cost_usd=result.cost_usd,
            )

    def _some(self, curated: Manifest, count: int, key: str) -> Manifest:
        with self.store.write(_QUESTIONS, key, Question) as writer:
            for question in drawn(self.store.rows(curated, Question), count, PILOT):
                writer.append(question)
            return writer.seal(
                section={"count": count}, parts=[], inputs={"curate": curated.key}, rows_in=curated.rows_out
            )

    def _context(self, upstream: Mapping[str, Manifest]) -> StageContext:
        recipe = self._recipe
        return StageContext(
            store=self.store,
            upstream=upstream,
            console=self._console,
            open_ledger=self._open_ledger,
            workers=None,
            budget=self._budget,
            verify=recipe.verify,
            name=recipe.name,
            run_id=recipe.run_id,
            recipe_text=recipe.text,
            overrides=recipe.published_overrides,
            folder=self._folder,
            executor=recipe.executor,
        )

    def _open_ledger(self) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger(self._ledger_path)
        return self._ledger
