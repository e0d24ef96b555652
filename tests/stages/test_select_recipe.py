"""Selecting from a recipe: contradictions with their line, seeds, keys, and a whole run to its card."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reasonry.errors import GateMissed, RecipeError
from reasonry.exporters.markdown import cell
from reasonry.plan import make_plan
from reasonry.recipe import load_recipe
from reasonry.run import RunResult, hold_gates, load_run
from reasonry.store import Manifest, Store
from tests.stages.test_line import small_run

ROOT = Path(__file__).resolve().parent.parent.parent
Writer = Callable[[str], Path]

HEAD = """\
name = "mixed"
seed = 3

[[questions]]
source = "procedural"
family = "chain_sum"
steps = 2
digits = 2
count = 30
verifier = "steps"
domain = "sums"

[[questions]]
source = "procedural"
family = "chain_sum"
steps = 5
digits = 3
count = 12
verifier = "steps"
domain = "long|sums"

[curate]
deduplicate = false

[distil]
teacher = "simulated"
accuracy = 0.6
mistakes = { slip = 1 }
samples = 4

"""
MIXED = (
    HEAD
    + """\
[select]
per_question = 1
best = "shortest"
difficulty = { max = 0.9, levels = { hard = 0.5, easy = 1.0 } }

[select.mix]
total = 16
shares = { sums = 1, "long|sums" = 1, products = 2 }

[select.mix.within]
by = "difficulty"
temperature = 0

[publish]
title = "Mixed"
"""
)


def selection(result: RunResult) -> Manifest:
    stage = next(stage for stage in result.stages if stage.stage == "select")
    manifest = Store(result.folder / "tables").sealed("select", stage.key)
    assert manifest is not None
    return manifest


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    folder = tmp_path_factory.mktemp("mixed")
    (folder / "recipe.toml").write_text(MIXED, encoding="utf-8")
    return small_run(folder / "recipe.toml", folder / "out")


def test_the_card_shows_the_mix_with_the_rule_that_made_it(done: RunResult) -> None:
    card = (done.folder / "dataset" / "README.md").read_text(encoding="utf-8")
    groups = selection(done).metrics["mix"]["groups"]
    assert "keep: correct; difficulty by pass rate: max 0.9; at most 1 of each question, the shortest" in card
    assert (
        "by domain: shares sums 1, long&#124;sums 1, products 2, then within each by difficulty: temperature 0" in card
    )
    for group in groups:
        name = f"{'↳ ' * (len(group['group']) - 1)}{group['by']} {cell(group['group'][-1])}"
        numbers = [group[column] for column in ("available", "wanted", "kept", "questions")]
        assert f"| {name} | {' | '.join(map(str, numbers))} |" in card
    assert "as coarse as a question's scored samples are few (questions: 42 with 4)." in card
    assert "Nothing was repeated to fill it." in card


def test_what_is_missing_can_be_a_gate(done: RunResult, write_recipe: Writer) -> None:
    metrics = selection(done).metrics
    assert metrics["mix_missing"] >= 8
    assert metrics["mix_short_groups"] >= 1
    path = write_recipe(MIXED + '\n[[gates]]\nmetric = "select.mix_missing"\nmax = 0\n')
    with pytest.raises(GateMissed, match=r"select.mix_missing is \d+, wanted at most 0"):
        hold_gates(small_run(path, path.parent / "out"))


def test_every_trace_of_the_run_is_counted_once(done: RunResult) -> None:
    manifest = selection(done)
    assert manifest.rows_in == 168 == manifest.rows_out + sum(manifest.dropped.values())
    assert load_run(done.folder)["status"] == "done"


def test_the_seed_comes_from_the_recipes_and_the_lock_tells_it(write_recipe: Writer) -> None:
    path = write_recipe(MIXED)
    recipe = load_recipe(path)
    assert recipe.select.seed is not None
    assert {"value": recipe.select.seed, "origin": "derived from seed"} in recipe.lock.values()
    assert load_recipe(path, ["seed=4"]).select.seed != recipe.select.seed
    assert load_recipe(path, ["select.seed=9"]).select.seed == 9


def test_the_versions_of_filters_are_part_of_the_key(write_recipe: Writer) -> None:
    path = write_recipe(HEAD + '[[select.filters]]\nfilter = "length"\n')
    step = next(step for step in make_plan(load_recipe(path)) if step.stage == "select")
    assert [label.split("@")[0] for label in step.parts] == ["select", "length"]


SNIPPETS = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "selecting.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_the_recipes_of_the_page_load(number: int, write_recipe: Writer) -> None:
    assert load_recipe(write_recipe(HEAD + SNIPPETS[number])).select.mix is not None


REFUSED: dict[str, tuple[str, int, str]] = {
    "two rules": ("[select]\n\n[select.mix]\nby = 'source'\nshares = { a = 1 }\ntemperature = 0.5\n", 3, "choose one"),
    "inside": ("[select.mix]\ntotal = 5\n\n[select.mix.within]\nby = 'source'\nshares = { a = 0 }\n", 4, "no share"),
    "no levels": ("[select.mix]\nby = 'difficulty'\ntotal = 5\n", 1, "needs levels"),
    "unknown key": ("[select.mix]\ntotal = 5\ntemprature = 0.5\n", 3, "did you mean 'temperature'?"),
    "unknown group": ("[select.mix]\nby = 'topic'\ntotal = 5\n", 2, "'domain', 'source'"),
    "negative": ("[select.mix]\ntargets = { a = -1 }\n", 2, "greater than or equal to 0"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_its_line(case: str, write_recipe: Writer) -> None:
    text, line, said = REFUSED[case]
    with pytest.raises(RecipeError) as caught:
        load_recipe(write_recipe(HEAD + text))
    told: Any = f"{caught.value.message} {caught.value.hint}"
    assert said in told
    assert f":{HEAD.count(chr(10)) + line}:" in str(caught.value.place)
