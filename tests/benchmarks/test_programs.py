"""Benchmarks of programs, over small files of the true shape: right programs pass, wrong ones do not."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reasonry.benchmarks.livecodebench import LIVECODEBENCH, hidden_tests
from reasonry.benchmarks.programs import PROGRAMS, called_names
from reasonry.benchmarks.published import PUBLISHED
from reasonry.errors import InputError
from reasonry.prompts import asked_with
from reasonry.records import Record, open_records
from reasonry.registry import BUILTIN, find, run_verifier
from reasonry.testing import check_source
from reasonry.types import Question, Status
from tests.sources.parts import drops, options, part, questions, run

HUMANEVAL = {
    "task_id": "HumanEval/x",
    "prompt": 'from typing import List\n\n\ndef halves(numbers: List[float]) -> List[float]:\n    """Halve each."""\n',
    "canonical_solution": "    return [number / 2 for number in numbers]\n",
    "test": "METADATA = {}\n\n\ndef check(candidate):\n    assert candidate([1.0, 3.0]) == [0.5, 1.5]\n",
    "entry_point": "halves",
}
PLUS_HEAD = """import numpy as np

def is_floats(x) -> bool:
    if isinstance(x, float):
        return True
    if isinstance(x, (list, tuple)):
        return all(isinstance(i, float) for i in x)
    if isinstance(x, np.ndarray):
        return x.dtype == np.float64 or x.dtype == np.float32
    return False

def assertion(out, exp, atol):
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if out != exp and atol != 0:
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert out == exp, f"out: {out}, exp: {exp}"

"""
PLUS_LOOP = "for i, (inp, exp) in enumerate(zip(inputs, results)):\n"
HUMANEVAL_PLUS = {
    **HUMANEVAL,
    "test": f"{PLUS_HEAD}def check(candidate):\n    inputs = [[[1.0, 3.0]], [[]]]\n    results = [[0.5, 1.5], []]\n"
    f"    {PLUS_LOOP}        assertion(candidate(*inp), exp, 0)\n",
}
MBPP = {
    "task_id": 11,
    "text": "Write a function to find the larger of two numbers.",
    "code": "def larger(a, b):\n    return max(a, b)",
    "test_list": ["assert larger(1, 2) == 2", "assert set([larger(5, -1)]) == {5}"],
    "test_setup_code": "",
    "challenge_test_list": [],
}
MBPP_PLUS: dict[str, Any] = {
    "task_id": 11,
    "prompt": MBPP["text"],
    "code": MBPP["code"],
    "source_file": "b.ipynb",
    "test_imports": ["import math"],
    "test_list": MBPP["test_list"],
    "test": f"{PLUS_HEAD}inputs = [[1, 2], [0.5, 0.25]]\nresults = [2, 0.5]\n"
    f"{PLUS_LOOP}    assertion(larger(*inp), exp, 0)\n",
}
HALVES = "def halves(numbers):\n    return [number / 2 {} for number in numbers]\n"
LARGER = "def larger(a, b):\n    return {}(a, b)\n"
CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "humaneval": (HUMANEVAL, HALVES.format(""), HALVES.format("+ 1")),
    "humaneval_plus": (HUMANEVAL_PLUS, HALVES.format("+ 1e-8"), HALVES.format("+ 1e-3")),
    "mbpp": (MBPP, LARGER.format("max"), LARGER.format("min")),
    "mbpp_plus": (MBPP_PLUS, LARGER.format("max"), LARGER.format("min")),
}


def status(question: Question, program: str) -> Status:
    return run_verifier(find("verifier", question.verifier), question, f"```python\n{program}\n```").status


def copy_of(folder: Path, *rows: Mapping[str, Any], name: str = "copy.jsonl") -> str:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def test_the_list_names_every_benchmark_of_programs() -> None:
    named = {name for name, module in BUILTIN["benchmark"].items() if module == "reasonry.benchmarks.programs"}
    assert named == set(PROGRAMS) == set(CASES)
    for one in (*PROGRAMS.values(), LIVECODEBENCH):
        assert one.citation
        assert one.license
        assert len(one.revision or "") == 40


def test_the_docs_name_every_benchmark_with_its_dataset_and_rows() -> None:
    page = (Path(__file__).parents[2] / "docs" / "evaluating.md").read_text(encoding="utf-8")
    for name in BUILTIN["benchmark"]:
        assert f"| `{name}` |" in page
    for one in (*PUBLISHED.values(), *PROGRAMS.values(), LIVECODEBENCH):
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{one.name}` |")]
        assert one.dataset in line
        assert f"{one.rows:,}" in line


@pytest.mark.parametrize("name", CASES)
def test_a_right_program_passes_and_a_wrong_one_does_not(tmp_path: Path, name: str) -> None:
    row, right, wrong = CASES[name]
    path = copy_of(tmp_path, row)
    (question,) = questions(run("benchmark", name, tmp_path, path=path))
    assert (status(question, right), status(question, wrong)) == (Status.CORRECT, Status.INCORRECT)
    assert question.license == PROGRAMS[name].license
    assert check_source(part("benchmark", name), options("benchmark", name, tmp_path, path=path)).questions == 1


@pytest.mark.parametrize("name", CASES)
def test_what_is_asked_names_the_function_and_not_the_solution(tmp_path: Path, name: str) -> None:
    row, _, _ = CASES[name]
    section = options("benchmark", name, tmp_path, path=copy_of(tmp_path, row))
    (question,) = questions(run("benchmark", name, tmp_path, path="copy.jsonl"))
    (message,) = asked_with(section.prompt, section.system, question)
    assert str(row.get("entry_point", "larger")) in message.content
    assert str(row.get("canonical_solution", row.get("code"))) not in message.content


@pytest.mark.parametrize("lacking", ["test", "entry_point"])
def test_a_row_without_its_tests_is_set_aside(tmp_path: Path, lacking: str) -> None:
    path = copy_of(tmp_path, {key: value for key, value in HUMANEVAL.items() if key != lacking})
    rows = run("benchmark", "humaneval", tmp_path, path=path)
    assert (questions(rows), [drop.rule for drop in drops(rows)]) == ([], ["missing_field"])


def test_tests_say_which_names_a_response_defines() -> None:
    tests = ["assert math.isclose(longest([Pair(1, 2)], 4), helper(3))", "assert set(longest([])) == set()"]
    assert called_names("import math\ndef helper(x):\n    return x", tests) == ["longest", "Pair"]


def test_more_of_numpy_than_comparisons_is_left_to_the_machine(tmp_path: Path) -> None:
    row = {**MBPP_PLUS, "test": MBPP_PLUS["test"] + "np.sort(results)\n"}
    (question,) = questions(run("benchmark", "mbpp_plus", tmp_path, path=copy_of(tmp_path, row)))
    assert "import numpy as np" in question.spec["harness"]


def test_solutions_of_the_real_humaneval_pass(shared_data: Path) -> None:
    file = shared_data / "code" / "humaneval.jsonl.zst"
    solutions = {
        row.values["task_id"]: row.values["prompt"] + row.values["canonical_solution"]
        for row in open_records(file)
        if isinstance(row, Record)
    }
    asked = questions(run("benchmark", "humaneval", shared_data, path=str(file)))
    assert len(asked) == 164
    assert {status(question, solutions[question.meta["id"]]) for question in asked[::16]} == {Status.CORRECT}


# --- LiveCodeBench

STDIN = [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}]
FUNCTIONAL = [{"input": "[1, 2]\n3", "output": "6", "testtype": "functional"}]
STARTER = "class Solution:\n    def total(self, nums: List[int], k: int) -> int:\n        "


def packed(content: object) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(content))).decode()


def problem(day: str, tests: list[dict[str, str]], **changes: Any) -> dict[str, Any]:
    return {
        "question_title": "Sums",
        "question_content": "Add the numbers.",
        "platform": "atcoder",
        "question_id": f"abc-{day}",
        "contest_id": "abc",
        "contest_date": f"{day}T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": json.dumps(tests),
        "private_test_cases": packed(json.dumps(tests)),
        "metadata": "{}",
        **changes,
    }


def test_a_contest_problem_is_judged_by_its_shown_and_hidden_tests(tmp_path: Path) -> None:
    hidden = [{"input": "20 22\n", "output": "42\n", "testtype": "stdin"}]
    path = copy_of(tmp_path, problem("2024-08-03", STDIN, private_test_cases=packed(json.dumps(hidden))))
    (question,) = questions(run("benchmark", "livecodebench", tmp_path, path=path))
    assert [test["output"] for test in question.spec["tests"]] == ["3\n", "42\n"]
    assert status(question, "print(sum(map(int, input().split())))") is Status.CORRECT
    assert status(question, "input()\nprint(3)") is Status.INCORRECT
    assert "stdin" in question.prompt
    assert question.meta["difficulty"] == 1  # easy


def test_a_functional_problem_calls_the_method(tmp_path: Path) -> None:
    row = problem("2024-08-03", FUNCTIONAL, starter_code=STARTER, metadata=json.dumps({"func_name": "total"}))
    (question,) = questions(run("benchmark", "livecodebench", tmp_path, path=copy_of(tmp_path, row)))
    assert question.spec["tests"][0] == {"args": [[1, 2], 3], "expected": 6}
    assert status(question, f"{STARTER}return sum(nums) + k") is Status.CORRECT
    assert status(question, f"{STARTER}return sum(nums)") is Status.INCORRECT
    assert STARTER in question.prompt


def test_releases_and_days_choose_the_problems(tmp_path: Path) -> None:
    for number, day in ((1, "2023-06-01"), (2, "2024-02-01"), (6, "2025-03-01")):
        copy_of(tmp_path, problem(day, STDIN), name=f"test{number if number > 1 else ''}.jsonl")

    def ids(**given: Any) -> list[str]:
        return [one.meta["id"][4:] for one in questions(run("benchmark", "livecodebench", tmp_path, path=".", **given))]

    assert ids() == ["2023-06-01", "2024-02-01", "2025-03-01"]
    assert ids(release=2) == ["2023-06-01", "2024-02-01"]
    assert ids(since="2024-02-01") == ["2024-02-01", "2025-03-01"]
    assert ids(until="2024-02-01") == ["2023-06-01"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"test\.jsonl"):
        run("benchmark", "livecodebench", tmp_path, path="empty")


class _Call:
    """Unpickled, it would make a folder."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return (os.mkdir, ("made-by-a-pickle",))


@pytest.mark.parametrize("content", [_Call(), 7, "not json", '{"a": 1}'])
def test_hidden_tests_that_are_no_text_of_tests_set_the_row_aside_and_run_nothing(
    tmp_path: Path, content: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = copy_of(tmp_path, problem("2024-08-03", STDIN, private_test_cases=packed(content)))
    rows = run("benchmark", "livecodebench", tmp_path, path=path)
    assert [drop.rule for drop in drops(rows)] == ["unreadable_tests"]
    assert not (tmp_path / "made-by-a-pickle").exists()


def test_hidden_tests_may_be_plain_json() -> None:
    assert hidden_tests(json.dumps(STDIN)) == hidden_tests(packed(json.dumps(STDIN))) == STDIN
