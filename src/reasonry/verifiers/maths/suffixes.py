"""What stands behind a value: units of measurement, and words that multiply it."""

from __future__ import annotations

from reasonry.verifiers.maths.cursor import Cursor
from reasonry.verifiers.maths.trees import Node, num
from reasonry.verifiers.maths.units import MULTIPLIERS, is_known, read_unit

__all__ = ["with_unit"]

MAX_WORDS = 6


def with_unit(cursor: Cursor, node: Node) -> Node:
    """The value with the unit that follows it, if one does."""
    if cursor.token.kind == "end" or node.op in ("var", "const"):
        return node
    if cursor.token.text in ("$", "€", "£", "¥") and cursor.ahead().kind != "num":
        return Node("unit", (node,), cursor.take().text)
    node = _multiplied(cursor, node)
    if (percent := _percent(cursor)) and node.op != "percent":
        cursor.step(percent)
        return Node("percent", (node,))
    mark = cursor.mark()
    unit = _unit_text(cursor)
    if unit and read_unit(unit) is not None:
        return Node("unit", (node,), unit)
    cursor.reset(mark)
    return node


def _multiplied(cursor: Cursor, node: Node) -> Node:
    """`5 million`."""
    word = cursor.token.text.strip().lower().removesuffix("s") if cursor.token.kind in ("word", "text") else ""
    if word in MULTIPLIERS:
        cursor.take()
        return Node("mul", (node, num(MULTIPLIERS[word])))
    return node


_PERCENT = {"percent", "pct", "percentage", "percents"}


def _percent(cursor: Cursor) -> int:
    """How many tokens say "percent" here."""
    if cursor.token.kind not in ("word", "text"):
        return 0
    word = cursor.token.text.strip(" .").lower()
    if word in _PERCENT:
        return 1
    return 2 if word == "per" and cursor.ahead().text.lower() == "cent" else int(word == "per cent")


def _unit_text(cursor: Cursor) -> str:
    """The words and powers that follow, as text; "" where no unit starts."""
    parts: list[str] = []
    while len(parts) < 2 * MAX_WORDS:
        token = cursor.token
        if token.kind in ("word", "text"):
            content = token.text.strip(" ~.")
            if not any(map(str.isalpha, content)) or (token.kind == "word" and not parts and not _may_start(cursor)):
                break
            if content.lower() in ("and", "or"):
                break
            parts.append(content)
            cursor.take()
        elif parts and token.text == "^" and (power := _power(cursor)):
            parts.append(power)
        elif parts and token.text in ("/", "\\cdot", "*") and cursor.ahead().kind in ("word", "text"):
            parts.append("/" if token.text == "/" else " ")
            cursor.take()
        elif parts and token.text == "-" and cursor.touches and cursor.ahead().kind == "word":
            cursor.take()
        elif token.text == "(" and parts and cursor.ahead().kind == "word" and cursor.ahead(2).text == ")":
            cursor.step(3)
        else:
            break
    return " ".join(parts).replace(" ^", "^")


def _power(cursor: Cursor) -> str:
    """`^2`, `^{-1}` behind the word of a unit."""
    mark = cursor.mark()
    cursor.take()
    is_braced = cursor.skip("{")
    sign = "-" if cursor.skip("-") else ""
    digits = cursor.take().text
    if digits.isdigit() and len(digits) == 1 and (not is_braced or cursor.skip("}")):
        return f"^{sign}{digits}"
    cursor.reset(mark)
    return ""


def _may_start(cursor: Cursor) -> bool:
    """A bare word can be a unit where it is no product of names: `5 dollars`, `4ft`, not `5x`."""
    word = cursor.token.text
    if word == "m" and cursor.ahead().text == "/" and cursor.ahead(2).text == "s":
        return True
    if not word.isascii() or word in ("US", "USD"):
        return True
    return len(word) > 1 and (is_known(word) or len(word) > 3 or word in ("st", "nd", "rd", "th", "men", "yr"))
