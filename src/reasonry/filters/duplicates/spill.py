"""Records on disk instead of in memory: written once in order, then read by their place."""

from __future__ import annotations

import os
import tempfile
from array import array

from reasonry.errors import WorkFailed

__all__ = ["Spill"]


class Spill:
    """A nameless temporary file of records. Eight bytes of memory are kept for each.

    Raises WorkFailed where the disk does not take them.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="reasonry-")  # noqa: SIM115 - closed by close()
        self._ends = array("q", [0])

    def close(self) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, record: bytes) -> None:
        try:
            self._file.write(record)
        except OSError as exc:
            raise _full(exc) from exc
        self._ends.append(self._ends[-1] + len(record))

    def finish(self) -> None:
        """Nothing more will be written."""
        try:
            self._file.flush()
        except OSError as exc:
            raise _full(exc) from exc

    def __getitem__(self, place: int) -> bytes:
        start = self._ends[place]
        return os.pread(self._file.fileno(), self._ends[place + 1] - start, start)


def _full(exc: OSError) -> WorkFailed:
    return WorkFailed(
        f"the folder for temporary files takes no more: {exc.strerror}",
        place=tempfile.gettempdir(),
        hint="make room there, or set TMPDIR to a folder on a larger disk",
    )
