"""Bytes put aside on disk, in the order they came, and read again from anywhere.

The file has no name (or loses it before anything is written): nobody else finds it, and the disk has its room again
once the spool is gone, also after an error and after kill -9.
"""

from __future__ import annotations

import os
import struct
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from reasonry.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Spool"]

_BUFFER_BYTES = 1 << 20
_SIZES = struct.Struct("<II")  # packed and unpacked, in bytes


class Spool:
    """One file. All of it is written, then `finish` is called, then it is read, from any thread."""

    def __init__(self, folder: Path | None = None) -> None:
        """In `folder`, by default the one for temporary files. Raises StoreError where it cannot be written."""
        import pyarrow as pa

        self._place = str(folder or tempfile.gettempdir())
        try:
            self._file = tempfile.TemporaryFile(buffering=_BUFFER_BYTES, dir=folder)  # noqa: SIM115 - closed with us
        except OSError as exc:
            raise self._failed(exc) from exc
        weakref.finalize(self, self._file.close)
        self._codec: pa.Codec = pa.Codec("lz4_raw")  # a third of zstd's work, for half as much again on disk
        self._size = 0

    def append(self, data: bytes) -> int:
        """Put data at the end. Returns its place. Raises StoreError where the disk fails."""
        packed: bytes = self._codec.compress(data, asbytes=True)
        place = self._size
        try:
            self._file.write(_SIZES.pack(len(packed), len(data)))
            self._file.write(packed)
        except OSError as exc:
            raise self._failed(exc) from exc
        self._size += _SIZES.size + len(packed)
        return place

    def finish(self) -> None:
        """Hand what is still in memory to the disk. Raises StoreError where it fails."""
        try:
            self._file.flush()
        except OSError as exc:
            raise self._failed(exc) from exc

    def read(self, place: int) -> bytes:
        """What was put at a place. Raises StoreError where the disk fails."""
        try:
            packed, unpacked = _SIZES.unpack(os.pread(self._file.fileno(), _SIZES.size, place))
            data = os.pread(self._file.fileno(), packed, place + _SIZES.size)
            return self._codec.decompress(data, unpacked, asbytes=True)
        except (OSError, struct.error) as exc:
            raise self._failed(exc) from exc

    def _failed(self, exc: Exception) -> StoreError:
        return StoreError(
            f"recordings cannot be put aside: {getattr(exc, 'strerror', None) or exc}",
            place=self._place,
            hint="free some space or mend the disk: recordings are copied there, packed, while they are replayed",
        )
