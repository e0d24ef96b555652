"""Finding the answer: each rule by its name, in their order, and what is no answer."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.verifiers.extraction import RULES, extract, split_thinking

ALL = tuple(RULES)


@pytest.mark.parametrize(
    ("response", "rule", "answer"),
    [
        (r"so \boxed{\frac{1}{2}} it is", "boxed", r"\frac{1}{2}"),
        (r"\boxed{4}, no: \boxed{5}", "boxed", "5"),
        (r"\boxed{5} and then \boxed{ }", "boxed", "5"),
        (r"\boxed{\boxed{5}}", "boxed", "5"),
        (r"\boxed{\{1, 2\}}", "boxed", r"\{1, 2\}"),
        (r"\fbox{5}", "boxed", "5"),
        (r"it is \boxed 5", "boxed", "5"),
        ("reasoning\n#### 1,234", "hashes", "1,234"),
        ("A: 18\n", "line", "18"),
        ("**Final Answer:** 18\n", "line", "18"),
        ("### Answer\n\n18", "line", "18"),
        ("Final Answer: The final answer is $5$. I hope it is correct.", "line", "$5$"),
        ("The answer is 18. Done.", "phrase", "18"),
        ("So the final answer is:\n\n**18**", "phrase", "18"),
        ("The answer is 3.5 cm", "phrase", "3.5 cm"),
        ('{"reasoning": "a\nb", "answer": "18"}', "json", "18"),
        ('Here you are:\n```json\n{"reasoning": "x", "answer": 18}\n```', "json", "18"),
        ('{"reasoning": "cut off in the \\"answer\\": \\"3\\" middle", "answer": "$9,500"', "json", "$9,500"),
        (r'{"reasoning": "", "answer": "\frac{1}{2}"}', "json", r"\frac{1}{2}"),
        (r'{"reasoning": "", "answer": "\\frac{1}{2}"}', "json", r"\frac{1}{2}"),
        ('{"answer": [1, 2]}', "json", "[1, 2]"),
        ("18", "bare", "18"),
        ("2, -10", "bare", "2, -10"),
        (r"$\frac{\text{two words}}{x}$", "bare", r"$\frac{\text{two words}}{x}$"),
        ("Thus $x < 3$ holds.", "last_math", "x < 3"),
        ("Work.\nTom has 3 * 4 = 12 apples left.", "last_number", "12"),
        ("Step 1: x\nStep 2: Tom has 7 apples.", "last_number", "7"),
        ("1.5 apples are left over.", "last_number", "1.5"),
        ("Four boats are needed.", "last_number", "Four"),
    ],
)
def test_the_rule_that_finds_the_answer_has_a_name(response: str, rule: str, answer: str) -> None:
    found = extract(response, ALL)
    assert found is not None
    assert (found.rule, found.text) == (rule, answer)


@pytest.mark.parametrize(
    "response",
    [
        "",
        " \n",
        "I do not know",
        "It is 5, or 10, or 15.",
        "It is not 5.",
        "Step 5: print(total)",
        r"cut off: \boxed{5",
        r"\boxed{}",
        '{"answer": null}',
        '{"answer": ""}',
        "the square root of 5",
        "so x > 5 holds here",
    ],
)
def test_what_is_no_answer_is_not_made_one(response: str) -> None:
    assert extract(response, ALL) is None


def test_the_first_rule_decides_even_where_a_later_one_says_otherwise() -> None:
    found = extract("#### 4\nThe answer is 5, as \\boxed{6}", ALL)
    assert found is not None
    assert (found.rule, found.text) == ("boxed", "6")


def test_two_phrases_in_one_line_are_two() -> None:
    found = extract("The answer is 4. No, the answer is 5.", ALL)
    assert found is not None
    assert (found.text, found.different) == ("5", 2)


def test_different_boxes_are_counted() -> None:
    found = extract(r"\boxed{1} \boxed{2} \boxed{1}", ALL)
    assert found is not None
    assert (found.text, found.different) == ("1", 2)


@pytest.mark.parametrize(
    ("response", "thinking", "said", "is_closed"),
    [
        ("<think>a</think>b", "a", "b", True),
        ("a</think>b", "a", "b", True),
        ("<think>a", "a", "", False),
        ("b<think>a", "a", "b", False),
        ("<think>a</think>b<think>c</think>d", "a\nc", "bd", True),
        ("<thinking>a</thinking>b", "a", "b", True),
        ("b", "", "b", True),
    ],
)
def test_thinking_is_taken_out(response: str, thinking: str, said: str, is_closed: bool) -> None:
    parts = split_thinking(response)
    assert (parts.thinking, parts.said, parts.is_closed) == (thinking, said, is_closed)


PIECES = [
    "\\boxed{",
    "}",
    "<think>",
    "</think>",
    '"answer": "',
    "answer is ",
    "A:",
    "a ",
    "1,",
    "9.",
    "{",
    "\\",
    "\n",
    "$",
]


@pytest.mark.parametrize("piece", [*PIECES, "x", " ", "'", "#", "*"])
def test_reading_takes_time_in_proportion_to_the_text(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    split_thinking(text)
    for rule in ALL:
        RULES[rule](text)
    assert time.process_time() - start < 2


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    found = extract(split_thinking(text).said, ALL)
    assert found is None or (found.text and found.rule in RULES)


@given(st.text(alphabet="abc123 ,.=", max_size=30).filter(lambda text: text.strip(" .")))
def test_a_boxed_answer_comes_back_as_it_was(text: str) -> None:
    found = extract(f"Some words \\boxed{{{text}}} and more", ("boxed",))
    assert found is not None
    assert found.text == text.strip(" .") or found.text.strip(" .") == text.strip(" .")


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("<think>17?</think><answer>18</answer>", "18"),
        ("<THINK>17?</THINK>\n<answer>\n18\n</answer>", "18"),
        ("<answer>17</answer> no: <answer>\\boxed{18}</answer>", "18"),
        ('{"answer": "17"} but really \\boxed{18}', "18"),
        ('{"answer": "\\\\boxed{18}"}', "18"),
    ],
)
def test_what_is_declared_last_is_the_answer(response: str, answer: str) -> None:
    found = extract(split_thinking(response).said, tuple(RULES))
    assert found is not None
    assert found.text == answer
