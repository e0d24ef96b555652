"""Near-duplicates that say the same in other words: synonyms, order, introductions, instructions."""

from __future__ import annotations

import re

from benchmarks.corpus.draw import Stream
from benchmarks.corpus.grammar.phrases import INSTRUCTIONS, INTRODUCTIONS, SYNONYMS
from benchmarks.corpus.spelling import on_prose

__all__ = ["reworded"]

_SENTENCE_GAP = re.compile(r"(?<=[.?!]) (?=[A-Z$\\])")
_NOT_FIRST = re.compile(r"\b(?:It|They|Then|Later|Next|After|This|These|He|She|His|Her|Their|That|those|there)\b")


def _synonyms(s: Stream, text: str, most: int) -> tuple[str, int]:
    """The text with up to `most` words replaced, and how many were."""
    done = 0
    for group in s.shuffled(SYNONYMS):
        if done == most:
            break
        word = next((form for form in group if re.search(rf"\b{re.escape(form)}\b", text)), None)
        if word is None:
            continue
        other = s.pick([form for form in group if form != word])
        after = on_prose(
            s, text, lambda _, part, word=word, other=other: re.sub(rf"\b{re.escape(word)}\b", other, part, count=1)
        )
        done += after != text
        text = after
    return text, done


def _swapped(s: Stream, text: str) -> str:
    """Two neighbouring sentences in the other order: ones that do not point back, one of them without a number."""
    sentences = _SENTENCE_GAP.split(text)
    fit = [i for i in range(len(sentences) - 2) if _may_swap(sentences[i], sentences[i + 1])]
    if not fit:
        return text
    i = s.pick(fit)
    sentences[i], sentences[i + 1] = sentences[i + 1], sentences[i]
    return " ".join(sentences)


def _may_swap(one: str, other: str) -> bool:
    pointing = any(_NOT_FIRST.match(text) or "?" in text or "\n" in text for text in (one, other))
    return not pointing and not (re.search(r"\d", one) and re.search(r"\d", other))


def _asked_first(_: Stream, text: str) -> str:
    """The question before what is given."""
    if "\n" in text:
        return text
    sentences = _SENTENCE_GAP.split(text)
    if len(sentences) < 2 or not sentences[-1].endswith("?") or _NOT_FIRST.search(sentences[-1]):
        return text
    return " ".join([sentences[-1], *sentences[:-1]])


def _around(s: Stream, text: str) -> str:
    how = s.pick(("before", "after", "after", "both"))
    before = s.pick(INTRODUCTIONS) + s.pick((" ", "\n", "\n\n")) if how != "after" else ""
    after = s.pick((" ", "\n", "\n\n")) + s.pick(INSTRUCTIONS) if how != "before" else ""
    return before + text + after


def reworded(s: Stream, text: str) -> tuple[str, list[str]]:
    """The same in other words, with the names of the changes."""
    made, names = text, list[str]()
    if s.chance(0.8):
        made, count = _synonyms(s, made, s.weighted(((1, 3), (2, 4), (3, 3), (5, 2), (8, 1))))
        names += ["synonyms"] * bool(count)
    for name, change, share in (
        ("swapped", _swapped, 0.25),
        ("asked_first", _asked_first, 0.12),
        ("around", _around, 0.45),
    ):
        if s.chance(share) and (after := change(s, made)) != made:
            made, names = after, [*names, name]
    return made, names
