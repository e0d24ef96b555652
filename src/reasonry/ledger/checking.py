"""Checking a ledger entry by entry, and saving what can be read out of a damaged one."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from reasonry.errors import InputError
from reasonry.ledger.book import Ledger, entry_of
from reasonry.ledger.database import failed, open_to_read
from reasonry.ledger.entry import LedgerEntry
from reasonry.ledger.texts import text_problem

__all__ = ["Checked", "Damage", "check"]

_CHUNK = 200
_KEPT = 100  # of the damages, so that a ruined file does not fill the memory
_IN_FLIGHT = 1000
_SMALLEST_ROW_BYTES = 100


@dataclass(frozen=True, slots=True)
class Damage:
    """One row that cannot be used. `key` is None where not even that can be read."""

    row: int
    key: str | None
    reason: str


@dataclass(slots=True)
class Checked:
    """What was found. `integrity` is what SQLite says of the file's structure; `damages` are the first ones."""

    integrity: list[str] = field(default_factory=list[str])
    answered: int = 0
    failed: int = 0
    damaged: int = 0
    damages: list[Damage] = field(default_factory=list[Damage])
    salvaged: int | None = None

    @property
    def is_whole(self) -> bool:
        return not self.integrity and not self.damaged

    def add(self, found: LedgerEntry | Damage) -> None:
        if isinstance(found, Damage):
            self.damaged += 1
            self.damages += [found] * (len(self.damages) < _KEPT)
        elif found.outcome == "answered":
            self.answered += 1
        else:
            self.failed += 1


def check(path: Path, salvage: Path | None = None) -> Checked:
    """Read every row of a ledger. With `salvage`, each row that is whole is copied to a new ledger there.

    An answer is whole where it can be read, is what was written, and its key is the digest of its request.
    """
    if salvage is not None and salvage.exists():
        raise InputError("there is a file already", place=str(salvage), hint="name a new file")
    connection, columns = open_to_read(path)
    with closing(connection):
        checked = Checked(_integrity(connection))
        rows = _rows(connection, columns, path.stat().st_size)
        if salvage is None:
            for found in rows:
                checked.add(found)
            return checked
        with Ledger(salvage) as out:
            checked.salvaged = 0
            writes: deque[Future[None]] = deque()
            for found in rows:
                checked.add(found)
                if isinstance(found, LedgerEntry):
                    writes.append(out.submit(found))
                    checked.salvaged += 1
                if len(writes) > _IN_FLIGHT:
                    writes.popleft().result()
            for write in writes:
                write.result()
    return checked


def _integrity(connection: sqlite3.Connection) -> list[str]:
    try:
        lines = [str(line) for (line,) in connection.execute(f"pragma integrity_check({_KEPT})")]
    except sqlite3.Error as exc:
        return [str(exc)]
    return [] if lines == ["ok"] else lines


def _rows(connection: sqlite3.Connection, columns: str, size: int) -> Iterator[LedgerEntry | Damage]:
    """Every row that is there: in chunks, and one at a time where a chunk cannot be read."""
    after, last = 0, None
    query = f"select rowid, {columns} from attempts where rowid > ? order by rowid limit {_CHUNK}"
    while last is None or after < last:
        try:
            rows = connection.execute(query, [after]).fetchall()
        except sqlite3.Error:
            last = _last_row(connection, size) if last is None else last
            yield from _one_by_one(connection, columns, range(after + 1, min(after + _CHUNK, last) + 1))
            after += _CHUNK
            continue
        if not rows:
            return
        after = rows[-1][0]
        yield from (_found(row[0], row[1:]) for row in rows)


def _one_by_one(connection: sqlite3.Connection, columns: str, numbers: range) -> Iterator[LedgerEntry | Damage]:
    for number in numbers:
        try:
            row = connection.execute(f"select {columns} from attempts where rowid = ?", [number]).fetchone()
        except sqlite3.Error as exc:
            yield Damage(number, None, failed(Path(), "cannot be read here", exc).message)
            continue
        if row is not None:
            yield _found(number, row)


def _found(number: int, row: tuple[object, ...]) -> LedgerEntry | Damage:
    key = row[0] if isinstance(row[0], str) else None
    try:
        entry = entry_of(row)
    except ValueError as exc:
        return Damage(number, key, str(exc))
    problem = None
    if entry.outcome == "answered":
        problem = text_problem(entry.key, entry.request, entry.reply, entry.model, entry.served_by)
    return entry if problem is None else Damage(number, key, problem)


def _last_row(connection: sqlite3.Connection, size: int) -> int:
    """The number of the last row; where the end of the table is torn, a number that no row is beyond."""
    try:
        return connection.execute("select max(rowid) from attempts").fetchone()[0] or 0
    except sqlite3.Error:
        return size // _SMALLEST_ROW_BYTES
