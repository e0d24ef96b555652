"""The `math` verifier: is the answer equal to the reference, as mathematics?

The answer is found by our own rules (`extraction`), then compared by the first of these that can decide:

1. `text`: the same text, but for spelling (`\\dfrac` and `\\frac`, `$5$` and `5`).
2. `number`: both are plain numbers: equal exactly (a decimal is no rounding of a fraction; a float printed with 12
   or more digits may differ in the last of them). Currency signs, thousands separators and units are understood: a
   unit on one side only is no difference, two different units are. `10%` equals 10 and 0.1.
3. `base`: numerals with a base, `776_8`.
4. `words`: the reference is one to four words.
5. `prose`: the answer is a sentence: the one number it states counts, where a number is asked.
6. `list`: several answers where one was asked, or bare lists of numbers, in any order.
7. `symbolic`: Math-Verify.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

from reasonry.registry import Input, library_input, part
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.extraction import RULES, Found, extract, split_thinking, strip_markup
from reasonry.verifiers.mathtext import is_assignment, is_prose, is_words, items_of, right_side, same_text, tidy
from reasonry.verifiers.numbers import Number, number_in_prose, read_number
from reasonry.verifiers.symbolic import Comparison, compare, load
from reasonry.verifiers.warm import warmed_by

__all__ = ["Judgement", "judge", "math"]

MAX_ANSWER = 100_000  # characters
SHOWN = 1_000  # characters of the answer that the verdict keeps
_ALL_RULES = tuple(RULES)


def _libraries(_: object) -> list[Input]:
    return [library_input(name) for name in ("math-verify", "latex2sympy2-extended", "sympy")]


@dataclass(frozen=True, slots=True)
class Judgement:
    """How an answer stands to the reference, and which comparison said so."""

    status: Status
    compared: str
    detail: str = ""


@part("verifier", "math", version=1, inputs=_libraries)
@warmed_by(load)
def math(question: Question, response: str) -> Verdict:
    """Equality with the reference as mathematics: numbers exactly, expressions by Math-Verify."""
    if question.answer is None:
        return Verdict(Status.SKIPPED, detail="the question has no reference answer")
    parts = split_thinking(response)
    found = extract(parts.said, _ALL_RULES)
    if found is None:
        return Verdict(Status.UNPARSED, detail=parts.no_answer)
    if len(found.text) > MAX_ANSWER:
        detail = f"the answer has {len(found.text)} characters"
        return Verdict(Status.UNPARSED, extracted=found.text[:SHOWN], detail=detail, evidence=found.evidence)
    judgement = judge(question.answer, found.text)
    return _verdict(found, judgement)


def _verdict(found: Found, judgement: Judgement) -> Verdict:
    evidence = found.evidence | {"compared": judgement.compared}
    return Verdict(judgement.status, extracted=found.text[:SHOWN], detail=judgement.detail, evidence=evidence)


def judge(reference: str, answer: str) -> Judgement:
    """Compare an answer with the reference. Both may be LaTeX or plain text; neither is ever evaluated as code."""
    gold, given = tidy(_bare_reference(reference)), tidy(answer)
    if not gold:
        return Judgement(Status.ERROR, "text", "the reference is empty")
    if same_text(gold, given):
        return Judgement(Status.CORRECT, "text")
    if "=" not in gold:
        given = right_side(given)
    elif "=" not in given and is_assignment(gold):
        gold = right_side(gold)
    for compared in (_as_numbers, _as_based, _as_words, _as_prose, _as_list):
        if (judgement := compared(gold, given)) is not None:
            return judgement
    return _as_symbols(gold, given)


def _bare_reference(reference: str) -> str:
    """References come as answers, and sometimes as whole solutions that end in a box or in `####`."""
    found = extract(reference, ("boxed", "hashes"))
    return found.text if found else strip_markup(reference)


def _as_numbers(gold: str, given: str) -> Judgement | None:
    one, other = _number(gold), _number(given)
    return None if one is None or other is None else _compare_numbers(one, other)


def _compare_numbers(one: Number, other: Number) -> Judgement:
    if not one.same_unit(other):
        return Judgement(Status.INCORRECT, "number", f"the unit is {other.unit}, not {one.unit}")
    if one.same_value(other):
        return Judgement(Status.CORRECT, "number")
    if one.is_percent != other.is_percent and _is_hundredfold(one, other):
        return Judgement(Status.CORRECT, "number", "a percentage and the number it stands for")
    return Judgement(Status.INCORRECT, "number")


def _number(text: str) -> Number | None:
    inner = text[1:-1] if text.startswith(("(", "{")) and text.endswith((")", "}")) else text
    return read_number(inner)


def _is_hundredfold(one: Number, other: Number) -> bool:
    percent, plain = (one, other) if one.is_percent else (other, one)
    return percent.value == plain.value * 100


_BASED = re.compile(r"(-?[0-9A-Z]+)_\{?(?:\\text\{)?(\d+|[a-z]+)\}*")


def _as_based(gold: str, given: str) -> Judgement | None:
    """Numerals with their base, `776_8`: digit by digit. A base that only the reference names is understood."""
    one, other = _BASED.fullmatch(gold), _BASED.fullmatch(given)
    if one is None or not (other or given.isalnum()):
        return None
    same = (one[1], one[2]) == (other[1], other[2]) if other else one[1] == given
    return Judgement(Status.CORRECT if same else Status.INCORRECT, "base")


def _as_words(gold: str, given: str) -> Judgement | None:
    if not is_words(gold):
        return None
    same = _words(gold) == _words(given)
    return Judgement(Status.CORRECT if same else Status.INCORRECT, "words")


def _words(text: str) -> str:
    found = text.replace(r"\text", "").replace(r"\mathrm", "").strip(" {}\"'")
    return " ".join(found.casefold().split())


def _as_prose(gold: str, given: str) -> Judgement | None:
    """A sentence is read only for the one number it states, and only where a number is asked."""
    if is_prose(gold):
        return Judgement(Status.ERROR, "prose", Comparison.REFERENCE_UNREADABLE.value)
    if not is_prose(given):
        return None
    asked, stated = read_number(gold), number_in_prose(given)
    if asked is None or stated is None:
        return Judgement(Status.INCORRECT, "prose", Comparison.ANSWER_UNREADABLE.value)
    return replace(_compare_numbers(asked, stated), compared="prose")


def _as_list(gold: str, given: str) -> Judgement | None:
    """Decides where one side is a list and the other is not, and where both are lists of numbers."""
    wanted, items = items_of(gold), items_of(given)
    if len(wanted) == 1 and len(items) == 1:
        return None
    if len(wanted) == 1 and len(items) > 1 and not _may_be_a_set(gold):
        return Judgement(Status.INCORRECT, "list", f"{len(items)} answers where one is asked")
    if len(wanted) != len(items):
        return None
    numbers = [read_number(right_side(item)) for item in (*wanted, *items)]
    if any(number is None for number in numbers):
        return None
    values = [number.value for number in numbers if number is not None]
    same = Counter(values[: len(wanted)]) == Counter(values[len(wanted) :])
    return Judgement(Status.CORRECT if same else Status.INCORRECT, "list")


def _may_be_a_set(gold: str) -> bool:
    """A set, a tuple or an interval, or `±`: one item that a list may spell out."""
    return gold.startswith(("\\{", "{", "(", "[")) or "\\pm" in gold or "±" in gold


_OUTCOMES = {
    Comparison.EQUAL: Status.CORRECT,
    Comparison.DIFFERENT: Status.INCORRECT,
    Comparison.ANSWER_UNREADABLE: Status.INCORRECT,
    Comparison.ANSWER_COSTLY: Status.TIMEOUT,
    Comparison.REFERENCE_UNREADABLE: Status.ERROR,
    Comparison.REFERENCE_COSTLY: Status.ERROR,
}


def _as_symbols(gold: str, given: str) -> Judgement:
    comparison = compare(gold, given)
    status = _OUTCOMES[comparison]
    is_plain = comparison in (Comparison.EQUAL, Comparison.DIFFERENT)
    return Judgement(status, "symbolic", "" if is_plain else comparison.value)
