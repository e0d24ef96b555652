"""The `choice` verifier: one of several choices, named by its letter or by its text.

The spec holds the choices, `{"choices": ["...", ...]}`; the reference is a letter or the text of a choice. (Without
choices only letters can be compared.) A response says what it chooses in a box, in JSON, as `Answer: B`, as "the answer
is (B)", or by being nothing else than that choice. Two different letters are no choice, and never correct.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from reasonry.registry import part
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.extraction import EXPLICIT, RULES, Parts, split_thinking, strip_markup

__all__ = ["choice"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SHOWN = 1_000


@part("verifier", "choice", version=2)
def choice(question: Question, response: str) -> Verdict:
    """One of several choices, by its letter or its text; naming two is never correct."""
    choices = _choices_of(question)
    if choices is None:
        return Verdict(Status.ERROR, detail=f"spec: choices must be a list of up to {len(LETTERS)} different texts")
    if question.answer is None:
        return _without_reference(_judge("", choices, split_thinking(response)))
    wanted = _letter_of_reference(question.answer, choices)
    if wanted is None:
        return Verdict(Status.ERROR, detail=f"the reference {question.answer[:50]!r} is none of the choices")
    return _judge(wanted, choices, split_thinking(response))


def _without_reference(said: Verdict) -> Verdict:
    """No score. The choice is told, so that samples of one question can be held against each other."""
    is_one = len(said.evidence.get("letters", ())) == 1 and not said.detail
    return Verdict(
        Status.SKIPPED,
        extracted=said.extracted if is_one else None,
        detail="the question has no reference answer",
        evidence={name: value for name, value in said.evidence.items() if name != "wanted"},
    )


def _choices_of(question: Question) -> list[str] | None:
    """The texts of the choices; empty where the spec has none; None where it is malformed."""
    given: Any = question.spec.get("choices", [])
    if not isinstance(given, list):
        return None
    texts = [_normal(text) for text in cast("list[Any]", given) if isinstance(text, str) and text.strip()]
    is_whole = len(texts) == len(cast("list[Any]", given)) <= len(LETTERS)
    return texts if is_whole and len(set(texts)) == len(texts) else None


def _letter_of_reference(answer: str, choices: Sequence[str]) -> str | None:
    text = _normal(answer)
    if text in choices:
        return LETTERS[choices.index(text)]
    return _letter(answer, choices)


def _judge(wanted: str, choices: Sequence[str], parts: Parts) -> Verdict:
    rule, candidates = _statements(parts.said, choices)
    if not candidates:
        return Verdict(Status.UNPARSED, detail=parts.no_answer)
    letters = {letter for text in candidates for letter in _letters_in(text, choices)}
    evidence = {"rule": rule, "candidates": len(set(candidates)), "letters": sorted(letters), "wanted": wanted}
    extracted = candidates[-1][:SHOWN]
    if _DENIED.search(extracted) and not _of_text(extracted, choices):
        detail = "a statement with a denial names no choice"
        return Verdict(Status.INCORRECT, extracted=extracted, detail=detail, evidence=evidence)
    if not letters:
        return Verdict(Status.INCORRECT, extracted=extracted, detail="names none of the choices", evidence=evidence)
    if len(letters) > 1:
        return Verdict(Status.INCORRECT, extracted=extracted, detail="names several choices", evidence=evidence)
    status = Status.CORRECT if letters == {wanted} else Status.INCORRECT
    return Verdict(status, extracted=letters.pop(), evidence=evidence)


def _statements(said: str, choices: Sequence[str]) -> tuple[str, list[str]]:
    """The rule that found something, and every statement it found."""
    for rule in EXPLICIT:
        found = [text for text in map(strip_markup, RULES[rule](said)) if text]
        if rule == "phrase":
            # "the answer is wrong because ..." in the middle of an argument chooses nothing
            found = [text for text in found if _letters_in(text, choices)]
        if found:
            return rule, found
    whole = strip_markup(said)
    return ("bare", [whole]) if whole and _letters_in(whole, choices) else ("", [])


_DENIED = re.compile(r"\b(?:not|isn't|cannot|never|neither|nor)\b", re.IGNORECASE)
_LETTER = re.compile(r"^[(\[]?([A-Za-z])[)\]]?[.:,]?$")
_LETTER_AND_TEXT = re.compile(
    r"^(?:option |choice )?(?:\(([A-Za-z])\)|\[([A-Za-z])\]|([A-Z])[.:),]|([A-Z])(?=\s+\())\s*(.*)$", re.DOTALL
)
_STANDING_ALONE = re.compile(r"(?<![\w'’-])(?:\(([A-Z])\)|([B-HJ-Z])(?![\w'’-])|(A)(?=[.):,;]|\s*$|\s+(?:or|and)\b))")


def _letters_in(text: str, choices: Sequence[str]) -> set[str]:
    """Every choice that a statement names."""
    text = _plain(text)
    if (only := _letter(text, choices, any_letter=True)) is not None:
        return {only}
    if _normal(text) in choices:
        return {LETTERS[choices.index(_normal(text))]}
    if (led := _LETTER_AND_TEXT.match(text)) and (_normal(led[5]) in choices or not led[5].strip()):
        return {next(group for group in led.groups()[:4] if group).upper()} | _of_text(led[5], choices)
    return {letter for groups in _STANDING_ALONE.findall(text) for letter in groups if letter}


def _of_text(text: str, choices: Sequence[str]) -> set[str]:
    normal = _normal(text)
    return {LETTERS[choices.index(normal)]} if normal in choices else set()


def _letter(text: str, choices: Sequence[str], *, any_letter: bool = False) -> str | None:
    """The letter that a text is, in any of its dresses; one beyond the choices only where `any_letter`."""
    found = _LETTER.match(re.sub(r"^(?:option|choice)\s+", "", _plain(text), flags=re.IGNORECASE))
    if found is None:
        return None
    letter = found[1].upper()
    is_known = not choices or LETTERS.index(letter) < len(choices)
    return letter if is_known or any_letter else None


_TEXT_COMMAND = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")


def _plain(text: str) -> str:
    return strip_markup(_TEXT_COMMAND.sub(r"\1", text).replace("$", "").replace("**", ""))


def _normal(text: str) -> str:
    return " ".join(strip_markup(text).casefold().split())
