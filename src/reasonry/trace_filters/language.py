"""Traces by language: another one than that of the question, or scripts that have no place in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Annotated

from pydantic import Field, field_validator

from reasonry.filters.language import known_codes, model_input
from reasonry.languages import (
    LANGUAGES,
    NAMES,
    foreign_letters,
    is_plainly_english,
    language_of,
    need_language_model,
    prose,
    script_counts,
)
from reasonry.registry import part
from reasonry.trace_filters.each import Fault, RowTraceFilterSection, each
from reasonry.types import Candidate, Drop

__all__ = ["RULES", "LanguageSection", "language"]

RULES = {
    "other_language": "the reasoning or the response begins in a language that is not asked for",
    "switched_language": "the middle or the end of the reasoning is in a language that is not asked for",
    "mixed_scripts": "more than `max_foreign` of the letters are of scripts that neither the question nor the languages"
    " asked for use",
}


class LanguageSection(RowTraceFilterSection):
    """Which languages a trace may be in. Formulas and code are of no language; Latin and Greek letters are allowed."""

    keep: list[str] = Field(
        default_factory=list[str],
        description="languages by ISO 639-1 code; default: that of the question, or else of the response",
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.8, description="a stretch that is less surely of another language does not count"
    )
    max_foreign: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.01, description="share of the letters that may be of other scripts"
    )

    _codes = field_validator("keep")(known_codes)


@part("trace_filter", "language", options=LanguageSection, inputs=model_input, needs=need_language_model, rules=RULES)
def language(candidates: Iterable[Candidate], options: LanguageSection) -> Iterator[Candidate | Drop]:
    """Drop traces in another language than the question's (or those asked for), and those that mix scripts."""

    def check(candidate: Candidate) -> Fault | None:
        trace, prompt = candidate.trace, candidate.question.prompt
        keep = frozenset(options.keep) or _languages_of(prompt) or _languages_of(trace.response)
        for name, text in (("reasoning", trace.reasoning), ("response", trace.response)):
            fault = _mixed(text, keep, prompt, options.max_foreign) or _other(
                text, keep, prompt, options.min_confidence
            )
            if fault:
                return Fault(fault.rule, f"{name}: {fault.reason}")
        return None

    return each(candidates, options, check)


@lru_cache(maxsize=64)
def _languages_of(prompt: str) -> frozenset[str]:
    """The language of a text, where it surely has one. Kept, since the samples of one question come together."""
    if is_plainly_english(prompt):
        return _ENGLISH
    found = language_of(prompt)
    return frozenset((found.code,)) if found.code is not None and found.confidence >= _SURE else frozenset()


_ENGLISH = frozenset(("en",))
_SURE = 0.8
_SYMBOLS = frozenset(("latin", "greek"))
_FEWEST = 20  # letters of a foreign script: fewer are a name or a quotation


def _mixed(text: str, keep: frozenset[str], prompt: str, most: float) -> Fault | None:
    if not keep or foreign_letters(text) < _FEWEST:
        return None
    counts, allowed = script_counts(text), _allowed(keep, prompt)
    foreign = {script: count for script, count in counts.items() if script not in allowed}
    share = sum(foreign.values()) / max(1, sum(counts.values()))
    if sum(foreign.values()) < _FEWEST or share <= most:
        return None
    listed = ", ".join(f"{count} {script}" for script, count in sorted(foreign.items()))
    return Fault("mixed_scripts", f"{listed} among {sum(counts.values())} letters ({share:.1%})")


def _allowed(keep: frozenset[str], prompt: str) -> set[str]:
    """The scripts of the languages asked for, and those that the question uses or names the language of."""
    languages = keep | _named(prompt)
    allowed = {LANGUAGES[code] for code in languages} | set(script_counts(prompt)) | _SYMBOLS
    return allowed | {"han"} if languages & {"ja", "ko"} else allowed


def _named(prompt: str) -> set[str]:
    """The languages that a question speaks of: it may ask for an answer in them."""
    words = set(_CAPITALISED.findall(prompt))
    return {code for code, name in NAMES.items() if name in words}


_CAPITALISED = re.compile(r"\b[A-Z][a-z]+\b")


def _is_prose(window: str, code: str) -> bool:
    """Whether a stretch says something: lists of a few commands look like any language."""
    return LANGUAGES[code] != "latin" or len(set(prose(window, _WINDOW).split())) >= _FEWEST_WORDS


_FEWEST_WORDS = 12  # different ones
_WINDOW = 1_500  # characters read at each place
_LETTERS = 60


def _other(text: str, keep: frozenset[str], prompt: str, least: float) -> Fault | None:
    """Whether the beginning, the middle or the end is surely in a language that is not asked for."""
    if not keep:
        return None
    places = (0,) if len(text) <= _WINDOW else (0, len(text) // 2, len(text) - _WINDOW)
    for place in places:
        window = text[place : place + _WINDOW]
        if "en" in keep and is_plainly_english(window):
            continue
        found = language_of(window, min_letters=_LETTERS)
        if found.code is None or found.code in keep or found.confidence < least or not _is_prose(window, found.code):
            continue
        if found.code in _named(prompt):
            continue
        seen = f"{found.code} ({found.confidence:.0%})"
        if place == 0:
            return Fault("other_language", f"it begins in {seen}")
        return Fault("switched_language", f"{seen} from {place / len(text):.0%} of its length on")
    return None
