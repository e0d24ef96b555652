"""plan: what a training needs, from sealed examples, from an estimate, and without network."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from reasonry.console import Console
from reasonry.errors import PartError
from reasonry.plan import make_plan, planned
from reasonry.recipe import load_recipe
from reasonry.run import run
from reasonry.store import Store
from tests.cli.test_cli import reasonry
from tests.cli.test_plan_verb import RECIPE

TRAIN = """
[[train]]
trainer = "trl"
base = "Qwen/Qwen2.5-7B-Instruct"
revision = "0123456789012345678901234567890123456789"
gpu = "H100"
gpu_usd_per_hour = 3.0
gradient_checkpointing = true
accumulation = 8
epochs = 2
"""
FREE = RECIPE.replace("over_http = true\n", "").replace("price = ", "# ")

pytest.importorskip("trl", reason="the trl extra is not installed")


def needs(folder: Path, *arguments: str, name: str = "student") -> dict[str, Any]:
    done = reasonry("plan", "r.toml", "--json", "--quiet", *arguments, cwd=folder, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    stages = json.loads(done.stdout)["stages"]
    return next(s["needs"] for s in stages if s["stage"] == "train" and s["label"] == name)


def write(folder: Path, text: str) -> Path:
    (folder / "r.toml").write_text(text, encoding="utf-8")
    return folder / "r.toml"


def test_before_there_are_examples_tokens_are_unknown_and_then_bounded_by_a_pilot(tmp_path: Path) -> None:
    write(tmp_path, RECIPE + TRAIN)
    before = needs(tmp_path)
    assert before["tokens"] is None
    assert "plan --pilot" in before["unknown"]["tokens"]
    assert (before["parameters"], before["fits"], before["hours"]) == (7_615_616_512, False, None)
    after = needs(tmp_path, "--pilot", "10")
    assert after["tokens"]["is_most"]
    assert after["tokens"]["tokens"] > 0
    assert after["hours"]["low"] < after["hours"]["estimate"] < after["hours"]["high"]
    assert after["cost_usd"]["estimate"] == pytest.approx(3.0 * after["hours"]["estimate"])


def test_tokens_of_sealed_examples_are_counted_by_the_bases_tokenizer(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    from tests.trainers.qwen import base_model

    base = base_model(tmp_path / "base")
    result = run(load_recipe(write(tmp_path, FREE)), tmp_path / "runs" / "small", console=Console(quiet=True))
    rows = (tmp_path / "runs" / "small" / "tables" / "select").glob("*/part-*.parquet")
    texts = list(_texts(rows))
    assert len(texts) == next(stage.rows_out for stage in result.stages if stage.stage == "select")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokens = sum(len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)
    local = TRAIN.replace('"Qwen/Qwen2.5-7B-Instruct"', '"base"').replace("revision", "# revision")
    write(tmp_path, FREE + local)
    found = needs(tmp_path)
    assert found["tokens"]["tokens"] == pytest.approx(tokens, abs=1)
    assert (found["tokens"]["rows"], found["tokens"]["basis"]) == (len(texts), "by its tokenizer")
    assert found["steps"] == 2 * math.ceil(len(texts) / 8)
    assert found["trained_tokens"] == 2 * found["tokens"]["tokens"]
    assert found["fits"]
    few = needs(tmp_path, "--set", "train.0.examples=10")
    assert few["tokens"]["rows"] == 10
    short = needs(tmp_path, "--set", "train.0.max_length=8")
    assert short["tokens"]["too_long"] == len(texts)
    packed = needs(tmp_path, "--set", "train.0.packing=true")
    assert packed["steps"] == 2 * math.ceil(math.ceil(found["tokens"]["tokens"] / 4096) / 8)


def _texts(parts: Any) -> Any:
    import pyarrow.parquet as pq

    for part in parts:
        for messages in pq.read_table(part, columns=["messages"]).column("messages").to_pylist():
            yield "".join(message["content"] for message in messages)


def test_a_base_that_is_not_at_hand_is_unknown_and_does_not_end_the_plan(tmp_path: Path) -> None:
    unpinned = TRAIN.replace("Qwen/Qwen2.5-7B-Instruct", "someone/model-9b").replace("revision", "# revision")
    write(tmp_path, FREE + unpinned)
    done = reasonry("plan", "r.toml", "--json", cwd=tmp_path, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    stage = next(s for s in json.loads(done.stdout)["stages"] if s["stage"] == "train")
    assert stage["key"] is None
    assert stage["why"].startswith("key unknown: the Hub did not say")
    assert stage["needs"]["memory"] is None
    assert "hf download someone/model-9b config.json" in stage["needs"]["unknown"]["parameters"]


def test_the_text_says_whether_it_fits_and_what_would(tmp_path: Path) -> None:
    write(tmp_path, FREE + TRAIN)
    done = reasonry("plan", "r.toml", cwd=tmp_path, HF_HUB_OFFLINE="1")
    block = done.stdout.split("needs of train:student: ")[1].splitlines()
    assert block[0] == "Qwen/Qwen2.5-7B-Instruct on 1 x H100"
    lines = {line[:16].strip(): line[16:] for line in block[1:] if line[:16].strip()}
    assert lines["parameters"] == "7,615,616,512"
    assert lines["fits"] == "no, not into 90% of 80 GB"
    assert lines["would fit"] == 'method = "lora"'
    assert lines["time"] == "unknown"
    assert max(map(len, block)) <= 100


def test_an_unknown_gpu_is_named_with_the_nearest_known_one(tmp_path: Path) -> None:
    write(tmp_path, FREE + TRAIN.replace('"H100"', '"H10"'))
    done = reasonry("plan", "r.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "no figures for the GPU 'H10'" in done.stderr
    assert "did you mean 'H100'?" in done.stderr


def _lacks(package: str) -> str:
    from importlib.metadata import PackageNotFoundError

    raise PackageNotFoundError(package)


def test_a_library_that_lacks_is_a_doubt_to_the_plan_and_an_error_to_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = load_recipe(write(tmp_path, FREE + TRAIN))
    monkeypatch.setattr("reasonry.registry.version_of", _lacks)
    with pytest.raises(PartError, match="torch is not installed"):
        make_plan(recipe)
    steps = make_plan(recipe, only_to_show=True)
    (shown,) = (p for p in planned(steps, Store(tmp_path / "tables")) if p.step.stage == "train")
    assert (shown.why, shown.step.is_key_known) == ("key unknown: torch is not installed", False)
    assert all(step.is_key_known for step in steps if step.stage != "train")
