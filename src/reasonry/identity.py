"""Identity by content: canonical, type-tagged digests.

A digest depends on the value alone: not on the machine, the Python version, the order in which a mapping
was built, or the place a row was read from. Every value is written with the tag of its type in front, so
that `1`, `1.0`, `"1"` and `True` never collide, and every digest starts with the kind of thing it names.
(The idea of tagging is redun's, `redun/hashing.py`.)
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

__all__ = ["RowHasher", "canonical_json", "content_bytes", "digest", "file_digest", "mapping_bytes"]

HEX_LENGTH = 32  # 128 bits: no collision to fear below 10^18 rows
_READ_BYTES = 1 << 20
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))  # made once: half the time


def digest(kind: str, *values: object) -> str:
    """The digest of `values`, named as a `kind` of thing: 32 hexadecimal digits.

    Values may be None, bool, int, float, str, bytes, enums, dataclasses, and sequences and string-keyed
    mappings of these. Raises TypeError for anything else.
    """
    return hashlib.sha256(content_bytes([kind, *values])).hexdigest()[:HEX_LENGTH]


class RowHasher:
    """A running digest of rows, each a mapping: the digest of a table without its storage format."""

    def __init__(self, kind: str) -> None:
        self._hasher = hashlib.sha256(kind.encode() + b"\0")

    def update(self, row: Mapping[str, object]) -> None:
        self._hasher.update(content_bytes(row))

    def update_content(self, row: bytes) -> None:
        """As `update`, with the row's canonical bytes: for a row that enters several digests."""
        self._hasher.update(row)

    def hexdigest(self) -> str:
        return self._hasher.hexdigest()[:HEX_LENGTH]


def file_digest(path: Path) -> str:
    """The sha256 of a file's bytes, in full (64 hexadecimal digits), so that `sha256sum` shows the same."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            hasher.update(block)
    return hasher.hexdigest()


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return _CANONICAL.encode(value)


def mapping_bytes(names: Sequence[str]) -> Callable[[Mapping[str, object]], bytes]:
    """A function that gives `content_bytes` of mappings with just these keys, quicker: the keys are written once."""
    order = sorted(names)
    head = b"d%d:" % len(order)
    keys = [(name, content_bytes(name)) for name in order]

    def written(row: Mapping[str, object]) -> bytes:
        pieces = [head]
        for name, key in keys:
            pieces.append(key)
            _add(row[name], pieces)
        return b"".join(pieces)

    return written


def content_bytes(value: object) -> bytes:
    """The canonical bytes of a value: a type tag, a length where it varies, the content."""
    pieces: list[bytes] = []
    _add(value, pieces)
    return b"".join(pieces)


def _add(value: Any, pieces: list[bytes]) -> None:
    writer = _WRITERS.get(type(value))  # most values are plain; one that is, say, an Enum and a str is not
    if writer is not None:
        writer(value, pieces)
    elif isinstance(value, Enum):
        _add(value.value, pieces)
    elif isinstance(value, bool | int | float):
        pieces.append(_number_bytes(value))
    elif isinstance(value, str):
        _add_text(value, pieces)
    elif isinstance(value, bytes):
        _add_bytes(value, pieces)
    elif isinstance(value, Mapping):
        _add_mapping(value, pieces)
    elif isinstance(value, Sequence):
        _add_sequence(value, pieces)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _add_fields(value, pieces)
    else:
        raise TypeError(f"no identity for a {type(value).__name__}")


def _add_none(_: None, pieces: list[bytes]) -> None:
    pieces.append(b"n")


def _add_number(value: float, pieces: list[bytes]) -> None:
    pieces.append(_number_bytes(value))


def _add_bytes(value: bytes, pieces: list[bytes]) -> None:
    pieces.append(b"y%d:%b" % (len(value), value))


def _add_sequence(value: Sequence[Any], pieces: list[bytes]) -> None:
    pieces.append(b"l%d:" % len(value))
    for item in value:
        _add(item, pieces)


def _add_fields(value: Any, pieces: list[bytes]) -> None:
    """A dataclass: its name, then its fields as a mapping."""
    pieces.append(b"c")
    _add_text(type(value).__name__, pieces)
    _add_mapping({f.name: getattr(value, f.name) for f in dataclasses.fields(value)}, pieces)


def _add_text(value: str, pieces: list[bytes]) -> None:
    # surrogatepass: a lone surrogate from broken JSON still has an identity.
    text = value.encode("utf-8", "surrogatepass")
    pieces.append(b"s%d:%b" % (len(text), text))


def _add_mapping(value: Mapping[Any, Any], pieces: list[bytes]) -> None:
    pieces.append(b"d%d:" % len(value))
    for name in value:
        if not isinstance(name, str):
            raise TypeError(f"no identity for a mapping with a {type(name).__name__} as key")
    # Code point order, which is also UTF-8 order, so other languages can re-derive it.
    for name in sorted(value):
        _add_text(name, pieces)
        _add(value[name], pieces)


def _number_bytes(value: float) -> bytes:
    if isinstance(value, bool):
        return b"b1" if value else b"b0"
    return b"i%d;" % value if isinstance(value, int) else b"f" + _float_bytes(value)


def _float_bytes(value: float) -> bytes:
    if math.isnan(value):
        return b"nan-----"  # one identity for every NaN payload
    return struct.pack(">d", value or 0.0)  # -0.0 equals 0.0


_WRITERS: dict[type, Callable[[Any, list[bytes]], None]] = {
    type(None): _add_none,
    str: _add_text,
    bool: _add_number,
    int: _add_number,
    float: _add_number,
    bytes: _add_bytes,
    list: _add_sequence,
    tuple: _add_sequence,
    dict: _add_mapping,
}
