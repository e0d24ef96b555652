"""The numbers of a folded text, each in one spelling: for comparing what two questions compute with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = ["NUMBER_WORDS", "numbers"]

_UNITS = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_ORDINALS = "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"

_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_VALUES = {
    **{word: value for value, word in enumerate(f"{_UNITS} eighteen nineteen".split(), start=2)},
    **{word: value for value, word in enumerate(_ORDINALS.split(), start=3)},
    **{f"{word}s": value for value, word in enumerate(_ORDINALS.split(), start=3)},
    **{word: 10 * value for value, word in enumerate(_TENS.split(), start=2)},
    "zero": 0,
    "twice": 2,
    "thrice": 3,
}
NUMBER_WORDS = frozenset((*_VALUES, *_SCALES, "half"))
_STARTS = frozenset("0123456789.")
_LONGEST_SCALED = 30  # digits: nobody writes more of them before "million"
_DIGITS = re.compile(r"[0-9.](?:(?<=[0-9])[0-9]*(?:\.[0-9]+)?|[0-9]+)")


def numbers(folded_text: str) -> tuple[str, ...]:
    """The numbers in a folded text, each in one spelling, sorted, as often as they occur.

    2.50 and 2.5 are one number, so are 007 and 7, .5 and 0.5. A number in words is its value: "three hundred and five",
    "the third", "twice", "a dozen", "2 million". "One" counts only beside another word of number ("twenty one", "one
    third", "one half"): alone it is a pronoun as often as a number. Signs and units stay out of it, and a fraction is
    its two parts.
    """
    words = folded_text.split()
    if NUMBER_WORDS.isdisjoint(words):
        return tuple(sorted(map(_spelling, _DIGITS.findall(folded_text))))
    return tuple(sorted(_in_words(words)))


def _spelling(digits: str) -> str:
    """The digits without zeros that say nothing."""
    if "." not in digits:
        return digits.lstrip("0") or "0"
    whole, _, part = digits.partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if part else "")


def _in_words(words: Sequence[str]) -> Iterator[str]:
    """The numbers of a text that has words of number, in their order."""
    read_to = 0
    for place in [
        place for place, word in enumerate(words) if word in NUMBER_WORDS or word[0] in _STARTS or word == "one"
    ]:
        if place < read_to:
            continue
        word, following = words[place], words[place + 1] if place + 1 < len(words) else ""
        if word[0] in _STARTS:
            scale = _SCALES.get(following, 1)
            read_to = place + (1 if scale == 1 else 2)
            yield _scaled(word, scale)
        elif word == "half":
            yield from ("1", "2") if place and words[place - 1] == "one" else ()
        elif word != "one" or following in _VALUES or following in _SCALES:
            value, read_to = _read(words, place)
            yield str(value)


def _read(words: Sequence[str], place: int) -> tuple[int, int]:
    """The value of the words of number from a place on, and the place behind them."""
    total, value = 0, _SCALES.get(words[place], _VALUES.get(words[place], 1))
    place += 1
    while place < len(words):
        step = 2 if words[place] == "and" and value >= 100 and place + 1 < len(words) else 1
        word = words[place + step - 1]
        if word in _SCALES and step == 1:
            value *= _SCALES[word]
        elif (unit := 1 if word == "one" else _VALUES.get(word, 0)) and _goes_on(value, unit):
            value += unit
        else:
            break
        if value >= 1000 and value % 1000 == 0:
            total, value = total + value, 0
        place += step
    return total + value, place


def _goes_on(value: int, unit: int) -> bool:
    """Whether a smaller number may be added to what was read: twenty five, two hundred seven, not two three."""
    return (value % 100 >= 20 and value % 10 == 0 and unit < 10) or (value % 100 == 0 and unit < 100)


def _scaled(digits: str, scale: int) -> str:
    """2.5 million without rounding."""
    if scale == 1 or len(digits) > _LONGEST_SCALED:
        return _spelling(digits)
    whole, _, part = digits.partition(".")
    product = str(int(whole + part) * scale).rjust(len(part) + 1, "0")
    point = len(product) - len(part)
    return _spelling(f"{product[:point]}.{product[point:]}")
