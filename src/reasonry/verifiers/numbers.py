"""Reading plain numbers exactly: what people write around a number, and what it is worth.

Understood, documented, and nothing else: a sign; thousands separators (`1,000`, `1{,}000`, `1 000`, `1\\,000`);
decimals and exponents (`1.5e3`); fractions (`3/4`, `\\frac{3}{4}`, `1 1/2`); a currency sign before; a percent sign or
the words of a unit after (`18 dollars`, `55 m/s`, `6th`). Values are exact fractions: nothing is rounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

__all__ = ["Number", "number_in_prose", "read_number"]

MAX_DIGITS = 4_000  # below Python's own limit for reading an integer
MAX_EXPONENT = 4_000
NOISE_DIGITS = 12  # a decimal this long may be a float that was printed

_DIGITS = r"(?:\d{1,3}(?:(?:,|\{,\}|\\,|\\!|\\ | )\d{3})+(?!\d)|\d+)"
_DECIMAL = rf"(?:{_DIGITS}(?:\.\d*)?|\.\d+)"
_FRACTION = r"\\frac\s*(?:\{\s*(-?\d+)\s*\}|(\d))\s*(?:\{\s*(\d+)\s*\}|(\d))"
_NUMBER = re.compile(
    rf"(?P<sign>[-+]?)\s*(?P<money>(?:US)?\\?[$€£¥]|)\s*(?P<minus>-?)\s*"
    rf"(?:(?P<whole>\d+\s+|\d+(?=\\frac))?(?:{_FRACTION}|(?P<over>\d+)\s*/\s*(?P<under>\d+)(?![\d.]))"
    rf"|(?P<decimal>{_DECIMAL})(?:(?:[eE]|\s*(?:\\times|\\cdot|×|\*)\s*10\s*\^)\s*\{{?(?P<exponent>[-+]?\d{{1,5}})\}}?)?)"
    r"(?P<after>.*)",
    re.DOTALL,
)
_MONEY_BEHIND = re.compile(r"^\s*\\?[$€£¥]\s*")
_PERCENT = re.compile(r"^\s*\\?(?:%|percent\b|per cent\b)\s*")
_UNIT = re.compile(  # possessive: what a word took it keeps, so that no text takes long
    r"(?:[-–]?\s*[A-Za-zµΩ°'\"][\w.°'/-]*+(?:\^\{?-?[123]\}?|[²³])?|\s|/|,\s|\([A-Za-z ]*\)"
    r"|\^\s*\{?\s*(?:\\circ|°|o)\s*\}?|\\circ)*+"
)
_NO_UNIT = re.compile(  # words that say "more than one number", factors, names of variables, and times of day
    r"(?:^|\s)(?:or|and|not|to|plus|minus|times|more|less|than|[abcdeijknpqrtuvwxyzABDEGHIMOPQRSTUXYZ]|pi|am|pm|a\.m|p\.m"
    r"|dozens?|hundreds?|thousands?|millions?|billions?|trillions?)(?:[\s,./]|$)"
)
_GLUED = re.compile(  # what may follow without a space: short letters there are variables
    r"(?:[cmk]?m|[mk]?g|ml|mph|kph|km/h|lbs?|oz|ft|in|yd|mi|mins?|secs?|hrs?|[sh]|[lLCFWVJN]|[kM]?[WJ]h?|k?Hz"
    r"|st|nd|rd|th|[A-Za-z]{4,})(?![A-Za-z])"
)
_SAME_UNITS = """
foot: feet ft; inch: inche in; pound: lb lbs; ounce: oz; hour: hr hrs h; minute: min mins; second: sec secs s;
meter: m metre; centimeter: cm centimetre; kilometer: km kilometre; kilogram: kg kgs; gram: g; liter: l litre; mile: mi;
year: yr yrs; degree: °; dollar: usd; mile/hour: mph; child: children; person: people
"""
_SAME = {
    other: name.strip()
    for name, _, others in (entry.partition(":") for entry in _SAME_UNITS.split(";"))
    for other in others.split()
}
_UNIT_WORDS = 6
_NAMED = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty
"""
_NAMES = {name: value for value, name in enumerate(_NAMED.split())}
_ORDINAL = {"st", "nd", "rd", "th"}
_BRACED = re.compile(r"(?<!\^)\{([A-Za-z]+)\}")
_TEXT = re.compile(r"\\(?:text|mathrm|mbox|textbf)\s*\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Number:
    """A number with what stood beside it. `unit` is in lower case, without plural s; "" where there is none."""

    value: Fraction
    unit: str = ""
    is_percent: bool = False
    is_noisy: bool = False

    def same_value(self, other: Number) -> bool:
        """Equal exactly, or within the noise of a float that was printed in full."""
        if self.value == other.value:
            return True
        if not (self.is_noisy or other.is_noisy):
            return False
        return abs(self.value - other.value) <= abs(self.value) / 10 ** (NOISE_DIGITS - 1)

    def same_unit(self, other: Number) -> bool:
        """No unit goes with any; of two, one must say all that the other says (`hour`, `mile per hour` do not)."""
        mine, theirs = self.unit.split(), other.unit.split()
        if not mine or not theirs or {*mine, *theirs} <= _ORDINAL:
            return True
        return mine == theirs or mine[: len(theirs)] == theirs or theirs[: len(mine)] == mine


def read_number(text: str) -> Number | None:
    """The number that `text` is, as a whole; None where it is anything else, or too long to be worth reading."""
    if (named := _NAMES.get(text.strip().casefold())) is not None:
        return Number(Fraction(named))
    if len(text) > MAX_DIGITS or not (found := _NUMBER.fullmatch(text.strip())):
        return None
    value = _value(found)
    if value is None:
        return None
    after, percents = _PERCENT.subn("", _MONEY_BEHIND.sub("", found["after"]))
    unit = _unit(after)
    if unit is None or (percents and unit):
        return None
    negative = (found["sign"] == "-") != (found["minus"] == "-")
    noisy = len(re.sub(r"\D", "", found["decimal"] or "")) >= NOISE_DIGITS and "." in (found["decimal"] or "")
    named = f"{_money(found['money'])} {unit}".strip()
    return Number(-value if negative else value, named, bool(percents), noisy)


_IN_PROSE = re.compile(rf"(?<![\w.])-?(?:\\?[$€£¥])?\s?{_DECIMAL}(?:\s?/\s?\d+)?\s?%?")
_DENIED = re.compile(r"\b(?:not|no|never|cannot|nor|or|either|between)\b|n't\b", re.IGNORECASE)


def number_in_prose(text: str) -> Number | None:
    """The one number that a sentence states; None where it states several, or denies or doubts it."""
    if len(text) > MAX_DIGITS or _DENIED.search(text):
        return None
    numbers = {found.strip().rstrip(",") for found in _IN_PROSE.findall(text)}
    return read_number(numbers.pop()) if len(numbers) == 1 else None


def _value(found: re.Match[str]) -> Fraction | None:
    if found["decimal"] is not None:
        return _decimal(found["decimal"], found["exponent"])
    over = found["over"] or found[5] or found[6]
    under = found["under"] or found[7] or found[8]
    if int(under) == 0:
        return None
    fraction = Fraction(int(over), int(under))
    return int(found["whole"]) + fraction if (found["whole"] or "").strip() else fraction


def _decimal(text: str, exponent: str | None) -> Fraction | None:
    if exponent and abs(int(exponent)) > MAX_EXPONENT:
        return None
    value = Fraction(Decimal(re.sub(r"[^\d.]", "", text)))
    return value * Fraction(10) ** int(exponent) if exponent else value


def _unit(after: str) -> str | None:
    """The unit that follows a number; None where what follows is no unit."""
    text = _BRACED.sub(r" \1", _TEXT.sub(r" \1", after)).rstrip(" .,")
    if len(text.split()) > _UNIT_WORDS or not _UNIT.fullmatch(text) or _NO_UNIT.search(text):
        return None
    if text[:1].isalpha() and text[0].isascii() and not after[:1].isspace() and not _GLUED.match(text):
        return None
    words = re.sub(r"\^\s*\{?\s*(?:\\circ|°|o)\s*\}?|\\circ", " degree ", text.lower()).split()
    return " ".join(_SAME.get(word, _singular(word)) for word in words)


def _singular(word: str) -> str:
    singular = word[:-1] if len(word) > 3 and word.endswith("s") else word
    return _SAME.get(singular, singular)


def _money(sign: str) -> str:
    return {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}.get(sign[-1:], "")
