"""What a recipe can say of several processes, and what becomes of one that fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

pytest.importorskip("trl", reason="the trl extra is not installed")

from reasonry.errors import UsageError, WorkFailed
from reasonry.trainers.trl_options import TrlOptions, trl_inputs
from tests.trainers.qwen import base_model
from tests.trainers.test_trl import options, train


def test_processes_are_in_the_key_and_one_alone_is_what_it_was(tmp_path: Path) -> None:
    base = base_model(tmp_path / "base")
    alone, two = options(base), options(base, processes=2)
    assert {given.name for given in trl_inputs(two)} - {given.name for given in trl_inputs(alone)} == {"processes"}
    assert trl_inputs(two) != trl_inputs(options(base, processes=2, sharding="fsdp"))
    assert two.key_content() == alone.key_content()


def test_processes_share_by_fsdp_or_not_at_all() -> None:
    with pytest.raises(ValidationError, match="share the model by FSDP or not at all"):
        TrlOptions.model_validate({"base": "a/b", "processes": 2, "accumulation": 2, "sharding": "zero3"})


def test_processes_that_cannot_share_a_step_are_refused() -> None:
    with pytest.raises(ValidationError, match="3 processes cannot share a step"):
        TrlOptions.model_validate({"base": "a/b", "processes": 3, "accumulation": 4})


def test_plan_reckons_with_as_many_gpus_as_processes() -> None:
    assert TrlOptions.model_validate({"base": "a/b", "processes": 4, "accumulation": 4}).devices == 4


def test_more_processes_than_gpus_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reasonry.trainers.trl_processes.gpus_here", lambda: 1)
    with pytest.raises(UsageError, match="2 processes want a GPU each, and this machine has 1"):
        train(base_model(tmp_path / "base"), tmp_path / "out", processes=2)


def test_what_a_failed_process_said_is_in_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reasonry.trainers.trl_processes.WORKER", "reasonry.no_such_worker")
    with pytest.raises(WorkFailed, match="no_such_worker") as failure:
        train(base_model(tmp_path / "base"), tmp_path / "out.partial", processes=2)
    assert failure.value.place == "train.processes"
