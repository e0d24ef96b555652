"""The exact, choice and steps verifiers: every status they can reach, and the ways to cheat them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.arithmetic import FAMILIES, Problem, Step
from reasonry.registry import find, run_verifier
from reasonry.types import Question, Status, Verdict

C, W, U, E, S = Status.CORRECT, Status.INCORRECT, Status.UNPARSED, Status.ERROR, Status.SKIPPED


def verify(name: str, answer: str | None, response: str, prompt: str = "?", **spec: Any) -> Verdict:
    return run_verifier(find("verifier", name), Question(prompt, answer, name, spec), response)


# --- exact


@pytest.mark.parametrize(
    ("answer", "response", "spec", "status"),
    [
        ("Paris", "Paris", {}, C),
        ("New York", " New\n York ", {}, C),
        ("Paris", "paris", {}, W),
        ("Paris", "paris", {"ignore_case": True}, C),
        ("Paris", r"So \boxed{Paris}.", {}, C),
        ("Paris", "The answer is Paris.", {}, C),
        ("Paris", "Lyon, Paris", {}, W),
        ("Paris", "<think>Paris</think>Lyon", {}, W),
        ("The answer is: maybe", "The answer is: maybe", {}, C),
        ("Paris", "", {}, U),
        ("Paris", "<think>Paris", {}, U),
        ("Paris", "x" * 100_001, {}, U),
        ("Paris", "Paris", {"ignore_case": "yes"}, E),
        (None, "Paris", {}, S),
    ],
)
def test_exact(answer: str | None, response: str, spec: dict[str, Any], status: Status) -> None:
    assert verify("exact", answer, response, **spec).status is status


NO_REFERENCE = [
    ("exact", "The answer is Paris.", "Paris"),
    ("exact", "<think>Paris", None),
    ("choice", "The answer is (B).", "B"),
    ("choice", "The answer is A or B.", None),
    ("choice", "The answer is not A.", None),
    ("choice", "<think>B", None),
    ("math", r"So \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    ("math", r"<think>\boxed{2}", None),
    ("math", rf"\boxed{{{'1' * 2_000}}}", "1" * 1_000),
]


@pytest.mark.parametrize(("name", "response", "extracted"), NO_REFERENCE)
def test_without_a_reference_the_answer_is_told_and_has_no_score(
    name: str, response: str, extracted: str | None
) -> None:
    """So that samples of one question can be held against each other."""
    verdict = verify(name, None, response)
    assert (verdict.status, verdict.extracted) == (S, extracted)
    assert "no reference" in verdict.detail


# --- choice

COLOURS = ["red", "blue", "a dark green", "none"]


RIGHT = r"""B|b|(B)|B.|**B**|B) blue|(B) blue|blue| Blue.|\boxed{B}|\boxed{\text{(B)}}|The answer is B.|Option B
The answer is (B), since it is.|the correct answer is: **B**|Answer: B|{"answer": "B"}|the answer is blue"""
SEVERAL = r"""A|A, B|A B C D|(A) or (B)|\boxed{A, B}|\boxed{A} \boxed{B}|\boxed{AB}|the answer is A or B|F
The answer is F|The answer is A. The answer is B.|red, blue, none|Answer: A and B
The answer is B. Or the answer is A."""


@pytest.mark.parametrize("response", [*RIGHT.replace("\n", "|").split("|"), "It is not A.\nThe answer is B."])
@pytest.mark.parametrize("answer", ["B", "blue", "(b)"])
def test_a_choice_may_be_named_in_many_ways(response: str, answer: str) -> None:
    verdict = verify("choice", answer, response, choices=COLOURS)
    assert (verdict.status, verdict.extracted) == (C, "B")


@pytest.mark.parametrize("response", SEVERAL.replace("\n", "|").split("|"))
def test_two_choices_or_another_one_are_never_correct(response: str) -> None:
    assert verify("choice", "B", response, choices=COLOURS).status in (W, U)


@pytest.mark.parametrize(
    ("answer", "response", "spec", "status"),
    [
        ("B", "I cannot tell.", {"choices": COLOURS}, U),
        ("B", "", {"choices": COLOURS}, U),
        ("B", "<think>B", {"choices": COLOURS}, U),
        ("B", r"\boxed{purple}", {"choices": COLOURS}, W),
        ("C", "a dark green", {"choices": COLOURS}, C),
        ("C", "A dark night", {"choices": COLOURS}, U),
        ("E", "E", {"choices": COLOURS}, E),
        ("purple", "B", {"choices": COLOURS}, E),
        ("B", "B", {"choices": "ABCD"}, E),
        ("B", "B", {"choices": ["same", "same"]}, E),
        ("B", "The answer is (B).", {}, C),
        ("B", "The answer is (C).", {}, W),
        (None, "B", {"choices": COLOURS}, S),
    ],
)
def test_choice(answer: str | None, response: str, spec: dict[str, Any], status: Status) -> None:
    assert verify("choice", answer, response, **spec).status is status


def test_a_choice_shows_its_evidence() -> None:
    verdict = verify("choice", "B", "The answer is A. So the answer is B.", choices=COLOURS)
    assert verdict.evidence == {"rule": "phrase", "candidates": 2, "letters": ["A", "B"], "wanted": "B"}


# --- steps


def problem_of(family: str, seed: int = 1, steps: int = 3) -> Problem:
    return FAMILIES[family].make(random.Random(seed), steps, 2)


def written(steps: list[Step] | tuple[Step, ...], answer: object) -> str:
    return "\n".join(map(str, steps)) + f"\nThe answer is {answer}."


PROBLEM = problem_of("chain_sum")


def check(response: str, **spec: Any) -> Verdict:
    return verify("steps", str(PROBLEM.answer), response, PROBLEM.prompt, **spec)


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("seed", range(5))
def test_the_reference_solution_of_every_family_is_correct(family: str, seed: int) -> None:
    problem = problem_of(family, seed, steps=4)
    response = written(problem.steps, problem.answer)
    assert verify("steps", str(problem.answer), response, problem.prompt).status is C


def test_steps_may_stand_in_the_reasoning() -> None:
    assert check(f"<think>{written(PROBLEM.steps, '?')}</think>The answer is {PROBLEM.answer}.").status is C


def test_terms_may_change_places() -> None:
    swapped = [Step(step.right, step.op, step.left, step.result) for step in PROBLEM.steps]
    assert check(written(swapped, PROBLEM.answer)).status is C


def test_a_right_answer_over_wrong_steps_is_incorrect_and_says_so() -> None:
    first, second, third = PROBLEM.steps
    wrong = [first, Step(second.left, "+", second.right, second.result + 1), third]
    verdict = check(written(wrong, PROBLEM.answer))
    assert verdict.status is W
    assert verdict.detail.startswith("right answer over wrong steps: step 2 is wrong")
    assert verdict.evidence["first_wrong_step"] == 1
    assert verdict.evidence["answer_right"] is True


def test_wrong_reasoning_is_not_excused_by_a_right_response() -> None:
    wrong = str(PROBLEM.steps[0]).replace("= ", "= 9")
    assert check(f"<think>{wrong}</think>{written(PROBLEM.steps, PROBLEM.answer)}").status is W


@pytest.mark.parametrize(
    ("steps", "detail"),
    [
        (PROBLEM.steps[:2], "step 3 is missing"),
        (PROBLEM.steps[1:], "step 1 is not of this problem"),
        ((*PROBLEM.steps, Step(1, "+", 1, 2)), "a step too many: 1 + 1 = 2"),
        (PROBLEM.steps[::-1], "step 1 is not of this problem"),
        ((), "no steps"),
    ],
)
def test_missing_foreign_and_surplus_steps_are_incorrect(steps: tuple[Step, ...], detail: str) -> None:
    verdict = check(written(steps, PROBLEM.answer))
    assert verdict.status is W
    assert detail in verdict.detail


def test_right_steps_with_another_answer_are_incorrect() -> None:
    assert check(written(PROBLEM.steps, PROBLEM.answer + 1)).detail == "right steps, but another answer"


def test_steps_need_not_be_shown_where_the_spec_says_so() -> None:
    assert check(str(PROBLEM.answer), require_steps=False).status is C
    assert check(str(PROBLEM.answer + 1), require_steps=False).status is W
    assert check(written(PROBLEM.steps[1:], PROBLEM.answer), require_steps=False).status is W


def test_the_other_statuses_of_steps() -> None:
    assert check("I do not know").status is U
    assert check("<think>" + written(PROBLEM.steps, PROBLEM.answer)).status is U
    assert check(str(PROBLEM.answer), require_steps=1).status is E
    assert verify("steps", "0", "0", PROBLEM.prompt).status is E
    assert verify("steps", "4", "4", "What is love?").status is S


# --- all of them

QUESTIONS = {
    "exact": Question("?", "Paris", "exact"),
    "choice": Question("?", "B", "choice", spec={"choices": COLOURS}),
    "steps": Question(PROBLEM.prompt, str(PROBLEM.answer), "steps"),
}


@pytest.mark.parametrize("name", sorted(QUESTIONS))
@given(
    text=st.text()
    | st.lists(st.sampled_from(["A", "B", "(", "\\boxed{", "}", "12 + 3 = 15", " ", "\n", "="])).map("".join)
)
def test_any_text_gets_a_verdict_of_the_models(name: str, text: str) -> None:
    verdict = run_verifier(find("verifier", name), QUESTIONS[name], text)
    assert verdict.status in (C, W, U)
