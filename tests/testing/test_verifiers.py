"""The conformance kit: it accepts every verifier of ours, and catches each way of breaking the promise."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from reasonry.arithmetic import FAMILIES
from reasonry.errors import PartError
from reasonry.registry import BUILTIN, Part, find
from reasonry.testing.verifiers import check_verifier
from reasonry.types import Question, Status, Verdict

PROBLEM = FAMILIES["chain_sum"].make(random.Random(1), 3, 2)
SOLVED = "\n".join(map(str, PROBLEM.steps)) + f"\nThe answer is {PROBLEM.answer}."

CASES: dict[str, tuple[Question, list[str], list[str]]] = {
    "math": (
        Question("What is 1/2 + 1/4?", r"\frac{3}{4}", "math"),
        ["0.75", r"So \boxed{\dfrac34}.", "The answer is $3/4$."],
        ["0.7", r"\boxed{3}", "3/4, 1/2", "I do not know", r"\boxed{0.75} or rather \boxed{0.8}"],
    ),
    "exact": (
        Question("Capital of France?", "Paris", "exact"),
        ["Paris", " Paris\n"],
        ["paris", "Paris, Lyon", "Lyon"],
    ),
    "choice": (
        Question("Which?", "B", "choice", spec={"choices": ["red", "blue", "green"]}),
        ["B", "(b)", r"\boxed{B}", "The answer is (B).", "blue"],
        ["A", "A and B", "A, B, C", "D", "The answer is A. No, the answer is B.", "red blue green"],
    ),
    "code": (
        Question("Print the sum.", None, "code", spec={"tests": [{"input": "20 22\n", "output": "42\n"}]}),
        ["print(sum(map(int, input().split())))", "```python\na, b = map(int, input().split())\nprint(a + b)\n```"],
        ["print(43)", "print(42, 0)", "42", "```python\nimport sys\nsys.exit(0)\n```", "print(42)\nraise ValueError"],
    ),
    "steps": (
        Question(PROBLEM.prompt, str(PROBLEM.answer), "steps"),
        [SOLVED],
        [str(PROBLEM.answer), SOLVED.replace("= ", "= 1"), "The answer is 0."],
    ),
}


@pytest.mark.parametrize("name", sorted(BUILTIN["verifier"]))
def test_every_builtin_verifier_conforms(name: str) -> None:
    question, right, wrong = CASES[name]
    check_verifier(find("verifier", name), question, right, wrong)


def _part(call: Callable[[Question, str], Any]) -> Part:
    return Part("verifier", "home", 1, call)


QUESTION = Question("?", "XIV", "home")


def _roman(question: Question, response: str) -> Verdict:
    return Verdict(Status.CORRECT if question.answer in response.split() else Status.INCORRECT)


def test_the_ten_line_verifier_of_the_design_conforms() -> None:
    check_verifier(_part(_roman), QUESTION, right="It is XIV", wrong=["XVI", "14"])


def _accepts_all(question: Question, response: str) -> Verdict:
    return Verdict(Status.CORRECT)


def _raises_on_empty(question: Question, response: str) -> Verdict:
    return Verdict(Status.CORRECT if response[0] == "X" else Status.INCORRECT)


def _skips(question: Question, response: str) -> Verdict:
    return Verdict(Status.CORRECT if response == "XIV" else Status.SKIPPED)


def _returns_a_bool(question: Question, response: str) -> bool:
    return response == "XIV"


def _keeps_a_set(question: Question, response: str) -> Verdict:
    return Verdict(Status.CORRECT, evidence={"seen": {response}})


def _toggles() -> Callable[[Question, str], Verdict]:
    calls: list[str] = []

    def verify(question: Question, response: str) -> Verdict:
        calls.append(response)
        return Verdict(Status.CORRECT, detail=str(len(calls)))

    return verify


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (_accepts_all, "is wrong, and must be so"),
        (_raises_on_empty, "IndexError: string index"),
        (_skips, "the verdict is skipped"),
        (_returns_a_bool, "returned a bool, not a Verdict"),
        (_keeps_a_set, "is no JSON"),
        (_toggles(), "changed its mind"),
    ],
)
def test_a_verifier_that_breaks_its_promise_is_caught(call: Callable[[Question, str], Any], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_verifier(_part(call), QUESTION, right="XIV", wrong=["14"])


def test_the_complaint_names_the_verifier_the_response_and_the_verdict() -> None:
    with pytest.raises(AssertionError, match=r"home@1: 'XVI' is right, so must be correct; the verdict is incorrect"):
        check_verifier(_part(_roman), QUESTION, right="XVI", wrong=[])


def test_a_plain_function_is_refused() -> None:
    with pytest.raises(PartError, match="is not a part"):
        check_verifier(_roman, QUESTION, right="XIV", wrong=[])
