"""publish: the recipe's trainings for LLaMA-Factory are part of what is published, and of nothing else's key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reasonry.console import Console
from reasonry.plan import make_plan
from reasonry.recipe import load_recipe
from reasonry.run import run
from tests.cli.test_plan_verb import UNPAID

pytest.importorskip("trl", reason="the trl extra is not installed")
TRAIN = """
[publish]

[[train]]
trainer = "trl"
base = "Qwen/Qwen2.5-7B-Instruct"
revision = "0123456789012345678901234567890123456789"
accumulation = 8
"""


def keys(folder: Path, *overrides: str, text: str = UNPAID + TRAIN) -> dict[str, str]:
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    return {step.name: step.key for step in make_plan(load_recipe(folder / "recipe.toml", overrides))}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def options(folder: Path, text: str) -> Any:
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    steps = make_plan(load_recipe(folder / "recipe.toml"))
    return next(step.options for step in steps if step.stage == "publish")


def test_another_rate_publishes_and_trains_again_and_nothing_else(tmp_path: Path) -> None:
    before = keys(tmp_path)
    assert changed(before, keys(tmp_path, "train.0.learning_rate=2e-5")) == {"publish", "train:student"}


def test_more_gpus_change_the_file_alone(tmp_path: Path) -> None:
    assert changed(keys(tmp_path), keys(tmp_path, "train.0.gpus=8")) == {"publish"}


def test_what_the_files_say_is_in_the_key_whatever_the_card_shows(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(UNPAID + TRAIN, encoding="utf-8")
    step = next(s for s in make_plan(load_recipe(tmp_path / "recipe.toml")) if s.stage == "publish")
    assert set(step.section["trainings"]) == {"train_student.yaml"}
    tiny = UNPAID + TRAIN.split("[[train]]")[0] + '[[train]]\ntrainer = "tiny"\n'
    (tmp_path / "recipe.toml").write_text(tiny, encoding="utf-8")
    step = next(s for s in make_plan(load_recipe(tmp_path / "recipe.toml")) if s.stage == "publish")
    assert "trainings" not in step.section


def test_no_file_where_the_published_rows_are_not_those_that_are_learnt(tmp_path: Path) -> None:
    text = UNPAID + TRAIN
    assert set(options(tmp_path, text).trainings) == {"train_student.yaml"}
    assert options(tmp_path, text + 'target = "answer"\n').trainings == {}
    assert options(tmp_path, text.replace("[publish]", "[publish]\nformats = []")).trainings == {}


def test_the_files_of_a_run_name_each_other(tmp_path: Path) -> None:
    """As `llamafactory-cli train` looks them up: the dataset in dataset_info.json, its file, DeepSpeed's file."""
    from tests.trainers.qwen import base_model

    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    base_model(tmp_path / "base")
    local = TRAIN.replace('"Qwen/Qwen2.5-7B-Instruct"', '"base"').replace("revision", "# revision")
    text = UNPAID + local + 'steps = 1\nsharding = "zero2"\n'
    (tmp_path / "recipe.toml").write_text(text, encoding="utf-8")
    run(load_recipe(tmp_path / "recipe.toml"), tmp_path / "out", console=Console(quiet=True), workers=1)
    folder = tmp_path / "out" / "dataset" / "llamafactory"
    values = yaml.safe_load((folder / "train_student.yaml").read_text(encoding="utf-8"))
    info = json.loads((folder / values["dataset_dir"] / "dataset_info.json").read_text(encoding="utf-8"))
    assert (folder / info[values["dataset"]]["file_name"]).is_file()
    assert json.loads((folder / values["deepspeed"]).read_text())["zero_optimization"]["stage"] == 2
