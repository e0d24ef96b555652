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
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

__all__ = ["RowHasher", "canonical_json", "digest", "file_digest"]

HEX_LENGTH = 32  # 128 bits: no collision to fear below 10^18 rows
_READ_BYTES = 1 << 20


def digest(kind: str, *values: object) -> str:
    """The digest of `values`, named as a `kind` of thing: 32 hexadecimal digits.

    Values may be None, bool, int, float, str, bytes, enums, dataclasses, and sequences and string-keyed
    mappings of these. Raises TypeError for anything else.
    """
    hasher = hashlib.sha256()
    for piece in _pieces([kind, *values]):
        hasher.update(piece)
    return hasher.hexdigest()[:HEX_LENGTH]


class RowHasher:
    """A running digest of rows, each a mapping: the digest of a table without its storage format."""

    def __init__(self, kind: str) -> None:
        self._hasher = hashlib.sha256(kind.encode() + b"\0")

    def update(self, row: Mapping[str, object]) -> None:
        self._hasher.update(b"".join(_pieces(row)))

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
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _pieces(value: Any) -> Iterator[bytes]:
    """The canonical bytes of a value: a type tag, a length where it varies, the content."""
    if value is None:
        yield b"n"
    elif isinstance(value, Enum):
        yield from _pieces(value.value)
    elif isinstance(value, bool):
        yield b"b1" if value else b"b0"
    elif isinstance(value, int):
        yield b"i%d;" % value
    elif isinstance(value, float):
        yield b"f" + _float_bytes(value)
    elif isinstance(value, str):
        # surrogatepass: a lone surrogate from broken JSON still has an identity.
        text = value.encode("utf-8", "surrogatepass")
        yield b"s%d:" % len(text)
        yield text
    elif isinstance(value, bytes):
        yield b"y%d:" % len(value)
        yield value
    elif isinstance(value, Mapping):
        yield from _mapping_pieces(value)
    elif isinstance(value, Sequence):
        yield b"l%d:" % len(value)
        for item in value:
            yield from _pieces(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield b"c"
        yield from _pieces(type(value).__name__)
        yield from _pieces({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    else:
        raise TypeError(f"no identity for a {type(value).__name__}")


def _mapping_pieces(value: Mapping[Any, Any]) -> Iterator[bytes]:
    yield b"d%d:" % len(value)
    for name in value:
        if not isinstance(name, str):
            raise TypeError(f"no identity for a mapping with a {type(name).__name__} as key")
    # Code point order, which is also UTF-8 order, so other languages can re-derive it.
    for name in sorted(value):
        yield from _pieces(name)
        yield from _pieces(value[name])


def _float_bytes(value: float) -> bytes:
    if math.isnan(value):
        return b"nan-----"  # one identity for every NaN payload
    return struct.pack(">d", value or 0.0)  # -0.0 equals 0.0
