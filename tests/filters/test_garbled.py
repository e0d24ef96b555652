"""Prompts that were damaged on their way, and those that are merely unusual; and what repeats in a text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.filters.repeats import loop, repeated_piece
from tests.filters.asking import dropped, rules

DAMAGED: dict[str, list[str]] = {
    "mojibake": [text.encode().decode("cp1252", "replace") for text in ("don’t", "café", "– yes –", "8 U.S.C. § 11")],
    "replacement_character": ["What is 5\ufffdC in kelvin?"],
    "control_characters": ["Find \x0crac{1}{2} of 3.", "The answer in \x08oxed{}.", "a\x00b", "\x1b[31mred"],
    "repeated_text": [
        "What is the sum of 3 and 4? What is the sum of 3 and 4?",
        "How many legs has a spider in all? " * 12,
        "Find x.\n" + "and then once more with feeling\n" * 20,
    ],
}
SOUND = [
    "Was kostet das Gebäck im Café »Ñandú« – 3 € oder 4 €?",
    "ESPAÑA É Ã Â",
    "Combien coûte-t-il « à peu près » ?",
    "Что такое число π?",
    "求 x 的值。",
    "Tabs\tand\r\nlines\nare no damage.",
    "0 0 0 0 0 0\n" * 30 + "What comes next?",
    "-" * 60 + "\nWhat is above?",
    "Row row row your boat. How many rows?",
]


@pytest.mark.parametrize("rule", DAMAGED)
def test_damage_is_named(rule: str) -> None:
    assert rules("garbled", DAMAGED[rule]) == [rule] * len(DAMAGED[rule])


@pytest.mark.parametrize("prompt", SOUND)
def test_an_unusual_text_is_kept(prompt: str) -> None:
    assert rules("garbled", [prompt]) == [None]


def test_symbols_and_markup_only_where_asked() -> None:
    rows = ["#..#.##..#..#...##.#.#.#.. ?", "a<sub>1</sub> &lt; 3", "is 1 < 2 and 3 > 2?"]
    assert rules("garbled", rows) == [None, None, None]
    assert rules("garbled", rows, min_alphanumeric=0.2, html="drop") == ["mostly_symbols", "markup", None]


def test_the_reason_shows_the_place() -> None:
    (drop,) = dropped("garbled", ["Find \x0crac{1}{2} of 3."])
    assert drop is not None
    assert drop.reason == "U+000C in 'Find ·rac{1}{2} of 3.'"


# --- repeats

LETTERS = st.text("abcdefgh ,", min_size=5, max_size=400)


@settings(deadline=None)
@given(st.text("xyz .", max_size=60), LETTERS, st.integers(8, 40), st.text("xyz .", max_size=60))
def test_a_stretch_that_goes_round_is_found_with_its_period(before: str, round_: str, times: int, after: str) -> None:
    text = before + round_ * times + after
    found = loop(text)
    if len(round_) * times < 4_000 + 2 * len(round_):
        return  # shorter ones are found where an anchor falls into them
    assert found is not None
    assert len(round_) % len(found.text) == 0
    assert found.times * len(found.text) >= (times - 2) * len(round_)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=20, max_size=200, unique=True))
def test_sentences_that_all_differ_are_no_repeat(numbers: list[int]) -> None:
    text = ". ".join(f"the number of this sentence, which is long enough, is {number}" for number in numbers)
    assert repeated_piece(text, 2, 0.01) is None


def test_a_sentence_that_comes_again_is_counted() -> None:
    said = "Wait, let me check this once more"
    text = "\n".join(f"Case {i} is another one with its own words {i * i}. {said}. Good?" for i in range(12))
    found = repeated_piece(text, 10, 0.2)
    assert found is not None
    assert (found.text, found.times) == (said, 12)
    assert repeated_piece(text, 13, 0.2) is None
    assert repeated_piece(text, 10, 0.9) is None
