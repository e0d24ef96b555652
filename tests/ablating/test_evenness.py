"""Warnings where scores of a matrix are not comparable as they stand."""

from __future__ import annotations

from reasonry.ablating.evenness import Evaluated, uneven
from reasonry.ablating.matrix import Cell


def one(
    level: str, seed: int = 1, benchmark: str = "heldout", *, is_scored: bool = True, **conditions: object
) -> Evaluated:
    cell = Cell({"data": level}, seed, (), "steps")
    return Evaluated(cell, benchmark, "student", {"model": level, "questions": "q", **conditions}, is_scored)


def test_the_same_conditions_need_no_word() -> None:
    assert list(uneven([one("a"), one("b"), one("a", 2, questions="r"), one("b", 2, questions="r")])) == []


def test_conditions_that_differ_between_levels_are_named() -> None:
    (warning,) = uneven([one("a", max_tokens=8), one("b", max_tokens=9, questions="r")])
    assert "heldout (student): evaluated under different conditions: max_tokens, questions;" in warning


def test_cells_without_a_score_and_without_the_benchmark_are_told() -> None:
    told = list(uneven([one("a", is_scored=False), one("b"), one("b", benchmark="other")]))
    assert told[0] == "a--seed1: nothing could be scored on heldout (student), so it is in no mean"
    assert told[1] == "other (student): 1 cells were not evaluated on it, and are compared with nothing"
