"""The ledger: an append-only record of every paid call. The only place money is spent.

A response is durable before it counts: `append` resolves after SQLite has committed it (WAL, synchronous=FULL).
Commits are shared by all responses that arrived meanwhile (group commit), so durability costs one disk flush per
group, not one per response. Failed attempts are recorded too; only an answered one is ever replayed. What is
stored is the request's body and the reply: no header, so no key.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from reasonry.errors import LedgerError

__all__ = ["Ledger", "LedgerEntry"]

Outcome = Literal["answered", "failed"]
_GROUP_LIMIT = 512
_LOOKUP_CHUNK = 500
_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One attempt at one request. `request` and `reply` are JSON text; `at` is Unix time in seconds."""

    key: str
    attempt: int
    outcome: Outcome
    request: str
    reply: str | None
    model: str
    served_by: str
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None
    http_status: int | None
    detail: str
    seconds: float
    at: float


_COLUMNS = [f.name for f in fields(LedgerEntry)]
_CREATE = f"""
create table if not exists attempts (
  {", ".join(_COLUMNS)}
);
create unique index if not exists answered on attempts (key) where outcome = 'answered';
create index if not exists by_key on attempts (key);
"""
# A second answer to a key (two processes asked at once) is not an error: the first one stands.
_WAIT_S = 60.0  # for another process that is writing
_INSERT = f"insert or ignore into attempts ({', '.join(_COLUMNS)}) values ({', '.join('?' * len(_COLUMNS))})"


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging. For this alone SQLite does not wait for others, such as one that does the same."""
    patiently = Retrying(
        retry=retry_if_exception(lambda exc: getattr(exc, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY),
        stop=stop_after_delay(_WAIT_S),
        wait=wait_random(0.005, 0.05),
        reraise=True,
    )
    patiently(connection.execute, "pragma journal_mode = wal")


class Ledger:
    """A ledger file. Safe for several threads, and for several processes on one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue: queue.SimpleQueue[tuple[LedgerEntry, Future[None]] | None] = queue.SimpleQueue()
        self._reader_lock = threading.Lock()
        self._is_closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._reader = self._connect()
            self._prepare(self._reader)
            self._writer_connection = self._connect()
        except (sqlite3.Error, OSError) as exc:
            raise self._error("cannot be opened", exc) from exc
        self._writer = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._writer.start()

    async def append(self, entry: LedgerEntry) -> None:
        """Record one attempt. Returns when it is on disk; raises LedgerError when it cannot be."""
        await asyncio.wrap_future(self.submit(entry))

    def submit(self, entry: LedgerEntry) -> Future[None]:
        """Record one attempt; the future resolves when it is on disk."""
        if self._is_closed:
            raise LedgerError("the ledger is closed", place=str(self.path))
        future: Future[None] = Future()
        self._queue.put((entry, future))
        return future

    def answered(self, keys: Iterable[str]) -> dict[str, LedgerEntry]:
        """The answered entries among `keys`."""
        wanted = list(keys)
        found: dict[str, LedgerEntry] = {}
        for start in range(0, len(wanted), _LOOKUP_CHUNK):
            chunk = wanted[start : start + _LOOKUP_CHUNK]
            marks = ", ".join("?" * len(chunk))
            query = f"select {', '.join(_COLUMNS)} from attempts where outcome = 'answered' and key in ({marks})"
            found.update((entry.key, entry) for entry in self._select(query, chunk))
        return found

    def entries(self) -> Iterator[LedgerEntry]:
        """Every attempt, in the order of writing, a chunk at a time."""
        last = 0
        query = (
            f"select rowid, {', '.join(_COLUMNS)} from attempts where rowid > ? order by rowid limit {_LOOKUP_CHUNK}"
        )
        while rows := self._raw(query, [last]):
            last = rows[-1][0]
            yield from (LedgerEntry(*row[1:]) for row in rows)

    def close(self) -> None:
        """Write what is pending, then close. Safe to call twice."""
        self._is_closed = True
        if self._writer.is_alive():
            self._queue.put(None)
            self._writer.join()
        self._reader.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_WAIT_S, check_same_thread=False, isolation_level=None)
        _write_ahead(connection)
        connection.execute("pragma synchronous = full")
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("pragma user_version").fetchone()
        if version not in (0, _SCHEMA_VERSION):
            raise LedgerError(
                f"the ledger has format {version}, this Reasonry reads {_SCHEMA_VERSION}",
                place=str(self.path),
                hint="use the Reasonry that wrote it, or another ledger",
            )
        connection.executescript(_CREATE)
        connection.execute(f"pragma user_version = {_SCHEMA_VERSION}")

    def _select(self, query: str, values: Sequence[str]) -> list[LedgerEntry]:
        return [LedgerEntry(*row) for row in self._raw(query, values)]

    def _raw(self, query: str, values: Sequence[str | int]) -> list[tuple[Any, ...]]:
        try:
            with self._reader_lock:
                return self._reader.execute(query, values).fetchall()
        except sqlite3.Error as exc:
            raise self._error("cannot be read", exc) from exc

    def _write(self) -> None:
        """The writer thread: take what is there, commit it together, tell the waiting."""
        is_open = True
        while is_open:
            group = [self._queue.get()]
            while len(group) < _GROUP_LIMIT and not self._queue.empty():
                group.append(self._queue.get())
            is_open = None not in group
            self._commit([item for item in group if item is not None])
        self._writer_connection.close()

    def _commit(self, group: list[tuple[LedgerEntry, Future[None]]]) -> None:
        group = [(entry, future) for entry, future in group if future.set_running_or_notify_cancel()]
        if not group:
            return
        try:
            self._writer_connection.execute("begin immediate")
            self._writer_connection.executemany(_INSERT, [astuple(entry) for entry, _ in group])
            self._writer_connection.execute("commit")
        except Exception as exc:  # noqa: BLE001 - whatever it is, the writer lives on and the waiting are told
            self._refuse(group, exc)
            return
        for _, future in group:
            future.set_result(None)

    def _refuse(self, group: list[tuple[LedgerEntry, Future[None]]], exc: Exception) -> None:
        """Take a group back. One entry that SQLite cannot hold must not cost the others: each is tried alone."""
        if self._writer_connection.in_transaction:
            self._writer_connection.execute("rollback")
        if isinstance(exc, sqlite3.Error) or len(group) == 1:
            for _, future in group:
                future.set_exception(self._error("cannot be written", exc))
            return
        for entry, future in group:
            try:
                self._writer_connection.execute(_INSERT, astuple(entry))
            except Exception as alone:  # noqa: BLE001 - as above
                future.set_exception(self._error("cannot be written", alone))
            else:
                future.set_result(None)

    def _error(self, what: str, exc: Exception) -> LedgerError:
        return LedgerError(
            f"the ledger {what}: {exc}",
            place=str(self.path),
            hint="mend the disk or its permissions and run again: every acknowledged answer is kept",
        )
