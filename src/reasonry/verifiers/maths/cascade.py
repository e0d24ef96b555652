"""The cascade: an answer against a reference, by the cheapest comparison that can decide.

1. `text`: the same text. 2. `number`: two plain numerals. 3. Both are read to trees: `exact` values, `structure`
(lists, tuples, matrices, equations), `sets` of reals, `algebra`, `numeric`. 4. `words` and `prose`: answers that are no
formula. 5. `symbolic`: a computer algebra system, for mathematics beyond our reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from reasonry.types import Status
from reasonry.verifiers.extraction_sentences import stated_number
from reasonry.verifiers.maths.context import Context
from reasonry.verifiers.maths.exact import exact_value
from reasonry.verifiers.maths.parsing import parse
from reasonry.verifiers.maths.policy import DEFAULT, Policy
from reasonry.verifiers.maths.prose import compare_words, is_prose, is_sentence, statements
from reasonry.verifiers.maths.scalars import compare_scalars
from reasonry.verifiers.maths.shapes import compare_trees
from reasonry.verifiers.maths.spelling import spell
from reasonry.verifiers.maths.symbolic import Comparison, compare_symbolically
from reasonry.verifiers.maths.synonyms import have_same_tokens
from reasonry.verifiers.maths.tokens import MAX_LENGTH
from reasonry.verifiers.maths.trees import Node, TooLarge, Unreadable, Unsupported, num, walk, words_in

__all__ = ["Judgement", "clear_caches", "compare", "is_readable", "read_number"]

MAX_CACHED = 2_000  # characters of a text whose tree is kept
MAX_PLAIN = 40  # characters of a plain numeral with what stands around it


@dataclass(frozen=True, slots=True)
class Judgement:
    """How an answer stands to the reference: which comparison said so, and what it had to forgive."""

    status: Status
    compared: str
    detail: str = ""
    relaxed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A text as it was read: a tree, or why there is none."""

    spelled: str
    tree: Node | None = None
    problem: str = ""
    is_beyond: bool = False
    is_large: bool = False
    is_cut: bool = False


def compare(reference: str, answer: str, policy: Policy = DEFAULT) -> Judgement:
    """Compare an answer with the reference. Both may be LaTeX or plain text; neither is ever evaluated as code."""
    if (quick := _as_plain_text(reference, answer)) is not None:
        return quick
    if len(reference) > MAX_LENGTH or len(answer) > MAX_LENGTH:
        return _of_great_length(reference, answer)
    gold, given = _spelled(reference), _spelled(answer)
    if not gold.strip(" .$\\{}()[],;"):
        return Judgement(Status.ERROR, "text", "the reference is empty")
    if not given:
        return Judgement(Status.INCORRECT, "text", "the answer is empty")
    if _are_same_text(gold, given):
        return _SAME
    return _Comparison(_read(gold), _read(given), policy).judgement()


_TWO_NUMBERS = re.compile(r"\d\s+\d")


def _are_same_text(one: str, other: str) -> bool:
    """Equal but for spaces, which mean something between digits: `1 1/2` is not `11/2`."""
    if one == other:
        return True
    return "".join(one.split()) == "".join(other.split()) and not (
        _TWO_NUMBERS.search(one) or _TWO_NUMBERS.search(other)
    )


def _of_great_length(reference: str, answer: str) -> Judgement:
    """Texts that are not worth reading: the same, or too large."""
    if reference.strip() == answer.strip():
        return _SAME
    if len(reference) > MAX_LENGTH:
        return Judgement(Status.ERROR, "text", f"the reference is too large: {len(reference)} characters")
    return Judgement(Status.TIMEOUT, "text", f"too large to evaluate: {len(answer)} characters")


_INTEGER = re.compile(r"\s*\$?\s*(-?)\s*(\d{1,18})\s*\$?\s*\.?\s*", re.ASCII)
_PLAIN = re.compile(r"\s*\$?\s*(-?)\s*(?:\d{1,18}|[1-9]\d{0,2}(?:,\d{3}){1,5})(?:\.\d{1,11})?\s*\$?\s*\.?\s*", re.ASCII)


def _as_plain_text(reference: str, answer: str) -> Judgement | None:
    """The same text, or two plain numerals: four pairs in five of real ones."""
    if reference == answer and len(reference) < MAX_CACHED and reference.strip(" .$\\{}()[]"):
        return _SAME
    if len(reference) > MAX_PLAIN or len(answer) > MAX_PLAIN:
        return None
    one, other = _INTEGER.fullmatch(reference), _INTEGER.fullmatch(answer)
    if one is not None and other is not None:
        is_equal = int(one[1] + one[2]) == int(other[1] + other[2])
        return _NUMBER_EQUAL if is_equal else _NUMBER_DIFFERENT
    if _PLAIN.fullmatch(reference) and _PLAIN.fullmatch(answer):
        if _decimal(reference) == _decimal(answer):
            return _NUMBER_EQUAL
        # A decimal reference may have been rounded; that is decided further down.
        return None if "." in reference and "." in answer else _NUMBER_DIFFERENT
    return None


def _decimal(text: str) -> Decimal:
    return Decimal("".join(text.replace("$", "").replace(",", "").split()).rstrip("."))


_SAME = Judgement(Status.CORRECT, "text")
_NUMBER_EQUAL = Judgement(Status.CORRECT, "number")
_NUMBER_DIFFERENT = Judgement(Status.INCORRECT, "number")


def _read(spelled: str) -> _Read:
    return _read_short(spelled) if len(spelled) <= MAX_CACHED else _read_now(spelled)


def _read_now(spelled: str) -> _Read:
    try:
        tree, is_cut = parse(spelled)
    except Unsupported as exc:
        return _Read(spelled, None, str(exc), is_beyond=True)
    except Unreadable as exc:
        return _Read(spelled, None, str(exc))
    except TooLarge as exc:
        return _Read(spelled, None, str(exc), is_large=True)
    return _Read(spelled, tree, is_cut=is_cut)


_read_short = lru_cache(4096)(_read_now)
_spell_short = lru_cache(4096)(spell)


def _spelled(text: str) -> str:
    return _spell_short(text) if len(text) <= MAX_CACHED else spell(text)


def is_readable(text: str) -> bool:
    """Whether a text as a whole can be read as mathematics."""
    return _read(_spelled(text)).tree is not None


def read_number(text: str) -> Fraction | None:
    """The exact number that a text is as a whole, whatever unit stands behind it; None for anything else."""
    tree = _read(_spelled(text)).tree
    while tree is not None and tree.op == "unit":
        tree = tree.args[0]
    try:
        return None if tree is None else exact_value(tree)
    except TooLarge:
        return None


def clear_caches() -> None:
    """Forget every text that was read, for measurements."""
    _read_short.cache_clear()
    _spell_short.cache_clear()


class _Comparison:
    def __init__(self, reference: _Read, answer: _Read, policy: Policy) -> None:
        self._context = Context(policy)
        self._reference = reference
        self._answer = answer
        self._is_refuted = False

    def judgement(self) -> Judgement:
        for rung in (self._as_trees, self._as_words, self._as_sentence, self._as_decimal_comma):
            if (judgement := self._tried(rung)) is not None:
                return judgement
        return self._as_symbols()

    def _tried(self, rung: Callable[[], Judgement | None]) -> Judgement | None:
        try:
            return rung()
        except TooLarge as exc:
            return self._too_large(str(exc))

    def _judged(self, rung: str, *, is_equal: bool, detail: str = "") -> Judgement:
        status = Status.CORRECT if is_equal else Status.INCORRECT
        return Judgement(status, rung, detail, tuple(sorted(self._context.relaxed)) if is_equal else ())

    def _too_large(self, why: str) -> Judgement:
        """The answer is at fault where the reference alone can be read and is worth reading."""
        if self._reference.is_large or _is_costly(self._reference.tree):
            return Judgement(Status.ERROR, "exact", f"the reference is too large: {why}")
        return Judgement(Status.TIMEOUT, "exact", f"too large to evaluate: {why}")

    def _as_trees(self) -> Judgement | None:
        reference, answer = self._reference, self._answer
        if reference.is_large or answer.is_large:
            return self._too_large(reference.problem or answer.problem)
        if reference.tree is None or answer.tree is None:
            is_same = reference.tree is answer.tree and have_same_tokens(reference.spelled, answer.spelled)
            return self._judged("text", is_equal=True) if is_same else None
        if answer.is_cut and not reference.is_cut and not self._context.may("condition_dropped"):
            return self._judged("structure", is_equal=False, detail="something is said about the answer")
        equal = compare_trees(reference.tree, answer.tree, self._context)
        if equal or (equal is False and not self._has_another_reading()):
            return self._judged(self._context.rung, is_equal=equal)
        self._is_refuted = equal is False
        return None

    def _has_another_reading(self) -> bool:
        """A list that may be a decimal with a comma, letters that may be a word, a choice."""
        answer, reference = self._answer.spelled, self._reference.spelled
        return (
            bool(_COMMA.fullmatch(answer) or _COMMA.fullmatch(reference))
            or reference.isalpha()
            or _is_choice(reference)
        )

    def _as_words(self) -> Judgement | None:
        equal = compare_words(self._reference.spelled, self._answer.spelled, self._context)
        if equal is None or (equal is False and self._reference.tree is not None and self._answer.tree is None):
            return None
        if equal is False and self._reference.tree is None and is_sentence(self._reference.spelled):
            return Judgement(Status.ERROR, "words", Comparison.REFERENCE_UNREADABLE.value)
        return self._judged("words", is_equal=equal)

    def _as_sentence(self) -> Judgement | None:
        """A sentence is read for the value that it states, where a formula is asked."""
        reference, sentence = self._reference, self._answer.spelled
        if self._answer.tree is not None or not is_prose(sentence):
            return None
        if reference.tree is None:
            return (
                None if reference.is_beyond else Judgement(Status.ERROR, "prose", Comparison.REFERENCE_UNREADABLE.value)
            )
        for stated in statements(sentence):
            found = _read(_spelled(stated))
            if found.tree is None:
                continue
            if compare_trees(reference.tree, found.tree, self._context):
                return self._judged("prose", is_equal=self._context.may("sentence"))
            break
        return self._judged("prose", is_equal=self._only_number(sentence), detail="")

    def _only_number(self, sentence: str) -> bool:
        """The one number in a sentence, where a number is asked."""
        reference, number = self._reference, stated_number(sentence)
        if reference.tree is None or reference.tree.op not in ("num", "unit", "percent"):
            return False
        if number is None or not any(map(str.isdigit, number)):
            return False  # "two linked loops" describes
        stated = _read(_spelled(number)).tree
        equal = stated is not None and compare_trees(reference.tree, stated, self._context)
        return bool(equal) and self._context.may("sentence")

    def _as_decimal_comma(self) -> Judgement | None:
        """`2,74` for 2.74, where the other side is one number."""
        reference, answer = self._reference, self._answer
        for one, other, swap in ((answer, reference, False), (reference, answer, True)):
            found = _COMMA.fullmatch(one.spelled)
            if found is None or other.tree is None or not _is_decimal(other.tree):
                continue
            read = _read(f"{found[1]}.{found[2]}{found[3]}")
            if read.tree is None:
                continue
            pair = (read.tree, other.tree) if swap else (other.tree, read.tree)
            if compare_trees(*pair, self._context):
                return self._judged("number", is_equal=self._context.may("decimal_comma"))
        return None

    def _as_symbols(self) -> Judgement:
        reference, answer = self._reference, self._answer
        if reference.tree is not None and answer.tree is None and not answer.is_beyond:
            detail = f"{Comparison.ANSWER_UNREADABLE.value}: {answer.problem}"
            return self._judged("structure", is_equal=False, detail=detail)
        if reference.tree is None and not reference.is_beyond:
            if _is_formula(reference.spelled):
                detail = f"{Comparison.REFERENCE_UNREADABLE.value}: {reference.problem}"
                return Judgement(Status.ERROR, "structure", detail)
            return self._judged("words", is_equal=False)
        if self._is_refuted:
            return self._judged(self._context.rung, is_equal=False)
        if have_same_tokens(reference.spelled, answer.spelled):
            return self._judged("text", is_equal=True)
        if not all(read.tree is None or _is_for_algebra(read.tree) for read in (reference, answer)):
            return self._judged(self._context.rung, is_equal=False)
        return self._symbolic(compare_symbolically(reference.spelled, answer.spelled))

    def _symbolic(self, comparison: Comparison) -> Judgement:
        if comparison in (Comparison.REFERENCE_UNREADABLE, Comparison.FAILED):
            return Judgement(Status.ERROR, "symbolic", comparison.value)
        if comparison is Comparison.COSTLY:
            return Judgement(Status.TIMEOUT, "symbolic", comparison.value)
        detail = comparison.value if comparison is Comparison.ANSWER_UNREADABLE else ""
        return self._judged("symbolic", is_equal=comparison is Comparison.EQUAL, detail=detail)


_COMMA = re.compile(r"(-?\d+),(\d+)(\s*[^\d,]*)", re.ASCII)


_ALGEBRAIC = frozenset(words_in("num var const add mul neg div pow func fact call bound matrix row rel"))


def _is_for_algebra(tree: Node) -> bool:
    """Whether a computer algebra system can know more than we do: not of units, ratios or lists."""
    return all(part.op in _ALGEBRAIC for part in walk(tree))


def _is_costly(tree: Node | None) -> bool:
    """Whether a tree is too large to evaluate by itself, or a part of it is."""
    if tree is None:
        return False
    try:
        compare_scalars(tree, num(0))
    except TooLarge:
        return True
    return tree.op in ("list", "tuple", "set", "matrix", "row", "rel") and any(map(_is_costly, tree.args))


def _is_decimal(tree: Node) -> bool:
    value = tree.args[0] if tree.op == "unit" else tree
    return value.op == "num" and value.places is not None


def _is_choice(text: str) -> bool:
    return len(text.strip("(){}$ ")) == 1 or "text" in text or "math" in text


def _is_formula(text: str) -> bool:
    return bool(re.search(r"[\\^=<>{}|]", text))
