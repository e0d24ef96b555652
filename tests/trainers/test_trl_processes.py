"""A training shared by two processes: the steps of one process, and a checkpoint like its."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="the trl extra is not installed")
pytest.importorskip("peft", reason="the trl extra is not installed")

from reasonry.store import work_folder
from reasonry.types import TrainStep
from tests.trainers.qwen import base_model
from tests.trainers.test_trl import train, weights

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return base_model(tmp_path_factory.mktemp("base"))


def close(one: list[TrainStep], other: list[TrainStep]) -> None:
    assert [(s.step, s.tokens) for s in one] == [(s.step, s.tokens) for s in other]
    assert [s.loss for s in one] == pytest.approx([s.loss for s in other], rel=1e-3)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_two_processes_make_the_steps_of_one(base: Path, tmp_path: Path, method: str) -> None:
    alone = train(base, tmp_path / "alone", method=method, steps=6)
    shared = train(base, tmp_path / "shared", method=method, steps=6, processes=2)
    close(shared, alone)
    assert shared[-1].loss < 0.98 * shared[0].loss
    one, two = weights(tmp_path / "alone" / "checkpoint"), weights(tmp_path / "shared" / "checkpoint")
    assert {name: w.shape for name, w in one.items()} == {name: w.shape for name, w in two.items()}
    assert all(one[name].dtype == two[name].dtype for name in one)
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-3


@pytest.mark.parametrize("method", ["full", "lora"])
def test_two_processes_that_share_the_model_make_the_steps_of_one(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr("reasonry.trainers.trl_processes.WORKER", "tests.trainers.fsdp_worker")
    monkeypatch.chdir(Path(__file__).parents[2])
    alone = train(base, tmp_path / "alone", method=method, steps=4)
    shared = train(base, tmp_path / "shared", method=method, steps=4, processes=2, sharding="fsdp")
    close(shared, alone)
    one, two = weights(tmp_path / "alone" / "checkpoint"), weights(tmp_path / "shared" / "checkpoint")
    assert one.keys() == two.keys()
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-3


def test_processes_end_with_whoever_started_them_and_the_next_run_goes_on(base: Path, tmp_path: Path) -> None:
    undisturbed = train(base, tmp_path / "whole", steps=8, save_every=4, processes=2)
    out = tmp_path / "killed.partial"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tests.trainers.test_trl import options\n"
        "from tests.trainers.examples import conversations\n"
        "from reasonry.trainers.trl import trl\n"
        "die = lambda step: step.step == 6 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "asked = options(Path(sys.argv[1]), steps=8, save_every=4, processes=2)\n"
        "trl(conversations(60), asked, Path(sys.argv[2]), die)\n"
    )
    command = [sys.executable, "-c", code, str(base), str(out)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 60
    while _workers_of(work_folder(out)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _workers_of(work_folder(out)) == []
    resumed = train(base, out, steps=8, save_every=4, processes=2)
    close(resumed, undisturbed)
    one, two = weights(tmp_path / "whole" / "checkpoint"), weights(out / "checkpoint")
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-6


def _workers_of(folder: Path) -> list[str]:
    """The processes of this machine whose command names the folder."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and "trl_worker" in command:
            found.append(process.name)
    return found
