"""What holds for every answer: reflexive, blind to spelling, strict about digits, total on anything."""

from __future__ import annotations

import random
import re
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reasonry.registry import find, run_verifier
from reasonry.types import Question, Status
from reasonry.verifiers.math import clear_caches, judge
from reasonry.verifiers.maths.algebra import NoForm, have_equal_forms
from reasonry.verifiers.maths.parsing import parse
from reasonry.verifiers.maths.scalars import compare_scalars
from reasonry.verifiers.maths.spelling import spell
from reasonry.verifiers.maths.trees import TooLarge

NUMERALS = st.integers(0, 9_999).map(str) | st.decimals(0, 99, places=2).map(str)
NAMES = st.sampled_from(["x", "y", "n", r"\pi", r"\alpha", "x_1"])


def _of(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(parts, parts).map(lambda p: rf"\frac{{{p[0]}}}{{{p[1]}}}"),
        st.tuples(parts, parts).map(lambda p: f"{p[0]} + {p[1]}"),
        st.tuples(parts, parts).map(lambda p: rf"\left({p[0]}\right)\cdot {p[1]}"),
        parts.map(lambda p: rf"\sqrt{{{p}}}"),
        st.tuples(parts, st.integers(2, 9)).map(lambda p: f"({p[0]})^{{{p[1]}}}"),
    )


EXPRESSIONS = st.recursive(NUMERALS | NAMES, _of, max_leaves=6)
ANSWERS = EXPRESSIONS | st.lists(EXPRESSIONS, min_size=2, max_size=3).map(lambda parts: f"({', '.join(parts)})")


def correct(reference: str, response: str) -> bool:
    verdict = run_verifier(find("verifier", "math"), Question("?", reference, "math"), response)
    return verdict.status is Status.CORRECT


@given(ANSWERS)
def test_an_answer_equals_itself(text: str) -> None:
    assert judge(text, text).status is Status.CORRECT


RESPELLINGS = {
    "spaces": lambda text: text.replace(" ", "  ").replace("+", " + "),
    "LaTeX spaces": lambda text: text.replace(" + ", r"\,+\;"),
    "dfrac": lambda text: text.replace(r"\frac", r"\dfrac"),
    "unsized brackets": lambda text: text.replace(r"\left", "").replace(r"\right", ""),
    "sized brackets": lambda text: text if r"\left" in text else text.replace("(", r"\left(").replace(")", r"\right)"),
    "dollars": lambda text: f"${text}$",
    "a full stop": lambda text: f"{text}.",
    "a box": lambda text: rf"\boxed{{{text}}}",
    "times": lambda text: text.replace(r"\cdot", r"\times"),
    "pi": lambda text: re.sub(r"\\pi(?![a-z])", "π", text),
}


@pytest.mark.parametrize("way", sorted(RESPELLINGS))
@given(text=ANSWERS)
@settings(max_examples=40)
def test_spelling_does_not_matter(way: str, text: str) -> None:
    assert judge(text, RESPELLINGS[way](text)).status is Status.CORRECT
    assert judge(RESPELLINGS[way](text), text).status is Status.CORRECT


@given(st.integers(-(10**12), 10**12), st.integers(0, 30), st.integers(1, 9))
def test_a_changed_digit_is_never_equal(number: int, place: int, by: int) -> None:
    digits = list(str(abs(number)))
    place %= len(digits)
    digits[place] = str((int(digits[place]) + by) % 10)
    assume(int("".join(digits)) != abs(number))
    other = int("".join(digits)) * (-1 if number < 0 else 1)
    for form in ("{}", r"\frac{{{}}}{{7}}", "x = {}", r"{}\pi", "({}, 1)", r"\sqrt{{2}} + {}", "{} cm", "x^2 + {}"):
        assert judge(form.format(number), form.format(other)).status is Status.INCORRECT


@given(st.lists(st.integers(-99, 99), min_size=2, max_size=8, unique=True), st.data())
def test_listing_or_containing_the_answer_is_never_correct(items: list[int], data: st.DataObject) -> None:
    wanted = str(data.draw(st.sampled_from(items)))
    listed = ", ".join(map(str, items))
    for response in (
        rf"\boxed{{{listed}}}",
        rf"\boxed{{\{{{listed}\}}}}",
        f"The answer is {' or '.join(map(str, items))}.",
        f"It could be any of {listed}.",
        f"I considered {wanted} but cannot decide.",
        f"<think>\\boxed{{{wanted}}}</think> I do not know.",
        "",
        r"\boxed{}",
    ):
        assert not correct(wanted, response), response


@given(st.fractions(max_denominator=50), st.fractions(max_denominator=50), st.fractions(max_denominator=9))
def test_exact_algebra_agrees_with_fractions(one: Fraction, other: Fraction, third: Fraction) -> None:
    """An oracle of its own: Python's fractions."""
    left = parse(spell(f"({one}) * (({other}) + ({third}))")).tree
    value = one * (other + third)
    assert compare_scalars(left, parse(spell(str(value))).tree).is_equal is True
    assert compare_scalars(left, parse(spell(str(value + Fraction(1, 10**9)))).tree).is_equal is False


@given(EXPRESSIONS, EXPRESSIONS)
@settings(max_examples=60)
def test_the_normal_form_never_contradicts_the_numbers(one: str, other: str) -> None:
    """Two implementations of equality, one by algebra and one by evaluation."""
    first, second = parse(spell(one)).tree, parse(spell(other)).tree
    try:
        proved, finding = have_equal_forms(first, second), compare_scalars(first, second)
    except (NoForm, TooLarge):
        return
    assert not (proved and finding.is_equal is False)


@given(st.binary(max_size=120).map(lambda raw: raw.decode("utf-8", "surrogateescape")))
@settings(max_examples=200)
def test_anything_gets_a_verdict(text: str) -> None:
    for reference in ("5", r"\frac{1}{2}", "[1, 2)", "Monday"):
        status = judge(reference, text).status
        assert status in (Status.CORRECT, Status.INCORRECT, Status.TIMEOUT)


@given(st.text(alphabet=r"0123456789+-*/^=<>(){}[]|,;.!%$_\ abcxyzπ√≤∞", max_size=40))
@settings(max_examples=300)
def test_formula_soup_as_reference_and_answer_raises_nothing(text: str) -> None:
    for pair in ((text, "5"), ("5", text), (text, text)):
        assert isinstance(judge(*pair).status, Status)


def test_verdicts_do_not_depend_on_order_caches_or_threads() -> None:
    texts = ["1/2", "0.5", "x^2", "(1, 2)", "[1, 2)", r"\sin^2 x", "Monday", "5 cm", "2, 1", "x = 5", r"\sqrt{8}"]
    pairs = [(one, other) for one in texts for other in texts]
    clear_caches()
    expected = {pair: judge(*pair) for pair in pairs}
    shuffled = random.Random(3).sample(pairs, len(pairs))
    clear_caches()
    assert {pair: judge(*pair) for pair in shuffled} == expected
    with ThreadPoolExecutor(4) as pool:
        assert dict(zip(pairs, pool.map(lambda pair: judge(*pair), pairs), strict=True)) == expected


def test_nothing_in_an_answer_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for payload in (
        f"__import__('pathlib').Path('{marker}').touch()",
        f"\\write18{{touch {marker}}}",
        f"$(touch {marker})",
        f"\\boxed{{exec(\"open('{marker}','w')\")}}",
        "{0.__class__.__init__.__globals__}",
        "%s%s%s%n",
    ):
        assert judge("5", payload).status is not Status.CORRECT
        assert judge(payload, "5").status is not Status.CORRECT
    assert not marker.exists()
