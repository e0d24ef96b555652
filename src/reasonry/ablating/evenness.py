"""What keeps scores of a matrix from being compared as they stand: other conditions of evaluation, or no score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasonry.ablating.matrix import Cell
from reasonry.store import Store

__all__ = ["Evaluated", "evaluated", "uneven"]

_OF_THE_MODEL = frozenset(("model", "model_revision", "served_by"))


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One evaluation of a cell's student: under which conditions, and whether it has a score."""

    cell: Cell
    benchmark: str
    student: str
    conditions: Mapping[str, Any]
    is_scored: bool


def evaluated(cell: Cell, run: Mapping[str, Any], store: Store) -> Iterator[Evaluated]:
    """The evaluations of a cell, but for those of students before their training."""
    for stage in run["stages"]:
        manifest = store.sealed("evaluate", stage["key"]) if stage["stage"] == "evaluate" else None
        if manifest is not None and not manifest.metrics.get("untrained"):
            metrics = manifest.metrics
            conditions: Mapping[str, Any] = metrics.get("conditions", {})
            is_scored = metrics.get("accuracy") is not None
            yield Evaluated(cell, str(metrics["benchmark"]), str(metrics["student"]), conditions, is_scored)


def uneven(found: Sequence[Evaluated]) -> Iterator[str]:
    """A warning for each score that lacks, and for each benchmark whose conditions are not the same in all levels.

    Cells of one seed are held against each other: where a seed changes the questions, those of several seeds differ.
    """
    for one in found:
        if not one.is_scored:
            yield f"{one.cell.name}: nothing could be scored on {one.benchmark} ({one.student}), so it is in no mean"
    for benchmark, student in dict.fromkeys((one.benchmark, one.student) for one in found):
        these = [one for one in found if (one.benchmark, one.student) == (benchmark, student)]
        if names := sorted(set(_differing(these))):
            yield (
                f"{benchmark} ({student}): evaluated under different conditions: {', '.join(names)};"
                " differences between such levels are not of the training alone"
            )
        if missing := len({one.cell.name for one in found}) - len({one.cell.name for one in these}):
            yield f"{benchmark} ({student}): {missing} cells were not evaluated on it, and are compared with nothing"


def _differing(these: Sequence[Evaluated]) -> Iterator[str]:
    first: dict[int, Mapping[str, Any]] = {}
    for one in these:
        other = first.setdefault(one.cell.seed, one.conditions)
        names = {*one.conditions, *other} - _OF_THE_MODEL
        yield from (name for name in names if one.conditions.get(name) != other.get(name))
