"""What the cells of a matrix share is made first; what a cell must have in common with others follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from statistics import fmean

from reasonry.ablating.matrix import Cell, train_places
from reasonry.errors import UsageError, WorkFailed
from reasonry.plan import Step, make_plan
from reasonry.recipe import Recipe, load_recipe
from reasonry.sections import TrainSection
from reasonry.store import Store
from reasonry.types import Example

__all__ = ["Prepared", "matched", "prepared", "sharing", "step_of", "trunk_of", "without_publishing"]


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


def matched(cells: Sequence[Prepared], control: Prepared, store: Store) -> Iterator[Cell]:
    """Each cell with the settings that make it like the others in what it is matched by.

    steps: as they are, so that every cell trains as long as its recipe says. examples: each student learns from as many
    as the smallest cell has. epochs: steps in proportion to the examples, so that all pass over theirs as often as the
    control does. tokens: steps in inverse proportion to the examples' length (in characters of what is learned).
    Raises UsageError where a trainer has no `steps`, WorkFailed where a cell has no example.
    """
    places = train_places(control.recipe.path)
    for one in cells:
        if not one.examples:
            raise WorkFailed("no example is left", place=f"cell {one.cell.name}", hint="see its folder's report")
    fewest = min(_learned(one, student) for one in cells for student in one.recipe.train)
    for one in cells:
        more = [
            setting
            for place, student, base in zip(places, one.recipe.train, control.recipe.train, strict=True)
            for setting in _settings(one, control, student, base, place, fewest, store)
        ]
        yield dataclasses.replace(one.cell, settings=(*one.cell.settings, *more))


def _learned(one: Prepared, student: TrainSection) -> int:
    return min(one.examples, student.examples or one.examples)


def _settings(
    one: Prepared, control: Prepared, student: TrainSection, base: TrainSection, place: str, fewest: int, store: Store
) -> Iterator[str]:
    match = one.cell.match
    if match == "steps":
        return
    if match == "examples":
        yield f"{place}.examples={fewest}"
        return
    steps = getattr(student, "steps", None)
    if steps is None:
        raise UsageError(
            f"'{student.trainer}' counts no steps, so nothing can be matched by {match}",
            place=f"ablate.match: {match}",
            hint='match = "steps" or "examples"',
        )
    if match == "epochs":
        share = _learned(one, student) / _learned(control, base)
    else:
        share = _length(control, store) / _length(one, store)
    yield f"{place}.steps={max(1, round(steps * share))}"


def _length(one: Prepared, store: Store) -> float:
    """Characters that an example of the cell teaches, on average."""
    manifest = store.sealed("select", step_of(one.recipe, "select").key)
    assert manifest is not None
    return fmean(len(example.messages[-1].content) for example in store.rows(manifest, Example)) or 1.0


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
