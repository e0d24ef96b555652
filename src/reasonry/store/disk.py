"""Files that survive: written whole, synced, compared byte for byte; and a failing disk told once."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from reasonry.errors import StoreError
from reasonry.identity import file_digest

__all__ = ["DiskErrors", "is_file_of", "sync", "write_durably"]


class DiskErrors:
    """Attributes a disk that fails to the disk, once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(value, OSError):
            raise StoreError(
                f"cannot be written: {value.strerror or value}",
                place=str(self._folder),
                hint="free some space or mend the disk, then run again: paid answers are in the ledger",
            ) from value


def is_file_of(path: Path, size: int, sha256: str) -> bool:
    """Whether a file is the one that was described."""
    return path.is_file() and path.stat().st_size == size and file_digest(path) == sha256


def write_durably(path: Path, text: str) -> None:
    """Write a file whole or not at all, and make it survive a loss of power. Raises StoreError."""
    temporary = path.with_name(path.name + ".writing")
    with DiskErrors(path):
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make a file or a folder survive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
