"""The matrix: which cells there are, what is refused, and which of them belong to one process."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from reasonry.ablating import factors_of, matrix
from reasonry.ablating.cells import sharing
from reasonry.ablating.matrix import toml_literal
from reasonry.errors import ReasonryError, UsageError
from reasonry.recipe import load_recipe
from reasonry.sections import AblateSection

RECIPE = """
name = "tiny-matrix"
seed = 7
[[questions]]
source = "procedural"
count = 40
[distil]
teacher = "simulated"
[train]
trainer = "tiny"
[[evaluate]]
benchmark = "procedural"
count = 5
"""

Writer = Callable[[str], Path]


def test_each_combination_comes_with_each_seed_and_a_name_of_its_own(write_recipe: Writer) -> None:
    recipe, section = load_recipe(write_recipe(RECIPE)), AblateSection(seeds=3)
    factors = factors_of(section, ['select.keep=["correct","all"]', "distil.samples=[1,4,16]"])
    cells = matrix(recipe, section, factors)
    assert len(cells) == 2 * 3 * 3
    assert len({cell.name for cell in cells}) == len(cells)


def test_a_seed_changes_the_training_alone_unless_all_is_asked_for(write_recipe: Writer) -> None:
    path = write_recipe(RECIPE)
    recipe, varied = load_recipe(path), ['select.keep=["correct","all"]']
    for section, is_shared in ((AblateSection(seeds=2), True), (AblateSection(seeds=2, reseed="all"), False)):
        first, second = (
            load_recipe(path, cell.settings) for cell in matrix(recipe, section, factors_of(section, varied))[:2]
        )
        assert first.train[0].seed != second.train[0].seed
        assert (first.distil == second.distil) is is_shared
        assert (first.questions == second.questions) is is_shared


@pytest.mark.parametrize(
    "given",
    ["", "=", "select.keep", "select.keep=", "select.keep=correct", "select.keep=[]", 'select.keep=["all"]',
     "select.keep={}", "=[1,2]", "distil.samples=[1,1]", "select.keep=[", "\0=[1,2]", "distil.samples=[1,2",
     f"{'k' * 70}=[1,2]", "distil.samples=[2020-01-01,2021-01-01]"],
)  # fmt: skip
def test_garbage_in_vary_is_refused_as_usage(given: str, write_recipe: Writer) -> None:
    recipe, section = load_recipe(write_recipe(RECIPE)), AblateSection()
    with pytest.raises(UsageError) as refused:
        matrix(recipe, section, factors_of(section, [given]))
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("given", ['select.kep=["all","correct"]', 'select.keep=["all","right"]', "train.steps=[1,0]"])
def test_a_level_that_makes_no_recipe_names_its_cell(given: str, write_recipe: Writer) -> None:
    recipe, section = load_recipe(write_recipe(RECIPE)), AblateSection()
    with pytest.raises(ReasonryError, match="in the cell"):
        matrix(recipe, section, factors_of(section, [given]))


def test_a_matrix_beyond_reason_is_refused(write_recipe: Writer) -> None:
    recipe, section = load_recipe(write_recipe(RECIPE)), AblateSection(seeds=100)
    factors = factors_of(section, [f"distil.samples={list(range(1, 200))}"])
    with pytest.raises(UsageError, match="too many"):
        matrix(recipe, section, factors)


def test_nothing_varied_is_refused(write_recipe: Writer) -> None:
    with pytest.raises(UsageError, match="nothing is varied"):
        factors_of(AblateSection(), [])


def test_cells_that_would_make_one_table_belong_together_also_through_a_third() -> None:
    assert sharing([{"a", "x"}, {"b"}, {"c", "y"}, {"x", "y"}, {"d"}]) == [[0, 2, 3], [1], [4]]


def test_cells_whose_tables_are_all_sealed_share_nothing() -> None:
    assert sharing([set(), set()]) == [[0], [1]]


@pytest.mark.parametrize(
    "value", [1e-05, float("inf"), float("-inf"), 1e16, True, 'a "quoted" \\ one', [1, {"a b": 0.5}]]
)
def test_a_value_comes_back_from_its_literal(value: object) -> None:
    assert tomllib.loads(f"value = {toml_literal(value)}")["value"] == value
