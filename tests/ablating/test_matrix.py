"""The matrix: which cells there are, what each sets, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.ablating import Child, factors_of, matrix
from reasonry.ablating.matrix import toml_literal
from reasonry.errors import RecipeError, UsageError
from reasonry.recipe import Recipe, load_recipe
from reasonry.sections import AblateSection

RECIPE = """
name = "small"
seed = 3
[[questions]]
source = "procedural"
family = "chain_sum"
steps = 2
digits = 1
count = 30
verifier = "steps"
[distil]
teacher = "simulated"
[select]
keep = "correct"
{train}
trainer = "tiny"
steps = 4
[[evaluate]]
benchmark = "procedural"
name = "heldout"
family = "chain_sum"
steps = 2
digits = 1
count = 6
verifier = "math"
untrained = false
max_tokens = 12
"""


def recipe_in(folder: Path, train: str = "[train]", more: str = "") -> Recipe:
    (folder / "recipe.toml").write_text(RECIPE.format(train=train) + more, encoding="utf-8")
    return load_recipe(folder / "recipe.toml")


def test_every_level_meets_every_other_with_every_seed(tmp_path: Path) -> None:
    recipe, section = recipe_in(tmp_path), AblateSection(seeds=2)
    factors = factors_of(section, ['select.keep=["correct", "all"]', "distil.samples=[1, 2, 4]"])
    cells = matrix(recipe, section, factors)
    assert len(cells) == len({cell.name for cell in cells}) == 12
    assert cells[0].name == "correct--1--seed1"
    assert cells[0].settings == ('select.keep="correct"', "distil.samples=1")
    assert {cell.seed for cell in cells} == {1, 2}


@pytest.mark.parametrize(("train", "place"), [("[train]", "train.seed="), ("[[train]]", "train.0.seed=")])
def test_a_seed_changes_the_training_alone(tmp_path: Path, train: str, place: str) -> None:
    recipe, section = recipe_in(tmp_path, train), AblateSection(seeds=2)
    first, second, *_ = matrix(recipe, section, factors_of(section, ["distil.samples=[1, 2]"]))
    assert first.settings == ("distil.samples=1",)
    assert second.settings[1].startswith(place)
    changed = load_recipe(recipe.path, second.settings)
    assert changed.seed == recipe.seed
    assert changed.train[0].seed not in (None, recipe.train[0].seed)


def test_all_may_be_seeded_anew(tmp_path: Path) -> None:
    recipe, section = recipe_in(tmp_path), AblateSection(seeds=2, reseed="all")
    _, second, *_ = matrix(recipe, section, factors_of(section, ["distil.samples=[1, 2]"]))
    assert load_recipe(recipe.path, second.settings).seed != recipe.seed


@pytest.mark.parametrize(
    "varied",
    [
        *("", "select.keep", "select.keep=", 'select.keep="all"', "select.keep=[]", 'select.keep=["all"]', "=[1, 2]"),
        *("select.keep=[1, 1]", "select.keep=[1,"),
    ],
)
def test_what_is_no_list_of_values_is_refused(varied: str) -> None:
    with pytest.raises(UsageError) as error:
        factors_of(AblateSection(), [varied])
    assert error.value.place == "--vary"


def test_nothing_varied_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing is varied"):
        factors_of(AblateSection(), [])


def test_a_level_that_makes_no_recipe_is_named_with_its_cell(tmp_path: Path) -> None:
    recipe, section = recipe_in(tmp_path), AblateSection()
    with pytest.raises(RecipeError) as error:
        matrix(recipe, section, factors_of(section, ['select.keep=["correct", "everything"]']))
    assert "in the cell select.keep = everything" in str(error.value.place)


@pytest.mark.parametrize("key", ["train.seed", "train.0.seed"])
def test_a_level_may_not_set_the_seed_that_the_ablation_sets(tmp_path: Path, key: str) -> None:
    recipe = recipe_in(tmp_path)
    with pytest.raises(UsageError, match=f"a level sets {key}, and so do the seeds"):
        matrix(recipe, AblateSection(), factors_of(AblateSection(), [f"{key}=[1, 2]"]))


def test_a_level_may_set_the_seed_of_the_recipe_where_seeds_change_the_training_alone(tmp_path: Path) -> None:
    recipe, factors = recipe_in(tmp_path), factors_of(AblateSection(), ["seed=[1, 2]"])
    assert len(matrix(recipe, AblateSection(seeds=1), factors)) == 2
    with pytest.raises(UsageError, match="a level sets seed"):
        matrix(recipe, AblateSection(reseed="all"), factors)


@pytest.mark.parametrize(
    "second", ['select.keep=["all", "correct"]', 'select=[{ keep = "all" }, { keep = "correct" }]']
)
def test_a_key_that_two_factors_set_is_refused(tmp_path: Path, second: str) -> None:
    section = AblateSection.model_validate({"factors": [{"name": "data", "levels": LEVELS}]})
    with pytest.raises(UsageError, match=r"two factors set select\.keep"):
        matrix(recipe_in(tmp_path), section, factors_of(section, [second]))


LEVELS = [{"name": "one", "set": {"select.keep": "all"}}, {"name": "two"}]


def test_a_key_that_is_not_there_is_named_as_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        matrix(recipe_in(tmp_path), AblateSection(), factors_of(AblateSection(), ["select.keap=[1, 2]"]))
    assert (caught.value.message, caught.value.hint) == ("unknown key 'keap'", "did you mean 'keep'?")
    assert caught.value.place == "select.keap, in the cell select.keap = 1"


def test_a_matrix_beyond_all_reason_is_refused(tmp_path: Path) -> None:
    recipe, section = recipe_in(tmp_path), AblateSection(seeds=100)
    values = ", ".join(map(str, range(1, 102)))
    with pytest.raises(UsageError, match="too many"):
        matrix(recipe, section, factors_of(section, [f"distil.samples=[{values}]"]))


ARMS = """
[[ablate.factors]]
name = "arms"
{more}
[[ablate.factors.levels]]
name = "a"
[[ablate.factors.levels]]
name = "b"
set = {{ "select.keep" = "all" }}
"""


def test_a_recipe_may_name_its_arms(tmp_path: Path) -> None:
    recipe = recipe_in(tmp_path, more=ARMS.format(more='control = "b"\npairs = [["a", "b"]]'))
    assert recipe.ablate is not None
    assert recipe.ablate.factors[0].comparisons == [("a", "b")]
    cells = matrix(recipe, recipe.ablate, factors_of(recipe.ablate, []))
    assert [cell.name for cell in cells] == [f"{arm}--seed{seed}" for arm in "ab" for seed in (1, 2, 3)]


@pytest.mark.parametrize("more", ['control = "c"', 'pairs = [["a", "c"]]', 'pairs = [["a"]]', "colour = 1"])
def test_arms_that_are_not_there_are_an_error_of_the_recipe(tmp_path: Path, more: str) -> None:
    with pytest.raises(RecipeError) as error:
        recipe_in(tmp_path, more=ARMS.format(more=more))
    assert "ablate" in str(error.value.place)


def test_a_level_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no level is named 'aa': (did you mean 'a'|known)"):
        recipe_in(tmp_path, more=ARMS.format(more='control = "aa"'))


@pytest.mark.parametrize("name", ["", "two\nlines", "a = b", "x" * 61])
def test_a_name_that_is_none_is_refused_in_words(name: str) -> None:
    with pytest.raises(ValueError, match="a name has 1 to 60 characters, and neither a line break nor '='"):
        AblateSection.model_validate({"factors": [{"name": name, "levels": LEVELS}]})


def test_levels_with_one_folder_are_named(tmp_path: Path) -> None:
    levels = [{"name": "a/b"}, {"name": "a b", "set": {"select.keep": "all"}}]
    section = AblateSection.model_validate({"factors": [{"name": "data", "levels": levels}]})
    with pytest.raises(UsageError, match="a/b and a b would have one folder, a-b--seed1"):
        matrix(recipe_in(tmp_path), section, factors_of(section, []))


def test_steps_that_nobody_set_cannot_be_matched_and_epochs_are(tmp_path: Path) -> None:
    made = recipe_in(tmp_path)
    text = made.path.read_text(encoding="utf-8").replace('trainer = "tiny"\nsteps = 4', 'trainer = "trl"\nbase = "a/b"')
    made.path.write_text(text, encoding="utf-8")
    recipe, factors = load_recipe(made.path), factors_of(AblateSection(), ['select.keep=["all", "correct"]'])
    with pytest.raises(UsageError, match="nothing says how many steps 'student' takes") as caught:
        matrix(recipe, AblateSection(), factors)
    assert caught.value.hint == "set train.steps, or --match epochs"
    assert matrix(recipe, AblateSection(match="epochs", seeds=1), factors)


def test_the_section_is_no_part_of_what_a_run_is(tmp_path: Path) -> None:
    plain = recipe_in(tmp_path)
    assert recipe_in(tmp_path, more=ARMS.format(more="")).digest == plain.digest


def test_the_recipe_on_verification_makes_its_cells() -> None:
    recipe = load_recipe(Path(__file__).resolve().parent.parent.parent / "recipes" / "verified-vs-unverified.toml")
    assert recipe.ablate is not None
    cells = matrix(recipe, recipe.ablate, factors_of(recipe.ablate, []))
    assert len(cells) == 3 * 6 * 5


def test_a_cell_ends_with_whoever_started_it(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra [train] is not installed")
    recipe_in(tmp_path)
    child = Child(str(tmp_path / "recipe.toml"), ("train.steps=1000000",), str(tmp_path / "cell"), str(tmp_path))
    process = subprocess.Popen([sys.executable, "-m", "reasonry.ablating.child"], stdin=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(child)) + "\n")
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not list((tmp_path / "tables").glob("train/*.partial")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.stdin.close()
    assert process.wait(timeout=10) == 1


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_written_as_toml_is_that_value(value: Any) -> None:
    assert tomllib.loads(f"value = {toml_literal(value)}")["value"] == value
