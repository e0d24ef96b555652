"""Reference answers, and what only stands for one."""

from __future__ import annotations

import pytest

from tests.filters.asking import dropped, question, rules

BLANKS = [
    "N/A", "n/a.", "-", "--", "...", "…", "?", "$\\ldots$",
    "None", "null", "see solution", "See the figure.", "proof", "Proof:", "answer:", "[your answer]",
    "<answer>", "\\text{see above}", "略", "证明略", "TBD", "____", "\\quad", "QED.",
]  # fmt: skip
ANSWERS = [
    "0",
    "x",
    "<",
    ">",
    "[]",
    "''",
    "{}",
    "no",
    "undefined",
    "\\emptyset",
    "No solution",
    "A",
    "+",
    "π",
    "1...",
    "!",
]


@pytest.mark.parametrize("answer", BLANKS)
def test_what_stands_for_an_answer_is_none(answer: str) -> None:
    assert rules("answer", [question("What is it?", answer)]) == ["placeholder_answer"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_short_or_strange_answer_is_one(answer: str) -> None:
    assert rules("answer", [question("What is it?", answer)]) == [None]


def test_a_program_may_return_none() -> None:
    assert rules("answer", [question("What does f() return?", "None", verifier="exact")]) == [None]


def test_who_needs_a_reference_and_who_does_not() -> None:
    tests = {"tests": [{"input": "1", "output": "2"}]}
    rows = [
        question("What is it?", None),
        question("What is it?", " "),
        question("What is it?", None, verifier="choice", spec={"choices": ["a", "b"]}),
        question("Write a program.", None, verifier="code", spec=tests),
        question("Write a program.", None, verifier="code"),
    ]
    assert rules("answer", rows) == ["no_answer", "no_answer", "no_answer", None, "no_answer"]


def test_boxes_of_whole_solutions() -> None:
    rows = [
        question("?", text)
        for text in ("We get \\boxed{4}.", "We get \\boxed{}.", "So \\boxed{\\text{answer}}", "So 4.")
    ]
    assert rules("answer", rows) == [None, "empty_box", "empty_box", None]
    assert rules("answer", rows, box="required") == [None, "empty_box", "empty_box", "no_box"]


def test_a_long_reference_is_a_solution() -> None:
    assert rules("answer", [question("?", "1" * 11), question("?", "1" * 10)], max_characters=10) == [
        "long_answer",
        None,
    ]


TOLD = ["What is 6 times 7?\nAnswer: 42", "What is 6 times 7? Ans. : $42$ Then explain.", "求 6×7。答案：42"]
NOT_TOLD = [
    "What is 6 times 7?\nAnswer:",
    "What is 6 times 7? Write it as 'Answer: N'.",
    "What is 6 times 7? Answer: 421 is not it.",
    "The answer is a number. What is 6 times 7?",
    "Bring the answer: 6 times 7, to 42 people.",
]


@pytest.mark.parametrize("prompt", TOLD)
def test_a_prompt_that_tells_the_answer(prompt: str) -> None:
    (drop,) = dropped("answer", [question(prompt, "42")])
    assert drop is not None
    assert drop.rule == "answer_in_prompt"
    assert "42" in drop.reason


@pytest.mark.parametrize("prompt", NOT_TOLD)
def test_a_prompt_that_only_asks_for_the_answer(prompt: str) -> None:
    assert rules("answer", [question(prompt, "42")]) == [None]
