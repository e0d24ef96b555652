"""What a row costs on its way: the executors `ray` and `local`, and one Ray task for each row, on the same rows.

    python -m benchmarks.ray_overhead --rounds 3

A cluster of two nodes with one processor each runs on this machine. Printed is, for each row, the processor time of
all processes together (this one, actors, workers, Ray's own) less that of the row's work by itself, and the elapsed
time, as medians of the rounds. Starting (actors, workers, what they import) is before the clock, and told by itself.

10 us, 100 us     rows that use up so much processor time and nothing else
maths             `math` verdicts on responses of 20 KB, by `verify_all`, as the verify stage does
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.ray_nodes import Nodes, cpu_seconds, descendants
from reasonry.cluster import connected
from reasonry.contracts import Executor, Limits, Work
from reasonry.executors.local import LocalExecutor
from reasonry.executors.ray import RayExecutor
from reasonry.types import JsonMap, Question
from reasonry.verifiers.batch import VerifyItem, verify_all

__all__ = ["main", "maths_items", "spin"]

ROOT = Path(__file__).resolve().parent.parent
_LIMITS = Limits(cpu_s=20.0, memory_mb=2048)
_IN_FLIGHT = 200  # of the tasks with one row each
_CHARACTERS = 20_000
_TEXT = "so then the sum of these is that number and we check it again with care because one may be wrong"


def spin(options: JsonMap) -> Callable[[JsonMap], int]:
    """Use up so many seconds of processor time."""

    def call(row: JsonMap) -> int:
        end = time.thread_time() + options["s"]
        while time.thread_time() < end:
            pass
        return row["x"]

    return call


def maths_items(count: int, seed: int = 0) -> Iterator[VerifyItem]:
    """Questions with a long response each, half of them wrong, no two the same."""
    draws, some = random.Random(seed), _TEXT.split()
    for number in range(count):
        answer = draws.randrange(10**6)
        sums = [f"{draws.randrange(1000)} + {draws.randrange(1000)}" for _ in range(_CHARACTERS // 80)]
        text = " ".join(f"{' '.join(draws.choices(some, k=12))} ${each}$." for each in sums)
        said = answer if number % 2 else answer + 1
        question = Question(f"Question {seed}.{number}: what is it?", str(answer), "math")
        yield VerifyItem(question, f"<think>\n{text}\n</think>\n\nThe answer is $\\boxed{{{said}}}$.")


@dataclass(frozen=True, slots=True)
class Workload:
    """Rows that are made before the clock runs, and what to do with them: by an executor, or one by one."""

    name: str
    rows: int
    work: Work
    made: Callable[[int], list[Any]]  # of the round with this number
    spread: Callable[[Executor, list[Any]], int]  # how many were done
    single: Callable[[Any], JsonMap]  # what is given to the work by itself


def _spinning(seconds: float, rows: int) -> Workload:
    work = Work("benchmarks.ray_overhead:spin", {"s": seconds})

    def spread(executor: Executor, made: list[JsonMap]) -> int:
        return sum(outcome.failure is None for outcome in executor.map(work, made, _LIMITS))

    name = f"{seconds * 1e6:.0f} us"
    return Workload(name, rows, work, lambda _: [{"x": x} for x in range(rows)], spread, lambda row: row)


def _maths(rows: int) -> Workload:
    def spread(executor: Executor, made: list[VerifyItem]) -> int:
        return sum(verdict.status.score is not None for verdict in verify_all(made, executor, _LIMITS))

    def single(item: VerifyItem) -> JsonMap:
        question = item.question
        fields = {"prompt": question.prompt, "answer": question.answer, "verifier": question.verifier}
        return {"question": fields, "response": item.response}

    work = Work("reasonry.verifiers.batch:worker")
    return Workload("maths", rows, work, lambda number: list(maths_items(rows, number)), spread, single)


@dataclass(frozen=True, slots=True)
class Measured:
    """Microseconds for each row."""

    cpu_us: float
    wall_us: float


def _measured(rows: int, call: Callable[[], int]) -> Measured:
    """Processor time of this process and of all below it, and elapsed time."""
    cpu, wall = _cpu(), time.perf_counter()
    done = call()
    elapsed = time.perf_counter() - wall
    assert done == rows, f"{done} of {rows} done"
    return Measured((_cpu() - cpu) / rows * 1e6, elapsed / rows * 1e6)


def _cpu() -> float:
    return cpu_seconds([os.getpid(), *descendants(os.getpid())])


Way = Callable[[Workload, list[Any]], int]


def _alone(workload: Workload, made: list[Any]) -> int:
    """In this process."""
    call = _made(workload.work)
    return sum(call(workload.single(row)) is not None for row in made)


def _made(work: Work) -> Callable[[JsonMap], Any]:
    module, _, name = work.target.partition(":")
    return getattr(importlib.import_module(module), name)(work.options)


class _Task:
    """One row, one Ray task: no limits, no order, no second try."""

    def __init__(self, rows: int) -> None:
        import ray

        @ray.remote(num_cpus=1)
        def task(work: Work, row: JsonMap) -> Any:
            key = work.target + str(work.options)
            if key not in _CALLS:
                _CALLS[key] = _made(work)
            return _CALLS[key](row)

        self._task = task
        self.rows = rows

    def __call__(self, workload: Workload, made: list[Any]) -> int:
        import ray

        flying = deque[Any]()
        for row in made:
            if len(flying) >= _IN_FLIGHT:
                ray.get(flying.popleft())
            flying.append(self._task.remote(workload.work, workload.single(row)))
        ray.get(list(flying))
        return len(made)


_CALLS: dict[str, Callable[[JsonMap], Any]] = {}


def _rounds(workloads: Sequence[Workload], ways: dict[str, Way], rounds: int) -> dict[tuple[str, str], list[Measured]]:
    """The ways take turns, so that a machine that grows slow does so for all. The first round warms up."""
    found: dict[tuple[str, str], list[Measured]] = {}
    for number in range(rounds + 1):
        for workload in workloads:
            for name, way in ways.items():
                rows = min(workload.rows, way.rows) if isinstance(way, _Task) else workload.rows
                made = workload.made(number * len(ways) + list(ways).index(name))[:rows]
                measured = _measured(rows, partial(way, workload, made))
                print(f"# {number} {workload.name:8} {name:14} {measured}", file=sys.stderr)
                if number:
                    found.setdefault((workload.name, name), []).append(measured)
    return found


def _show(found: dict[tuple[str, str], list[Measured]]) -> None:
    print(f"{'rows':8} {'way':14} {'CPU us':>9} {'overhead us':>12} {'elapsed us':>11}   (range of CPU)")
    for (workload, way), measured in found.items():
        alone = median(each.cpu_us for each in found[workload, "alone"])
        cpus = [each.cpu_us for each in measured]
        wall = median(each.wall_us for each in measured)
        over = median(cpus) - alone
        spread = f"({min(cpus):.0f} to {max(cpus):.0f})"
        print(f"{workload:8} {way:14} {median(cpus):9.1f} {over:12.1f} {wall:11.1f}   {spread}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="What a row costs on its way to the executors `ray` and `local`")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=float, default=1.0, help="share of the usual number of rows")
    given = parser.parse_args(arguments)
    workloads = [
        _spinning(10e-6, int(100_000 * given.rows)),
        _spinning(100e-6, int(50_000 * given.rows)),
        _maths(int(8_000 * given.rows)),
    ]
    with Nodes(1, 1, path=[ROOT]) as nodes:
        os.environ["RAY_ADDRESS"] = nodes.address
        began = time.perf_counter()
        with RayExecutor(None) as cluster, LocalExecutor(2) as here:
            list(cluster.map(Work("benchmarks.ray_overhead:spin", {"s": 0.0}), [{"x": 0}] * 100, _LIMITS))
            print(f"connecting, and the first rows back: {time.perf_counter() - began:.1f} s")
            ways: dict[str, Way] = {
                "alone": _alone,
                "local": lambda workload, made: workload.spread(here, made),
                "ray": lambda workload, made: workload.spread(cluster, made),
            }
            found = _rounds(workloads, ways, given.rounds)
        with connected():  # the actors hold the processors that tasks need
            tasks = _Task(int(2_000 * given.rows))
            found |= _rounds(workloads, {"a task a row": tasks}, given.rounds)
    _show(dict(sorted(found.items(), key=lambda item: [each.name for each in workloads].index(item[0][0]))))


if __name__ == "__main__":
    main()
