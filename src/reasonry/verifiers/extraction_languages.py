"""How other languages than English say "Answer:" and "the answer is".

A language is found by a part of its word for the answer (`anchor`); only there are its patterns tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reasonry.verifiers.extraction_text import places_of

__all__ = ["foreign_labels", "foreign_phrases"]


@dataclass(frozen=True, slots=True)
class _Word:
    """A word for the answer: `anchor` stands `back` characters behind where the patterns begin."""

    anchor: str
    back: int
    label: re.Pattern[str] | None
    phrase: re.Pattern[str] | None


def _word(anchor: str, back: int, label: str = "", phrase: str = "") -> _Word:
    compiled = [re.compile(p, re.IGNORECASE) if p else None for p in (label, phrase)]
    return _Word(anchor, back, compiled[0], compiled[1])


_COLON = r"[ \t*_]*[:：]"
_QUESTION = r"[^\n.?!]{1,60}?"
_WORDS = (
    _word(
        "答",
        0,
        r"答(?:案|え)?[ \t*_]*(?:】\s*[:：]?|[:：])",
        r"答案(?:应该|应当|就|便|應)?(?:是|为|為|等于)\s*[:：]?|答え?は[:：、]?",
    ),
    _word("正解", 0, rf"正解{_COLON}", r"正解は[:：、]?"),
    _word("选", 0, "", r"(?<=[故应此以案])选择?\s*[:：]?"),
    _word("選", 0, "", r"(?<=[故應此以案])選擇?\s*[:：]?"),
    _word("结果", 0, "", r"结果(?:是|为)\s*[:：]?"),
    _word("답", 0, rf"답{_COLON}", r"답[은는]\s*[:：]?"),
    _word("твет", 1, rf"ответ(?:{_COLON}|[ \t]*[—–-](?=\s))"),
    _word("ntwort", 1, rf"antwort{_COLON}", rf"antwort(?: auf {_QUESTION})?\s+(?:ist|lautet|beträgt|wäre)\b\s*:?"),
    _word("rgebnis", 1, rf"ergebnis{_COLON}"),
    _word("ösung", 1, rf"lösung{_COLON}"),
    _word(
        "éponse", 1, rf"réponse(?: finale)?{_COLON}", rf"réponse(?: finale| correcte)?(?: à {_QUESTION})?\s+est\b\s*:?"
    ),
    _word(
        "eponse", 1, rf"reponse(?: finale)?{_COLON}", rf"reponse(?: finale| correcte)?(?: a {_QUESTION})?\s+est\b\s*:?"
    ),
    _word(
        "espuesta",
        1,
        rf"respuesta(?: final)?{_COLON}",
        rf"respuesta(?: final| correcta)?(?: a {_QUESTION})?\s+es\b\s*:?",
    ),
    _word("isposta", 1, rf"risposta(?: finale)?{_COLON}", r"risposta(?: finale| corretta)?\s+(?:è|e')\s*:?"),
    _word("esposta", 1, rf"resposta(?: final)?{_COLON}", r"resposta(?: final| correta)?\s+é\s*:?"),
    _word("ntwoord", 1, rf"antwoord{_COLON}", r"antwoord\s+is\b\s*:?"),
    _word("dpowiedź", 1, rf"odpowiedź{_COLON}", r"odpowiedź\s+(?:to|brzmi)\b\s*:?"),
    _word("evap", 1, rf"cevap{_COLON}"),
    _word("áp án", 1, rf"đáp án{_COLON}", r"đáp án là\s*:?"),
    _word("إجابة", 0, rf"إجابة(?: النهائية)?{_COLON}", r"إجابة(?: النهائية)? هي\s*:?"),
    _word("جواب", 0, rf"جواب{_COLON}", r"جواب هو\s*:?"),
    _word("उत्तर", 0, rf"उत्तर{_COLON}", r"उत्तर है\s*:?"),
    _word("উত্তর", 0, rf"উত্তর{_COLON}"),
)
_ASCII_WORDS = tuple(word for word in _WORDS if word.anchor.isascii())


def foreign_labels(text: str) -> Iterator[int]:
    """Where what stands after a label begins."""
    for word in _words_in(text):
        if word.label is not None:
            yield from _ends(text, word, word.label)


def foreign_phrases(text: str) -> Iterator[int]:
    """Where what "the answer is" begins."""
    for word in _words_in(text):
        if word.phrase is not None:
            yield from _ends(text, word, word.phrase)


def _words_in(text: str) -> Iterator[_Word]:
    return (word for word in (_ASCII_WORDS if text.isascii() else _WORDS) if word.anchor in text)


def _ends(text: str, word: _Word, pattern: re.Pattern[str]) -> Iterator[int]:
    for place in places_of(word.anchor, text):
        if place >= word.back and (found := pattern.match(text, place - word.back)):
            yield found.end()
