"""Rows on their way through a worker, and the lane of each worker."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from reasonry.executors.marker import IDLE
from reasonry.executors.process import WorkerProcess

__all__ = ["FRAME_BYTES", "FRAME_ROWS", "Lane", "Row"]

FRAMES_AHEAD = 3  # frames that a worker has at hand, so that it never waits for the parent
FRAME_ROWS = 256  # at most; a frame of slow rows has fewer, down to one
FRAME_BYTES = 1 << 16  # a frame ends with the row that exceeds this
FRAME_S = 0.01  # how long the rows of a frame should take together


@dataclass(slots=True, eq=False)
class Row:
    """A row as it is sent: `[index, row]` in JSON."""

    index: int
    text: bytes
    is_single: bool = False  # in a frame of its own: it was sent before, and its worker ended before it told
    is_alone: bool = False  # second and last try, in a new worker with no other row


@dataclass(slots=True, eq=False)
class Lane:
    """A place for one worker, with the rows it has at hand, in the order it was sent them."""

    rows: deque[Row] = field(default_factory=deque[Row])
    worker: WorkerProcess | None = None
    frames: int = 0  # of those sent, how many are not done
    size: int = 1  # rows in the next frame
    seen: tuple[int, int] = (0, IDLE)  # what the marker said
    beats: int = 0  # ... and of what its row gave as signs of life
    since: float = 0.0  # ... and since when, in monotonic seconds
    overdue: int | None = None  # the index of the row for which its worker was ended

    @property
    def takes_more(self) -> bool:
        return self.frames < FRAMES_AHEAD and not (self.rows and self.rows[0].is_alone)

    def add(self, rows: Sequence[Row]) -> None:
        if not self.rows:
            self.since = time.monotonic()
        self.rows.extend(rows)
        self.frames += 1

    def frame_done(self, seconds: float) -> None:
        """Learn how many rows make a frame of the right length."""
        self.frames -= 1
        if seconds < FRAME_S / 2:
            self.size = min(FRAME_ROWS, self.size * 2)
        elif seconds > FRAME_S * 2:
            self.size = max(1, self.size // 2)

    def empty(self) -> list[Row]:
        """Take back every row that is not settled."""
        rows = list(self.rows)
        self.rows.clear()
        self.frames, self.overdue, self.seen = 0, None, (0, IDLE)
        return rows

    def age(self, now: float) -> float:
        """For how long the worker has been at what it does, as far as we saw."""
        assert self.worker is not None
        seen, beats = self.worker.marker.get(), self.worker.marker.beats
        if seen != self.seen or beats != self.beats:
            self.seen, self.beats, self.since = seen, beats, now
        return now - self.since
