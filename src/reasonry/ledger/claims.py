"""Claims: which keys a process is asking for right now, so that another one does not ask too.

A claim is a lock on one byte of a file beside the ledger, at an offset made from the key. The kernel keeps the locks,
and frees them when the process ends, however it ends. They are open-file-description locks, which belong to one
opening of the file: two ledgers in one process exclude each other as two processes do.

Who is alone locks all bytes at once, and needs no system call for a key. The file holds one byte for each time that a
ledger was opened, so who is alone sees that somebody came, and makes room: of all bytes it keeps those of the keys it
asks for (`make_room`, which the ledger's writer calls several times a second).

Where there are no such locks (outside Linux, on some network file systems) every claim is granted. Then two
processes may ask, and pay, for the same answer; the ledger still keeps one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path

if sys.platform == "linux":
    from fcntl import F_OFD_GETLK, F_OFD_SETLK, F_RDLCK, F_UNLCK, F_WRLCK, fcntl

__all__ = ["Claims"]

_FLOCK = struct.Struct("hhqqi4x")  # struct flock: type, whence, start, length, process (0 for these locks)
_OFFSET_DIGITS = 15  # of the key's hexadecimal digits: 60 bits, as an offset is a signed number of 64
_KEYS = 1 << 60  # the bytes of all keys
_PRESENT = 1 << 62  # beyond every key's byte: locked, shared, by all who have the ledger open
_TAKEN = (errno.EAGAIN, errno.EACCES)


class Claims:
    """The claims of one open ledger. Safe for several threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file: int | None = None
        self._mine: set[int] | None = None  # the offsets claimed while all bytes are ours
        self._size_alone = 0  # of the file then
        if sys.platform == "linux":
            try:
                self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
                self._arrive(self._file)
            except OSError:
                self.close()

    @property
    def is_alone(self) -> bool:
        """Whether nobody else can have claimed anything since this was opened. False where that is not known.

        Once False it stays so: who came may have asked, and left.
        """
        return self._mine is not None

    def claim(self, key: str) -> bool:
        """Whether the key is ours now. At most one system call; never waits."""
        with self._lock:
            if self._mine is not None:
                self._mine.add(_offset(key))
                return True
            if self._file is None:
                return True
            try:
                _set(self._file, F_WRLCK, _offset(key))
            except OSError as exc:
                return exc.errno not in _TAKEN  # a disk that grants no lock now keeps those it granted before
            return True

    def release(self, key: str) -> None:
        """Give a key back. One that was not claimed is left as it is."""
        with self._lock:
            if self._mine is not None:
                self._mine.discard(_offset(key))
            elif self._file is not None:
                _unlock(self._file, _offset(key))

    def make_room(self) -> None:
        """Where somebody came since all bytes were ours: keep only those of our keys. Raises nothing."""
        with self._lock:
            if self._mine is None or self._file is None or _size_of(self._file) == self._size_alone:
                return
            start = 0
            for offset in sorted(self._mine):
                if offset > start:
                    _unlock(self._file, start, offset - start)
                start = offset + 1
            if start < _KEYS:
                _unlock(self._file, start, _KEYS - start)
            self._mine = None

    def may_claim(self) -> bool:
        """Whether nobody holds all bytes against us: who had the ledger alone has seen us, or has gone."""
        with self._lock:
            if self._file is None or self._mine is not None:
                return True
            with suppress(OSError):
                return _holder(self._file, 0, _KEYS) != _KEYS
            return True

    def close(self) -> None:
        """Give every key back. The file stays: removing it would part those who have it open from those who come."""
        with self._lock:
            self._leave()

    def _leave(self) -> None:
        self._mine = None
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
        except OSError:  # a full disk: claims need no room, but nobody would see us come
            return
        size = _size_of(file)
        if size >= 0 and _holder(file, _PRESENT, 1) == 0:
            with suppress(BlockingIOError):
                _set(file, F_WRLCK, 0, _KEYS)
                self._mine, self._size_alone = set(), size


def _set(file: int, kind: int, offset: int, length: int = 1) -> None:
    fcntl(file, F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, offset, length, 0))


def _unlock(file: int, offset: int, length: int = 1) -> None:
    """A lock that the system does not give back now is given back when the file is closed."""
    with suppress(OSError):
        _set(file, F_UNLCK, offset, length)


def _size_of(file: int) -> int:
    """-1 where it is not known: a network file system may have lost the file."""
    try:
        return os.fstat(file).st_size
    except OSError:
        return -1


def _holder(file: int, offset: int, length: int) -> int:
    """The length of a lock that others hold there; 0: none."""
    found = _FLOCK.unpack(fcntl(file, F_OFD_GETLK, _FLOCK.pack(F_WRLCK, os.SEEK_SET, offset, length, 0)))
    return 0 if found[0] == F_UNLCK else found[3]


def _offset(key: str) -> int:
    """A byte of the file for a key. A key of the ledger is `r-` and a digest; any other text is digested here."""
    try:
        return int(key[2 : 2 + _OFFSET_DIGITS], 16)
    except ValueError:
        return int(hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:_OFFSET_DIGITS], 16)
