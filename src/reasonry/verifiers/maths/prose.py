"""Answers in words: yes and no, names, letters of choices, and sentences that state a value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reasonry.verifiers.maths.context import Context

__all__ = ["compare_words", "is_prose", "is_sentence", "statements", "words_of"]

_COMMAND = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|hbox|operatorname|textnormal)\s*\{([^{}]*)\}")
_SPACE = re.compile(r"\\[,;:! ]|\\quad|~|[\s$]+")
_TRIVIAL = re.compile(r"\b(?:the|a|an|all)\b")
_WORD = re.compile(r"[^\W\d_]{2,}")


def words_of(text: str) -> str:
    """An answer in words: without commands, articles, and signs around them."""
    plain = _SPACE.sub(" ", _COMMAND.sub(r" \1 ", text))
    return " ".join(_TRIVIAL.sub(" ", plain).strip(" .,;:!?'\"(){}*").split())


def is_sentence(text: str) -> bool:
    """Whether a text has two words side by side, which a formula has not."""
    return bool(_PROSE.search(_COMMAND.sub(r" \1 ", text)))


_PROSE = re.compile(r"(?<![\\A-Za-z])[A-Za-z'’-]{3,}[,.]?\s+(?:[A-Za-z'’-]{2,}|[aI]\b)")


_OTHER_SCRIPT = re.compile(r"[^\x00-\x7f]{3}")


def is_prose(text: str) -> bool:
    """Whether an answer is a sentence, in any script."""
    return is_sentence(text) or bool(_OTHER_SCRIPT.search(text))


def compare_words(reference: str, answer: str, context: Context) -> bool | None:
    """Whether an answer in words says what a reference in words says; None where the reference is none."""
    wanted, given = words_of(reference), words_of(answer)
    if wanted == given and wanted and is_sentence(reference):
        context.reached("words")
        return True
    if (choice := _CHOICE_WITH_TEXT.match(_COMMAND.sub(r"\1", reference).strip("$ "))) is not None:
        context.reached("words")
        named = _COMMAND.sub(r"\1", answer).strip("$ ().").casefold()
        return named in ((choice[1] or choice[2]).casefold(), choice[3].casefold()) and context.may("choice_letter")
    if not wanted or not _is_wordy(wanted):
        return _choice(wanted, answer, context)
    context.reached("words")
    if wanted == given:
        return True
    if wanted.casefold() == given.casefold():
        return context.may("case_ignored")
    if wanted.casefold() in ("yes", "no", "true", "false"):
        return _yes_or_no(wanted.casefold(), answer) and context.may("yes_no")
    is_name = given.isalpha() and given[:1].isupper() and not given.isupper()
    if is_name and wanted.split()[0].strip(",") == given and not _other_names(wanted):
        return context.may("named_subject")
    return False


def _is_wordy(text: str) -> bool:
    return bool(_WORD.search(text)) and not re.search(r"[\\^=<>+*/_|\d]", text)


def _other_names(sentence: str) -> bool:
    return any(word[:1].isupper() for word in sentence.split()[1:])


_CHOICE = re.compile(
    r"^[^\w(]*(?:option |choice |for sure |surely |definitely |clearly )?(?:\(([A-J])\)|([A-J])\s*(?:[).:,]|$))",
    re.IGNORECASE,
)
_OTHER_CHOICE = re.compile(r"(?<![A-Za-z])[A-J](?![A-Za-z'])")
_CHOICE_WITH_TEXT = re.compile(r"^(?:\(([A-J])\)\s*|([A-J])[.:)]?\s+(?=[A-Z]))([A-Za-z]+(?:\s[A-Za-z]+){0,3})$")


def _choice(wanted: str, answer: str, context: Context) -> bool | None:
    """`C) 12` where `C` is asked."""
    if len(wanted) != 1 or wanted not in "ABCDEFGHIJ":
        return None
    plain = _COMMAND.sub(r"\1", answer).strip("$ *")
    found = _CHOICE.match(plain)
    if found is None or ((found[1] or "").upper() != wanted and found[2] != wanted):
        return None
    rest = plain[found.end() :]
    if _OTHER_CHOICE.search(rest) and not _DENIED.search(rest):
        return None
    context.reached("words")
    if words_of(plain) == wanted:
        return True
    has_value = re.search(r"[\\^=\d√π$/]", rest)
    return context.may("choice_value" if has_value else "choice_letter")


_OPENING = re.compile(r"^\W*(yes|no|true|false)\b(?P<rest>[^\n]*)", re.IGNORECASE)
_NO_ANSWER = re.compile(
    r"^\s*(?:answer|solution|response|idea|information|final|result|output|conclusion|valid|data|problem|option|value|one)",
    re.IGNORECASE,
)


def _yes_or_no(wanted: str, answer: str) -> bool:
    """`No, there is none` and `No such function exists` say no; `No answer provided` says nothing."""
    found = _OPENING.match(_COMMAND.sub(r"\1", answer))
    if found is None or found[1].lower() != wanted:
        return False
    rest = found["rest"]
    if not rest.strip(" .*"):
        return True
    if rest.lstrip("*")[:1] in (",", ".", ";", ":", "-", "–", "—"):
        return not re.search(r"\b(?:or|actually|wait|yes)\b", rest[:60], re.IGNORECASE)
    return wanted == "no" and not _NO_ANSWER.match(rest)


_STATED = re.compile(
    r"\b(?:is|are|equals|be|was|were|至少为|为|是)\b(?: equal to| exactly| approximately| about)?\s*:?"
    r"|:(?!\d)|(?<![<>!:])="
)
_DENIED = re.compile(
    r"\b(?:not|no|never|cannot|nor|either|between|without|if|unless|maybe|perhaps|might|less|more|than|wrong)\b|n't\b",
    re.IGNORECASE,
)
MAX_SENTENCE = 600


def statements(sentence: str) -> Iterator[str]:
    """What a sentence may state as its value, the likeliest first: what stands behind its last `is` or `=`."""
    if len(sentence) > MAX_SENTENCE or _DENIED.search(sentence):
        return
    ends = [found.end() for found in _STATED.finditer(sentence)]
    for end in ends[:-3:-1]:
        if stated := sentence[end:].strip():
            yield stated
