"""The student answers too: what a round is set to, what is refused, and who wrote what was learned from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reasonry.console import Console
from reasonry.errors import RecipeError, UsageError
from reasonry.explain import explain
from reasonry.iterating import SAMPLES, StudentSampling, iterate
from reasonry.iterating.resampling import sampling_for
from reasonry.recipe import Recipe, load_recipe
from reasonry.report import write_iteration
from reasonry.run import run
from reasonry.store import Store
from reasonry.types import Example, Trace, VerdictRow

Recipes = Callable[..., Recipe]
QUIET = Console(quiet=True)
LEARNABLE = (  # one step over small numbers: two thirds right after ten seconds
    *(f"questions.{i}.steps=1" for i in (0, 1)),
    *(f"evaluate.{i}.{setting}" for i in (0, 1) for setting in ("steps=1", "max_tokens=40", "count=6")),
    *("distil.accuracy=0.5", "train.0.layers=2", "train.0.width=64", "train.0.steps=300"),
)


def checkpoint_in(folder: Path) -> Path:
    made = folder / "tables" / "train" / "key" / "checkpoint"
    made.mkdir(parents=True)
    (made / "config.json").write_text("{}", encoding="utf-8")
    return made


def set_to(recipe: Recipe, sampling: StudentSampling, folder: Path) -> Any:
    """The further teachers of a round, as its recipe then has them."""
    settings = list(sampling.settings(recipe, checkpoint_in(folder)))
    distil = load_recipe(recipe.path, (*recipe.overrides, *settings)).distil
    assert distil is not None
    return distil.further


def test_the_round_asks_the_checkpoint_as_it_was_trained(rounds_recipe: Recipes, tmp_path: Path) -> None:
    recipe = rounds_recipe("select.system='Think.'", "evaluate.1.max_tokens=33")
    (further,) = set_to(recipe, StudentSampling(3, 0.5), tmp_path)
    assert (further.teacher, further.samples, further.temperature) == ("student", 3, 0.5)
    assert (further.system, further.prompt, further.max_tokens) == ("Think.", "{prompt}", 33)
    assert further.path.resolved == tmp_path / "tables" / "train" / "key" / "checkpoint"
    assert further.tariff is None


def test_it_costs_nothing_where_costs_are_counted(rounds_recipe: Recipes, tmp_path: Path) -> None:
    price = "distil.price={input_per_million=1.0,output_per_million=1.0}"
    (further,) = set_to(rounds_recipe(price), StudentSampling(), tmp_path)
    assert further.tariff.cost_usd(1000, 1000) == 0.0


def test_further_teachers_of_the_recipe_stay(rounds_recipe: Recipes, tmp_path: Path) -> None:
    other = 'distil.further=[{teacher="simulated",accuracy=0.1,mistakes={slip=1}}]'
    first, second = set_to(rounds_recipe(other), StudentSampling(), tmp_path)
    assert (first.accuracy, first.mistakes, second.teacher) == (0.1, {"slip": 1}, "student")


def test_a_card_does_not_say_where_the_checkpoint_was(rounds_recipe: Recipes, tmp_path: Path) -> None:
    recipe = rounds_recipe()
    settings = list(StudentSampling().settings(recipe, checkpoint_in(tmp_path / "secret")))
    assert "secret" in settings[0]
    shown = load_recipe(recipe.path, settings).published_overrides
    assert "secret" not in " ".join(shown)
    assert 'path" = "checkpoint"' in shown[0]


def test_no_samples_change_nothing(rounds_recipe: Recipes, tmp_path: Path) -> None:
    assert not list(StudentSampling(0).settings(rounds_recipe(), tmp_path))


def test_by_default_it_samples_where_only_what_is_verified_is_kept(rounds_recipe: Recipes) -> None:
    assert sampling_for(rounds_recipe(), None, None).samples == SAMPLES
    assert sampling_for(rounds_recipe('select.keep="all"'), None, None).samples == 0


@pytest.mark.parametrize("keep", ["all", "majority"])
def test_unverified_answers_of_a_student_are_refused(rounds_recipe: Recipes, keep: str) -> None:
    with pytest.raises(RecipeError, match="would learn its own mistakes"):
        sampling_for(rounds_recipe(f'select.keep="{keep}"'), 1, None)


def test_samples_that_are_all_the_same_are_refused(rounds_recipe: Recipes) -> None:
    with pytest.raises(UsageError, match="every sample is the same"):
        sampling_for(rounds_recipe(), 2, 0.0)
    assert sampling_for(rounds_recipe(), 1, 0.0).temperature == 0.0


@pytest.mark.long
def test_what_the_student_wrote_and_was_verified_is_learned_from(rounds_recipe: Recipes, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    recipe = rounds_recipe(*LEARNABLE)
    iterate(recipe, tmp_path / "out", rounds=1, questions=2, workers=1, console=QUIET)
    facts = json.loads((tmp_path / "out" / "iteration.json").read_text(encoding="utf-8"))
    first, second = facts["rounds"]
    assert [one["is_student"] for one in first["authors"]] == [False]
    teacher, student = second["authors"]
    assert (teacher["is_student"], student["is_student"]) == (False, True)
    assert student["traces"] == SAMPLES * teacher["traces"]
    assert 0 < student["examples"] <= student["correct"] < student["traces"]
    assert 0 < student["rate"]["estimate"] < 1
    assert sum(one["examples"] for one in second["slices"]) == teacher["examples"] + student["examples"]

    store = Store(tmp_path / "out" / "tables")
    stages = {one["stage"]: one["key"] for one in _stages(tmp_path / "out" / "rounds" / "1")}
    traces = {one.id: one for one in _rows(store, "distil", stages, Trace)}
    correct = {one.trace_id for one in _rows(store, "verify", stages, VerdictRow) if one.status == "correct"}
    examples = _rows(store, "select", stages, Example)
    assert {one.trace_id for one in examples} <= correct
    assert len({(one.question_id, one.messages) for one in examples}) == len(examples), "nothing is there twice"
    learned = next(one for one in examples if traces[one.trace_id].teacher == student["name"])
    story = explain(tmp_path / "out" / "rounds" / "1", learned.id, tmp_path / "out" / "ledger.sqlite")
    (told,) = [one for one in story.traces if one.example is not None and one.example.id == learned.id]
    assert told.trace.teacher == student["name"]
    assert told.asked[0].sampling["temperature"] == 0.7
    assert student["name"] in write_iteration(tmp_path / "out").read_text(encoding="utf-8")

    again = run(load_recipe(recipe.path, second["settings"]), tmp_path / "again", workers=1, console=QUIET)
    assert again.digest == second["digest"], "anybody can make the round again"


def _stages(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))["stages"]


def _rows(store: Store, stage: str, keys: dict[str, str], kind: type[Any]) -> list[Any]:
    manifest = store.sealed(stage, keys[stage])
    assert manifest is not None
    return list(store.rows(manifest, kind))
