"""A question as it is compared with others, and what two of them say differently."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise

from reasonry.filters.duplicates.answers import Answer
from reasonry.filters.folding import folded, numbers
from reasonry.filters.folding_numbers import NUMBER_WORDS
from reasonry.filters.likeness_words import FILLERS, NEGATIONS, POLES

__all__ = ["Difference", "Reading", "Words", "beyond", "difference_of", "weight"]

Words = Mapping[str, int]

DIGIT_WEIGHT = 4  # a digit says as much of a question as so many letters
SHORTEST_MISSPELLED = 4  # letters of a word that is taken for a misspelling of another
_NO_CONTENT = FILLERS | (NUMBER_WORDS - {"half"})
_OPERATORS = frozenset(("+", "-", "*", "/", "^", "<", ">", "<=", ">=", "=", "==", "!=", "!", "|", "%", "'", "[", "]"))
_LAID_OUT = _OPERATORS | frozenset("(){}&@_")
_ASKING = re.compile(r"[^.?!\n？。！]+[?？]")
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][^\W\d_]+|\"[^\"\n]{1,40}\"|(?<!\w)'[^'\n]{1,40}'(?!\w)")


class Reading:
    """A question as it is compared: its folded text, its prompt, its reference answer, a digest of its tests."""

    def __init__(
        self,
        text: str,
        prompt: str = "",
        answer: Answer | None = None,
        tests: str | None = None,
        *,
        choices: bool = False,
    ) -> None:
        self.prompt = prompt
        self.answer = answer
        self.tests = tests
        self.has_choices = choices
        self.text = text
        self.sequence = text.split()
        self.words: Words = dict(Counter(self.sequence))
        letters = len(text) - text.count(" ")
        self.weight = letters + (DIGIT_WEIGHT - 1) * sum(map(len, self.numbers_in_order)) - self._in_number_words()

    def _in_number_words(self) -> int:
        if NUMBER_WORDS.isdisjoint(self.words):
            return 0
        return sum(len(word) * count for word, count in self.words.items() if word in NUMBER_WORDS)

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        return numbers(self.text)

    @cached_property
    def digits(self) -> int:
        """How many digits its different numbers have. A 1 is none: "one" may stand for it, and for other things."""
        return sum(map(len, {*self.numbers} - {"1"}))

    @cached_property
    def asked(self) -> Words:
        """The words of the sentences that end with a question mark; of the whole text, where none does."""
        sentences = " ".join(map(folded, _ASKING.findall(self.prompt)))
        return dict(Counter(sentences.split())) if sentences else self.words

    @cached_property
    def numbers_in_order(self) -> list[str]:
        return [word for word in self.sequence if word[0].isdecimal()]

    @cached_property
    def placed_numbers(self) -> Counter[tuple[str, str]]:
        """Each number with the word before it, and with the word behind it."""
        return Counter(pair for pair in pairwise(self.sequence) if pair[0][0].isdecimal() != pair[1][0].isdecimal())

    @cached_property
    def names(self) -> frozenset[str]:
        """Words of proper nouns and short quotes: what is capitalised inside of a sentence, or stands in quotes.

        Empty where everything is capitalised, or nothing.
        """
        found = {word for name in _NAME.findall(self.prompt) for word in folded(name).split()} - FILLERS
        return frozenset(found) if 3 * len(found) < len(self.words) else frozenset()


class Difference:
    """What each of two texts says and the other does not, but for misspellings.

    `spellings` gives for a misspelled word the one of the other text that it stands for.
    """

    def __init__(self, one: Words, other: Words, spellings: Mapping[str, str]) -> None:
        self.one = one
        self.other = other
        self.spellings = spellings

    @cached_property
    def contents(self) -> tuple[int, int]:
        """Letters of content that one text has alone, and the other."""
        return _content(self.one), _content(self.other)

    @property
    def substituted(self) -> int:
        """Letters of content for which the other text has others."""
        return min(self.contents)

    @property
    def added(self) -> int:
        """Letters of content for which the other text has nothing."""
        return max(self.contents) - min(self.contents)

    @property
    def turns_round(self) -> bool:
        """Whether one text has a word and the other its opposite: maximum and minimum, sum and product."""
        poles = [POLES[word] for word in self.one if word in POLES]
        others = [POLES[word] for word in self.other if word in POLES] if poles else []
        return any(family == other and pole != at for family, pole in poles for other, at in others)

    @property
    def negates(self) -> bool:
        """Whether one text denies what the other does not, otherwise than in a sentence of its own."""
        denied = [sum(count for word, count in words.items() if word in NEGATIONS) for words in (self.one, self.other)]
        return denied[0] != denied[1] and max(len(_said(self.one)), len(_said(self.other))) < 2

    @property
    def changes_what_is_done(self) -> bool:
        """Whether an operator, or a word that has an opposite, comes or goes."""
        return any(
            word in _OPERATORS or (word in POLES and word not in FILLERS)
            for words in (self.one, self.other)
            for word in words
        )

    @property
    def draws_otherwise(self) -> bool:
        """Whether single letters or symbols come or go: pictures, grids and formulas are made of them."""
        return any(_is_piece(word) for words in (self.one, self.other) for word in words)

    @property
    def writes_other_letters(self) -> bool:
        """Whether each text has a single letter (a variable, a point) that the other has not."""
        return all(any(_is_letter(word, count) for word, count in words.items()) for words in (self.one, self.other))


def beyond(words: Words, others: Words) -> Words:
    """What a text has more of than another."""
    return {word: count - others.get(word, 0) for word, count in words.items() if count > others.get(word, 0)}


def difference_of(one: Words, other: Words) -> Difference:
    """The difference of two texts, given by the words that each has beyond those of the other."""
    left, right = dict(one), dict(other)
    return Difference(left, right, _forgive_misspellings(left, right))


def _forgive_misspellings(left: dict[str, int], right: dict[str, int]) -> dict[str, str]:
    """Take out of both what is one word, misspelled in one of them: a letter too many, too few, other or swapped."""
    from rapidfuzz.distance import OSA

    spellings: dict[str, str] = {}
    ends = _by_ends(right)
    for word in [word for word in left if len(word) >= SHORTEST_MISSPELLED and word.isalpha()]:
        for other in (*ends.get(word[0], ()), *ends.get(f"-{word[-1]}", ())):
            if other in right and _may_be_one(word, other) and OSA.distance(word, other, score_cutoff=1) == 1:
                shared = min(left[word], right[other])
                _take(left, word, shared)
                _take(right, other, shared)
                spellings[other] = word
                break
    return spellings


def _by_ends(words: Words) -> dict[str, list[str]]:
    """Words by their first letter, and by their last with a hyphen before it: a misspelling leaves one of them."""
    found: dict[str, list[str]] = {}
    for word in words:
        if len(word) >= SHORTEST_MISSPELLED:
            found.setdefault(word[0], []).append(word)
            found.setdefault(f"-{word[-1]}", []).append(word)
    return found


def _may_be_one(word: str, other: str) -> bool:
    return abs(len(word) - len(other)) <= 1 and not (word in POLES and other in POLES)


def _take(words: dict[str, int], word: str, count: int) -> None:
    words[word] -= count
    if not words[word]:
        del words[word]


def weight(words: Words) -> int:
    """Letters of the words; a digit counts as four. Words of number count nothing: they are compared as numbers."""
    total = 0
    for word, count in words.items():
        if word[0].isdecimal():
            total += DIGIT_WEIGHT * len(word) * count
        elif word not in NUMBER_WORDS:
            total += len(word) * count
    return total


def _content(words: Words) -> int:
    return sum(len(word) * count for word, count in words.items() if _has_content(word))


def _has_content(word: str) -> bool:
    return word not in _NO_CONTENT and not word[0].isdecimal() and (word.isalnum() or not word.isascii())


def _is_piece(word: str) -> bool:
    return len(word) == 1 and word not in _LAID_OUT and word not in FILLERS and not word.isdecimal()


def _said(words: Words) -> list[str]:
    return [word for word in words if word not in NEGATIONS and _has_content(word)]


def _is_letter(word: str, count: int) -> bool:
    """A letter that is no word: what stands behind an apostrophe is met once at most."""
    return len(word) == 1 and word.isalpha() and word.isascii() and (count > 1 or word not in FILLERS)
