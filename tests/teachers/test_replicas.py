"""Teachers with a model of their own on a Ray cluster: the answers of the local one, whatever is lost."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="the ray extra is not installed")
pytest.importorskip("torch", reason="the train extra is not installed")

from benchmarks.ray_nodes import Nodes, descendants

from reasonry.cluster import Share
from reasonry.console import Console
from reasonry.errors import TeacherError
from reasonry.ledger import Ledger
from reasonry.recipe import load_recipe
from reasonry.run import RunResult, run
from reasonry.teachers.asking.ask import Answered, ask_all
from reasonry.teachers.replicas import Replicas, is_spread
from reasonry.teachers.simulated import SimulatedOptions
from reasonry.teachers.student import StudentOptions, student
from reasonry.teachers.vllm import VllmOptions
from reasonry.types import Question, Request, Sampling
from tests.conftest import ROOT
from tests.processes import gone_within
from tests.trainers.examples import Trained

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with Nodes(1, 1, path=[ROOT]) as started:
        yield started
        everyone = descendants(started.pid)
    assert gone_within(20, everyone)


@pytest.fixture(autouse=True)
def _address(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)


@pytest.fixture(scope="module")
def fluent(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("fluent")).run(steps=150, learning_rate=1e-2)


def options(folder: Path, **changes: Any) -> StudentOptions:
    given = {"teacher": "student", "path": str(folder), "seed": 7, "temperature": 1.0, **changes}
    return StudentOptions.model_validate(given)


def requests_of(trained: Trained, count: int) -> list[Request]:
    asked = [messages[:1] for messages in trained.conversations[:count]]
    return [
        Request(messages, Sampling(1.0, None, 40, index), Question(messages[0].content, None, "exact"))
        for messages in asked
        for index in (0, 1)
    ]


def test_what_runs_a_model_itself_is_spread_and_what_asks_others_is_not(fluent: Trained) -> None:
    made = options(fluent.checkpoint)
    assert is_spread(made, "ray")
    assert not is_spread(made, "local")
    assert not is_spread(SimulatedOptions(teacher="simulated"), "ray")
    wide = VllmOptions.model_validate({"teacher": "vllm", "model": "some/model", "tensor_parallel_size": 4})
    assert wide.share(8) == Share("GPU", 4)
    assert made.share(0) == Share("CPU", is_held=False)
    assert made.share(1) == options(fluent.checkpoint, device="cuda").share(0) == Share("GPU")


def test_a_lost_node_costs_what_it_was_asked_and_answers_are_those_of_the_local_teacher(
    nodes: Nodes, fluent: Trained, tmp_path: Path
) -> None:
    made, requests = options(fluent.checkpoint, batch_size=1), requests_of(fluent, 60)  # one after the other
    with Ledger(tmp_path / "local.sqlite") as ledger:
        expected = list(ask_all(student(made), requests, ledger, concurrency=32))
    teacher = Replicas(made, None)
    assert (teacher.model, teacher.served_by) == (student(made).model, student(made).served_by)
    replies = asyncio.run(_asked_while_a_node_is_lost(teacher, requests, nodes))
    assert replies == [outcome.reply for outcome in expected if isinstance(outcome, Answered)]
    assert 0 < teacher.asked_again < len(requests)


async def _asked_while_a_node_is_lost(teacher: Replicas, requests: Sequence[Request], nodes: Nodes) -> list[Any]:
    async with teacher:
        while teacher.count < 2:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.1)
        asked = [asyncio.create_task(teacher(request)) for request in requests]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.to_thread(nodes.kill, nodes.newest)
        return await asyncio.gather(*asked)


def test_a_checkpoint_that_a_node_does_not_have_is_told_with_the_node(fluent: Trained, tmp_path: Path) -> None:
    there = tmp_path / "there"
    shutil.copytree(fluent.checkpoint, there)
    teacher = Replicas(options(there), 1)
    there.rename(tmp_path / "elsewhere")

    async def opened() -> None:
        async with teacher:
            pass

    with pytest.raises(TeacherError, match=r"ray node .*there: the checkpoint cannot be read") as caught:
        asyncio.run(opened())
    assert caught.value.fatal


RECIPE = """\
name = "taught"
executor = "local"
[[questions]]
source = "jsonl"
path = "q.jsonl"
verifier = "math"
[distil]
teacher = "student"
path = "CHECKPOINT"
samples = 2
temperature = 1.0
max_tokens = 40
"""


def test_a_recipe_has_the_same_digests_with_its_model_on_a_cluster(fluent: Trained, tmp_path: Path) -> None:
    rows = [{"prompt": messages[0].content, "answer": "1"} for messages in fluent.conversations[:12]]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("CHECKPOINT", str(fluent.checkpoint)))

    def finished(name: str, *overrides: str) -> RunResult:
        return run(load_recipe(tmp_path / "recipe.toml", overrides), tmp_path / name, console=Console(quiet=True))

    here, there = finished("local"), finished("ray", "executor=ray")
    assert [stage.digest for stage in here.stages] == [stage.digest for stage in there.stages]
    assert [stage.key for stage in here.stages] == [stage.key for stage in there.stages]
