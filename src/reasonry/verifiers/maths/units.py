"""Units of measurement: what a unit is worth in others of its kind, exactly.

Known units have a dimension and a factor, so that `2 feet` equals `24 inches`. Words that are no known unit (`bees`,
`chocolate candies`) are a dimension of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from reasonry.verifiers.maths.trees import words_in

__all__ = ["MULTIPLIERS", "Unit", "is_known", "read_unit"]

_TABLE = """
length m 1: m meter metre 米; 1/100: cm centimeter centimetre 厘米; 1/1000: mm millimeter millimetre
; 1000: km kilometer kilometre; 1/10: dm decimeter; 1/1000000: um micrometer; 1/1000000000: nm nanometer
; 254/10000: inch inche in
; 3048/10000: ft foot feet; 9144/10000: yd yard; 1609344/1000: mi mile
| mass g 1: g gram gm; 1000: kg kilogram kgs; 1/1000: mg milligram; 1000000: tonne; 45359237/100000: lb lbs pound
; 45359237/1600000: oz ounce
| time s 1: s sec second; 60: min minute mins; 3600: h hr hour hrs; 86400: day; 604800: week; 1/1000: ms millisecond
| month month 1: month; 12: year yr
| volume L 1: L liter litre l; 1/1000: ml mL milliliter millilitre
| money $ 1: dollar usd us$ $ 美元; 1/100: cent ¢
| euro euro 1: euro €
| sterling pound_sterling 1: £
| yen yen 1: ¥
| yuan yuan 1: yuan rmb 元
| angle degree 1: degree deg
| temperature celsius 1: celsius
| fahrenheit fahrenheit 1: fahrenheit
| force N 1: N newton | energy J 1: J joule; 1000: kJ | power W 1: W watt; 1000: kW | charge C 1: C coulomb
| current A 1: A amp ampere | voltage V 1: V volt | resistance ohm 1: ohm | frequency Hz 1: Hz hertz; 1000: kHz
| pressure Pa 1: Pa pascal; 1000: kPa | amount mol 1: mol mole
| speed speed 1: mps; 1397/3125: mph; 5/18: kph kmh
| radian rad 1: rad radian
"""
MULTIPLIERS = {
    "hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12,
}  # fmt: skip
_NO_UNIT = frozenset(
    words_in(
        """
    or and not to plus minus times more less than is are be if for where when with of the no nor either between about
    approximately approx roughly at least most over under above below but per cent percent only possible solution
    solutions answer undefined mod modulo am pm base cannot never there that which
    """
    )
)
_ORDINALS = frozenset({"st", "nd", "rd", "th"})


@dataclass(frozen=True, slots=True)
class Unit:
    """`dimension` maps what is measured to its power; `factor` is the worth in basic units."""

    dimension: tuple[tuple[str, int], ...]
    factor: Fraction
    words: str

    @property
    def is_known(self) -> bool:
        return not any(name.startswith("'") for name, _ in self.dimension)

    def may_be(self, other: Unit) -> bool:
        """Whether both can name the same thing: one says all the words that the other says, from the beginning."""
        mine, theirs = self.words.split(), other.words.split()
        shorter = min(len(mine), len(theirs))
        return mine[:shorter] == theirs[:shorter] or {*mine, *theirs} <= _ORDINALS


def _read_table() -> dict[str, tuple[str, Fraction]]:
    known: dict[str, tuple[str, Fraction]] = {}
    for entry in _TABLE.split("|"):
        dimension, _, rest = entry.strip().partition(" ")
        _, _, rest = rest.strip().partition(" ")
        for group in rest.split(";"):
            factor, _, names = group.partition(":")
            known |= {name: (dimension, Fraction(factor.strip())) for name in names.split()}
    return known


_KNOWN = _read_table()


def _look_up(word: str) -> tuple[str, Fraction] | None:
    for name in (word, word.lower(), word.lower().removesuffix("s"), word.lower().removesuffix("es")):
        if name in _KNOWN and (len(name) > 1 or name == word):
            return _KNOWN[name]
    return None


def is_known(word: str) -> bool:
    """Whether a word by itself is a unit of measurement."""
    return _look_up(word) is not None


_PIECE = re.compile(r"((?:[A-Za-z$]|[^\x00-\x7f])+)\.?(?:\^?\{?(-?\d)\}?)?|(/)|(\S)")
_POWERS = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cu": 3, "cubed": 3}


@lru_cache(4096)
def read_unit(text: str) -> Unit | None:
    """The unit that a text names, as `m/s^2`, `square feet`, `miles per hour`, `bees`; None for what is no unit."""
    powers: dict[str, int] = {}
    factor, sign, waiting, words = Fraction(1), 1, 1, list[str]()
    last: tuple[str, Fraction] | None = None
    for found in _PIECE.finditer(text):
        word, power = found[1], int(found[2] or 1)
        if found[3] or (word is not None and word.lower() == "per"):
            sign = -1
            continue
        if word is None:
            if found[4] in "()-.'\"*,":
                continue
            return None
        lower = word.lower()
        if lower in _NO_UNIT or lower in MULTIPLIERS or abs(power) > 6:
            return None
        if lower in _POWERS:
            if lower in ("squared", "cubed") and last is not None:
                powers[last[0]] = powers.get(last[0], 0) + (_POWERS[lower] - 1) * sign
                factor *= last[1] ** ((_POWERS[lower] - 1) * sign)
            else:
                waiting = _POWERS[lower]
            continue
        power *= waiting * sign
        waiting = 1
        last = _look_up(word) or (f"'{_singular(lower)}", Fraction(1))
        powers[last[0]] = powers.get(last[0], 0) + power
        factor *= last[1] ** power
        words.append(_singular(lower))
    if not words or len(words) > 8:
        return None
    dimension = tuple(sorted((name, power) for name, power in powers.items() if power))
    return Unit(_as_lengths(dimension), factor * _LITRE ** dict(dimension).get("volume", 0), " ".join(words))


_LITRE = Fraction(1, 1000)  # cubic metres


def _as_lengths(dimension: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """Volumes in cubed lengths, speeds in lengths per time."""
    powers = dict(dimension)
    volume, speed = powers.pop("volume", 0), powers.pop("speed", 0)
    if volume or speed:
        powers["length"] = powers.get("length", 0) + 3 * volume + speed
        powers["time"] = powers.get("time", 0) - speed
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
