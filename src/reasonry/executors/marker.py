"""What a worker is doing right now, in memory that its parent can read, also after the worker was killed.

Rows cross in batches, so messages alone would not say which row ended a worker. Before each row the worker writes one
machine word here: that costs nothing, cannot wait, and is there whatever ends the process.
"""

from __future__ import annotations

import mmap
from typing import IO

__all__ = ["IDLE", "PREPARING", "RUNNING", "Marker", "new_marker_file"]

IDLE, PREPARING, RUNNING = range(3)
_BYTES = 16


def new_marker_file(file: IO[bytes]) -> None:
    """Make an empty file one that a Marker can use."""
    file.write(bytes(_BYTES))
    file.flush()


class Marker:
    """Two words: the index of the row that is or was under way with what happens to it, and a count of its beats."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _BYTES)
        self._word = memoryview(self._memory).cast("Q")

    def set(self, index: int, phase: int) -> None:
        self._word[0] = index << 2 | phase

    def set_idle(self) -> None:
        self._word[0] &= ~3

    def get(self) -> tuple[int, int]:
        """The index, and IDLE, PREPARING or RUNNING."""
        word = self._word[0]
        return word >> 2, word & 3

    def beat(self) -> None:
        """Say that the row under way is being watched by someone else, and goes on."""
        self._word[1] += 1

    @property
    def beats(self) -> int:
        return self._word[1]

    def close(self) -> None:
        self._word.release()
        self._memory.close()
