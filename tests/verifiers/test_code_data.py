"""The code verifier on real tasks: their own solutions pass, and recorded samples get the labels that others gave.

All of them: `python -m benchmarks.code_accuracy`.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from benchmarks.code_accuracy import verdicts_of
from benchmarks.code_rows import DATA, Labelled, rows_of

from reasonry.sandbox import Sandbox, SandboxUnavailable
from reasonry.types import Status

PYTHON = {"HumanEval": 164, "HumanEval-X Python": 164, "MBPP sanitised": 427, "CRUXEval": 800}
OTHERS = {"HumanEval-X C++": ("g++", 16), "HumanEval-X Java": ("javac", 16), "HumanEval-X JavaScript": ("node", 2)}


@pytest.fixture(autouse=True, scope="module")
def _data_and_a_sandbox(shared_data: Path) -> None:
    if not (shared_data / "code").is_dir() or not DATA.is_dir():
        pytest.skip("the tasks for programs are not beside this checkout (../shared/data/code)")
    with Sandbox() as sandbox:
        try:
            if sandbox.tier != "namespaces":
                pytest.skip(f"tier {sandbox.tier} runs Python only")
        except SandboxUnavailable as exc:
            pytest.skip(str(exc))


def disagreements(rows: Sequence[Labelled]) -> list[str]:
    pairs = zip(rows, verdicts_of(rows, workers=1), strict=True)
    return [
        f"{row.id}: {verdict.status} {verdict.detail}"
        for row, verdict in pairs
        if (verdict.status is Status.CORRECT) != row.is_right
    ]


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.long), 6])
@pytest.mark.parametrize("name", PYTHON)
def test_the_tasks_own_solutions_pass(name: str, every: int) -> None:
    rows = rows_of(name, every=every)
    assert len(rows) == math.ceil(PYTHON[name] / every)
    assert all(row.is_right for row in rows)
    assert disagreements(rows) == []


def test_no_solution_of_another_task_passes() -> None:
    """Every task's tests against the solution of the task before it, under the name that is asked for."""
    swapped: list[Labelled] = []
    for other, row in pairwise(rows_of("MBPP sanitised", every=4)):
        program = other.response.rstrip("`\n") + f"\n{row.spec['entry_point']} = {other.spec['entry_point']}\n`````"
        spec = {"harness": row.spec["harness"], "entry_point": row.spec["entry_point"]}
        swapped.append(Labelled(row.id, spec, program, is_right=False))
    assert disagreements(swapped) == []


@pytest.mark.long
@pytest.mark.parametrize("name", OTHERS)
def test_solutions_in_other_languages_pass(name: str) -> None:
    tool, every = OTHERS[name]
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here")
    rows = rows_of(name)
    wrong = [row for row in rows if not row.is_right]
    assert disagreements([*rows[::every], *wrong]) == []


@pytest.mark.long
def test_recorded_samples_get_their_labels() -> None:
    assert disagreements(rows_of("CodeGen-16B, labelled", every=12)) == []


@pytest.mark.long
def test_trees_and_linked_lists_of_leetcode() -> None:
    assert disagreements(rows_of("LeetCodeDataset", every=3)) == []
