"""The two sides of a comparison: a benchmark's question, folded and weighed, and a row, folded where that is needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

from reasonry.filters.contamination_align import Coded
from reasonry.filters.contamination_text import Parts, parts_of, with_digits
from reasonry.filters.drawings import drawing
from reasonry.filters.folding import folded

__all__ = ["Reference", "Row", "drawn", "sentence_lengths", "spelled"]

_FIRST_LETTER = 0x10000  # beyond surrogates
_SENTENCES = re.compile(r"(?<=[.?!:;])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Reference:
    """A benchmark question, folded.

    `is_own` says of each word of the stem whether every phrase it stands in is this question's alone (names, most of
    all); `is_template` whether the benchmarks ask the same with other numbers too. `sentences` are the numbers of words
    of the stem's sentences; `content` is what its words say, numbers aside; `choices_weight` what the choices say;
    `drawn` are the symbols of its boards and grids.
    """

    coded: Coded
    is_own: Sequence[bool]
    is_number: Sequence[bool]
    choices: tuple[str, ...]
    sentences: tuple[int, ...]
    is_template: bool
    content: float
    choices_weight: float
    drawn: str

    @property
    def stem(self) -> Sequence[str]:
        return self.coded.words


@dataclass(slots=True)
class Row:
    """A row that is compared with several references: folded once, and only where one asks."""

    prompt: str
    listed: Sequence[object] | None
    code: Callable[[str], Coded]
    _parts: Parts | None = field(default=None, init=False)
    _coded: Coded | None = field(default=None, init=False)
    _choices: tuple[str, ...] | None = field(default=None, init=False)

    @property
    def parts(self) -> Parts:
        if self._parts is None:
            self._parts = parts_of(self.prompt, self.listed)
        return self._parts

    @property
    def coded(self) -> Coded:
        if self._coded is None:
            self._coded = self.code(folded(self.parts.stem))
        return self._coded

    @property
    def stem(self) -> Sequence[str]:
        return self.coded.words

    @property
    def drawn(self) -> str:
        return drawn(self.parts.stem)

    @property
    def choices(self) -> tuple[str, ...]:
        if self._choices is None:
            self._choices = tuple(folded(choice) for choice in self.parts.choices)
        return self._choices

    def sentences(self) -> Iterator[list[str]]:
        """The words of the stem's sentences."""
        for sentence in _SENTENCES.split(self.parts.stem):
            if words := spelled(folded(sentence)):
                yield words


def drawn(text: str) -> str:
    """The symbols of a text's boards and grids, without white space: what folding takes for typing."""
    return "".join(drawing(text).split())


def spelled(folded_text: str) -> list[str]:
    """The words of a folded text, each number in one spelling; without braces, which are sets or are layout."""
    words = with_digits(folded_text.replace("{", "").replace("}", "").split())
    return [_number(word) if word[0].isdigit() else word for word in words]


def _number(digits: str) -> str:
    whole, _, part = digits.partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if part else "")


def sentence_lengths(stem: str) -> list[int]:
    """The numbers of words of a text's sentences, of the words that the text has when it is folded as a whole.

    A sentence that is folded alone may lose what looks like a heading, so each border is put where the words agree.
    """
    from rapidfuzz.distance import LCSseq

    words = spelled(folded(stem))
    alone = [spelled(folded(sentence)) for sentence in _SENTENCES.split(stem)]
    if sum(map(len, alone)) == len(words):
        return [len(sentence) for sentence in alone if sentence]
    letters: dict[str, str] = {}
    coded = [
        "".join([letters.setdefault(word, chr(_FIRST_LETTER + len(letters))) for word in side])
        for side in ([word for sentence in alone for word in sentence], words)
    ]
    ends = _mapped(accumulate(map(len, alone)), LCSseq.opcodes(*coded), len(words))
    return [length for begin, end in pairwise([0, *ends]) if (length := end - begin)]


def _mapped(ends: Iterable[int], blocks: Iterable[Any], last: int) -> list[int]:
    """Where borders of one text lie in the other, by the blocks that turn one into the other. The last is the end."""
    where: dict[int, int] = {}
    for block in blocks:
        step = block.dest_end - block.dest_start
        for place in range(block.src_start, block.src_end):
            where[place + 1] = block.dest_start + min(step, place + 1 - block.src_start)
    made = [where.get(end, 0) for end in ends]
    return [*(min(end, last) for end in made[:-1]), last]
