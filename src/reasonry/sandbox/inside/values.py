"""Values that cross a wall: typed JSON, so that what arrives is data of plain types and can do nothing.

| value | JSON |
|---|---|
| None, bool, str, list, float with a finite value, int of up to 10,000 bits | itself |
| everything else | `{"t": its type, "v": its content}` |

A value of a subclass (a named tuple, an `IntEnum`) crosses as its base: no method of it ever does. Where `decode` is
given no `reach` (on the host) a `Counter` and a `defaultdict` are plain dicts.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

__all__ = ["NotAValue", "decode", "dumps", "encode", "loads"]

_LARGE_BITS = 10_000
_MOST_ALIKE = 16  # items of one hash
_dumps = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
_loads = json.JSONDecoder().decode
Reach = Callable[[Any], Any]


class NotAValue(ValueError):
    """What has no place in a frame."""


def dumps(value: Any) -> bytes:
    """One line of JSON. Raises NotAValue."""
    return _dumps(value).encode("ascii")


def loads(line: bytes) -> Any:
    """Raises NotAValue for what is no JSON."""
    try:
        return _loads(line.decode("ascii"))
    except (ValueError, RecursionError) as exc:
        raise NotAValue("a frame that is no JSON") from exc


def _refuse(value: Any) -> Any:
    raise NotAValue(f"a {type(value).__name__} has no place in a frame")


def encode(value: Any, reach: Reach = _refuse) -> Any:
    """A value as JSON; `reach` is asked about objects of other types. Raises NotAValue, also for endless nesting."""
    try:
        return _encode(value, reach)
    except RecursionError:
        raise NotAValue("a value nested too deeply") from None


def _encode(value: Any, reach: Reach) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if value.bit_length() <= _LARGE_BITS else {"t": "int", "v": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"t": "float", "v": repr(value)}
    if kind is list:
        return [_encode(item, reach) for item in cast("list[Any]", value)]
    for base, name, content in _KINDS:
        if isinstance(value, base):
            return {"t": name, "v": content(value, reach)}
    for base in (int, float, str, list):
        if isinstance(value, base):
            return _encode(_PLAIN[base](value), reach)
    return reach(value)


def _items(value: Any, reach: Reach) -> Any:
    return [_encode(item, reach) for item in value]


def _pairs(value: dict[Any, Any], reach: Reach) -> Any:
    return [[_encode(key, reach), _encode(item, reach)] for key, item in dict.items(value)]


def _range(value: range, _: Reach) -> Any:
    return [hex(value.start), hex(value.stop), hex(value.step)]


def _factory(value: defaultdict[Any, Any]) -> str | None:
    """Only the usual ones cross; with any other the copy has none."""
    return next((name for name, made in _FACTORIES.items() if value.default_factory is made), None)


_FACTORIES: dict[str, Callable[[], Any]] = {
    "int": int, "float": float, "str": str, "list": list, "dict": dict, "set": set, "tuple": tuple, "bool": bool
}  # fmt: skip
_KINDS: tuple[tuple[type, str, Callable[[Any, Reach], Any]], ...] = (
    (tuple, "tuple", _items),
    (defaultdict, "defaultdict", lambda value, reach: [_factory(value), _pairs(value, reach)]),
    (Counter, "Counter", _pairs),
    (dict, "dict", _pairs),
    (set, "set", _items),
    (frozenset, "frozenset", _items),
    (deque, "deque", _items),
    (bytes, "bytes", lambda value, _: bytes.hex(value)),
    (bytearray, "bytearray", lambda value, _: bytearray.hex(value)),
    (complex, "complex", lambda value, _: [repr(value.real), repr(value.imag)]),
    (range, "range", _range),
    (Fraction, "Fraction", lambda value, _: [hex(value.numerator), hex(value.denominator)]),
    (Decimal, "Decimal", lambda value, _: str(value)),
    (type({}.keys()), "list", _items),
    (type({}.values()), "list", _items),
    (type({}.items()), "list", _items),
)
_PLAIN: dict[type, Callable[[Any], Any]] = {
    int: int.__index__,
    float: float.__float__,
    str: lambda value: "".join([value]),
    list: lambda value: list(list.__iter__(value)),
}


def decode(value: Any, reach: Callable[[str, Any], Any] | None = None) -> Any:
    """The value again. `reach` is asked about types that are none of ours. Raises NotAValue for what is malformed."""
    try:
        return _decode(value, reach)
    except NotAValue:
        raise
    except (RecursionError, TypeError, ValueError, KeyError, IndexError, ArithmeticError) as exc:
        raise NotAValue(f"a malformed frame ({type(exc).__name__})") from exc


def _decode(value: Any, reach: Callable[[str, Any], Any] | None) -> Any:
    if isinstance(value, list):
        return [_decode(item, reach) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    named = cast("dict[str, Any]", value)
    kind, content = named["t"], named["v"]
    if kind in _ITEMS:
        return _ITEMS[kind](_decode(item, reach) for item in content)
    if kind in _SETS:
        return _SETS[kind](_hashed(content, reach))
    if kind == "defaultdict":
        pairs = _decode({"t": "dict", "v": content[1]}, reach)
        return pairs if reach is None else defaultdict(_FACTORIES.get(content[0]), pairs)
    if kind == "Counter":
        pairs = _decode({"t": "dict", "v": content}, reach)
        return pairs if reach is None else Counter(pairs)
    if kind == "dict":
        keys = _hashed([key for key, _ in content], reach)
        return {key: _decode(item, reach) for key, (_, item) in zip(keys, content, strict=True)}
    if kind in _SCALARS:
        return _SCALARS[kind](content)
    if reach is None:
        raise NotAValue(f"a frame with an unknown type {kind!r}")
    return reach(kind, content)


def _fraction(numerator: str, denominator: str) -> Fraction:
    """Making one takes the greatest common divisor: quadratic in the length."""
    if max(len(numerator), len(denominator)) > _LARGE_BITS:
        raise NotAValue("a fraction that is too long")
    return Fraction(int(numerator, 16), int(denominator, 16))


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if value.is_snan():
        raise NotAValue("a number that cannot be compared")
    return value


def _hashed(items: Any, reach: Callable[[str, Any], Any] | None) -> list[Any]:
    """What goes into a set or a dict. Items can be chosen so that their hashes collide: that takes quadratic time."""
    decoded = [_decode(item, reach) for item in items]
    if decoded and max(Counter(map(hash, decoded)).values()) > _MOST_ALIKE:
        raise NotAValue("a set or dict of too many items with the same hash")
    return decoded


_ITEMS: dict[str, Callable[[Any], Any]] = {
    "tuple": tuple,
    "deque": deque,
    "list": list,
}
_SETS: dict[str, Callable[[Any], Any]] = {"set": set, "frozenset": frozenset}
_SCALARS: dict[str, Callable[[Any], Any]] = {
    "int": lambda text: int(text, 16),
    "float": lambda text: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[text],
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "complex": lambda parts: complex(float(parts[0]), float(parts[1])),
    "range": lambda parts: range(*(int(part, 16) for part in parts)),
    "Fraction": lambda parts: _fraction(*parts),
    "Decimal": _decimal,
}
