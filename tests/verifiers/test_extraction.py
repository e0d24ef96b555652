"""Finding the answer: each rule by its name, in their order, and what is no answer."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.verifiers.extraction import EXPLICIT, FALLBACK, RULES, extract, split_thinking, stated_number

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
        ("#### Final Answer\n18", "line", "18"),
        ("**Answer:**\n- $x = 1$\n- $x = 2$\n", "line", "$x = 1$, $x = 2$"),
        ("The answer is:\n\n1. $a$\n2. $b$", "phrase", "$a$, $b$"),
        ("#### Answer: 18", "line", "18"),
        ("### Answer\n\\[\n18\n\\]\n", "line", "18"),
        ("So the answer is\n$$\nx = 18\n$$", "phrase", "x = 18"),
        ("# 18", "bare", "18"),
        ("- First 3 * 4 = 12 boxes are full.\n- In total it makes 12 + 6 = 18.", "last_number", "18"),
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
        ("Work.\n16 people bet on horse #12.", "last_number", "16"),
        ("Work.\nSo it is not 5, it is 6.", "last_number", "6"),
        ("Work.\nThe two towns are 80 km apart.", "last_number", "80"),
        ("根号3", "bare", "根号3"),
        ("Work.\nThe 5th term is 12.", "last_number", "12"),
        ("Work.\nIt is -5.", "last_number", "-5"),
        ("Work.\nThey made 5 million dollars.", "last_number", "5 million"),
        ("Soucis : 2,74 $ a..", "last_number", "2,74 $"),
        ("90 degrees or π/2 radians", "sentence", "90 degrees or π/2 radians"),
        ("No such nonzero function exists.", "sentence", "No such nonzero function exists"),
        ("the square root of 5", "sentence", "the square root of 5"),
        ("so x > 5 holds here", "sentence", "so x > 5 holds here"),
        ("The product matrix $A$ is $[2, -2; 4, 4]$", "last_math", "[2, -2; 4, 4]"),
        ("It is so.\n\\[ 9 \\]", "last_math", "9"),
        ("It is so.\n$$\n9\n$$\n", "last_math", "9"),
        ("So it has **9** divisors, 1 among them.", "emphasis", "9"),
        (r"\text{Solution set} = \{1, 2\}", "bare", r"\text{Solution set} = \{1, 2\}"),
        ("[1, 2)", "bare", "[1, 2)"),
        (r"(1, 2) \cup [3, 5]", "bare", r"(1, 2) \cup [3, 5]"),
        ("\\begin{pmatrix}\n1 & 2\n\\end{pmatrix}", "bare", "\\begin{pmatrix}\n1 & 2\n\\end{pmatrix}"),
        ("[[1, 2],\n [3, 4]]", "bare", "[[1, 2],\n [3, 4]]"),
        ("```\n18\n```", "bare", "18"),
        ("12平方厘米", "bare", "12平方厘米"),
        ("没有实数解", "bare", "没有实数解"),
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
        "It might be 5.",
        "Perhaps it is 5",
        "Sorry, I cannot solve this.",
        "I think so. It is 5 or 6.",
        "First 5. Then\n### Step 7: Simplify",
        "#### Case 4: two cups",
        "The values are 4 and 5.\nOne of them is it.",
        "We get 3 = 3 ...\nso the sum is 4 +",
        "\\[ 5 \\]\nis not what we want",
        "Work.\nTherefore the function is y = 5x.",
        "Work.\nSo the first is y - 3.",
        "Work.\nThe ratio of both is 1:1.",
        "Work.\nThree vans are needed for 80 boxes.",
        "The solutions are:\n- $x = 2$\n- $x = 3$",
        "Work.\nTherefore, $x = 3$ and $y = 4$.",
        "Work.\nThe result is $\\frac{7}{2}$, i.e. 3.5.",
        r"The answer is \boxed{}.",
        "Work.\nThe grid is 5 x 5.",
        "Work.\nThe area is 2π.",
        "Work.\nThis is sqrt(5) of them.",
        "Work.\nHence $X$ is complete.",
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
    found = extract(r"\boxed{1}, no, \boxed{2}, no, \boxed{1}", ALL)
    assert found is not None
    assert (found.text, found.different) == ("1", 2)


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"$\boxed{1}, \boxed{2}$, and \(\boxed{3}\).", "1, 2, 3"),
        (r"$x = \boxed{1}$ and $y = \boxed{2}$", "1, 2"),
        (r"\[ x = \boxed{1}, \quad y_1 = \boxed{-1} \]", "1, -1"),
        (r"\boxed{1} oder \boxed{2}", "1, 2"),
        (r"$\boxed{1}$和$\boxed{2}$", "1, 2"),
        (r"\boxed{1}, \boxed{1}", "1"),
        (r"\boxed{(3, 3)} \text{ for part (a) and } \boxed{(1, 1)}", "(3, 3), (1, 1)"),
        ("(a) $\\boxed{1}$\n(b) $\\boxed{2}$", "1, 2"),
        (r"\boxed{1}. Wait, that is wrong. \boxed{2}", "2"),
        (r"If n is even \boxed{1}, else it is \boxed{2}", "2"),
        (r"$n = \boxed{1}$ $n = \boxed{2}$", "2"),
    ],
)
def test_boxes_side_by_side_are_one_list_and_others_revisions(response: str, answer: str) -> None:
    found = extract(response, ALL)
    assert found is not None
    assert (found.rule, found.text) == ("boxed", answer)


@pytest.mark.parametrize(
    ("response", "answer", "beside"),
    [
        (r"$\boxed{28}$ percent", "28", "percent"),
        (r"\boxed{125}\text{ miles}.", "125", r"\text{ miles}"),
        (r"\boxed{5}\%", "5", r"\%"),
        (r"\(\boxed{90}\) degrees.", "90", "degrees"),
        (r"\boxed{90}^\circ", "90", r"^\circ"),
        (r"\boxed{12} square feet of paint", "12", "square feet"),
        (r"$\boxed{12}$ m/s.", "12", "m/s"),
        (r"\boxed{12}\text{ miles per hour}", "12", r"\text{ miles per hour}"),
        (r"about \boxed{3} million people", "3", "million"),
        (r"\boxed{5} times.", "5", ""),
        (r"\boxed{5} in total", "5", ""),
        (r"\boxed{5}\text{ or so}", "5", ""),
        (r"\boxed{5} is the answer", "5", ""),
        (r"\boxed{5} because of symmetry.", "5", ""),
        (r"\boxed{5}. Miles are the unit.", "5", ""),
        (r"\boxed{5}", "5", ""),
    ],
)
def test_the_unit_beside_a_box_is_kept_apart_and_prose_is_not(response: str, answer: str, beside: str) -> None:
    found = extract(response, ALL)
    assert found is not None
    assert (found.text, found.beside) == (answer, beside)


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("答案是5。", "5"),
        ("所以答案为：$5$。", "$5$"),
        ("【答案】: A <eoa>", "A"),
        ("综上所述，故选C。", "C"),
        ("答案：５", "５"),
        ("所以这个数为12。", "12"),
        ("Among these the best option is (B).", "(B)"),
        ("Die Antwort ist 5.", "5"),
        ("Das Ergebnis ist 5.", "5"),
        ("**Antwort:** 5 Äpfel", "5 Äpfel"),
        ("La réponse est $5$.", "$5$"),
        ("Donc la réponse finale est 5.", "5"),
        ("La respuesta final es 5.", "5"),
        ("Respuesta: 5", "5"),
        ("La risposta è 5.", "5"),
        ("A resposta é 5.", "5"),
        ("Ответ: 5", "5"),
        ("答えは5です。", "5"),
        ("答え：5", "5"),
        ("정답은 5입니다.", "5"),
        ("답: 5", "5"),
    ],
)
def test_an_answer_may_be_declared_in_another_language(response: str, answer: str) -> None:
    found = extract("1 + 4 = 5\n" + response, ALL)
    assert found is not None
    assert found.text == answer


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"\boxed{\frac{1}{2}", r"\frac{1}{2}"),
        (r"$\boxed{5$ it is", "5"),
        (r"\boxed5", "5"),
        (r"\boxed{a} and \fbox{b}", "a, b"),
        ("\\[\n\\boxed{\n\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}\n}\n\\]", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
        ("\x08oxed{5}", "5"),
    ],
)
def test_a_box_that_is_written_badly_is_still_read(response: str, answer: str) -> None:
    found = extract(response, ALL)
    assert found is not None
    assert (found.rule, found.text) == ("boxed", answer)


def test_a_final_answer_declared_after_the_last_box_counts() -> None:
    found = extract("First \\boxed{4}.\n\n**Final Answer**: 5", ALL)
    assert found is not None
    assert (found.rule, found.text) == ("line", "5")


def test_every_rule_is_explicit_or_a_fallback_in_the_order_of_both() -> None:
    assert (*EXPLICIT, *FALLBACK) == ALL


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
        ("<reasoning>a</reasoning>b", "a", "b", True),
        ("<|begin_of_thought|>a<|end_of_thought|>b", "a", "b", True),
        ("<|begin_of_thought|>a", "a", "", False),
        ("<think>a</think><|begin_of_solution|>b<|end_of_solution|>", "a", "b", True),
        ("a<think>b</think>", "b", "a", True),
        ("<think>a <think> b</think>c", "a <think> b", "c", True),
        ("b<|im_end|>c", "", "b", True),
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
    "<|begin_of_thought|>",
    "<answer>",
    "答案是",
    "réponse est ",
    "####",
    "\\[",
    "$$",
    "\\begin{",
    "**",
    "boxed",
    ", \\boxed{1}",
    "```\n",
    "Answer\n",
    "answer:\n- ",
    "\\(",
    "\\)",
    "\\]",
    "is ",
    "x = ",
    "- ",
    "1. ",
    "so it is ",
    "\\\\[$$",
    "\n\n- ",
    "`",
    "#### 1\n",
    "answer is  ",
    "</s> ",
    '"answer": [',
    "答",
    '\\"answer\\": ',
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
        extract(text, (rule,))
    stated_number(text)
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


@pytest.mark.parametrize(
    ("sentence", "number"),
    [
        ("Ann walked 25 km between the first and the second stop", "25"),
        ("Bob has 21 more marbles than Carl.", "21"),
        ("He saves $1,250 if he waits.", "$1,250"),
        ("120 kilos of flour will not be used.", "120"),
        ("The two boats are 5 miles apart.", "5"),
        ("Seven boats are needed.", "Seven"),
        ("The price is $5$.", "5"),
        ("Only 10% of them are left.", "10%"),
        ("They earned 3 million dollars.", "3 million"),
        ("She is right on 35 questions of the 7th test.", "35"),
        ("这间仓库有 36 个箱子。", "36"),
        ("সে ৫ ঘণ্টা ঘুমায়", "5"),
        ("মোট 600টি আছে", "600"),
    ],
)
def test_a_sentence_with_one_number_states_it(sentence: str, number: str) -> None:
    assert stated_number(sentence) == number


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "There is none.",
        "It is 5 or 6.",
        "It is not 5.",
        "It is not equal to 5.",
        "5 is not the answer.",
        "5 is wrong.",
        "It takes more than 5 days.",
        "Ann has 3 apples and Bob has 4.",
        "There are 12 red and 12 blue ones.",
        "Three vans carry 80 boxes.",
        "It starts at 2:00 pm.",
        "The ratio is 3:2.",
        "The function is y = 5x.",
        "The root is \\sqrt{5} here.",
        "It might be 5.",
        "It is 5, but the rest cannot be determined.",
        "He came in 7th.",
        "这不是 5",
    ],
)
def test_a_sentence_with_a_choice_a_denial_or_a_doubt_states_no_number(sentence: str) -> None:
    assert stated_number(sentence) is None
