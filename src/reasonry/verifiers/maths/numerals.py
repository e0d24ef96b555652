"""Numerals: what digits are worth, exactly, with all that people write in and behind them."""

from __future__ import annotations

from fractions import Fraction

from reasonry.verifiers.maths.cursor import Cursor
from reasonry.verifiers.maths.trees import Node, TooLarge, Unreadable, num
from reasonry.verifiers.maths.words import NUMBER_WORDS

__all__ = ["read_mixed", "read_numeral"]

MAX_DIGITS = 4_000  # of one numeral: below Python's own limit for reading an integer
MAX_SCALE = 4_000  # digits that the exponent of `1e4000` may stand for


def read_numeral(cursor: Cursor) -> Node:
    """A numeral with its thousands, its base, the digits that repeat, and its power of ten."""
    token = cursor.take()
    if token.kind != "num":
        raise Unreadable("no number")
    if len(token.text) > MAX_DIGITS:
        raise TooLarge("a numeral of many digits")
    text = token.text + ("" if cursor.brackets else _thousands(cursor))
    if cursor.is_at("_"):
        return _based(cursor, text)
    whole, point, behind = text.partition(".")
    if not point and cursor.is_at(".") and cursor.ahead().text in _REPEATED:
        cursor.take()
        return _repeating(cursor, Fraction(int(whole)), 1)
    value = Fraction(int(whole + behind), 10 ** len(behind)) if point else Fraction(int(whole))
    if point and cursor.is_at(*_REPEATED):
        return _repeating(cursor, value, 10 ** len(behind))
    if point and cursor.is_at("...", ".") and cursor.ahead().text == ".":
        raise Unreadable("digits that go on")
    return _scaled(cursor, num(value, len(behind) if point else None))


_REPEATED = ("\\overline", "\\bar", "\\dot")


def _repeating(cursor: Cursor, value: Fraction, unit: int) -> Node:
    cursor.take()
    cursor.expect("{")
    digits = cursor.take().text
    cursor.expect("}")
    if not digits.isdigit() or len(digits) > 100:
        raise Unreadable("no digits to repeat")
    return num(value + Fraction(int(digits), unit * (10 ** len(digits) - 1)))


def _thousands(cursor: Cursor) -> str:
    """`,345` behind a numeral of one to three digits."""
    first = cursor.last.text
    if len(first) > 3 or first.startswith("0") or "." in first:
        return ""
    text = ""
    while cursor.is_at(",") and cursor.touches and "." not in text:
        behind = cursor.ahead()
        if behind.kind != "num" or behind.start != cursor.token.end or len(behind.text.partition(".")[0]) != 3:
            break
        cursor.step(2)
        text += behind.text
    return text


def _scaled(cursor: Cursor, node: Node) -> Node:
    """`1.5e3`: only where the digits stand directly behind."""
    token = cursor.token
    if token.text not in ("e", "E") or not cursor.touches:
        return node
    digits, steps = cursor.ahead(), 2
    sign = -1 if digits.text == "-" else 1
    if digits.text in ("-", "+"):
        digits, steps = cursor.ahead(2), 3
    if digits.kind != "num" or not digits.text.isdigit() or digits.start != token.end + steps - 2:
        return node
    if len(digits.text) > 5 or int(digits.text) > MAX_SCALE:
        raise TooLarge("a very large exponent")
    cursor.step(steps)
    return num(node.value * Fraction(10) ** (sign * int(digits.text)), node.places)


def _based(cursor: Cursor, digits: str) -> Node:
    """`776_8`, also with the base in words."""
    cursor.take()
    text = cursor.raw_script()
    base = NUMBER_WORDS.get(text.lower()) or (int(text) if text.isdigit() and len(text) < 3 else None)
    if base is None or not 2 <= base <= 36 or "." in digits:
        raise Unreadable("no base")
    return Node("based", (), digits.upper(), Fraction(base))


def read_mixed(cursor: Cursor, whole: Node) -> Node:
    """What follows in `1 1/2`. Raises Unreadable for any other number behind a number."""
    over, slash, under = cursor.token, cursor.ahead(1), cursor.ahead(2)
    plain = over.text.isdigit() and under.kind == "num" and under.text.isdigit() and slash.text == "/"
    if not plain or cursor.touches or len(over.text + under.text) > MAX_DIGITS or int(under.text) == 0:
        raise Unreadable("two numbers side by side")
    cursor.step(3)
    return Node("add", (whole, num(Fraction(int(over.text), int(under.text)))), "mixed")
