"""A checkpoint's score: the checkpoint by its content, its chat template and its sampling among the conditions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the train extra is not installed")

from reasonry.console import Console
from reasonry.evaluating import evaluate_checkpoint, options_from
from reasonry.run import score_of
from reasonry.stages.respondents import CheckpointRespondent
from reasonry.store import Manifest, Store
from reasonry.types import Completion, Question
from tests.trainers.examples import Trained


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Trained(tmp_path_factory.mktemp("evaluated")).run(steps=3).checkpoint


def score(checkpoint: Path, folder: Path, **values: Any) -> Manifest:
    given = {"count": 6, "steps": 2, "digits": 1, "max_tokens": 8, "seed": 5, **values}
    section = options_from("benchmark", "procedural", given, "benchmark")
    return evaluate_checkpoint(checkpoint, section, folder, workers=1, console=Console(quiet=True))


def test_a_copy_of_a_checkpoint_elsewhere_has_the_same_score(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path / "copied")
    one, other = score(checkpoint, tmp_path / "a"), score(tmp_path / "copied", tmp_path / "b")
    assert score_of(one)["conditions_digest"] == score_of(other)["conditions_digest"]
    conditions = one.metrics["conditions"]
    assert conditions["model"].startswith("checkpoint/")
    assert conditions["chat_template"]
    assert conditions["software.torch"]
    assert not any(str(checkpoint) in str(value) or "copied" in str(value) for value in conditions.values())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"temperature": 1.0}, {"temperature", "seed"}),
        ({"temperature": 1.0, "top_p": 0.9}, {"temperature", "top_p", "seed"}),
        ({"max_tokens": 9}, {"max_tokens"}),
        ({"system": "Add."}, {"system_prompt", "asked"}),
        ({"prompt": "{prompt} Think."}, {"prompt", "asked"}),
        ({"batch_size": 2}, set[str]()),
    ],
)
def test_the_conditions_that_a_change_concerns_differ_and_no_others(
    checkpoint: Path, tmp_path: Path, change: dict[str, Any], named: set[str]
) -> None:
    plain = score(checkpoint, tmp_path).metrics["conditions"]
    changed = score(checkpoint, tmp_path, **change).metrics["conditions"]
    assert {name for name in plain if plain[name] != changed[name]} == named


def test_samples_differ_and_batches_do_not_decide_them(checkpoint: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"temperature": 1.0, "samples": 3, "max_tokens": 12}
    one, other = score(checkpoint, tmp_path / "a", **how), score(checkpoint, tmp_path / "b", batch_size=1, **how)
    assert one.digest == other.digest
    rows = list(Store(tmp_path / "a" / "tables").rows(one, Completion))
    assert [row.index for row in rows] == [0, 1, 2] * 6
    assert len({row.response for row in rows[:3]}) > 1
    assert {"pass@1", "pass@2", "pass@3"} <= one.metrics.keys()


def test_questions_are_read_a_window_at_a_time(checkpoint: Path) -> None:
    section = options_from("benchmark", "procedural", {"batch_size": 1, "max_tokens": 1}, "benchmark")
    read: list[int] = []

    def questions() -> Any:
        for number in range(40):
            read.append(number)
            yield Question(f"What is {number}?", None, "exact")

    answers = CheckpointRespondent(section, checkpoint).answers(questions())
    assert next(answers).question.prompt == "What is 0?"
    assert len(read) == 8
