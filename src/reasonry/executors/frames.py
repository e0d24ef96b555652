"""The frames between the parent and its workers: a length, then one JSON value.

To a worker, after the frame that says what to import: `[cpu_s, memory_mb, [[index, row], ...]]`. From a worker:

- `["ready"]`, or `["failed", why]`: whether it could import and make what it is to call.
- `["rows", seconds, results]`: what became of some rows, in the order they came, each `[index, "done", value]` or
  `[index, "fail", kind, detail]`. `seconds` is how long the frame took where these are its last rows, else null.

JSON, never pickles: what comes back from a worker is data and cannot run anything in the parent. Text is written in
ASCII escapes, so that lone surrogates cross as they are.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

__all__ = ["Encoded", "FrameReader", "encode", "framed", "json_bytes", "read_frame", "results_frame", "rows_frame"]

_LENGTH = struct.Struct(">I")  # bytes of JSON that follow, big-endian
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class Encoded(bytes):
    """A row that is JSON already, in ASCII."""


def json_bytes(value: object) -> bytes:
    """A value as JSON. Raises TypeError or ValueError for what JSON cannot say."""
    return _ENCODER.encode(value).encode("ascii")


def framed(payload: bytes) -> bytes:
    return _LENGTH.pack(len(payload)) + payload


def encode(value: object) -> bytes:
    """A value as one frame."""
    return framed(json_bytes(value))


def rows_frame(cpu_s: float, memory_mb: int, rows: Sequence[bytes]) -> bytes:
    """A frame of rows, each `[index, row]` as JSON already."""
    return framed(b"[%s,%d,[%s]]" % (json_bytes(cpu_s), memory_mb, b",".join(rows)))


def results_frame(seconds: float | None, results: Sequence[bytes]) -> bytes:
    """A frame of results, each as JSON already."""
    return framed(b'["rows",%s,[%s]]' % (json_bytes(seconds), b",".join(results)))


def read_frame(stream: BinaryIO) -> Any:
    """The next value from a blocking stream; None at its end, also inside a frame."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    payload = stream.read(length)
    return json.loads(payload) if len(payload) == length else None


class FrameReader:
    """Cuts a stream of bytes, arriving in any pieces, into values."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, piece: bytes) -> Iterator[Any]:
        """Every value that is whole once `piece` has arrived."""
        self._bytes += piece
        while len(self._bytes) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._bytes)
            end = _LENGTH.size + length
            if len(self._bytes) < end:
                return
            payload = bytes(self._bytes[_LENGTH.size : end])
            del self._bytes[:end]
            yield json.loads(payload)
