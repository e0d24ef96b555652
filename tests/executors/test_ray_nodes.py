"""A Ray cluster that loses a node: only what the node had is done again, and no digest changes."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="the ray extra is not installed")

from benchmarks.ray_nodes import Nodes, descendants

from reasonry.console import Console
from reasonry.contracts import Limits, Outcome, Work
from reasonry.executors.ray import AHEAD, RayExecutor
from reasonry.recipe import load_recipe
from reasonry.run import RunResult, run
from reasonry.types import JsonMap
from tests.conftest import ROOT
from tests.executors.test_ray import HERE, PATIENT, done_by, work
from tests.processes import gone_within

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Two nodes of one processor, so that each has one actor."""
    with Nodes(1, 1, path=[HERE, ROOT]) as started:
        yield started
        everyone = descendants(started.pid)
    assert gone_within(20, everyone)


@pytest.fixture(autouse=True)
def _address(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)


def test_a_lost_node_costs_its_own_batches_and_a_new_one_is_used(nodes: Nodes, tmp_path: Path) -> None:
    file = tmp_path / "done"
    dead: list[int] = []

    def replace() -> None:
        dead.extend(nodes.kill(nodes.newest))
        nodes.add(1)

    with RayExecutor(None) as executor:
        outcomes: list[Outcome] = []
        replacing = threading.Thread(target=replace)  # meanwhile the work goes on
        for outcome in executor.map(work("told", file=str(file), sleep=0.005), _rows_until(file, dead), PATIENT):
            outcomes.append(outcome)
            if len(outcomes) == 200:
                replacing.start()
        replacing.join()
    assert [outcome.value for outcome in outcomes] == list(range(len(outcomes)))
    counts, by = done_by(file)
    assert 0 < executor.batches_again <= AHEAD
    again = [x for x, count in counts.items() if count > 1]
    assert len(again) <= 256  # a batch of a quarter of a second has some 64 rows
    assert max(counts.values()) <= 2
    assert len(set(by.values()) & set(dead)) == 1
    assert len(set(by.values()) - set(dead)) == 2  # who was there, and who came with the new node


def _rows_until(file: Path, dead: list[int]) -> Iterator[JsonMap]:
    """Rows until three actors have been seen, one of them on the node that was killed."""
    for x in range(50_000):
        yield {"x": x}
        if x % 100 == 99 and dead and file.exists() and len(set(done_by(file)[1].values())) > 2:
            return


# A whole recipe

RECIPE = """\
name = "spread"
executor = "EXECUTOR"

[[questions]]
source = "jsonl"
path = "sums.jsonl"
verifier = "math"

[[questions]]
source = "jsonl"
path = "programs.jsonl"
verifier = "code"
[questions.fields]
answer = ""
spec = "spec"

[curate]
deduplicate = { method = "minhash", threshold = 0.8 }

[distil]
teacher = "replay"
path = "answers.jsonl"
samples = 2

[verify]
timeout_s = 10.0

[select]
keep = "correct"

[publish]
title = "Spread"
"""


def write_lines(path: Path, rows: list[JsonMap]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions to compute and to program, with a right and a wrong answer to each."""
    made = tmp_path_factory.mktemp("spread")
    names = ["Ada", "Ben", "Cyd", "Dan", "Eve"]
    sums = [(f"{names[n % 5]} has {n} apples and buys {3 * n + 1} more. How many?", 4 * n + 1) for n in range(300)]
    spec = {"language": "python", "tests": [{"input": "2\n", "output": "4\n"}]}
    programs = [f"Read a number and print it doubled, as exercise {n} asks." for n in range(40)]
    write_lines(made / "sums.jsonl", [{"prompt": prompt, "answer": str(answer)} for prompt, answer in sums])
    write_lines(made / "programs.jsonl", [{"prompt": prompt, "spec": spec} for prompt in programs])
    body = "n = int(input())\nfor _ in range(2_000_000): pass\nprint(n * %d)"
    answers = [(prompt, f"We add. \\boxed{{{answer + wrong}}}") for prompt, answer in sums for wrong in (0, 1)]
    answers += [(prompt, f"```python\n{body % times}\n```") for prompt in programs for times in (2, 3)]
    write_lines(made / "answers.jsonl", [{"question": prompt, "response": text} for prompt, text in answers])
    (made / "recipe.toml").write_text(RECIPE.replace("EXECUTOR", "local"))
    return made


def finished(folder: Path, name: str, *overrides: str) -> RunResult:
    recipe = load_recipe(folder / "recipe.toml", overrides)
    return run(recipe, folder / name, console=Console(quiet=True), workers=2)


@pytest.fixture(scope="module")
def here(folder: Path) -> RunResult:
    return finished(folder, "local")


def digests(done: RunResult) -> dict[str, str]:
    return {stage.stage: stage.digest for stage in done.stages}


def test_a_recipe_has_the_same_digests_on_a_cluster(folder: Path, here: RunResult) -> None:
    assert digests(finished(folder, "ray", "executor=ray")) == digests(here)
    counts = {stage.stage: stage.rows_out for stage in here.stages}
    assert counts["verify"] == 2 * counts["curate"] > 400
    assert 0 < counts["select"] < counts["verify"]


def test_a_node_killed_while_a_recipe_verifies_changes_no_digest(
    nodes: Nodes, folder: Path, here: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = RayExecutor.map
    killed: list[RayExecutor] = []

    def watched(executor: RayExecutor, work: Work, rows: Any, limits: Limits) -> Generator[Outcome]:
        for number, outcome in enumerate(as_it_is(executor, work, rows, limits)):
            if work.target == "reasonry.verifiers.batch:worker" and number == 100:
                assert nodes.kill(nodes.newest)
                killed.append(executor)
                nodes.add(1)
            yield outcome

    monkeypatch.setattr(RayExecutor, "map", watched)
    done = finished(folder, "killed", "executor=ray")
    assert digests(done) == digests(here)
    (executor,) = killed
    assert executor.batches_again <= 2 * AHEAD
