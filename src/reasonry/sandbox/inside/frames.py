"""Frames over a socket between two processes of the box: four bytes of length, then that many bytes."""

from __future__ import annotations

import os

__all__ = ["MAX_FRAME", "Channel"]

MAX_FRAME = 8 << 20
_HEAD_BYTES = 4
_READ_BYTES = 1 << 16


class Channel:
    """One end of a stream socket."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, payload: bytes) -> None:
        """Raises OSError where the other side is gone, ValueError for a frame that is too large."""
        if len(payload) > MAX_FRAME:
            raise ValueError(f"a frame of {len(payload)} bytes")
        data = memoryview(len(payload).to_bytes(_HEAD_BYTES, "big") + payload)
        while data:
            data = data[os.write(self._descriptor, data) :]

    def receive(self) -> bytes | None:
        """The next frame; None where the other side has ended, or sends what is no frame."""
        head = self._read(_HEAD_BYTES)
        if head is None:
            return None
        length = int.from_bytes(head, "big")
        return self._read(length) if length <= MAX_FRAME else None

    def _read(self, length: int) -> bytes | None:
        pieces = bytearray()
        while len(pieces) < length:
            try:
                piece = os.read(self._descriptor, min(_READ_BYTES, length - len(pieces)))
            except ConnectionError:
                return None
            if not piece:
                return None
            pieces += piece
        return bytes(pieces)
