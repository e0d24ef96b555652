"""The Ray executor, on a cluster of two nodes: the outcomes of the local one, whatever is killed."""

from __future__ import annotations

import importlib
import itertools
import os
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="the ray extra is not installed")

from benchmarks.ray_nodes import Nodes, descendants

from reasonry import cluster
from reasonry.cluster import Crew, Share, connected, fingerprint, need_cluster
from reasonry.contracts import Limits, Outcome, Work
from reasonry.errors import UsageError, WorkFailed
from reasonry.executors import ray as ray_executor
from reasonry.executors.local import LocalExecutor
from reasonry.executors.ray import AHEAD, WINDOW_ROWS, Hands, RayExecutor
from reasonry.registry import find
from reasonry.types import JsonMap
from tests.conftest import ROOT
from tests.processes import gone_within

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent
PATIENT = Limits(cpu_s=20.0, memory_mb=1024)
FINE = Outcome("fine")


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Two nodes of two processors (as they say: processors are shared with the rest of this machine)."""
    with Nodes(2, 2, path=[HERE, ROOT]) as started:
        yield started
        everyone = descendants(started.pid)
    assert gone_within(20, everyone)


@pytest.fixture(autouse=True)
def _address(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    monkeypatch.syspath_prepend(str(HERE))


@pytest.fixture(scope="module")
def executor(nodes: Nodes) -> Iterator[RayExecutor]:
    """One for many tests, with one actor on each node: actors take seconds to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", nodes.address)
        opened = RayExecutor(2)
    with opened:
        yield opened


def work(name: str, **options: Any) -> Work:
    return Work(f"workloads:{name}", options)


def deeds(*names: str) -> list[JsonMap]:
    return [{"do": name} for name in names]


def test_it_is_the_part_named_ray_and_has_a_worker_for_each_processor() -> None:
    with find("executor", "ray").call(None) as opened:
        assert opened.workers == 4
    with find("executor", "ray").call(3) as opened:
        assert opened.workers == 3


def test_rows_that_harm_their_worker_have_the_outcomes_of_the_local_executor(executor: RayExecutor) -> None:
    bad = ["raise", "exit", "set", "loop", "memory", "sleep", "kill"]
    rows = deeds("nothing", *itertools.chain.from_iterable((name, "nothing") for name in bad))
    limits = Limits(cpu_s=0.2, memory_mb=1024)
    with LocalExecutor(2) as local:
        expected = list(local.map(work("misbehave"), rows, limits))
    found = list(executor.map(work("misbehave"), rows, limits))
    assert found == expected
    assert {outcome.failure for outcome in found} == {None, "raised", "died", "timeout", "memory"}


def test_many_rows_keep_their_order_and_are_read_only_a_window_ahead(executor: RayExecutor) -> None:
    taken = 0

    def endless() -> Iterator[JsonMap]:
        nonlocal taken
        for x in itertools.count():
            taken = x + 1
            yield {"x": x}

    with closing(executor.map(work("square"), endless(), PATIENT)) as outcomes:
        for yielded, outcome in enumerate(itertools.islice(outcomes, 60_000), start=1):
            assert outcome.value == (yielded - 1) ** 2
            assert taken - yielded <= WINDOW_ROWS * len(executor.crew.members) + 1


def test_rows_and_values_larger_than_a_batch_cross_whole(executor: RayExecutor) -> None:
    rows: list[JsonMap] = [{"text": f"{n}\ud800é" * 300_000} for n in range(12)]
    outcomes = list(executor.map(work("identity"), rows, PATIENT))
    assert [outcome.value["row"] for outcome in outcomes] == rows


def test_two_maps_at_once_share_the_actors(executor: RayExecutor) -> None:
    inner = (outcome.value for outcome in executor.map(work("square"), ({"x": x} for x in range(3000)), PATIENT))
    outer = executor.map(work("square", add=1), ({"x": x} for x in inner), PATIENT)
    assert [outcome.value for outcome in outer] == [x**4 + 1 for x in range(3000)]
    assert len(executor.crew.members) <= 2


def test_no_rows_give_no_outcomes_and_start_no_actor() -> None:
    with RayExecutor(1) as opened:
        assert list(opened.map(Work("no.such.module:work"), [], PATIENT)) == []
        assert opened.crew.members == []


def test_work_that_cannot_be_imported_fails_with_its_reason_and_node(executor: RayExecutor) -> None:
    with pytest.raises(WorkFailed, match=r"No module named 'nowhere'.*on node"):
        list(executor.map(Work("nowhere:work"), [{}], PATIENT))


def test_rows_see_no_secret_of_a_node(executor: RayExecutor) -> None:
    (outcome,) = executor.map(work("environment"), [{}], PATIENT)
    assert not [name for name in outcome.value if name.startswith("RAY_")]
    assert outcome.value["OMP_NUM_THREADS"] == "1"


def test_an_error_in_the_rows_reaches_the_caller_and_the_executor_goes_on(executor: RayExecutor) -> None:
    def rows() -> Iterator[JsonMap]:
        yield from ({"x": x} for x in range(20))
        raise KeyError("the source broke")

    with pytest.raises(KeyError, match="the source broke"):
        list(executor.map(work("square"), rows(), PATIENT))
    assert [outcome.value for outcome in executor.map(work("square"), [{"x": 3}], PATIENT)] == [9]


def test_limits_that_would_switch_the_limit_off_are_refused(executor: RayExecutor) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        executor.map(work("square"), [{"x": 1}], Limits(0, 1024))


def test_a_closed_executor_refuses_work_and_harms_no_other(executor: RayExecutor) -> None:
    opened = RayExecutor(1)
    opened.close()
    with pytest.raises(WorkFailed, match="closed"):
        opened.map(work("square"), [{"x": 1}], PATIENT)
    assert [outcome.value for outcome in executor.map(work("square"), [{"x": 3}], PATIENT)] == [9]


def test_connecting_leaves_our_signal_handler_in_place(executor: RayExecutor) -> None:
    assert not str(getattr(signal.getsignal(signal.SIGTERM), "__module__", "")).startswith("ray")


# Where there is no cluster, or not the right one


@pytest.fixture
def _unconnected(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """As in a process that has no connection yet: where there is one, it is used."""
    monkeypatch.setattr("ray.is_initialized", lambda: False)


@pytest.mark.usefixtures("_unconnected")
def test_a_cluster_that_does_not_answer_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{taken.getsockname()[1]}")
        begun = time.monotonic()
        with pytest.raises(UsageError, match="no Ray cluster answers") as caught:
            need_cluster()
    assert time.monotonic() - begun < 5
    assert "ray start --head" in (caught.value.hint or "")


@pytest.mark.usefixtures("_unconnected")
def test_where_none_was_started_the_error_says_how(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RAY_ADDRESS")
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with pytest.raises(UsageError, match="no Ray cluster runs on this machine") as caught:
        need_cluster()
    assert "ray start --head" in (caught.value.hint or "")


@pytest.mark.usefixtures("_unconnected")
@pytest.mark.parametrize("address", ["ray://head:10001", "local"])
def test_addresses_that_would_start_a_cluster_or_another_client_are_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(UsageError, match="not the address of a cluster"):
        need_cluster()


def test_a_node_with_other_versions_is_refused_with_their_names(
    executor: RayExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "fingerprint", lambda: {**fingerprint(), "sympy": "0.0"})
    with RayExecutor(1) as opened, pytest.raises(WorkFailed, match=r"not like this machine: sympy is 1\..*, here 0\.0"):
        list(opened.map(work("square"), [{"x": 1}], PATIENT))


def test_a_node_without_our_code_is_told(
    executor: RayExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("class Absent:\n    def hello(self): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    crew = Crew(importlib.import_module("only_here").Absent, Share(), 1)
    (member,) = crew.hire()
    with pytest.raises(WorkFailed, match="an actor cannot start: ModuleNotFoundError: No module named 'only_here'"):
        crew.meet(member)


def test_where_no_node_has_room_for_a_while_the_work_fails(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "NO_ONE_S", 0.5)
    with connected():
        crew = Crew(Hands, Share("GPU"), None)
        assert crew.hire() == []
        crew.check()
        time.sleep(0.6)
        with pytest.raises(WorkFailed, match="no node of the cluster has had room") as caught:
            crew.check()
    assert "needs 1 GPU" in (caught.value.hint or "")


def test_every_library_that_a_run_needs_decides_results_or_is_known_not_to() -> None:
    others = {"aiohttp", "click", "duckdb", "jinja2", "pyarrow", "pydantic", "rich", "tenacity", "zstandard"}
    wanted = {re.split(r"[<>=;\[ ]", each)[0] for each in requires("reasonry") or () if "extra ==" not in each}
    assert wanted <= {*fingerprint(), *others}
    assert "missing" not in fingerprint().values()


# What is killed


def done_by(file: Path) -> tuple[Counter[int], dict[int, int]]:
    """How often each row was done, and the actor that had it last."""
    lines = [(int(x), int(parent)) for x, parent in map(str.split, file.read_text().splitlines())]
    return Counter(x for x, _ in lines), dict(lines)


@pytest.mark.parametrize("victim", ["worker", "actor"])
def test_a_process_that_is_killed_costs_the_rows_it_had_and_no_others(
    executor: RayExecutor, tmp_path: Path, capsys: pytest.CaptureFixture[str], victim: str
) -> None:
    file = tmp_path / "done"
    rows: list[JsonMap] = [{"x": x} for x in range(600)]
    again = executor.batches_again
    outcomes: list[Outcome] = []
    for outcome in executor.map(work("told", file=str(file), sleep=0.005), rows, PATIENT):
        outcomes.append(outcome)
        if len(outcomes) == 200:
            _, by = done_by(file)
            actor = by[max(by)]
            os.kill(actor if victim == "actor" else descendants(actor)[0], signal.SIGKILL)
    assert [outcome.value for outcome in outcomes] == list(range(600))
    counts, _ = done_by(file)
    assert executor.batches_again - again <= (AHEAD if victim == "actor" else 0)
    assert sum(counts.values()) - 600 <= 128  # a batch of a quarter of a second has some 64 rows
    assert capsys.readouterr().out == ""


def test_a_row_that_ends_every_actor_it_meets_costs_itself_alone(
    executor: RayExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_executor, "TRIES", 1)
    rows: list[JsonMap] = [{"fatal": number == 11} for number in range(20)]
    outcomes = list(executor.map(work("orphan"), rows, PATIENT))
    assert outcomes[11] == Outcome(failure="died", detail="its actor ended 1 times")
    assert outcomes[:11] + outcomes[12:] == [FINE] * 19
