"""Published programs with what is known of them, as rows for the `code` verifier.

Read from the folder `shared/data` beside the checkout, which is not part of the project. Canonical solutions are right
by their publishers' word; some of HumanEval-X's are not, and are labelled so:

- JavaScript/112 and /155 end in `return (z, false)`: the comma operator returns only the last. Their tests notice, but
  `console.assert` does not fail a program.
- JavaScript/162 needs the package js-md5. Two of the C++ ones need Boost, and are labelled by whether it is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.records import Record, open_records

__all__ = ["DATA", "SETS", "Labelled", "rows_of"]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
NOT_RIGHT = {"JavaScript/112", "JavaScript/155", "JavaScript/162"}
CODEGEN_TIME_LIMIT_S = 4.0
MBPP_TIME_LIMIT_S = 60.0  # MBPP/123's own solution takes seconds: at the verifier's default its label is the machine's
_FENCE = "`````"  # longer than any that a program contains


@dataclass(frozen=True, slots=True)
class Labelled:
    """A response, what its question says, and whether it is right."""

    id: str
    spec: Mapping[str, Any]
    response: str
    is_right: bool


def _read(name: str) -> Iterator[Mapping[str, Any]]:
    for row in open_records(DATA / f"{name}.jsonl.zst"):
        assert isinstance(row, Record)
        yield row.values


def _fenced(program: str, language: str = "python") -> str:
    return f"{_FENCE}{language}\n{program}\n{_FENCE}"


def _checking(test: str, entry: str) -> str:
    """A test that defines `check`, as a harness. It is renamed, since one task's own function is called `check`."""
    return re.sub(r"\bdef check\(", "def check_all(", test) + f"\ncheck_all({entry})\n"


def _entries(first: str, solution: str) -> str:
    """What a task asks for: some tests use more of the solution than the function that the set names."""
    defined = re.findall(r"^(?:def|class)\s+(\w+)|^(\w+)\s*=", solution, re.MULTILINE)
    return ", ".join(dict.fromkeys([first, *(function or value for function, value in defined)]))


def humaneval() -> Iterator[Labelled]:
    """The canonical solutions as continuations of their prompts."""
    for row in _read("code/humaneval"):
        entry = row["entry_point"]
        spec = {"harness": _checking(row["test"], entry), "starter_code": row["prompt"], "entry_point": entry}
        yield Labelled(row["task_id"], spec, row["canonical_solution"], is_right=True)


def humaneval_x_python() -> Iterator[Labelled]:
    for row in _read("code/humanevalx_python"):
        spec = {"harness": row["test"], "starter_code": row["prompt"]}
        yield Labelled(row["task_id"], spec, row["canonical_solution"], is_right=True)


def _humaneval_x(file: str, language: str) -> Iterator[Labelled]:
    for row in _read(f"code/{file}"):
        program = _fenced(row["prompt"] + row["canonical_solution"], language)
        spec = {"language": language, "harness": row["test"]}
        yield Labelled(row["task_id"], spec, program, is_right=row["task_id"] not in NOT_RIGHT)


def humaneval_x_cpp() -> Iterator[Labelled]:
    """Some prompts lack an include that the solution needs and the declaration has."""
    for row in _read("code/humanevalx_cpp"):
        includes = "\n".join(line for line in row["declaration"].splitlines() if line.startswith("#include"))
        program = f"{includes}\n{row['prompt']}{row['canonical_solution']}"
        is_right = "boost/" not in program or Path("/usr/include/boost").exists()
        spec = {"language": "cpp", "harness": row["test"]}
        yield Labelled(row["task_id"], spec, _fenced(program, "cpp"), is_right=is_right)


def humaneval_x_javascript() -> Iterator[Labelled]:
    return _humaneval_x("humanevalx_js", "javascript")


def humaneval_x_java() -> Iterator[Labelled]:
    return _humaneval_x("humanevalx_java", "java")


def mbpp() -> Iterator[Labelled]:
    """The solutions' bodies keep their own indent, so they go below the prompt's head without its docstring."""
    for row in _read("code/mbpp_sanitized_codet"):
        entry = row["entry_point"].strip()
        names = _entries(entry, row["prompt"] + row["canonical_solution"])
        spec = {
            "harness": _checking(row["test"], entry),
            "starter_code": row["prompt"],
            "entry_point": names,
            "time_limit_s": MBPP_TIME_LIMIT_S,
        }
        head = row["prompt"].partition("    '''")[0]
        yield Labelled(row["task_id"], spec, _fenced(head + row["canonical_solution"]), is_right=True)


def cruxeval() -> Iterator[Labelled]:
    for row in _read("code/cruxeval"):
        spec = {"harness": f"assert f({row['input']}) == {row['output']}", "entry_point": _entries("f", row["code"])}
        yield Labelled(row["id"], spec, _fenced(row["code"]), is_right=True)


def codegen() -> Iterator[Labelled]:
    """Completions of HumanEval by CodeGen-16B, labelled by running prompt and completion as they are."""
    prompts = {row["task_id"]: row for row in _read("code/humaneval")}
    for row in _read("code/codegen16b_labelled_dev"):
        task = prompts[row["task_id"]]
        entry = task["entry_point"]
        spec = {"harness": _checking(task["test"], entry), "starter_code": task["prompt"], "entry_point": entry}
        spec["time_limit_s"] = CODEGEN_TIME_LIMIT_S
        program = _fenced(task["prompt"] + row["completion"])
        yield Labelled(f"{row['task_id']}#{row['sample']}", spec, program, is_right=row["label"] == "pass")


def leetcode() -> Iterator[Labelled]:
    """Solutions of LeetCodeDataset: a class Solution, with trees and linked lists. Four need sortedcontainers."""
    for row in _read("questions/code_leetcode"):
        tests = row["tests"]
        spec = {
            "harness": f"{tests['code']}\ncheck({tests['entry_point']})\n",
            "starter_code": f"{tests.get('prelude') or ''}\n{tests.get('prompt') or ''}",
            "entry_point": "Solution",
        }
        is_right = "sortedcontainers" not in row["gold"]
        yield Labelled(row["id"], spec, _fenced(row["gold"]), is_right=is_right)


SETS: dict[str, Callable[[], Iterator[Labelled]]] = {
    "HumanEval": humaneval,
    "HumanEval-X Python": humaneval_x_python,
    "HumanEval-X C++": humaneval_x_cpp,
    "HumanEval-X JavaScript": humaneval_x_javascript,
    "HumanEval-X Java": humaneval_x_java,
    "MBPP sanitised": mbpp,
    "CRUXEval": cruxeval,
    "CodeGen-16B, labelled": codegen,
    "LeetCodeDataset": leetcode,
}


def rows_of(name: str, *, every: int = 1) -> list[Labelled]:
    """The rows of a set, or every so-manieth of them."""
    return list(SETS[name]())[::every]
