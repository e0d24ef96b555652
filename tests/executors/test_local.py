"""The local executor: what a row may do to its worker, and what stays untouched by it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reasonry.contracts import Limits, Outcome, Work
from reasonry.errors import WorkFailed
from reasonry.executors.local import LocalExecutor
from reasonry.executors.mapping import WINDOW_ROWS
from reasonry.registry import find
from reasonry.types import JsonMap
from tests.processes import children_of, gone_within

HERE = Path(__file__).resolve().parent
LIMITS = Limits(cpu_s=0.3, memory_mb=1024)
PATIENT = Limits(cpu_s=20.0, memory_mb=1024)
FINE = Outcome("fine")


@pytest.fixture(autouse=True)
def _workloads_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.syspath_prepend(str(HERE))


def work(name: str, **options: Any) -> Work:
    return Work(f"workloads:{name}", options)


def run(name: str, rows: list[JsonMap], *, workers: int = 2, limits: Limits = LIMITS) -> list[Outcome]:
    with LocalExecutor(workers) as executor:
        return list(executor.map(work(name), rows, limits))


def deeds(*names: str) -> list[JsonMap]:
    return [{"do": name} for name in names]


def only(outcomes: Iterator[Outcome]) -> Any:
    (outcome,) = outcomes
    return outcome.value


def test_it_is_the_part_named_local() -> None:
    with find("executor", "local").call(2) as executor:
        assert executor.workers == 2
        assert [o.value for o in executor.map(work("square", add=1), [{"x": 3}], LIMITS)] == [10]


@pytest.mark.parametrize("deed", ["loop", "regex", "power", "threads", "sleep"])
def test_a_row_that_does_not_end_is_a_timeout_and_its_neighbours_are_not(deed: str) -> None:
    limits = Limits(cpu_s=0.2, memory_mb=2048)
    outcomes = run("misbehave", deeds("nothing", deed, "nothing"), workers=1, limits=limits)
    assert [outcome.failure for outcome in outcomes] == [None, "timeout", None]
    assert "0.2 s of processor time" in outcomes[1].detail


def test_the_detail_of_a_timeout_does_not_say_which_clock_was_first() -> None:
    by_cpu, by_wall = run("misbehave", deeds("loop", "sleep"), limits=Limits(0.1, 1024))
    assert by_cpu == by_wall


def test_a_row_that_eats_memory_is_told_apart() -> None:
    outcomes = run("misbehave", deeds("nothing", "memory", "nothing"), workers=1, limits=PATIENT)
    assert outcomes == [FINE, Outcome(failure="memory", detail="more than 1024 MB of memory"), FINE]


def test_memory_left_behind_by_other_rows_does_not_decide() -> None:
    rows: list[JsonMap] = [{"mb": 300} for _ in range(6)]
    outcomes = run("hoard", rows, workers=1, limits=PATIENT)
    assert [outcome.failure for outcome in outcomes] == [None] * 6


@pytest.mark.parametrize(("deed", "ending"), [("exit", "exit code 3"), ("kill", "killed by SIGKILL")])
def test_a_row_that_ends_its_worker_twice_has_died_and_the_detail_says_how(deed: str, ending: str) -> None:
    outcomes = run("misbehave", deeds("nothing", deed, "nothing"), workers=1)
    assert outcomes == [FINE, Outcome(failure="died", detail=f"the worker ended twice: {ending}"), FINE]


def test_a_worker_killed_from_outside_costs_no_row(tmp_path: Path) -> None:
    rows: list[JsonMap] = [{}, {"mark": str(tmp_path / "seen")}, {}]
    assert run("once", rows, workers=1) == [FINE, FINE, FINE]


@pytest.mark.parametrize(
    ("deed", "detail"),
    [("raise", "ValueError: no"), ("sys.exit", "SystemExit: 4"), ("set", "TypeError: Object of type set")],
)
def test_an_exception_is_the_rows_own_and_names_itself(deed: str, detail: str) -> None:
    outcomes = run("misbehave", deeds("nothing", deed, "nothing"), workers=1)
    assert [outcome.failure for outcome in outcomes] == [None, "raised", None]
    assert outcomes[1].detail.startswith(detail)


def test_printing_and_reading_do_not_disturb_the_frames() -> None:
    outcomes = run("misbehave", deeds("print", "read", "nothing"), workers=1)
    assert [outcome.failure for outcome in outcomes] == [None, None, None]
    assert outcomes[1].value == ""


def test_outcomes_keep_the_order_of_rows_that_finish_in_any_order() -> None:
    values = [outcome.value for outcome in run("hesitate", [{"x": x} for x in range(300)], limits=PATIENT)]
    assert values == list(range(300))


def test_one_worker_and_three_give_the_same_outcomes() -> None:
    names = ["nothing", "raise", "nothing", "exit", "nothing", "set", "loop", "nothing"] * 2
    limits = Limits(cpu_s=0.1, memory_mb=1024)
    one, three = (run("misbehave", deeds(*names), workers=n, limits=limits) for n in (1, 3))
    assert one == three


def test_bad_rows_in_the_middle_of_batches_cost_nothing_but_themselves() -> None:
    bad = {100: "exit", 150: "loop", 151: "raise", 280: "kill", 281: "sleep", 282: "set", 399: "sys.exit"}
    names = [bad.get(number, "nothing") for number in range(400)]
    limits = Limits(cpu_s=0.1, memory_mb=1024)
    one, two = (run("misbehave", deeds(*names), workers=n, limits=limits) for n in (1, 2))
    assert one == two
    failures = {number: outcome.failure for number, outcome in enumerate(one) if outcome != FINE}
    died, timeout, raised = "died", "timeout", "raised"
    assert failures == {100: died, 150: timeout, 151: raised, 280: died, 281: timeout, 282: raised, 399: raised}


def test_a_row_that_closes_its_workers_pipe_is_found_and_always_told_the_same() -> None:
    closing = {40, 41, 170, 230, 299}
    names = ["close" if number in closing else "nothing" for number in range(300)]
    for workers in (1, 2, 3):
        outcomes = run("misbehave", deeds(*names), workers=workers, limits=PATIENT)
        assert {number for number, outcome in enumerate(outcomes) if outcome != FINE} == closing
        assert {outcomes[number].detail for number in closing} == {"the worker ended twice: killed by SIGKILL"}


def test_memory_eaten_in_the_middle_of_a_batch_is_that_rows_alone() -> None:
    names = ["memory" if number in (70, 71) else "nothing" for number in range(200)]
    failures = [outcome.failure for outcome in run("misbehave", deeds(*names), limits=PATIENT)]
    assert [number for number, failure in enumerate(failures) if failure == "memory"] == [70, 71]
    assert failures.count(None) == 198


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_killed_in_the_middle_of_a_batch_lose_and_double_no_row(workers: int) -> None:
    with LocalExecutor(workers) as executor:
        outcomes: list[Outcome] = []
        for outcome in executor.map(work("identity"), ({"x": x} for x in range(30_000)), PATIENT):
            outcomes.append(outcome)
            if len(outcomes) in (50, 5_000, 20_000):
                os.kill(outcome.value["pid"], signal.SIGKILL)
    assert [outcome.value["row"]["x"] for outcome in outcomes] == list(range(30_000))


def test_a_row_that_ends_its_worker_after_its_own_end_stops_no_other() -> None:
    rows: list[JsonMap] = [{"x": x, "fuse": x in (30, 90)} for x in range(150)]
    outcomes = run("fuse", rows, limits=PATIENT)
    assert len(outcomes) == 150
    assert all(outcome == Outcome(row["x"]) for outcome, row in zip(outcomes, rows, strict=True) if not row["fuse"])


def test_a_few_slow_rows_are_shared_out_one_by_one() -> None:
    with LocalExecutor(2) as executor:
        pids = {outcome.value for outcome in executor.map(work("slow_pid"), [{}] * 4, PATIENT)}
    assert len(pids) == 2


def test_rows_behind_a_bad_one_wait_no_longer_than_its_own_limit() -> None:
    limits = Limits(cpu_s=0.5, memory_mb=1024)
    start = time.monotonic()
    outcomes = run("misbehave", deeds("loop", *["nothing"] * 200), workers=1, limits=limits)
    assert outcomes[1:] == [FINE] * 200
    assert time.monotonic() - start < 6 * limits.cpu_s + 5


def test_rows_are_read_only_a_window_ahead() -> None:
    taken = 0

    def endless() -> Iterator[JsonMap]:
        nonlocal taken
        for x in itertools.count():
            taken = x + 1
            yield {"x": x}

    with LocalExecutor(2) as executor:
        outcomes = executor.map(work("square"), endless(), PATIENT)
        for yielded, outcome in enumerate(itertools.islice(outcomes, 20_000), start=1):
            assert outcome.value == (yielded - 1) ** 2
            assert taken - yielded <= WINDOW_ROWS * 2


def test_no_rows_give_no_outcomes_and_start_no_worker() -> None:
    with LocalExecutor(2) as executor:
        assert list(executor.map(Work("no.such.module:work"), [], LIMITS)) == []


def test_work_that_cannot_be_imported_fails_with_its_reason() -> None:
    with (
        LocalExecutor(1) as executor,
        pytest.raises(WorkFailed, match="ModuleNotFoundError: No module named 'nowhere'"),
    ):
        list(executor.map(Work("nowhere:work"), [{}], LIMITS))


def test_a_factory_that_raises_fails_with_its_reason() -> None:
    with pytest.raises(WorkFailed, match="RuntimeError: no such luck"):
        run("broken", [{}])


def test_an_error_in_the_rows_reaches_the_caller() -> None:
    def rows() -> Iterator[JsonMap]:
        yield {"x": 1}
        raise KeyError("the source broke")

    with LocalExecutor(2) as executor, pytest.raises(KeyError, match="the source broke"):
        list(executor.map(work("square"), rows(), LIMITS))


def test_limits_that_would_switch_the_limit_off_are_refused() -> None:
    with LocalExecutor(1) as executor, pytest.raises(ValueError, match="must be positive"):
        list(executor.map(work("square"), [{"x": 1}], Limits(0, 1024)))


def test_rows_and_values_larger_than_a_pipe_cross_whole() -> None:
    rows: list[JsonMap] = [{"text": f"{n}\ud800é" * 100_000} for n in range(6)]
    outcomes = run("identity", rows, limits=PATIENT)
    assert [outcome.value["row"] for outcome in outcomes] == rows


def test_a_caller_that_is_slow_costs_no_row_its_time() -> None:
    limits = Limits(cpu_s=0.05, memory_mb=1024)  # 1.25 s of wall time
    with LocalExecutor(1) as executor:
        outcomes = executor.map(work("hesitate"), [{"x": x} for x in range(100)], limits)
        first = next(outcomes)
        time.sleep(2.0)
        assert [first.value, *(outcome.value for outcome in outcomes)] == list(range(100))


def test_preparing_is_on_no_rows_account() -> None:
    assert run("prepared", [{"cpu_s": 0.6}], workers=1, limits=Limits(0.1, 1024)) == [Outcome(value=True)]


def test_workers_see_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("MY_TOKEN", "t-secret")
    (outcome,) = run("environment", [{}])
    assert "secret" not in str(outcome.value)
    assert outcome.value["OMP_NUM_THREADS"] == "1"


def test_workers_are_kept_for_the_next_map_of_the_same_work() -> None:
    with LocalExecutor(1) as executor:
        first, second = (only(executor.map(work("identity"), [{}], LIMITS)) for _ in range(2))
        other = only(executor.map(work("identity", other=1), [{}], LIMITS))
    assert first["pid"] == second["pid"] != other["pid"]


def test_a_worker_is_out_of_reach_of_our_ctrl_c() -> None:
    (outcome,) = run("identity", [{}])
    assert outcome.value["group"] == outcome.value["pid"] != os.getpgrp()


def test_closing_leaves_no_process_behind_not_even_a_child_of_the_work() -> None:
    with LocalExecutor(2) as executor:
        pids = [outcome.value["pid"] for outcome in executor.map(work("identity"), [{}] * 50, LIMITS)]
        pids += [outcome.value for outcome in executor.map(work("child"), [{}] * 2, LIMITS)]
    assert gone_within(5, pids)


def test_a_generator_closed_early_ends_its_busy_workers() -> None:
    with LocalExecutor(1) as executor:
        with closing(executor.map(work("misbehave"), deeds("pid", "sleep"), PATIENT)) as outcomes:
            pid = next(outcomes).value
        assert gone_within(5, [pid])
        assert list(executor.map(work("misbehave"), deeds("nothing"), LIMITS)) == [FINE]


def test_a_closed_executor_refuses_work() -> None:
    executor = LocalExecutor(1)
    executor.close()
    with pytest.raises(WorkFailed, match="closed"):
        executor.map(work("square"), [{"x": 1}], LIMITS)


PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
from reasonry.contracts import Limits, Work
from reasonry.executors.local import LocalExecutor
with LocalExecutor(2) as executor:
    rows = [{}] * 40
    print(*{o.value["pid"] for o in executor.map(Work("workloads:identity"), rows, Limits(60, 1024))}, flush=True)
    list(executor.map(Work("workloads:misbehave"), [{"do": sys.argv[2]}] * 2, Limits(60, 1024)))
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks its children up in /proc")
@pytest.mark.parametrize("deed", ["sleep", "loop"])
def test_no_worker_outlives_a_parent_that_was_killed(deed: str) -> None:
    command = [sys.executable, "-c", PARENT, str(HERE), deed]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        time.sleep(0.5)
        children = children_of(parent.pid)
        assert len(children) >= 2
        parent.send_signal(signal.SIGKILL)
        assert gone_within(5, children)
