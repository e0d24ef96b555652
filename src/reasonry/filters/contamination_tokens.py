"""Many texts at once as words and numbers alone, each as a 64-bit hash: a coarse form that is cheap to make.

LaTeX, signs and layout are left out, so that two ways of writing a formula share what stands in it. A number
is the same in digits and in words ("1,000" and "1000", "thirty-seven" and "37"). All texts of a batch stand in one
array of bytes, so that the work per character is done by numpy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = ["Tokens", "tokenise", "word_hashes"]

# Of LaTeX commands the names of functions stay, as they would stand in plain text.
_COMMAND = re.compile(
    r"\\(?:[dt]?(sin|cos|tan|sec|csc|cot|arcsin|arccos|arctan|sinh|cosh|tanh|log|ln|exp|det|gcd|lim|max|min|binom|sqrt|pi"
    r"|sum|int|prod|angle)(?![a-z])|[a-z]+)"
)
_SYMBOLS = {
    "\u03c0": " pi ",
    "\u221a": " sqrt ",
    "\u2211": " sum ",
    "\u222b": " int ",
    "\u220f": " prod ",
    "\u2220": " angle ",
}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_PUNCTUATION = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"}
_PLAIN = str.maketrans(_PUNCTUATION | _SYMBOLS)
_OTHER_SCRIPT = re.compile(
    r"[\u0400-\u1fff\u2c00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00010000-\U0001cfff\U00020000-\U000fffff]"
)
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]")  # each is a word
_RAISED = re.compile("[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u208e\u2150-\u215e]+")  # powers, indices, fractions
_BARE_FRACTION = re.compile(r"frac\s*([0-9])\s*([0-9])")  # \frac12 is 1/2
_SEPARATOR = "\x01"
_STEP, _SPREAD = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9
_LONGEST = 64  # bytes of a word; from there on the positions repeat
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of all texts, in order: hash, whether it is a number, its bytes, the text it stands in (arrays)."""

    hashes: Any
    is_number: Any
    size: Any
    text: Any


def tokenise(texts: Sequence[str]) -> Tokens:
    """The words and numbers of texts."""
    import numpy as np

    joined = _SEPARATOR.join(map(_spelled, texts)).encode("utf-8")
    data = _without_thousands(np.frombuffer(joined, np.uint8))
    kind = _kinds()[data]
    inside = np.flatnonzero(kind)
    if not len(inside):
        nothing = np.zeros(0, np.int64)
        return Tokens(nothing.astype(np.uint64), nothing.astype(bool), nothing, nothing)
    begins = np.ones(len(inside), bool)
    begins[1:] = (inside[1:] != inside[:-1] + 1) | (kind[inside[1:]] != kind[inside[:-1]])
    first = np.flatnonzero(begins)
    hashes = _hashed(data[inside], first)
    text = np.cumsum(data == ord(_SEPARATOR))[inside[first]]
    size = np.diff(np.append(first, len(inside)))
    return _with_digits(Tokens(hashes, kind[inside[first]] == _DIGIT, size, text))


def word_hashes(words: Sequence[str]) -> Any:
    """The hashes of words, each of which is one token (letters only, or digits only)."""
    import numpy as np

    data = np.frombuffer("".join(words).encode("utf-8"), np.uint8)
    lengths = np.array([len(word.encode("utf-8")) for word in words], np.int64)
    return _hashed(data, np.cumsum(lengths) - lengths)


def _spelled(text: str) -> str:
    text = text.lower().replace(_SEPARATOR, " ")
    if "\\" in text:
        text = _COMMAND.sub(r" \1 ", _BARE_FRACTION.sub(r"frac \1 \2 ", text) if "frac" in text else text)
    if text.isascii():
        return text
    text = _NOT_ASCII.sub(lambda run: run[0].translate(_PLAIN), text)
    if text.isascii():
        return text
    text = _RAISED.sub(r" \g<0> ", text)
    if _OTHER_SCRIPT.search(text):
        return _IDEOGRAPH.sub(r" \g<0> ", unicodedata.normalize("NFKC", text).lower())
    return unicodedata.normalize("NFKD", text).encode("ascii", "replace").decode("ascii")


_OTHER, _LETTER, _DIGIT = 0, 1, 2


@cache
def _kinds() -> Any:
    """What each byte is. All bytes beyond ASCII are letters: what is none was replaced, or matters little."""
    import numpy as np

    kinds = np.zeros(256, np.uint8)
    kinds[[*range(ord("a"), ord("z") + 1), *range(0x80, 0x100)]] = _LETTER
    kinds[range(ord("0"), ord("9") + 1)] = _DIGIT
    return kinds


def _without_thousands(data: Any) -> Any:
    """The bytes without commas between a digit and exactly three of them."""
    import numpy as np

    commas = np.flatnonzero(data == ord(","))
    if not len(commas):
        return data
    digit = np.zeros(len(data) + 6, bool)
    digit[1 : len(data) + 1] = _kinds()[data] == _DIGIT  # one to the right: the byte before the first is none
    inner = digit[commas] & digit[commas + 2] & digit[commas + 3] & digit[commas + 4] & ~digit[commas + 5]
    return np.delete(data, commas[inner])


def _hashed(data: Any, first: Any) -> Any:
    """One hash for each word: the bytes of all words without gaps, and where each word begins."""
    import numpy as np

    lengths = np.diff(np.append(first, len(data)))
    place = np.arange(len(data)) - np.repeat(first, lengths)
    weighed = (data.astype(np.uint64) + np.uint64(1)) * _powers()[place % _LONGEST]
    hashes = np.add.reduceat(weighed, first) if len(first) else np.zeros(0, np.uint64)
    hashes ^= hashes >> np.uint64(31)
    return hashes * np.uint64(_SPREAD)


@cache
def _powers() -> Any:
    import numpy as np

    return np.cumprod(np.full(_LONGEST, _STEP, np.uint64))


@cache
def _number_words() -> tuple[Any, Any, Any]:
    """Hashes of the words of number, sorted; their values; and the hashes of 0 to 99 in digits."""
    import numpy as np

    words = {word: value for value, word in enumerate(f"{_SMALL} eighteen nineteen".split())}
    words |= {word: 10 * ten for ten, word in enumerate(_TENS.split(), 2)}
    hashes = word_hashes(list(words))
    order = np.argsort(hashes)
    return hashes[order], np.array(list(words.values()))[order], word_hashes([str(value) for value in range(100)])


def _with_digits(tokens: Tokens) -> Tokens:
    """Numbers in words as in digits, "thirty seven" as one of them. "One" stays: it is a pronoun as often."""
    import numpy as np

    hashes, values, digits = _number_words()
    at = np.minimum(np.searchsorted(hashes, tokens.hashes), len(hashes) - 1)
    found = np.flatnonzero(hashes[at] == tokens.hashes)
    if not len(found):
        return tokens
    value = values[at[found]]
    joins = np.zeros(len(found), bool)
    joins[:-1] = (value[:-1] >= 20) & (value[1:] < 10) & (value[1:] > 0) & (found[1:] == found[:-1] + 1)
    joins[:-1] &= tokens.text[found[1:]] == tokens.text[found[:-1]]
    joined = np.roll(joins, 1)  # the second word of two
    is_alone = (value == 1) & ~joined
    value[:-1][joins[:-1]] += value[1:][joins[:-1]]
    kept = np.ones(len(tokens.hashes), bool)
    kept[found[joined]] = False
    found, value = found[~is_alone], value[~is_alone]
    made, is_number, size = tokens.hashes.copy(), tokens.is_number.copy(), tokens.size.copy()
    made[found], is_number[found], size[found] = digits[value], True, np.where(value < 10, 1, 2)
    return Tokens(made[kept], is_number[kept], size[kept], tokens.text[kept])
