"""The ledger itself: a writer thread that commits groups, and readers."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.errors import LedgerError
from reasonry.ledger.claims import Claims
from reasonry.ledger.database import ANSWERED, INSERT, beside, connect, damaged, failed, prepare, selected
from reasonry.ledger.entry import IMPORTED, LedgerEntry, Usage, checksum_of, row_of

__all__ = ["Ledger", "entry_of"]

_GROUP_LIMIT = 512
_LOOKUP_CHUNK = 500
# A commit costs as much as several entries, so where they come thick it pays to let some gather: with a thousand a
# second, half the processor time for each.
_LINGER_S = 0.01
_BUSY_S = 0.0025  # between two entries
_LOOK_S = 0.1  # between two looks at who came
_ROOM_S = 2.0


@dataclass(slots=True)
class _Write:
    """An entry on its way to the disk, and who waits for it: a thread, a task on an event loop, or a function."""

    entry: LedgerEntry
    future: Future[None] | None = None
    task: tuple[asyncio.AbstractEventLoop, asyncio.Future[bool]] | None = None
    tell: Callable[[LedgerError | None], None] | None = None


_Told = tuple[_Write, bool | LedgerError]


class Ledger:
    """A ledger file. Safe for several threads, and for several processes on one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue: queue.SimpleQueue[_Write | Future[None] | None] = queue.SimpleQueue()
        self._reader_lock = threading.Lock()
        self._is_closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._reader = connect(path)
            try:
                prepare(self._reader, path)
                self._writer_connection = connect(path, writes=True)
            except BaseException:
                self._reader.close()
                raise
        except (sqlite3.Error, OSError) as exc:
            raise failed(path, "cannot be opened", exc) from exc
        self._claims = Claims(beside(path, ".claims"))
        self._writer = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._writer.start()
        self._wait_for_room()

    async def append(self, entry: LedgerEntry) -> bool:
        """Record one attempt. Returns when it is on disk; raises LedgerError when it cannot be.

        True: the entry stands. False: its key was answered before, and that answer stands. Cheaper than `submit`: a
        group of entries wakes the event loop once. Who stops waiting does not take the entry back.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._put(_Write(entry, task=(loop, waiter)))
        return await waiter

    def submit(self, entry: LedgerEntry) -> Future[None]:
        """Record one attempt; the future resolves when it is on disk."""
        future: Future[None] = Future()
        self._put(_Write(entry, future))
        return future

    def record(self, entry: LedgerEntry, tell: Callable[[LedgerError | None], None]) -> None:
        """Record one attempt; `tell` is called on the writer's thread when it is on disk, or with what prevented it.

        The cheapest way. `tell` must return soon and raise nothing.
        """
        self._put(_Write(entry, tell=tell))

    def flush(self) -> None:
        """Wait until all that was handed in is on disk. Who handed in what cannot be written is told there."""
        mark: Future[None] = Future()
        self._put(mark)
        mark.result()

    @property
    def is_alone(self) -> bool:
        """Whether nobody else has had the ledger open since it was opened here, so that a key that was not answered
        when it was looked up is not answered now, but by us. Costs about a microsecond; False where it is not known.
        """
        return self._claims.is_alone

    @property
    def is_seen(self) -> bool:
        """Whether nobody else believes to be alone. Until then, who writes an answer that it did not claim may write
        what another process asks for without a further look.
        """
        return self._claims.may_claim()

    def claim(self, key: str) -> bool:
        """Whether this ledger object may ask for the key now; False where another one is asking.

        Look the key up after claiming it, unless `is_alone`: it may have been answered in between. Release it when
        its answer is on disk. A claim ends with its process, and `close` releases all.
        """
        return self._claims.claim(key)

    def release(self, key: str) -> None:
        """Let others ask for the key."""
        self._claims.release(key)

    def answered(self, keys: Iterable[str]) -> dict[str, LedgerEntry]:
        """The answered entries among `keys`. Raises LedgerError where one is damaged."""
        query = f"select {selected()} from attempts where {ANSWERED} and key in "
        return {row[0]: self._whole(row) for row in self._among(query, keys)}

    def holds(self, keys: Iterable[str]) -> set[str]:
        """Which of `keys` are answered, without reading the answers."""
        return {key for (key,) in self._among(f"select key from attempts where {ANSWERED} and key in ", keys)}

    def entries(self) -> Iterator[LedgerEntry]:
        """Every attempt, in the order of writing, a chunk at a time."""
        last = 0
        query = f"select {selected()}, rowid from attempts where rowid > ? order by rowid limit {_LOOKUP_CHUNK}"
        while rows := self._raw(query, [last]):
            last = rows[-1][-1]
            yield from (self._whole(row[:-1]) for row in rows)

    def usage(self, model: str, served_by: str, limit: int = 1000) -> list[Usage]:
        """What the newest answers of a model took, newest first. Reads those rows only, and not their replies."""
        query = (
            f"select tokens_in, tokens_out, cost_usd, iif(attempt = {IMPORTED}, null, seconds), length(request) "
            f"from attempts where {ANSWERED} and model = ? and served_by = ? order by rowid desc limit ?"
        )
        return [Usage(*row) for row in self._raw(query, [model, served_by, limit])]

    def close(self) -> None:
        """Write what is pending, then close. Safe to call twice."""
        self._is_closed = True
        if self._writer.is_alive():
            self._queue.put(None)
            self._writer.join()
        self._reader.close()
        self._claims.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, item: _Write | Future[None]) -> None:
        if self._is_closed:
            raise LedgerError("the ledger is closed", place=str(self.path))
        self._queue.put(item)

    def _among(self, query: str, keys: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        wanted = list(keys)
        for start in range(0, len(wanted), _LOOKUP_CHUNK):
            chunk = wanted[start : start + _LOOKUP_CHUNK]
            yield from self._raw(f"{query} ({', '.join('?' * len(chunk))})", chunk)

    def _raw(self, query: str, values: Sequence[str | int]) -> list[tuple[Any, ...]]:
        try:
            with self._reader_lock:
                return self._reader.execute(query, values).fetchall()
        except sqlite3.Error as exc:
            raise failed(self.path, "cannot be read", exc) from exc

    def _whole(self, row: Sequence[Any]) -> LedgerEntry:
        try:
            return entry_of(row)
        except ValueError as exc:
            raise damaged(self.path, "the ledger cannot be read", str(exc)) from exc

    def _write(self) -> None:
        """The writer thread: take what is there, commit it together, tell the waiting."""
        is_open, between_s, then = True, 1.0, time.monotonic()
        while is_open:
            self._claims.make_room()
            try:
                group = [self._queue.get(timeout=_LOOK_S)]
            except queue.Empty:
                continue
            if between_s < _BUSY_S:
                time.sleep(_LINGER_S)
            while len(group) < _GROUP_LIMIT and not self._queue.empty():
                group.append(self._queue.get())
            is_open = None not in group
            self._commit([item for item in group if isinstance(item, _Write)])
            for item in group:
                if isinstance(item, Future):
                    item.set_result(None)
            now = time.monotonic()
            between_s += 0.2 * ((now - then) / len(group) - between_s)  # a moving average
            then = now
        self._writer_connection.close()

    def _wait_for_room(self) -> None:
        """Until who had the ledger alone has seen us. One that is stopped does not: its keys are then not ours yet."""
        deadline = time.monotonic() + _ROOM_S
        while not self._claims.may_claim() and time.monotonic() < deadline:
            time.sleep(_LOOK_S / 10)

    def _commit(self, group: list[_Write]) -> None:
        group = [write for write in group if write.future is None or write.future.set_running_or_notify_cancel()]
        if group:
            self._tell(self._committed(group))

    def _committed(self, group: list[_Write]) -> list[_Told]:
        connection = self._writer_connection
        try:
            rows = [row_of(write.entry) for write in group]
            connection.execute("begin immediate")
            inserted = connection.executemany(INSERT, rows).rowcount
            connection.execute("commit")
        except Exception as exc:  # noqa: BLE001 - whatever it is, the writer lives on and the waiting are told
            with suppress(sqlite3.Error):
                connection.rollback()
            if isinstance(exc, sqlite3.Error) or len(group) == 1:
                return [(write, failed(self.path, "cannot be written", exc)) for write in group]
            # One entry that SQLite cannot hold must not cost the others: each is tried alone.
            return [told for write in group for told in self._committed([write])]
        if inserted == len(group):
            return [(write, True) for write in group]
        return [(write, self._stands(write.entry)) for write in group]

    def _stands(self, entry: LedgerEntry) -> bool | LedgerError:
        """Whether an entry was taken in: every one is, but a second answer to a key."""
        try:
            return entry.outcome != "answered" or self.answered([entry.key]).get(entry.key) == entry
        except LedgerError as error:
            return error

    def _tell(self, results: list[_Told]) -> None:
        """Each loop is woken once, however many of its tasks wait."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[bool], bool | LedgerError]]] = {}
        for write, result in results:
            if write.task is not None:
                by_loop.setdefault(write.task[0], []).append((write.task[1], result))
            elif write.future is not None and isinstance(result, LedgerError):
                write.future.set_exception(result)
            elif write.future is not None:
                write.future.set_result(None)
            elif write.tell is not None:
                write.tell(result if isinstance(result, LedgerError) else None)
        for loop, waiting in by_loop.items():
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(_resolve, waiting)


def _resolve(waiting: list[tuple[asyncio.Future[bool], bool | LedgerError]]) -> None:
    for waiter, result in waiting:
        if waiter.done():  # its task was cancelled
            continue
        if isinstance(result, LedgerError):
            waiter.set_exception(result)
        else:
            waiter.set_result(result)


def entry_of(row: Sequence[Any]) -> LedgerEntry:
    """The entry of a row that ends with its checksum. Raises ValueError where the row is not what was written."""
    *values, checksum = row
    entry = LedgerEntry(*values)
    if not _is_text(entry):
        raise ValueError(f"the entry {str(entry.key)[:40]} is not what was written (it is no text)")
    if checksum is not None and checksum != checksum_of(entry.key, entry.request, entry.reply):
        raise ValueError(f"the entry {str(entry.key)[:40]} is not what was written (its checksum is another)")
    return entry


def _is_text(entry: LedgerEntry) -> bool:
    """SQLite keeps whatever it is given, whatever the column."""
    return type(entry.key) is type(entry.request) is str and (entry.reply is None or type(entry.reply) is str)
