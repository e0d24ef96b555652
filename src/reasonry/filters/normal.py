"""Two forms of a text under which questions are compared.

`normal_text` forgives how a question was typed (Unicode forms, case, spaces, the full stop at its end) and nothing
that changes what is asked: numbers, operators and exponents stay. `words` forgives punctuation too, for comparing
runs of words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from reasonry.identity import digest
from reasonry.types import Question

__all__ = ["normal_text", "place_of", "question_key", "words"]

_THIN_SPACE = re.compile(r"\\(?:[,;:!>]|thinspace(?![a-zA-Z]))")
_WIDE_SPACE = re.compile(r"\\(?:qquad|quad|enspace)(?![a-zA-Z])|\\(?= )")
_SPACES = re.compile(r"\s+")
# No "!" here: it is a factorial as often as an exclamation.
_TRAILING = " .?:;,…。？：；，"
# A character of a script without spaces between words is a word.
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}]+")


def normal_text(text: str) -> str:
    """A text without what typing alone decides: NFKC, case folded, spaces collapsed, final punctuation off."""
    text = "".join(map(_kept_apart, text)) if not text.isascii() else text
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _WIDE_SPACE.sub(" ", _THIN_SPACE.sub("", text))
    return _SPACES.sub(" ", text).strip().rstrip(_TRAILING)


def words(text: str) -> list[str]:
    """The words of a text, case folded, without punctuation; each ideograph is a word."""
    return _WORD.findall(normal_text(text))


def question_key(question: Question) -> str:
    """Equal for questions that ask the same: the same text, and the same choices where the spec holds them."""
    choices = question.spec.get("choices")
    listed = [normal_text(str(choice)) for choice in choices] if isinstance(choices, Sequence) else None
    return digest("normal", normal_text(question.prompt), listed)


def place_of(question: Question) -> str:
    """Where a question came from, for a person: `file:row`, or its id where that is not known."""
    origin = question.meta.get("origin") or {}
    name = origin.get("file") or origin.get("dataset") or origin.get("task") or origin.get("family")
    return f"{name}:{origin['row']}" if name and "row" in origin else question.id


@cache
def _kept_apart(character: str) -> str:
    """NFKC turns 2² into 22 and 1½ into 11⁄2: mark what would run into the digits before it."""
    form = unicodedata.decomposition(character).partition(" ")[0]
    mark = {"<super>": "^", "<sub>": "_", "<fraction>": " "}.get(form, "")
    return mark + character
