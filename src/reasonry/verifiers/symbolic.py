"""The border to Math-Verify (and SymPy behind it), loaded on first use.

Math-Verify's own timeouts are switched off: they work by signals, which only a main thread may use and which take
the caller's alarm away. The limits of the worker process stand in for them, and a few shapes that cost too much are
recognised before they are read.
"""

from __future__ import annotations

import importlib
import logging
import math
import re
from enum import StrEnum
from typing import Any

__all__ = ["Comparison", "compare", "load"]

MAX_LENGTH = 20_000  # characters
MAX_DEPTH = 150  # nested brackets
MAX_EXPONENT = 100_000  # of a number
RELATIVE_TOLERANCE = 2e-6  # Math-Verify rounds to 6 decimals, which makes all tiny numbers equal


class Comparison(StrEnum):
    """What came of comparing two expressions."""

    EQUAL = "equal"
    DIFFERENT = "different"
    REFERENCE_UNREADABLE = "the reference cannot be read"
    ANSWER_UNREADABLE = "not readable as mathematics"
    REFERENCE_COSTLY = "the reference is too large to evaluate"
    ANSWER_COSTLY = "too large to evaluate"


def load() -> None:
    """Import Math-Verify now (about half a second), so that no row is charged for it."""
    importlib.import_module("math_verify")
    # It warns once in each process that its timeouts are off, which is what we want.
    logging.getLogger("math_verify").setLevel(logging.ERROR)


def compare(reference: str, answer: str) -> Comparison:
    """Compare two tidy LaTeX expressions symbolically. May take long: call it inside a worker."""
    if _is_costly(reference):
        return Comparison.REFERENCE_COSTLY
    if _is_costly(answer):
        return Comparison.ANSWER_COSTLY
    gold = _parse(reference)
    if gold is None:
        return Comparison.REFERENCE_UNREADABLE
    given = _parse(answer)
    if given is None:
        return Comparison.ANSWER_UNREADABLE
    return Comparison.EQUAL if _are_equal(gold, given) else Comparison.DIFFERENT


def _parse(text: str) -> Any:
    """The SymPy expression of a whole text; None where there is none."""
    from math_verify import LatexExtractionConfig, parse

    load()
    config = [LatexExtractionConfig(boxed_match_priority=-1)]
    timeless: Any = None  # its type says int, its documentation None
    parsed = parse(f"${text}$", config, fallback_mode="no_fallback", parsing_timeout=timeless)
    return parsed[0] if parsed and not _is_undefined(parsed[0]) else None


def _is_undefined(expression: Any) -> bool:
    import sympy

    return isinstance(expression, sympy.Basic) and expression.has(sympy.zoo, sympy.nan)


def _are_equal(gold: Any, given: Any) -> bool:
    from math_verify import verify

    if not verify(gold, given, timeout_seconds=None):
        return False
    return not _are_far_apart(gold, given)


def _are_far_apart(gold: Any, given: Any) -> bool:
    """Whether two plain numbers that Math-Verify took for equal differ in their leading digits."""
    import sympy

    if not (isinstance(gold, sympy.Expr) and isinstance(given, sympy.Expr)):
        return False
    if gold.free_symbols or given.free_symbols or gold == given:
        return False
    one, other = (sympy.N(value.doit(), 30) for value in (gold, given))
    if not (one.is_number and other.is_number and one.is_finite and other.is_finite):
        return False
    return bool(abs(one - other) > RELATIVE_TOLERANCE * max(abs(one), abs(other)))


_POWER = re.compile(r"(\d+)\)?\s*\^\s*[{(\s]*(\d+)(?:\)?\s*\^\s*[{(\s]*(\d+)(?:[})\s]*\^)?)?")
_LARGE_FACTORIAL = re.compile(
    r"(?:\d{5,}|\^\s*\{?\d+\}?)\s*\)?\s*!|(?:factorial|binom)\D{0,3}(?:\d{6,}|\d+\s*(?:\^|\*))"
)
_OPENING, _CLOSING = frozenset("({["), frozenset(")}]")


def _is_costly(text: str) -> bool:
    return (
        len(text) > MAX_LENGTH
        or _depth(text) > MAX_DEPTH
        or any(_is_huge(power) for power in _POWER.finditer(text))
        or _LARGE_FACTORIAL.search(text) is not None
    )


def _is_huge(power: re.Match[str]) -> bool:
    """Whether `a^b` or the tower `a^{b^c}` has an exponent that no computer should expand."""
    _, exponent, second = power.groups()
    if second is None:
        return len(exponent) > 9 or int(exponent) > MAX_EXPONENT
    if power[0].endswith("^") or len(exponent) > 9 or len(second) > 9:
        return True
    return int(second) * math.log(max(int(exponent), 1)) > math.log(MAX_EXPONENT)


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += (character in _OPENING) - (character in _CLOSING)
        deepest = max(deepest, depth)
    return deepest
