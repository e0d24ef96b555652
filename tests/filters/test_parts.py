"""Several questions in one, and lists that are none."""

from __future__ import annotations

import pytest

from tests.filters.asking import dropped, question, rules

SEVERAL = [
    "(a) Find the area of the square. (b) Find its perimeter.",
    "A ball is thrown upwards at 20 m/s.\n(a) How high does it rise?\n(b) When does it land?",
    "Let $f(x)=x^2-4x$.\na) Find the minimum of $f$.\nb) Sketch $f$.",
    "Given the sequence $a_n = 2n+1$: (1) find $a_5$; (2) find the sum of the first 20 terms.",
    "Given that $\\sin A = 3/5$. (1) Find $\\cos A$; (2) If $b = 2$, find the area of the triangle.",
    "1. Compute the mean. 2. Compute the variance of the data 1, 4, 6.",
    "Part A: What is the speed? Part B: What is the acceleration?",
    "**Part 1:** Find the value of x.\n**Part 2:** Find the value of y.",
    "Find (a) the area and (b) the perimeter of the triangle with sides 3, 4, 5.",
    "Evaluate each of the following: (a) $3+4$ (b) $5-2$ (c) $7 \\cdot 8$",
    "Differentiate the following functions:\n(i) $x^2$\n(ii) $\\sin x$",
    "已知函数 f(x)=x^2。（1）求 f(2)；（2）求 f 的最小值。",
    "Question 1: What is the capital? Question 2: What is the population?",
    "A company has costs C(q). i) Write the profit function. ii) Find the optimal q.",
    "In triangle $ABC$, $AB = 5$. (Ⅰ) Find $BC$. (Ⅱ) Find the area.",
    "A gas expands. a. What is the work done? b. What is the heat absorbed?",
    "Solve for x: a) 2x = 4; b) 3x = 9",
]
ONE = [
    "Which is largest? (a) 3 (b) 4 (c) 5 (d) 6",
    "Which is right?\n(A) What goes up comes down\n(B) How things are is unknown",
    "Find all functions $f$ such that (a) $f(0)=1$ (b) $f(x+y)=f(x)f(y)$ for all $x,y$.",
    "A function satisfies the following conditions: (i) $f(1)=2$; (ii) $f$ is odd. Find $f(-1)$.",
    "How many of the following are prime? (1) 7 (2) 9 (3) 11",
    "Consider the statements: (1) All squares are rectangles. (2) All rectangles are squares. Which are true?",
    "Let $f(a)=a^2$ and $g(b)=b$. Find $f(g(2))$.",
    "What is the value of (a)(b) if a = 2 and b = 3?",
    "A robot moves by rules: 1. If it is red, turn left. 2. If it is blue, turn right. Where does it end?",
    "The study aimed to (a) estimate the mean and (b) compare groups. Is the treatment effective?",
    "There are two urns. (i) Urn one has 3 red balls. (ii) Urn two has 4. What is the probability of red?",
    "Simplify it. Please follow these guidelines: 1. Write powers as x**2. 2. Give no explanation.",
    "12. Find the value of $x$ if $2x=8$.",
    "(5 points) Find the value of $x$ if $2x=8$.",
    "1. Find the remainder of 100 mod 7.",
]
LATER = ["(b) Find the area of the circle.", "b) Compute the sum.", "Part B: Find the speed.", "(ii) Hence find x."]


@pytest.mark.parametrize("prompt", SEVERAL)
def test_parts_that_ask_something_each_are_several_questions(prompt: str) -> None:
    assert rules("parts", [prompt]) == ["multi_part"]


@pytest.mark.parametrize("prompt", ONE)
def test_labels_before_something_else_make_no_parts(prompt: str) -> None:
    assert rules("parts", [prompt]) == [None]


@pytest.mark.parametrize("prompt", LATER)
def test_a_later_part_alone_lacks_what_it_builds_on(prompt: str) -> None:
    assert rules("parts", [prompt]) == ["later_part"]


def test_choices_of_the_spec_are_no_parts() -> None:
    text = "Which of these would you ask? (1) What is it? (2) Where is it?"
    assert rules("parts", [question(text, spec={"choices": ["What is it?", "Where is it?"]})]) == [None]


def test_an_answer_in_parts_tells_a_question_in_parts() -> None:
    assert rules("parts", [question("Find both.", "(a) 3 cm; (b) 9 cm")]) == ["multi_part"]
    assert rules("parts", [question("Find the point.", "(1) and nothing else")]) == [None]


def test_question_marks_are_counted_where_asked() -> None:
    text = "Who is it? Where is it? And is 'why?' a word?"
    assert rules("parts", [text]) == [None]
    (drop,) = dropped("parts", [text], max_questions=2)
    assert drop is not None
    assert (drop.rule, drop.reason) == ("several_questions", "4 questions, more than 2")
