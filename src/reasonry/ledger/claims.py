"""Claims: which keys a process is asking for right now, so that another one does not ask too.

A claim is a lock on one byte of a file beside the ledger, at an offset made from the key. The kernel keeps the locks,
and frees them when the process ends, however it ends. They are open-file-description locks, which belong to one
opening of the file: two ledgers in one process exclude each other as two processes do. The file itself holds one byte
for each time that a ledger was opened, by which those who have it open see that somebody came.

Where there are no such locks (outside Linux, on some network file systems) every claim is granted. Then two
processes may ask, and pay, for the same answer; the ledger still keeps one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import struct
import sys
from pathlib import Path

if sys.platform == "linux":
    from fcntl import F_OFD_GETLK, F_OFD_SETLK, F_RDLCK, F_UNLCK, F_WRLCK, fcntl

__all__ = ["Claims"]

_FLOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, process (0 for these locks)
_OFFSET_DIGITS = 15  # of the key's hexadecimal digits: 60 bits, as an offset is a signed number of 64
_PRESENT = 1 << 62  # beyond every key's byte: locked, shared, by all who have the ledger open
_TAKEN = (errno.EAGAIN, errno.EACCES)


class Claims:
    """The claims of one open ledger."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        self._size_alone: int | None = None  # of the file, while nobody came after us
        if sys.platform == "linux":
            try:
                self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
                self._arrive(self._file)
            except OSError:
                self.close()

    @property
    def is_alone(self) -> bool:
        """Whether nobody else can have written to the ledger since it was opened here. False where that is not known.

        Once False it stays so: who came may have written and left.
        """
        if self._size_alone is None or self._file is None:
            return False
        if os.fstat(self._file).st_size != self._size_alone:
            self._size_alone = None
        return self._size_alone is not None

    def claim(self, key: str) -> bool:
        """Whether the key is ours now. One system call; never waits."""
        if self._file is None:
            return True
        try:
            _set(self._file, F_WRLCK, _offset(key))
        except OSError as exc:
            if exc.errno in _TAKEN:
                return False
            self.close()
        return True

    def release(self, key: str) -> None:
        """Give a key back. One that was not claimed is left as it is."""
        if self._file is not None:
            _set(self._file, F_UNLCK, _offset(key))

    def close(self) -> None:
        """Give every key back. The file stays: removing it would part those who have it open from those who come."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _arrive(self, file: int) -> None:
        """Show that we are here, then see whether others are.

        In this order two that arrive at once both see the other: by its lock, or by the byte that it adds later.
        """
        _set(file, F_RDLCK, _PRESENT)
        try:
            os.write(file, b".")
        except OSError:  # a full disk: claims need no room
            return
        size = os.fstat(file).st_size
        if not _is_locked_by_others(file, _PRESENT):
            self._size_alone = size


def _set(file: int, kind: int, offset: int) -> None:
    fcntl(file, F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, offset, 1, 0))


def _is_locked_by_others(file: int, offset: int) -> bool:
    found = fcntl(file, F_OFD_GETLK, _FLOCK.pack(F_WRLCK, os.SEEK_SET, offset, 1, 0))
    return _FLOCK.unpack(found)[0] != F_UNLCK


def _offset(key: str) -> int:
    """A byte of the file for a key. A key of the ledger is `r-` and a digest; any other text is digested here."""
    try:
        return int(key[2 : 2 + _OFFSET_DIGITS], 16)
    except ValueError:
        return int(hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:_OFFSET_DIGITS], 16)
