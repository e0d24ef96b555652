"""Reference answers beside each other: the same, or not, or not to be told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from reasonry.filters.folding import folded

__all__ = ["Answer", "are_equal", "cannot_be_equal", "reference_answer"]

_BOXED = re.compile(r"\\boxed\s*\{(.*)\}", re.DOTALL)
LONGEST_COMPARED = 200  # characters: longer answers are equal as folded texts or not at all


class Answer(NamedTuple):
    """A reference answer: folded, and as it was given."""

    text: str
    given: str


def reference_answer(answer: str | None, choices: Sequence[str]) -> Answer | None:
    """A reference answer. The letter of a choice is that choice, whatever its place among them."""
    if answer is None:
        return None
    text = _folded(answer)
    if len(text) == 1 and 0 <= (place := ord(text) - ord("a")) < len(choices):
        return Answer(folded(choices[place]), choices[place])
    return Answer(text, answer)


@lru_cache(1 << 12)
def _folded(answer: str) -> str:
    if answer.isdecimal() and answer.isascii():
        return answer
    return folded(_BOXED.sub(r"\1", answer) if "boxed" in answer else answer) or answer.strip()


def cannot_be_equal(one: str, other: str) -> bool:
    """Whether two folded answers differ at first sight: two numbers of other values, two single letters, two words."""
    if one == other:
        return False
    if (first := _number(one)) is not None and (second := _number(other)) is not None:
        return first != second
    return max(len(one), len(other)) > LONGEST_COMPARED or (one.isalpha() and other.isalpha())


@lru_cache(1 << 14)
def are_equal(one: Answer, other: Answer) -> bool:
    """Whether two answers are equal, as texts or as mathematics: 1/2, 0.5 and \\frac12 are."""
    if one.text == other.text:
        return True
    if cannot_be_equal(one.text, other.text):
        return False
    from reasonry.types import Status
    from reasonry.verifiers.math import judge

    given, reference = one.given, other.given
    return Status.CORRECT in (judge(reference, given).status, judge(given, reference).status)


@lru_cache(1 << 14)
def _number(text: str) -> Fraction | None:
    """The value of an answer that is one number or fraction."""
    plain = text.replace(" ", "")
    if len(plain) > 40 or not plain.lstrip("-").replace(".", "", 1).replace("/", "", 1).isdecimal():
        return None
    try:
        return Fraction(plain) if "." not in plain or "/" not in plain else None
    except (ValueError, ZeroDivisionError):
        return None
