"""Folding: which spellings are one, what never is, and the numbers of a text."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.filters.folding import folded, numbers

SAME = [
    (r"Compute $\frac{1}{2}$.", r"Compute \(\dfrac12\)"),
    (r"\frac{x+1}{y}", "(x+1)/y"),
    (r"\tfrac{\sqrt{2}}{3}", r"(\sqrt 2)/3"),
    (r"\frac1{23}", "1/23"),
    ("½ cup", "1/2 cup"),
    (r"$x \leq 3$", "x <= 3"),
    ("x ≤ 3", r"x \le 3"),
    ("3 × 4", r"3 \cdot 4"),
    ("3 × 4", "3*4"),
    ("6 ÷ 2", r"6 \div 2"),
    ("x ≠ 2", r"x \ne 2"),
    ("x^{2} + 1", "x² + 1"),
    ("x^2", "x<sup>2</sup>"),
    ("x^{10}", "x¹⁰"),
    ("x⁻¹", "x^{-1}"),
    ("10**9", "10^9"),
    ("a_{1}", "a₁"),
    (r"a_{n+1}", "a_(n+1)"),
    (r"\log_{2} 8", r"\log_2 8"),
    (r"\mathbf{v}_1", "v_1"),
    (r"\left( a + b \right)", "(a+b)"),
    (r"\left\{1, 2\right\}", r"\{1,2\}"),
    (r"5\text{ m}", "5 m"),
    (r"\mathrm{kg}", "kg"),
    (r"$f(x)\,dx$", "f(x) dx"),
    (r"90^\circ", "90°"),
    (r"90^{\circ}", "90 degrees"),
    (r"\pi r^2", "π r²"),
    (r"\alpha + \beta", "α+β"),
    (r"x \to \infty", "x → ∞"),
    (r"\sqrt{2}", "√2"),
    ("$1,000", r"\$1000"),
    (r"1{,}000", "1000"),
    (r"1,\!000", "1000"),
    (r"3\,000", "3000"),
    (r"5\%", "5%"),
    ("$$x = 1$$", r"\[x = 1\]"),
    (r"\begin{align*} x &= 1 \\ y &= 2 \end{align*}", "x &= 1  y &= 2"),
    ("What   is\nx?", "what is\tX"),
    ("ＷＨＡＴ　ｉｓ　１２？", "What is 12?"),
    ("caf\u00e9", "cafe\u0301"),
    ("zero\u200bwidth", "zerowidth"),
    ("“quoted” ‘words’", "\"quoted\" 'words'"),
    ("don’t", "don't"),
    ("a well-known fact", "a well\u2011known fact"),
    ("a well-known fact", "a well known fact"),
    ("pages 3–5", "pages 3-5"),
    ("it was - as ever - late", "it was — as ever — late"),
    ("**Bold** and *slanted* and _more_", "bold and slanted and more"),
    ("# Title\n- one thing\n- two things", "title one thing two things"),
    ("> quoted\n> twice", "quoted twice"),
    ("<p>One</p><br>Two", "One Two"),
    ("a &lt; b", "a < b"),
    ("Question: how many?", "how many?"),
    ("**Question 3.** How many?", "How many?"),
    ("Problem 12:\nHow many?", "How many?"),
    ("Q12. How many?", "How many?"),
    ("7) How many?", "How many?"),
    ("How many? Answer:", "How many?"),
    ("A) 5\nB) 6", "A 5\nB 6"),
    ("(A) 5 (B) 6", "a 5 b 6"),
    ("求 x 的值。", "求x的值"),
    ("Wow! Compute x", "wow compute x"),
]

DIFFERENT = [
    ("2²", "22"),
    ("x₁", "x1"),
    ("1½", "11/2"),
    ("12 3", "1 23"),
    ("1.5", "15"),
    ("1,5", "15"),
    ("a - b", "a + b"),
    ("3 - 5", "3 5"),
    ("5!", "5"),
    ("n!", "n"),
    ("f'(x)", "f(x)"),
    ("y'' + y", "y' + y"),
    ("(0, 1)", "[0, 1]"),
    ("(a+b)*c", "a+b*c"),
    (r"\frac{a+b}{c}", "a+b/c"),
    ("x^{n+1}", "x^n+1"),
    ("|x - 3|", "x - 3"),
    ("x < 3", "x <= 3"),
    ("x = 3", "x == 3"),
    (r"\sin x", r"\cos x"),
    (r"\quadratic", "ratic"),
    ("a_1", "a 1"),
    ("2*3", "2 3"),
    ("5%", "5"),
    ("#A", "A"),
    ("हिन्दी", "हन्द"),
    ("7.5 metres", "5 metres"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_spelling_is_folded(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_says_something_stays(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_the_words_of_a_folded_text_stand_between_single_spaces() -> None:
    assert folded(r"What is  $2x^{2}+\frac{1}{3}$, if x≥-1?") == "what is 2 x ^ 2 + 1 / 3 if x >= - 1"
    assert folded("求 x 的值, 123") == "求 x 的 值 123"
    assert folded("Сколько будет?") == "сколько будет"
    assert folded("") == folded("?!…") == ""


TEXTS = st.text(st.characters(codec="utf-8"), max_size=60) | st.text(
    st.sampled_from(list("ab 12.,-*_^{}()[]$\\!'\"#<>=|/:;?&\n")), max_size=40
)


@given(TEXTS)
def test_any_text_has_a_folded_form_without_case_or_outer_space(text: str) -> None:
    form = folded(text)
    assert form == " ".join(form.split())
    assert form == form.lower() or not form.isascii()


@given(TEXTS)
def test_composition_and_outer_space_never_matter(text: str) -> None:
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))
    assert folded(f"{text}  ") == folded(text)


WORDS = st.lists(st.from_regex(r"[a-z]{2,8}|[0-9]{1,4}|[0-9]\.[0-9]", fullmatch=True), min_size=1, max_size=8)


@given(WORDS, st.sampled_from([" ", "  ", "\n", "\t", "\u00a0", "\u3000"]), st.booleans())
def test_spaces_and_case_never_matter(words: list[str], space: str, upper: bool) -> None:
    text = "so " + " ".join(words)
    assert folded((text.upper() if upper else text).replace(" ", space)) == folded(text)


@given(st.integers(0, 99), st.integers(1, 99), st.sampled_from(["frac", "dfrac", "tfrac", "cfrac"]))
def test_a_fraction_is_one_in_every_spelling(above: int, below: int, command: str) -> None:
    assert folded(rf"$\{command}{{{above}}}{{{below}}}$") == folded(f"{above}/{below}") == f"{above} / {below}"


@given(st.integers(1000, 10**9))
def test_thousands_may_be_parted(number: int) -> None:
    assert folded(f"about {number:,} m") == folded(f"about {number} m")


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=9), st.data())
def test_a_letter_more_or_another_order_is_another_text(letters: list[str], data: st.DataObject) -> None:
    text = " ".join(letters)
    at = data.draw(st.integers(0, len(letters)))
    assert folded(" ".join([*letters[:at], "z", *letters[at:]])) != folded(text)
    other = data.draw(st.permutations(letters))
    assert (folded(" ".join(other)) == folded(text)) == (other == letters)


NUMBERS = [
    ("3 and 3.0 and 03", ["3", "3", "3"]),
    ("2.50 or .5", ["0.5", "2.5"]),
    ("1,000 and 1000", ["1000", "1000"]),
    ("three apples", ["3"]),
    ("Twenty-five of 25", ["25", "25"]),
    ("two hundred and five", ["205"]),
    ("three thousand four hundred seventy one", ["3471"]),
    ("one hundred twenty three thousand", ["123000"]),
    ("2 million, 2.5 million", ["2000000", "2500000"]),
    ("five or six", ["5", "6"]),
    ("a dozen, two dozen", ["12", "24"]),
    ("the third of March", ["3"]),
    ("the 3rd of March", ["3"]),
    ("one third and 1/3", ["1", "1", "3", "3"]),
    ("one half, 1/2", ["1", "1", "2", "2"]),
    ("which one is it", []),
    ("half of them", []),
    ("twice as many", ["2"]),
    ("two by two", ["2", "2"]),
    ("٣ and ३", ["3", "3"]),
    ("x_1^2", ["1", "2"]),
]


@pytest.mark.parametrize(("text", "values"), NUMBERS)
def test_each_number_has_one_spelling(text: str, values: list[str]) -> None:
    assert list(numbers(folded(text))) == sorted(values)


_ONES = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen
"""
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety"


@given(st.integers(2, 99))
def test_a_number_in_words_is_its_value(number: int) -> None:
    ones, tens = _ONES.split(), _TENS.split()
    words = ones[number] if number < 20 else tens[number // 10] + (f"-{ones[number % 10]}" if number % 10 else "")
    assert numbers(folded(f"there are {words} of them")) == (str(number),)


@given(st.lists(st.integers(2, 10**6), max_size=6), st.randoms())
def test_the_order_of_numbers_is_none_of_theirs(values: list[int], random: object) -> None:
    text = " and ".join(map(str, values))
    other = " or ".join(map(str, sorted(values)))
    assert numbers(folded(text)) == numbers(folded(other))


HOSTILE = {
    "parentheses": "(" * 50_000 + "x" + ")" * 50_000,
    "backslashes": "\\" * 100_000,
    "stars": "*" * 100_000,
    "fractions": "\\frac" * 40_000,
    "headings": "1) " * 50_000,
    "a heading without end": "q" + "*" * 100_000,
    "tags": "<" * 100_000 + ">",
    "commas": "1," * 100_000,
    "number words": "hundred " * 30_000,
    "superscripts": "²" * 50_000,
    "a long number": "9" * 100_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_folding_takes_time_in_proportion_to_the_text(text: str) -> None:
    start = time.process_time()
    numbers(folded(text))
    assert time.process_time() - start < 2
