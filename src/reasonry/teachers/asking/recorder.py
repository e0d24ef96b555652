"""Attempts on their way to the disk: handed over from the event loop, and taken back there when they are on it."""

from __future__ import annotations

import asyncio
import shutil
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from reasonry.errors import LedgerError
from reasonry.ledger import Ledger, LedgerEntry
from reasonry.teachers.asking.cases import Item

__all__ = ["Recorder"]

_LOOK_S = 1.0  # between two looks at the disk
_SPARE_BYTES = 16 << 20  # for what is in flight, and for SQLite itself


class Recorder:
    """For one engine. `take(item, entry, reserved)` is called for each answer on the disk, and may raise.

    `stop` is called with what prevented one, `after` when some were taken.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ledger: Ledger,
        take: Callable[[Item, LedgerEntry, float], None],
        stop: Callable[[BaseException], None],
        after: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._ledger = ledger
        self._take = take
        self._stop = stop
        self._after = after
        self._written: deque[tuple[Item, LedgerEntry, float, LedgerError | None]] = deque()
        self._next_look = 0.0
        self.pending = 0  # entries that are not on the disk yet
        self.characters = 0  # of the replies in them

    def record(self, item: Item, entry: LedgerEntry, reserved: float) -> None:
        """Hand an attempt to the ledger. Raises LedgerError where that is closed."""

        def done(error: LedgerError | None) -> None:  # on the ledger's thread, which an exception would end
            self._written.append((item, entry, reserved, error))
            if len(self._written) == 1:  # else the loop has been told, and has not come so far yet
                with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                    self._loop.call_soon_threadsafe(self._take_written)

        self._ledger.record(entry, done)
        self.pending += 1  # a ledger that was closed takes nothing
        self.characters += len(entry.reply or "")

    def check_room(self) -> None:
        """Raise LedgerError while what is in flight still fits on the disk: an answer that does not is lost."""
        now = self._loop.time()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_S
        free = shutil.disk_usage(self._ledger.path.parent).free
        if free < _SPARE_BYTES + 2 * self.characters:
            raise LedgerError(
                f"the disk has {free / 1e6:.1f} MB left; nothing more is asked, so that what is under way still fits",
                place=str(self._ledger.path),
                hint="make room, or move the run to another disk, and run again: every answer is kept",
            )

    def _take_written(self) -> None:
        while self._written:
            item, entry, reserved, error = self._written[0]
            try:
                if error is not None:
                    raise error
                if entry.outcome == "answered":
                    self._take(item, entry, reserved)
            except Exception as exc:  # noqa: BLE001 - it ends the run, which still waits for the other writes
                self._stop(exc)
            self._written.popleft()
            self.pending -= 1
            self.characters -= len(entry.reply or "")
        self._after()
