"""Whether what a program printed, or what a function returned, is what was expected; else the first difference.

Printed text is compared as judges do: the same tokens in the same order, the same lines, or the same bytes. Never a set
of tokens, or a prefix. White space is that of ASCII. A tolerance counts only where the rule declares it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from itertools import islice, zip_longest
from typing import Any, Literal

__all__ = ["OutputRule", "compare_output", "compare_value"]

SHOWN = 60  # characters of a text in a difference
MAX_NUMBER = 1_000  # characters of a token that may be compared as a number
MAX_DEPTH = 200  # levels of a value
MAX_BITS = 10_000  # of an integer that is spelled, or compared with a tolerance
MAX_MATCHED = 2_000  # items that are matched each with each, where a tolerance is declared
WINDOW = 1 << 20  # bytes that are split at once: an output of 50 MB never becomes a list of all its tokens


@dataclass(frozen=True, slots=True)
class OutputRule:
    """How an output is compared. A tolerance that is None is not declared; the larger of the two counts."""

    compare: Literal["tokens", "lines", "exact"] = "tokens"
    rel_tol: float | None = None
    abs_tol: float | None = None
    ignore_case: bool = False

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> OutputRule:
        """The rule that a spec declares; ValueError says in one sentence what is wrong with it."""
        compare, ignore_case = spec.get("compare", "tokens"), spec.get("ignore_case", False)
        if compare not in ("tokens", "lines", "exact"):
            raise ValueError('compare must be "tokens", "lines" or "exact"')
        if type(ignore_case) is not bool:
            raise ValueError("ignore_case must be true or false")
        rule = cls(compare, _tolerance(spec, "rel_tol"), _tolerance(spec, "abs_tol"), ignore_case)
        if compare == "exact" and rule != cls("exact"):
            raise ValueError('compare = "exact" allows neither a tolerance nor ignore_case')
        return rule


def _tolerance(spec: Mapping[str, Any], name: str) -> float | None:
    value: Any = spec.get(name)
    if value is None:
        return None
    try:
        number = float(value) if type(value) in (int, float) else math.nan
    except OverflowError:
        number = math.inf
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be a number that is finite and not negative")
    return number


def compare_output(got: bytes, expected: str, rule: OutputRule) -> str | None:
    """The first difference in one line, or None. A line is that of the expected text, while that has something left."""
    wanted = expected.encode("utf-8", "surrogatepass")
    for index, (own, other) in enumerate(zip_longest(_split(got, rule), _split(wanted, rule))):
        if own == other or (own is not None and other is not None and _is_close(own, other, rule)):
            continue
        line = _line_of_token(got if other is None else wanted, index) if rule.compare == "tokens" else index + 1
        start = _alike(own or b"", other or b"") - SHOWN // 2
        return f"line {line}: expected {_shown_text(other, start)}, got {_shown_text(own, start)}"
    return _undecodable(got)


def _split(data: bytes, rule: OutputRule) -> Iterator[bytes]:
    if rule.compare == "tokens":
        return _pieces(data, None)
    if rule.compare == "exact":
        return _pieces(data.removesuffix(b"\n"), b"\n")
    return (line.rstrip() for line in _pieces(data.rstrip(), b"\n"))


def _pieces(data: bytes, separator: bytes | None) -> Iterator[bytes]:
    """What `data.split(separator)` gives, a window at a time; None separates at white space."""
    start, at = 0, re.compile(separator or rb"\s")
    while len(data) - start > WINDOW and (cut := at.search(data, start + WINDOW)) is not None:
        yield from data[start : cut.start()].split(separator)
        start = cut.end()
    yield from data[start:].split(separator)


def _line_of_token(data: bytes, index: int) -> int:
    token = next(islice(re.finditer(rb"\S+", data), index, None))
    return data.count(b"\n", 0, token.start()) + 1


def _undecodable(got: bytes) -> str | None:
    """Bytes that are no UTF-8 equal no expected text, not even one that holds the same bytes in its own way."""
    try:
        got.decode()
    except UnicodeDecodeError as error:
        line = got.count(b"\n", 0, error.start) + 1
        return f"line {line}: the output is not UTF-8"
    return None


def _is_close(own: bytes, other: bytes, rule: OutputRule) -> bool:
    """Two tokens, or two lines of such tokens with the same white space, that differ as far as the rule allows."""
    if rule == OutputRule(rule.compare) or rule.compare == "exact":
        return False
    own_parts, other_parts = re.split(rb"(\s+)", own), re.split(rb"(\s+)", other)
    is_same = len(own_parts) == len(other_parts)
    pairs = zip(own_parts, other_parts, strict=is_same)
    return is_same and all(one == two or _is_close_token(one, two, rule) for one, two in pairs)


_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,6})?")
_CONTEXT = Context(prec=60, Emax=10**9, Emin=-(10**9), traps=[])


def _is_close_token(own: bytes, other: bytes, rule: OutputRule) -> bool:
    if rule.ignore_case and own.decode(errors="replace").casefold() == other.decode(errors="replace").casefold():
        return True
    if (rule.rel_tol is None and rule.abs_tol is None) or max(len(own), len(other)) > MAX_NUMBER:
        return False
    if not (_NUMBER.fullmatch(own) and _NUMBER.fullmatch(other)):
        return False
    one, two = Decimal(own.decode()), Decimal(other.decode())
    # As text, so that a tolerance of 0.01 is a hundredth and not the double beside it.
    allowed = _CONTEXT.multiply(Decimal(str(rule.rel_tol or 0)), _CONTEXT.abs(two))
    return _CONTEXT.abs(_CONTEXT.subtract(one, two)) <= max(allowed, Decimal(str(rule.abs_tol or 0)))


def _alike(own: bytes, other: bytes) -> int:
    """How many bytes both begin with, by halving: comparing slices is fast where walking over bytes is not."""
    low, high = 0, min(len(own), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if own[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _shown_text(data: bytes | None, start: int) -> str:
    """A text, from a little before the place where the two differ."""
    if data is None:
        return "nothing more"
    text = data[max(0, start) : max(0, start) + 4 * SHOWN + 4].decode(errors="replace")
    return ("…" if start > 0 else "") + _cut(repr(text))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


# --- values of functions

_SCALARS = (type(None), bool, int, float, str)
_ROWS = (list, tuple)


def compare_value(
    got: Any, expected: Any, *, rel_tol: float | None, abs_tol: float | None, unordered: bool = False
) -> str | None:
    """The first difference of a decoded Python value from a JSON value, with its path, or None.

    A tuple equals a list; `True` is not 1; NaN equals NaN. With `unordered` the items of the outermost list, or of a
    set, may stand in any order. No method of an object of any other type is called.
    """
    rule = OutputRule(rel_tol=rel_tol, abs_tol=abs_tol)
    if not (unordered and type(expected) is list and type(got) in (*_ROWS, set, frozenset)):
        return _difference(got, expected, rule)
    if len(got) != len(expected):
        return f"expected {len(expected)} items, got {len(got)}"
    missing = _missing_item(list(got), expected, rule)
    return (
        None if missing is None else f"[{missing}]: expected {_shown(expected[missing])}, which is not among the items"
    )


def _difference(got: Any, expected: Any, rule: OutputRule) -> str | None:
    """Without recursion: a value may be nested deeper than calls may be."""
    waiting: list[Iterator[tuple[Any, Any, Any]]] = [iter([("", got, expected)])]
    path: list[Any] = []
    while waiting:
        if (step := next(waiting[-1], None)) is None:
            waiting.pop()
            continue
        path[len(waiting) - 1 :], own, other = [step[0]], step[1], step[2]
        problem = _shallow_difference(own, other, rule)
        if problem or len(waiting) > MAX_DEPTH:
            keys = [f"[{_shown(key)}]" for key in path[1:7]] + ["…"] * (len(path) > 7) + [": "] * (len(path) > 1)
            return "".join(keys) + (problem or f"nested more than {MAX_DEPTH} levels deep")
        if type(other) is list:
            waiting.append(zip(range(len(other)), own, other, strict=True))
        elif type(other) is dict:
            waiting.append(iter([(key, value, other[key]) for key, value in (_spelled(own) or {}).items()]))
    return None


def _shallow_difference(own: Any, other: Any, rule: OutputRule) -> str | None:
    """What differs without looking into a list or an object: the kind, the size, the keys, or the value itself."""
    kind = type(other)
    if kind is list and type(own) in _ROWS:
        return None if len(own) == len(other) else f"expected {len(other)} items, got {len(own)}"
    if kind is dict and type(own) is dict:
        if (spelled := _spelled(own)) is None:
            return "its keys are not those of a JSON object"
        keys = sorted(spelled.keys() ^ other.keys())
        return f"the key {_shown(keys[0])} is {'missing' if keys[0] in other else 'not expected'}" if keys else None
    if kind in (int, float) and type(own) in (int, float, complex):
        is_same = _is_same_number(own, other, rule)
    else:
        is_same = kind in _SCALARS and type(own) is kind and own == other
    return None if is_same else f"expected {_shown(other)}, got {_shown(own)}"


def _spelled(own: dict[Any, Any]) -> dict[str, Any] | None:
    """A dict with its keys as JSON spells them; None where a key has no spelling, or two have the same."""
    if any(type(key) not in _SCALARS or (type(key) is int and key.bit_length() > MAX_BITS) for key in own):
        return None
    spelled = {key if type(key) is str else json.dumps(key): value for key, value in own.items()}
    return spelled if len(spelled) == len(own) else None


def _is_same_number(own: Any, other: Any, rule: OutputRule) -> bool:
    if own == other:
        return True
    if type(own) is complex:
        return own.imag == 0 and _is_same_number(own.real, other, rule)
    if own != own or other != other:
        return own != own and other != other  # NaN
    is_huge = any(type(number) is int and number.bit_length() > MAX_BITS for number in (own, other))
    if rule == OutputRule() or math.inf in (abs(own), abs(other)) or is_huge:
        return False
    rel_tol, abs_tol = rule.rel_tol or 0.0, rule.abs_tol or 0.0
    if type(own) is float and type(other) is float:
        return abs(own - other) <= max(abs_tol, rel_tol * abs(other))
    # Exactly: an integer may be too large for a float, or lose its last digits in one.
    return abs(Fraction(own) - Fraction(other)) <= max(Fraction(str(abs_tol)), Fraction(str(rel_tol)) * abs(other))


def _missing_item(got: list[Any], expected: list[Any], rule: OutputRule) -> int | None:
    """The place of the first expected item that has no partner of its own."""
    if rule != OutputRule() and {type(item) for item in [*got, *expected]} <= {int, float}:
        order = sorted(range(len(expected)), key=lambda place: (expected[place] != expected[place], expected[place]))
        pairs = zip(order, sorted(got, key=lambda own: (own != own, own)), strict=True)  # NaN last
        return next((place for place, own in pairs if not _is_same_number(own, expected[place], rule)), None)
    if rule != OutputRule() and len(got) <= MAX_MATCHED:
        for index, item in enumerate(expected):
            partner = next((place for place, own in enumerate(got) if _difference(own, item, rule) is None), None)
            if partner is None:
                return index
            got.pop(partner)
        return None
    left = Counter(map(_key, got))
    for index, item in enumerate(expected):
        if (key := _key(item)) is None or not left[key]:
            return index
        left[key] -= 1
    return None


def _key(value: Any) -> str | None:
    try:
        return _canonical(value, MAX_DEPTH)
    except ValueError:
        return None


def _canonical(value: Any, depth: int) -> str:
    """A text that equal values share, and no others; ValueError for what equals no JSON value."""
    kind = type(value)
    if kind in _ROWS and depth:
        return f"[{','.join([_canonical(item, depth - 1) for item in value])}]"
    if kind is dict and depth and (spelled := _spelled(value)) is not None:
        return f"{{{','.join(sorted([json.dumps(key) + _canonical(spelled[key], depth - 1) for key in spelled]))}}}"
    if kind is complex and value.imag == 0:
        return _canonical(value.real, depth)
    if kind is float:
        return format(int(value), "x") if value.is_integer() else value.hex()
    if kind not in _SCALARS:
        raise ValueError("no value of JSON")
    return format(value, "x") if kind is int else json.dumps(value)


def _shown(value: Any, depth: int = 2) -> str:
    """A value for a person, without a method of an unknown object, and never long."""
    kind = type(value)
    if kind in _ROWS and depth:
        return _cut(f"[{', '.join([_shown(item, depth - 1) for item in value[:SHOWN]])}]")
    if kind is int and value.bit_length() > SHOWN * 4:
        return f"an integer of {value.bit_length()} bits"
    if kind in (*_SCALARS, complex, bytes):
        return _cut(repr(value[: SHOWN + 1] if kind in (str, bytes) else value))
    is_known = kind in (*_ROWS, dict, set, frozenset)
    return f"a {kind.__name__} of {len(value)} items" if is_known else "a value of another type"
