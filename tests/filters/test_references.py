"""Questions that need what is not there, and questions that only sound like it."""

from __future__ import annotations

import pytest

from tests.filters.asking import dropped, rules

TABLE = "\n| a | b |\n|---|---|\n| 1 | 2 |\n"

NEEDED: dict[str, list[str]] = {
    "figure": [
        "In the figure, $AB = 3$. Find $BC$.",
        "As shown in the diagram, two circles touch. Find the distance of their centres.",
        "The figure below shows a square with a hole. What is its area?",
        "Refer to the graph below. For which $x$ is $f(x) > 0$?",
        "Find the area of the region (see the drawing).",
        "Two light beams meet a mirror, as shown. Find the angle.",
        "Use the accompanying map to find the distance from A to B.",
        "The graph shows the speed of a car. When does it stop?",
        "In Fig. 3 the block rests on a wedge. Find the friction.",
        "Fill in the grid shown on the right.",
        "如图，在三角形 ABC 中，求 BC 的长。",
        "Siehe Abbildung: Wie lang ist die Strecke?",
    ],
    "table": [
        "The table below gives the sales of five shops. Which sold most?",
        "Complete the following table.",
        "According to the data in Table 2, what is the mean?",
    ],
    "image": [
        "What is the area? ![square](https://example.org/a.png)",
        "Solve: <img src='a.png'>",
        "Find $x$ in [image].",
        "\\includegraphics{triangle.pdf} Find $x$.",
    ],
    "link": ["Read https://example.org/task and solve it.", "See www.example.org for the rules. How many are there?"],
    "attachment": ["Open the attached file and add the numbers.", "See the attachment. What is the total?"],
    "other_question": [
        "Using the result of the previous exercise, find $x$.",
        "From Problem 12, what is the radius?",
        "In part (a) you found $x$. Now find $y$.",
    ],
}

WHOLE = [
    "Let $f(x) = x^2$. What is the area under the graph of $f$ from 0 to 1?",
    "A figure skater turns three times a second. How many turns in a minute?",
    "Round to two significant figures: 12.345",
    "She hung the picture on the wall. How high is it if the wall is 3 m and the picture in the middle?",
    "Toby took 12 pictures in the photo shoot and 4 in the drawing room. How many pictures did he take?",
    "Which of the following maps sends 1 to 2?",
    "How many ways are there to sit at a round table in the shape of a horseshoe?",
    "He took a coin from the table. What is the chance of heads?",
    "In the image of the linear map, which vectors are there?",
    "It can be shown that $x > 0$. What is the least such integer?",
    "Attachment theory was founded by whom?",
    "She found the answer to question 5 of 10. How many are left?",
    "We drew two cards. In how many ways?",
    f"The table below gives the sales.{TABLE}Which is larger?",
    "Values are shown below:\n\\begin{array}{cc} 1 & 2 \\end{array}\nWhat is their sum?",
    "(a) is 3 and (b) is 4. From part (a), what is a square?",
    "Draw a graph with 5 vertices. How many edges can it have?",
]


@pytest.mark.parametrize("rule", NEEDED)
def test_what_is_missing_is_named(rule: str) -> None:
    assert rules("references", NEEDED[rule]) == [rule] * len(NEEDED[rule])


@pytest.mark.parametrize("prompt", WHOLE)
def test_a_whole_question_is_kept(prompt: str) -> None:
    assert rules("references", [prompt]) == [None]


DRAWN = "In the diagram, find $AB$.\n[asy] draw((0,0)--(3,4)); [/asy]"


def test_a_figure_in_code_is_there_unless_asked_otherwise() -> None:
    assert rules("references", [DRAWN]) == [None]
    assert rules("references", [DRAWN], drawn="drop") == ["drawn_figure"]


def test_only_what_is_listed_is_looked_for() -> None:
    assert rules("references", ["In the figure, see https://example.org"], drop=["link"]) == ["link"]
    assert rules("references", ["In the figure, see it."], drop=["link"]) == [None]


def test_the_reason_quotes_the_words() -> None:
    (drop,) = dropped("references", ["Find the angle that is shown in the diagram below the text."])
    assert drop is not None
    assert "shown in the diagram below" in drop.reason
    assert drop.content.startswith("Find the angle")
