"""The number that a sentence states, in any language, where it states one.

For comparisons: where a number is asked and the answer is a sentence, this is what the sentence says. A sentence with
two numbers, a hedge, or a denial of its number says none.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["NUMBER", "PART_OF_MORE", "numbers_in", "stated_number", "without_denied_numbers"]

NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.#])[-−]?[$£€¥]?\d[\d,]*(?:\.\d+)?(?:/\d+)?(?!\d|(?:st|nd|rd|th)\b)"
    r"(?:\s?[%€£¥]|\s\$(?!\d)|\s(?:hundred|thousand|million|billion|trillion|dozen)\b)?"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty)\b",
    re.IGNORECASE,
)
"""A number by itself: in digits with its sign of currency, or a word up to twenty. Not `3rd`, `x2`, `#4`."""

PART_OF_MORE = re.compile(
    r"[<>^≤≥√π±]|根号|分之|次方|\\(?![$%,!()\[\]])|\b(?:root|squared|cubed|power|half)\b"
    r"|\w\(|[\w)]\s*[+*×÷·]\s*\d|\d\s*[+*×÷·]|[\w)]\s+[-−]\s+\d|[\w)][-−]\d|\d\s?x\s?\d|\d:\d"
    r"|\d(?![mgslhjnvwcf])[a-z](?![a-z])|\d\s?(?:sqrt|sin|cos|tan|log|ln|pi)\b",
    re.IGNORECASE,
)
"""Signs that a number is a piece of an expression, of a ratio, or of a time of day."""

_LONGEST = 600  # characters
_HEDGED = re.compile(
    r"\b(?:or|nor|either|neither|maybe|perhaps|possibly|probably|might|could be|unsure|guess|assum\w+|approximately"
    r"|oder|ou|vielleicht|peut-être|quizás)\b|或者|可能|cannot be determined|not enough",
    re.IGNORECASE,
)
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|never|isn't|aren't|wasn't|no|kein\w*|nicht|pas|less|fewer|greater|more|over|under|above|below|other)\b"
    r"(?:\s(?:the|a|equal|to|than|be|exactly|simply|just|number)\b)*|[不没非]\S{0,2})\s*[$£€]?$",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"\s*(?:is|are|was|would be)(?:n't| not)\b|\s*(?:is|are) (?:wrong|incorrect|impossible)\b", re.I
)
_DIGITS = re.compile(r"\d")
_DEFINITE = re.compile(
    r"\b(?:the|these|those|all|both|other|first|last|next|their|his|her|its|in|after|of|for|within|every)\s$",
    re.IGNORECASE,
)
_MATH_SIGNS = re.compile(r"\\[()\[\]]|\$(?!\d)|(?<=[\d.])\$|(?<!\S)\$(?=\d[\d.,]*\$)")


def stated_number(sentence: str) -> str | None:
    """The only number in a sentence, as it is written but in ASCII digits; None where there is a choice or a doubt."""
    if len(sentence) > _LONGEST or _HEDGED.search(sentence):
        return None
    plain = _MATH_SIGNS.sub("", sentence.replace("\\$", "$").replace("\\%", "%"))
    plain = without_denied_numbers(plain)
    found = numbers_in(plain)
    if len(found) != 1 or PART_OF_MORE.search(plain) or _is_denied(plain, found[0]):
        return None
    return _in_ascii(found[0][0])


def numbers_in(text: str) -> list[re.Match[str]]:
    """The numbers of a text. Beside digits, words that only name what is known count for nothing: `the two trains`."""
    found = list(NUMBER.finditer(text))
    if any(_DIGITS.search(number[0]) for number in found):
        return [number for number in found if not _is_known_before(text, number)]
    return found


_NOT_THIS = re.compile(
    r"\b(?:not|isn't)\s+(?:equal to\s+|exactly\s+)?[$£€]?-?\d[\d,]*(?:\.\d+)?%?(?=[\s,;.])", re.IGNORECASE
)


def without_denied_numbers(text: str) -> str:
    """`It is not 5 but 6` says 6."""
    return _NOT_THIS.sub(" ", text)


def _is_known_before(text: str, number: re.Match[str]) -> bool:
    """`the two trains are 5 miles apart` counts no trains, `in three years it is 45` no years."""
    return not _DIGITS.search(number[0]) and bool(_DEFINITE.search(text[max(0, number.start() - 12) : number.start()]))


def _is_denied(text: str, number: re.Match[str]) -> bool:
    before, after = text[max(0, number.start() - 40) : number.start()], text[number.end() : number.end() + 40]
    return bool(_DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after))


def _in_ascii(number: str) -> str:
    """Bengali, Arabic, full-width digits and the like in ASCII, without the comma that ends a clause."""
    if not number.isascii():
        number = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in number).replace("−", "-")
    return number.rstrip(", ")
