"""What decontamination needs to know of a text: its stem and its choices, its numbers, and where words stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Parts", "parts_of", "span_of", "with_digits"]

_UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {
    **{word: value for value, word in enumerate(_UNITS.split())},
    **{word: 10 * ten for ten, word in enumerate(_TENS.split(), 2)},
}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_NUMBER_WORDS = frozenset((*_SMALL, "hundred")) - {"one"}


def with_digits(words: list[str]) -> list[str]:
    """Words with the numbers among them in digits. "One" alone stays: it is a pronoun as often."""
    if _NUMBER_WORDS.isdisjoint(words):
        return words
    made: list[str] = []
    run: list[str] = []
    for word in [*words, ""]:
        if (word in _SMALL and (not run or _continues(run[-1], word))) or (run and word in _LARGE):
            run.append(word)
        else:
            made += _in_digits(run)
            run = [word] if word in _SMALL else []
            made += [word] if word and not run else []
    return made


def _continues(last: str, word: str) -> bool:
    """Twenty one and two hundred five are one number; two three are two."""
    return last in _LARGE or (_SMALL[last] >= 20 and 0 < _SMALL[word] < 10)


def _in_digits(run: list[str]) -> list[str]:
    if not run or run == ["one"]:
        return run
    total = part = 0
    for word in run:
        if word in _SMALL:
            part += _SMALL[word]
        elif word == "hundred":
            part *= 100
        else:
            total, part = total + part * _LARGE[word], 0
    return [str(total + part)]


# A letter as it stands before a choice: (A), [A], A), A., A:, (A):, \textbf{(A)}; bare ones only where a line begins.
_LETTERED = re.compile(
    r"(?:(?<=[\n\s}$])|\A)(?:\$?\\(?:textbf|mathrm|text|mathbf)\{\s*)?"
    r"(?:[(\[](?P<closed>[A-Za-z])[)\]]|(?<![^\n])[ \t]*(?:[-*][ \t]+)?(?P<bare>[A-Za-z])[.):](?=\s|\}))"
    r"[.:]?(?:\\?[ ~])*\}?\$?[.:]?(?:\\[ ~])*[ \t]*"
)
_CUE = re.compile(r"(?:answer\s+)?(?:options|choices)(?:\s+are)?\s*:?\s*\Z", re.IGNORECASE)
_ITEM = re.compile(r"^[ \t]*(?:[-*\u2022]|\(?\d{1,2}[.)])[ \t]+", re.MULTILINE)
_LIST = re.compile(
    r"(?:options|choices)(?:\s+are)?\s*:[ \t]*\n(?=[ \t]*(?:[-*\u2022]|\(?\d{1,2}[.)])[ \t])", re.IGNORECASE
)
_BETWEEN = re.compile(r"\A(?:[\s$~;,]|\\(?:q?quad|[ ,;!]))+|(?:[\s$~;,]|\\(?:q?quad|[ ,;!])|\\\Z)+\Z")


@dataclass(frozen=True, slots=True)
class Parts:
    """A question without its choices, and the choices. `end` is where the last choice ends in the text, if any."""

    stem: str
    choices: tuple[str, ...] = ()
    end: int | None = None


def parts_of(prompt: str, listed: Sequence[object] | None = None) -> Parts:
    """The stem and the choices of a prompt; choices stand in its text, or are given beside it, or both."""
    runs = list(_lettered_runs(prompt)) or list(_listed_run(prompt))
    if not runs:
        return Parts(prompt, tuple(str(choice) for choice in listed or ()))
    stem: list[str] = []
    choices: list[str] = []
    at = 0
    for marks in runs:
        stem.append(_CUE.sub("", prompt[at : marks[0][0]].rstrip()))
        ends = [start for start, _ in marks[1:]]
        ends.append(_end_of_last(prompt, marks))
        choices += [_BETWEEN.sub("", prompt[begin:end]) for (_, begin), end in zip(marks, ends, strict=True)]
        at = ends[-1]
    stem.append(prompt[at:])
    return Parts("\n".join(stem).strip(), tuple(choices), at)


Marks = list[tuple[int, int]]


def _lettered_runs(text: str) -> Iterator[Marks]:
    """Choices lettered from A on: where each mark stands and where the choice behind it begins."""
    run: Marks = []
    form = ""
    for mark in _LETTERED.finditer(text):
        letter = mark["closed"] or mark["bare"]
        kind = ("closed" if mark["closed"] else "bare") + ("A" if letter.isupper() else "a")
        expected = chr(ord(kind[-1]) + len(run))
        if letter == expected and (not run or kind == form):
            run.append(mark.span())
            form = kind
        elif letter == kind[-1]:
            if len(run) > 1:
                yield run
            run, form = [mark.span()], kind
    if len(run) > 1:
        yield run


def _listed_run(text: str) -> Iterator[Marks]:
    """Choices in a list of bullets or numbers behind "Options:"."""
    for cue in _LIST.finditer(text):
        marks = [item.span() for item in _ITEM.finditer(text, cue.end())]
        if len(marks) > 1 and all("\n\n" not in text[b:a] for (_, b), (a, _) in pairwise(marks)):
            yield marks
            return


def _end_of_last(text: str, marks: Marks) -> int:
    """The last choice ends with its paragraph; with its line where the other choices are lines."""
    begin = marks[-1][1]
    lines = all("\n" not in text[b:a].strip() for (_, b), (a, _) in pairwise(marks)) and any(
        "\n" in text[b:a] for (_, b), (a, _) in pairwise(marks)
    )
    end = text.find("\n" if lines else "\n\n", begin)
    return len(text) if end < 0 else end


_WORD = re.compile(r"[^\W_]+")


def span_of(prompt: str, words: Sequence[str], end: int | None = None) -> tuple[int, int]:
    """Where in a prompt these folded words stand, in characters; up to `end` at least, where that is given."""
    from rapidfuzz.distance import LCSseq

    places = [(found[0].lower(), *found.span()) for found in _WORD.finditer(prompt)]
    ids: dict[str, str] = {}
    wanted, there = (
        "".join(ids.setdefault(word, chr(0x100 + len(ids))) for word in side)
        for side in (words, [word for word, _, _ in places])
    )
    is_matched = [False] * len(places)
    for block in LCSseq.opcodes(wanted, there):
        if block.tag == "equal":
            is_matched[block.dest_start : block.dest_end] = [True] * (block.dest_end - block.dest_start)
    best, total, begin, span = 0.0, 0.0, 0, (0, 0)
    for i, matched in enumerate(is_matched):
        if total <= 0:
            total, begin = 0.0, i
        total += 1.0 if matched else -0.4
        if total > best:
            best, span = total, (begin, i + 1)
    if span == (0, 0):
        return 0, len(prompt)
    first, last = places[span[0]][1], places[span[1] - 1][2]
    while first and not prompt[first - 1].isspace():
        first -= 1
    last = max(last, end or 0)
    while last < len(prompt) and not prompt[last].isspace():
        last += 1
    return first, last
