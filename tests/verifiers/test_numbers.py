"""Numbers with what people write around them, and what only looks like one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.verifiers.numbers import number_in_prose, read_number


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("18", 18, ""),
        ("-18.50", Fraction(-37, 2), ""),
        ("$1,234.00", 1234, "dollar"),
        ("-$5", -5, "dollar"),
        ("18 dollars", 18, "dollar"),
        ("9 500", 9500, ""),
        ("1{,}000", 1000, ""),
        ("3/4", Fraction(3, 4), ""),
        (r"\frac{3}{4}", Fraction(3, 4), ""),
        (r"\frac34", Fraction(3, 4), ""),
        ("1 1/2", Fraction(3, 2), ""),
        (r"1\frac{1}{2}", Fraction(3, 2), ""),
        ("1.5e3", 1500, ""),
        (r"6.5 \times 10^{-2}", Fraction(13, 200), ""),
        ("5cm", 5, "centimeter"),
        (r"5 \text{ cm}", 5, "centimeter"),
        ("5{cm}", 5, "centimeter"),
        ("6th", 6, "th"),
        ("50^\\circ", 50, "degree"),
        ("$2 per hour", 2, "dollar per hour"),
        ("seventeen", 17, ""),
        ("1,000.99$", Fraction(100099, 100), ""),
    ],
)
def test_a_number_is_read_exactly_with_its_unit(text: str, value: Fraction | int, unit: str) -> None:
    number = read_number(text)
    assert number is not None
    assert (number.value, number.unit) == (value, unit)


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "5x", "5 x", "5xy", "5k", "5 million", "two dozen", "2, -10", "1,2", "18 or 19", "5 and 6", "2:00 pm",
        "2 hours 30 minutes", "3!", "9^9", "2 ^3", "776_8", "1/0", "1/2/3", "0.5.3", "1e99999", "5 + 5", "12\\pi",
        "9" * 5000, "4 (3 onions and 1 potato)",
    ],
)  # fmt: skip
def test_what_is_more_than_a_number_is_none(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("Kim will make $20 profit each week", 20), ("There are 400 worker bees in the hive", 400)],
)
def test_a_sentence_may_state_one_number(text: str, value: int) -> None:
    number = number_in_prose(text)
    assert number is not None
    assert number.value == value


@pytest.mark.parametrize(
    "text", ["It is not 5", "either 5 or some", "5 of the 6 are red", "nothing here", "can't be 5"]
)
def test_a_sentence_that_denies_doubts_or_lists_states_none(text: str) -> None:
    assert number_in_prose(text) is None


@given(st.integers(-(10**12), 10**12))
def test_thousands_separators_change_nothing(value: int) -> None:
    plain, separated = read_number(str(value)), read_number(f"{value:,}")
    assert plain is not None
    assert plain == separated
    assert plain.value == value


@given(st.text(max_size=40))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    read_number(text)
    number_in_prose(text)
