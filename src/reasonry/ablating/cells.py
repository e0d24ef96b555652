"""What the cells of a matrix share, and so is made first, and once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence, Set
from pathlib import Path

from reasonry.ablating.matrix import Cell
from reasonry.plan import Step, make_plan
from reasonry.recipe import Recipe, load_recipe
from reasonry.store import Store

__all__ = ["Prepared", "prepared", "sharing", "step_of", "trunk_of", "without_publishing"]


@dataclasses.dataclass(frozen=True, slots=True)
class Prepared:
    """A cell with its recipe. `examples` is how many of them its select stage kept."""

    cell: Cell
    recipe: Recipe
    examples: int = 0


def without_publishing(recipe: Recipe) -> Recipe:
    """The recipe as a cell runs it: nothing is published, and gates are the whole recipe's matter."""
    lock = {key: value for key, value in recipe.lock.items() if not key.startswith(("publish", "gates"))}
    return dataclasses.replace(recipe, publish=None, gates=(), lock=lock)


def trunk_of(recipe: Recipe) -> Recipe:
    """The stages before training; what is evaluated stays, since its questions are kept out of the examples."""
    return dataclasses.replace(without_publishing(recipe), train=())


def step_of(recipe: Recipe, stage: str) -> Step:
    """The recipe's only step of this stage."""
    return next(step for step in make_plan(recipe) if step.stage == stage)


def prepared(cell: Cell, path: Path, store: Store) -> Prepared:
    """A cell, once the stages before its training are sealed."""
    recipe = load_recipe(path, cell.settings)
    manifest = store.sealed("select", step_of(trunk_of(recipe), "select").key)
    return Prepared(cell, recipe, manifest.rows_out if manifest else 0)


def sharing(todo: Sequence[Set[str]]) -> list[list[int]]:
    """Which cells have a table in common that is still to be made, directly or through others: lists of places.

    Two processes must never write one table, so a group belongs to one of them. In a recipe with two students a cell
    may share one training with some cells and the other with others.
    """
    groups: list[list[int]] = []
    keys: list[set[str]] = []
    for place, wanted in enumerate(todo):
        met = [i for i, known in enumerate(keys) if known & wanted]
        members = sorted([place, *(member for i in met for member in groups[i])])
        together = set(wanted).union(*(keys[i] for i in met))
        groups = [group for i, group in enumerate(groups) if i not in met] + [members]
        keys = [known for i, known in enumerate(keys) if i not in met] + [together]
    return sorted(groups)
