"""Reading the answers of a ledger without changing it: one that is in use, or on a disk that cannot be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from reasonry.errors import LedgerError
from reasonry.ledger.book import entry_of
from reasonry.ledger.database import ANSWERED, damaged, failed, open_to_read
from reasonry.ledger.entry import LedgerEntry

__all__ = ["AnswersByKey", "answers", "read_answers", "read_entries_of"]


def read_answers(path: Path, model: str | None = None) -> Iterator[LedgerEntry]:
    """Every answer (of one model) in the order of the keys, so that the order of writing decides nothing.

    Raises InputError where there is no ledger, LedgerError where it is damaged.
    """
    connection, columns = open_to_read(path)
    with closing(connection):
        yield from answers(connection, columns, path, model)


class AnswersByKey:
    """The answers of one ledger, looked up one at a time, by one thread at a time.

    Raises as `read_answers` does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection, self._columns = open_to_read(path)

    def reply(self, key: str) -> str:
        """The reply under a key, as JSON text. Raises LedgerError where there is none, or it is damaged."""
        query = f"select {self._columns} from attempts where key = ? and {ANSWERED}"
        try:
            row = self._connection.execute(query, [key]).fetchone()
            if row is None:
                hint = "the ledger was changed by something else: run again"
                raise LedgerError(f"the answer {key} is gone", place=str(self._path), hint=hint)
            return entry_of(row).reply or ""
        except sqlite3.Error as exc:
            raise failed(self._path, "cannot be read", exc) from exc
        except ValueError as exc:
            raise damaged(self._path, "the ledger cannot be read", str(exc)) from exc

    def close(self) -> None:
        self._connection.close()


def read_entries_of(path: Path, key: str) -> list[LedgerEntry]:
    """Every attempt at one key, in the order of writing. Raises as `read_answers` does."""
    connection, columns = open_to_read(path)
    with closing(connection):
        try:
            rows = connection.execute(f"select {columns} from attempts where key = ? order by rowid", [key]).fetchall()
            return [entry_of(row) for row in rows]
        except sqlite3.Error as exc:
            raise failed(path, "cannot be read", exc) from exc
        except ValueError as exc:
            raise damaged(path, "the ledger cannot be read", str(exc)) from exc


def answers(connection: sqlite3.Connection, columns: str, path: Path, model: str | None) -> Iterator[LedgerEntry]:
    """The answers in a ledger that was opened to read."""
    where = ANSWERED if model is None else f"{ANSWERED} and model = :model"
    try:
        rows = connection.execute(f"select {columns} from attempts where {where} order by key", {"model": model})
        for row in rows:
            yield entry_of(row)
    except sqlite3.Error as exc:
        raise failed(path, "cannot be read", exc) from exc
    except ValueError as exc:
        raise damaged(path, "the ledger cannot be read", str(exc)) from exc
