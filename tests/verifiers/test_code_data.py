"""The code verifier on real tasks: their own solutions pass, and recorded samples get the labels that others gave."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zstandard

from reasonry.registry import find, run_verifier
from reasonry.sandbox import Sandbox, SandboxUnavailable
from reasonry.types import Question, Status, Verdict

# Solutions of the data set that are wrong (a comma where an operator belongs), and one that needs a package of npm.
KNOWN_WRONG = {"JavaScript/112", "JavaScript/155", "JavaScript/162"}


@pytest.fixture(scope="module")
def code_data(shared_data: Path) -> Path:
    folder = shared_data / "code"
    if not folder.is_dir():
        pytest.skip("the tasks for programs are not beside this checkout (../shared/data/code)")
    with Sandbox() as sandbox:
        try:
            sandbox.run("")
        except SandboxUnavailable as exc:
            pytest.skip(str(exc))
    return folder


def rows_of(folder: Path, name: str, step: int = 1) -> Iterator[dict[str, Any]]:
    path = folder / f"{name}.jsonl.zst"
    if not path.exists():
        pytest.skip(f"no {path.name} here")
    with zstandard.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % step == 0:
                yield json.loads(line)


def verify(response: str, **spec: Any) -> Verdict:
    return run_verifier(find("verifier", "code"), Question("", None, "code", spec), response)


def fenced(program: str, tag: str = "python") -> str:
    """In a fence that no program ends: some hold fences of their own."""
    return f"`````{tag}\n{program}\n`````"


def harness_of(row: dict[str, Any]) -> str:
    """The row's `check`, under another name, since a task may ask for a function of that one; and its call."""
    harness = re.sub(r"^(def )?check\(", r"\1check_(", row["test"], flags=re.MULTILINE)
    return harness if "\ncheck_(" in harness else f"{harness}\ncheck_({row['entry_point'].strip()})\n"


def of_humaneval(row: dict[str, Any]) -> Verdict:
    """A completion, without a fence, as base models give it."""
    return verify(
        row["canonical_solution"],
        harness=harness_of(row),
        starter_code=row["prompt"],
        entry_point=row.get("entry_point", ""),
    )


def of_mbpp(row: dict[str, Any]) -> Verdict:
    """A whole function: the solution's indent is its own, so it goes below the head of the prompt."""
    head = row["prompt"].partition("    '''")[0]
    return verify(
        fenced(head + row["canonical_solution"]),
        harness=harness_of(row),
        starter_code=row["prompt"],
        entry_point=row["entry_point"],
    )


def of_cruxeval(row: dict[str, Any]) -> Verdict:
    return verify(fenced(row["code"]), harness=f"assert f({row['input']}) == {row['output']}")


PYTHON = {
    "humaneval": (of_humaneval, 164),
    "humanevalx_python": (of_humaneval, 164),
    "mbpp_sanitized_codet": (of_mbpp, 427),
    "cruxeval": (of_cruxeval, 800),
}


@pytest.mark.parametrize("name", PYTHON)
def test_every_solution_of_the_tasks_own_passes(name: str, code_data: Path) -> None:
    judge, count = PYTHON[name]
    verdicts = [(row.get("task_id", row.get("id")), judge(row)) for row in rows_of(code_data, name)]
    assert [(task, verdict.detail) for task, verdict in verdicts if verdict.status is not Status.CORRECT] == []
    assert len(verdicts) == count


@pytest.mark.parametrize("name", ["humaneval", "mbpp_sanitized_codet"])
def test_no_solution_of_another_task_passes(name: str, code_data: Path) -> None:
    """Every task's tests against the solution of the task before it, under the name that is asked for."""
    rows = list(rows_of(code_data, name, step=4))
    passed: list[str] = []
    for other, row in pairwise(rows):
        program = other["prompt"].partition("    '''")[0] if name.startswith("mbpp") else other["prompt"]
        program += f"{other['canonical_solution']}\n{row['entry_point'].strip()} = {other['entry_point'].strip()}"
        verdict = verify(fenced(program), harness=harness_of(row), entry_point=row["entry_point"])
        if verdict.status is Status.CORRECT:
            passed.append(row["task_id"])
    assert passed == []


OTHERS = {
    "humanevalx_cpp": ("cpp", "g++", 16),
    "humanevalx_java": ("java", "javac", 16),
    "humanevalx_js": ("javascript", "node", 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_solutions_in_other_languages_pass(name: str, code_data: Path) -> None:
    language, tool, step = OTHERS[name]
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here")
    with Sandbox() as sandbox:
        if sandbox.tier != "namespaces":
            pytest.skip(f"tier {sandbox.tier} runs Python only")
    failed: dict[str, str] = {}
    for row in rows_of(code_data, name):
        if int(row["task_id"].split("/")[1]) % step and row["task_id"] not in KNOWN_WRONG:
            continue
        head = row["declaration"] if language == "cpp" else row["prompt"]
        program = fenced(head + row["canonical_solution"], language)
        verdict = verify(program, harness=row["test"], language=language)
        if verdict.status is not Status.CORRECT:
            failed[row["task_id"]] = verdict.detail
    assert failed.keys() == (KNOWN_WRONG if language == "javascript" else set()), failed


@pytest.mark.slow
def test_recorded_samples_get_their_labels(code_data: Path) -> None:
    tasks = {row["task_id"]: row for row in rows_of(code_data, "humaneval")}
    differs: list[tuple[str, int, str, str, str]] = []
    for row in rows_of(code_data, "codegen16b_labelled_dev", step=12):
        task = tasks[row["task_id"]]
        spec = {"harness": harness_of(task), "starter_code": task["prompt"], "entry_point": task["entry_point"]}
        verdict = verify(fenced(task["prompt"] + row["completion"]), **spec, time_limit_s=4)
        if (verdict.status is Status.CORRECT) != (row["label"] == "pass"):
            differs.append((row["task_id"], row["sample"], row["label"], verdict.status.value, verdict.detail))
    assert differs == []
