"""What is forgiven, by name: every rule that accepts an answer which is not the reference to the letter.

A verdict records the rules that it needed; a question's spec can switch any of them off. Defaults favour precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from reasonry.errors import nearest_hint

__all__ = ["RULES", "Policy", "Rule", "policy_from"]

Decimals = Literal["strict", "rounded", "lenient"]


@dataclass(frozen=True, slots=True)
class Rule:
    """`reference` and `answer` are an example that only this rule accepts."""

    what: str
    reference: str
    answer: str


RULES: Mapping[str, Rule] = {
    "alternatives_agree": Rule("several answers, each of which is the reference", "90", "90 degrees or 90.0"),
    "approximation_dropped": Rule("an exact answer with its approximation behind it", "1/3", r"1/3 \approx 0.33"),
    "base_omitted": Rule("the digits without the base that the reference names", "776_8", "776"),
    "case_ignored": Rule("words in other letter case", "Yes", "yes"),
    "choice_letter": Rule("the letter of a choice with its words", "C", "C) a plane"),
    "choice_value": Rule("the letter of a choice with a value; off, since nobody checks the value", "C", "C) 12"),
    "condition_dropped": Rule("what is said about the answer behind it", "f(x) = 1", r"f(x) = 1 \text{ for all } x"),
    "decimal_comma": Rule("a comma as decimal point", "2.74", "2,74"),
    "degrees_as_radians": Rule("an angle in degrees for one in radians", r"\frac{\pi}{6}", r"30^\circ"),
    "equation_rearranged": Rule("the same equation, rearranged or scaled", "2x + 4y = 6", "y = 3/2 - x/2"),
    "float_printed": Rule("a float printed in full: 12 digits or more", "4/9", "0.4444444444444444"),
    "inequality_as_interval": Rule("an inequality for an interval, a set-builder for a union", "(1, 2]", "1 < x <= 2"),
    "label_omitted": Rule("the value without the words of the reference's label", "Minimum: 1, Maximum: 3", "1, 3"),
    "list_as_set": Rule("a bare list for a set, or the other way round", r"\{1, 2\}", "1, 2"),
    "list_as_tuple": Rule("a bare list for a tuple, or the other way round", "(1, 2)", "1, 2"),
    "name_added": Rule("a name in front of the value", "5", "x = 5"),
    "name_omitted": Rule("the value without the reference's name", "x = 5", "5"),
    "named_subject": Rule("the name that a sentence begins with", "Petya takes the last one.", "Petya"),
    "parameter_renamed": Rule("another letter for a parameter or a constant of integration", "f(n) = 2n", "f(m) = 2m"),
    "percent_as_fraction": Rule("a percentage for the fraction that it is", "0.335", r"33.5\%"),
    "percent_as_number": Rule("a percentage for the number before its sign", r"10\%", "10"),
    "ratio_as_fraction": Rule("a ratio for the quotient", "3/4", "3:4"),
    "reference_rounded": Rule("what rounds to a decimal reference of 2 digits or more", "21.93", "307/14"),
    "sentence": Rule("the value that a sentence states", "3", "The rank of the matrix is 3."),
    "singleton_set": Rule("a set of one element for the element", r"\{5\}", "5"),
    "solved_form": Rule("one side of an equation that is solved for its other name", "xy = 6", "6/x"),
    "unit_added": Rule("a unit of measurement where the reference has none", "5", "5 cm"),
    "unit_converted": Rule("another unit of the same kind", "2 feet", "24 inches"),
    "unit_omitted": Rule("no unit where the reference has one", "5 cm", "5"),
    "unordered_list": Rule("a bare list in another order", "1, 2", "2, 1"),
    "vector_brackets": Rule("other brackets around a vector", r"\begin{pmatrix}1\\2\end{pmatrix}", "(1, 2)"),
    "yes_no": Rule("yes or no, with the reason behind it", "No", "No, there is none."),
}


OFF = frozenset({"choice_value"})
"""The rules that do not hold unless the spec names them in `on`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How strict a comparison is.

    `decimals` says what a decimal may stand for where the reference is exact: `strict` for itself (and a float printed
    in full), `rounded` for what rounds to it at `digits` significant digits or more, `lenient` for what is cut off or
    rounded to it at 3 or more. `off` names rules that do not hold. `fallback` allows an answer that the response does
    not declare as such: its last expression.
    """

    decimals: Decimals = "strict"
    digits: int = 4
    off: frozenset[str] = OFF
    fallback: bool = True


DEFAULT = Policy()
_KEYS = ("decimals", "digits", "off", "on", "fallback")


def policy_from(spec: Mapping[str, Any]) -> Policy:
    """The policy of a question's spec. Raises ValueError, which says what is wrong with it."""
    if not spec:
        return DEFAULT
    for key in spec:
        if key not in _KEYS:
            raise ValueError(f"spec: unknown key '{key}'; {nearest_hint(key, _KEYS)}".removesuffix("; "))
    decimals, digits, fallback = spec.get("decimals", "strict"), spec.get("digits", 4), spec.get("fallback", True)
    if decimals not in ("strict", "rounded", "lenient"):
        raise ValueError("spec: decimals must be strict, rounded or lenient")
    if not isinstance(digits, int) or isinstance(digits, bool) or not 1 <= digits <= 30:
        raise ValueError("spec: digits must be a whole number from 1 to 30")
    if not isinstance(fallback, bool):
        raise ValueError("spec: fallback must be true or false")  # noqa: TRY004 - one error for a bad spec
    off = (OFF - _rules("on", spec.get("on", []))) | _rules("off", spec.get("off", []))
    return Policy(decimals, digits, off, fallback)


def _rules(key: str, given: Any) -> frozenset[str]:
    if not isinstance(given, list):
        raise ValueError(f"spec: {key} must be a list of names of rules")  # noqa: TRY004 - as above
    for name in cast("list[Any]", given):
        if name not in RULES:
            raise ValueError(f"spec: no rule '{name}'; {nearest_hint(str(name), list(RULES))}".removesuffix("; "))
    return frozenset(cast("list[str]", given))
