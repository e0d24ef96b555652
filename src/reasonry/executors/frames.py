"""The frames between the parent and its workers: a length, then one JSON value.

JSON, never pickles: what comes back from a worker is data and cannot run anything in the parent. Text is written in
ASCII escapes, so that lone surrogates cross as they are.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

__all__ = ["FrameReader", "encode", "read_payload"]

_LENGTH = struct.Struct(">I")  # bytes of JSON that follow, big-endian


def encode(value: object) -> bytes:
    """A value as one frame. Raises TypeError or ValueError for what JSON cannot say."""
    payload = json.dumps(value, separators=(",", ":")).encode("ascii")
    return _LENGTH.pack(len(payload)) + payload


def read_payload(stream: BinaryIO) -> bytes | None:
    """The next frame's JSON from a blocking stream; None at its end, also inside a frame."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    payload = stream.read(length)
    return payload if len(payload) == length else None


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
