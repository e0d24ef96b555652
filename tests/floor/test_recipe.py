"""Recipes: what is wrong is named with its line, and what is right is in force with its origin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reasonry.errors import RecipeError
from reasonry.recipe import Recipe, derive_seed, load_recipe
from reasonry.sections import PriceOptions

Writer = Callable[[str], Path]

GOOD = """\
name = "good"
seed = 3

[[questions]]
source = "procedural"
family = "chain_sum"
count = 10

[distil]
teacher = "simulated"
samples = 2

[[train]]
trainer = "tiny"

[[evaluate]]
benchmark = "procedural"
count = 5
"""
QUESTIONS = 'name = "x"\n[[questions]]\nsource = "procedural"\n'

# text of the recipe, part of the place, part of the message or hint
BAD: dict[str, tuple[str, str, str]] = {
    "empty": ("", "recipe.toml", "no questions"),
    "not toml": ("name = \n", ":1", "not TOML"),
    "unclosed string": ('name = "x\n', ":1", "not TOML"),
    "unclosed table": ('name = "x"\n[distil\n', ":2", "not TOML"),
    "duplicate key": ('name = "x"\nseed = 1\nseed = 2\n', ":3", "not TOML"),
    "duplicate table": (QUESTIONS + "[select]\n[select]\n", ":5", "not TOML"),
    "yaml": ("name: x\nquestions:\n  - source: jsonl\n", ":1", "not TOML"),
    "json": ('{"name": "x"}', ":1", "not TOML"),
    "latex in double quotes": ('name = "\\sqrt"\n', ":1", "'''"),
    "nul byte": ('name = "x\0"\n', ":1", "not TOML"),
    "no name": ('[[questions]]\nsource = "procedural"\n', "name", "is required"),
    "name is a number": ("name = 5\n" + QUESTIONS[11:], ":1", "string"),
    "name is a path": ('name = "../x"\n' + QUESTIONS[11:], ":1: name", "pattern"),
    "seed is text": ('seed = "1"\n' + QUESTIONS, ":1: seed", "integer"),
    "seed is a float": ("seed = 1.5\n" + QUESTIONS, ":1: seed", "int"),
    "unknown key": ("sed = 1\n" + QUESTIONS, ":1: sed", "did you mean 'seed'"),
    "unknown table": (QUESTIONS + "[distill]\n", ":4: distill", "did you mean 'distil'"),
    "no questions": ('name = "x"\n[distil]\nteacher = "simulated"\n', "recipe.toml", "[[questions]]"),
    "questions is text": ('name = "x"\nquestions = "gsm8k"\n', ":2: questions", "[[questions]]"),
    "questions is a list of text": ('name = "x"\nquestions = ["gsm8k"]\n', ":2: questions", "[[questions]]"),
    "questions is empty": ('name = "x"\nquestions = []\n', ":2: questions", "[[questions]]"),
    "no source": ('name = "x"\n[[questions]]\ndomain = "a"\n', ":2: questions[0].source", "no source"),
    "source is a number": ('name = "x"\n[[questions]]\nsource = 1\n', ":3: questions[0].source", "not text"),
    "unknown source": ('name = "x"\n[[questions]]\nsource = "jsonll"\n', ":3", "did you mean 'jsonl'"),
    "unknown key of a source": (QUESTIONS + "cuont = 5\n", ":4: questions[0].cuont", "did you mean 'count'"),
    "key of another source": (QUESTIONS + 'path = "x"\n', ":4: questions[0].path", "unknown key"),
    "unknown verifier": (QUESTIONS + 'verifier = "maths"\n', ":4: questions[0].verifier", "did you mean 'math'"),
    "no such file": ('name = "x"\n[[questions]]\nsource = "jsonl"\npath = "no.jsonl"\n', ":4", "no such file"),
    "empty path": ('name = "x"\n[[questions]]\nsource = "jsonl"\npath = ""\n', ":4", "not a path"),
    "no path": ('name = "x"\n[[questions]]\nsource = "jsonl"\n', ":2: questions[0].path", "is required"),
    "second table is wrong": (QUESTIONS + '[[questions]]\nsource = "procedural"\ncount = "5"\n', ":6", "integer"),
    "unknown field": (
        'name = "x"\n[[questions]]\nsource = "jsonl"\npath = "recipe.toml"\nfields = { promt = "q" }\n',
        ":5: questions[0].fields.promt",
        "did you mean 'prompt'",
    ),
    "samples is zero": (QUESTIONS + '[distil]\nteacher = "simulated"\nsamples = 0\n', ":6: distil.samples", "given: 0"),
    "samples is true": (QUESTIONS + '[distil]\nteacher = "simulated"\nsamples = true\n', ":6", "given: True"),
    "temperature is text": (QUESTIONS + '[distil]\nteacher = "simulated"\ntemperature = "hot"\n', ":6", "number"),
    "temperature is nan": (QUESTIONS + '[distil]\nteacher = "simulated"\ntemperature = nan\n', ":6", "finite"),
    "top_p over one": (QUESTIONS + '[distil]\nteacher = "simulated"\ntop_p = 1.5\n', ":6", "less than or equal to 1"),
    "template without prompt": (QUESTIONS + '[distil]\nteacher = "simulated"\nprompt = "Solve"\n', ":6", "{prompt}"),
    "no teacher": (QUESTIONS + "[distil]\nsamples = 1\n", ":4: distil.teacher", "no teacher"),
    "unknown teacher": (QUESTIONS + '[distil]\nteacher = "openal"\n', ":5: distil.teacher", "did you mean 'openai'"),
    "distil twice": (QUESTIONS + '[[distil]]\nteacher = "simulated"\n', ":4: distil", "[distil]"),
    "unknown price": (
        QUESTIONS + '[distil]\nteacher = "simulated"\nprice = { input = 1.0 }\n',
        ":6: distil.price",
        "input_per_million",
    ),
    "keep is unknown": (QUESTIONS + '[select]\nkeep = "corect"\n', ":5: select.keep", "correct"),
    "train without traces": (QUESTIONS + '[[train]]\ntrainer = "tiny"\n', ":4: train", "[distil]"),
    "unknown trainer": (
        QUESTIONS + '[distil]\nteacher = "simulated"\n[train]\ntrainer = "tinny"\n',
        ":7: train.trainer",
        "did you mean 'tiny'",
    ),
    "two students of one name": (
        QUESTIONS + '[distil]\nteacher = "simulated"\n[[train]]\ntrainer = "tiny"\n[[train]]\ntrainer = "tiny"\n',
        ":8: train[1]",
        "student",
    ),
    "unknown student": (
        QUESTIONS + '[[evaluate]]\nbenchmark = "procedural"\nof = ["studnt"]\n',
        ":6: evaluate[0].of",
        "no student 'studnt'",
    ),
    "gate without a limit": (QUESTIONS + '[[gates]]\nmetric = "verify.rows"\n', ":4: gates[0]", "min or max"),
    "gate of an unknown stage": (QUESTIONS + '[[gates]]\nmetric = "verfy.rows"\nmin = 1\n', ":5", "'verify'"),
    "unknown format": (
        QUESTIONS + '[distil]\nteacher = "simulated"\n[publish]\nformats = ["hub", "sharegtp"]\n',
        ":7: publish.formats[1]",
        "did you mean 'sharegpt'",
    ),
    "unknown filter": (QUESTIONS + '[[curate.filters]]\nfilter = "lenght"\n', ":5", "did you mean 'length'"),
    "budget is negative": ("budget = { usd = -1.0 }\n" + QUESTIONS, ":1: budget.usd", "greater than or equal"),
    "key after a table": (QUESTIONS + "[curate]\nseed = 1\n", ":5: curate.seed", "unknown key"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_recipe_is_one_clear_error_with_its_place(case: str, write_recipe: Writer) -> None:
    text, place, said = BAD[case]
    path = write_recipe(text)
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    error = caught.value
    assert place in (error.place or ""), error.place
    assert said in f"{error.message} {error.hint}", (error.message, error.hint)
    assert error.exit_code == 2


def test_there_are_enough_bad_recipes() -> None:
    assert len(BAD) >= 40


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(b'name = "x"\n# caf\xe9\n')
    with pytest.raises(RecipeError, match="UTF-8") as caught:
        load_recipe(path)
    assert caught.value.place == f"{path}:2"


def test_a_recipe_that_is_not_there_or_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such recipe"):
        load_recipe(tmp_path / "none.toml")
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path)
    (tmp_path / "big.toml").write_bytes(b"#" * (1 << 21))
    with pytest.raises(RecipeError, match="larger than 1 MB"):
        load_recipe(tmp_path / "big.toml")
    (tmp_path / "deep.toml").write_text("a = " + "[" * 5000 + "]" * 5000)
    with pytest.raises(RecipeError, match="nested too deeply"):
        load_recipe(tmp_path / "deep.toml")


def load(write_recipe: Writer, text: str, *overrides: str) -> Recipe:
    return load_recipe(write_recipe(text), overrides)


def test_every_value_in_force_has_its_origin(write_recipe: Writer) -> None:
    lock = load(write_recipe, GOOD, "distil.samples=5", "select.keep=all").lock
    assert lock["seed"] == {"value": 3, "origin": "recipe:2"}
    assert lock["questions[0].count"] == {"value": 10, "origin": "recipe:7"}
    assert lock["questions[0].seed"]["origin"] == "derived from seed"
    assert lock["distil.samples"] == {"value": 5, "origin": "command line"}
    assert lock["select.keep"] == {"value": "all", "origin": "command line"}
    assert lock["verify.timeout_s"]["origin"] == "default"


def test_a_wrong_override_is_named_as_such(write_recipe: Writer) -> None:
    for override, said in (
        ("distil.samples=many", "valid"),
        ("distil.sampels=1", "did you mean 'samples'"),
        ("samples", "cannot read"),
        ("name.x=1", "does not name a key"),
    ):
        with pytest.raises(RecipeError) as caught:
            load(write_recipe, GOOD, override)
        assert (caught.value.place or "").startswith("--set"), override
        assert said in f"{caught.value.message} {caught.value.hint}", override


def test_the_digest_sees_what_changes_the_result_and_nothing_else(write_recipe: Writer) -> None:
    digest = load(write_recipe, GOOD).digest
    assert load(write_recipe, "# a comment\n" + GOOD).digest == digest
    assert load(write_recipe, GOOD, "distil.concurrency=99").digest == digest
    assert load(write_recipe, GOOD, "distil.attempts=2").digest == digest
    for override in ("seed=4", "distil.samples=3", "questions.0.count=11", "select.keep=all", "verify.timeout_s=1.0"):
        assert load(write_recipe, GOOD, override).digest != digest, override


def test_derived_seeds_differ_by_place_and_by_seed() -> None:
    seeds = {derive_seed(seed, table, i) for seed in range(20) for table in ("train", "evaluate") for i in range(5)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_one_table_may_stand_for_a_list_of_one(write_recipe: Writer) -> None:
    single = GOOD.replace("[[train]]", "[train]").replace("[[evaluate]]", "[evaluate]")
    assert len(load(write_recipe, single).train) == 1
    assert len(load(write_recipe, single).evaluate) == 1


def test_a_price_without_counts_is_unknown_and_not_zero() -> None:
    price = PriceOptions(input_per_million=1.0, output_per_million=2.0)
    assert price.cost_usd(1_000_000, 500_000) == 2.0
    assert price.cost_usd(None, 5) is None
