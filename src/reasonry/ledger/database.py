"""The ledger's file: its tables, how it is opened, and what an error of SQLite means to a person."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from reasonry.errors import InputError, LedgerError
from reasonry.ledger.entry import COLUMNS

__all__ = [
    "ANSWERED",
    "FORMAT",
    "INSERT",
    "WAIT_S",
    "beside",
    "code_of",
    "connect",
    "damaged",
    "failed",
    "open_to_read",
    "prepare",
    "selected",
    "wal_of",
]

FORMAT = 2  # 1 had no checksums, and the texts before the figures
WAIT_S = 60.0  # for another process that is writing
ANSWERED = "outcome = 'answered'"
_PAGE_BYTES = 8192  # a third less work than 4096 where a row has some thousand characters
_CHECKPOINT_PAGES = 2000

# The texts come last: the figures of a row are then read without its texts.
_TEXTS = ("request", "reply")
_ORDER = [*(name for name in COLUMNS if name not in _TEXTS), "checksum", *_TEXTS]
_BY_MODEL = f"create index if not exists by_model on attempts (model, served_by) where {ANSWERED}"
_CREATE = (
    f"create table if not exists attempts ({', '.join(_ORDER)})",
    f"create unique index if not exists answered on attempts (key) where {ANSWERED}",
    _BY_MODEL,
)
_FROM_FORMAT_1 = ("alter table attempts add column checksum", "drop index if exists by_key", _BY_MODEL)

# A second answer to a key (two processes asked at once) is not an error: the first one stands.
_NAMES = (*COLUMNS, "checksum")
INSERT = f"insert or ignore into attempts ({', '.join(_NAMES)}) values ({', '.join('?' * len(_NAMES))})"


def selected(*, checksum: bool = True) -> str:
    """The columns of an entry and its checksum, for a `select`."""
    return f"{', '.join(COLUMNS)}, {'checksum' if checksum else 'null'}"


def connect(path: Path, *, writes: bool = False) -> sqlite3.Connection:
    """A durable connection. With `writes`, it is tried: SQLite opens a file on a read-only disk without a word."""
    connection = sqlite3.connect(path, timeout=WAIT_S, check_same_thread=False, isolation_level=None)
    try:
        connection.execute(f"pragma page_size = {_PAGE_BYTES}")
        _write_ahead(connection)
        connection.execute("pragma synchronous = full")
        connection.execute(f"pragma wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        if writes:
            connection.execute("begin immediate")
            connection.execute(f"pragma user_version = {FORMAT}")
            connection.rollback()
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging. For this alone SQLite does not wait for others, such as one that does the same."""
    patiently = Retrying(
        retry=retry_if_exception(lambda exc: code_of(exc) == sqlite3.SQLITE_BUSY),
        stop=stop_after_delay(WAIT_S),
        wait=wait_random(0.005, 0.05),
        reraise=True,
    )
    patiently(connection.execute, "pragma journal_mode = wal")


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, or bring those of an older format up to date."""
    if _format_of(connection, path) == FORMAT:
        return
    connection.execute("begin immediate")
    try:
        version = _format_of(connection, path)  # another process may have been quicker
        for statement in {0: _CREATE, 1: _FROM_FORMAT_1}.get(version, ()):
            connection.execute(statement)
        connection.execute(f"pragma user_version = {FORMAT}")
        connection.execute("commit")
    except BaseException:
        connection.rollback()
        raise


# A view would be asked in the place of the table, and a trigger acts when an answer is written.
_STRANGE = """
select type from sqlite_master
where type = 'trigger' or (name = 'attempts' collate nocase and (type <> 'table' or rootpage = 0))
"""


def _format_of(connection: sqlite3.Connection, path: Path) -> int:
    """The format of the file; 0 for one that is new. Raises LedgerError for a file that is not ours."""
    (version,) = connection.execute("pragma user_version").fetchone()
    if version > FORMAT or version < 0:
        raise LedgerError(
            f"the ledger has format {version}, this Reasonry reads {FORMAT}",
            place=str(path),
            hint="use the Reasonry that wrote it, or another ledger",
        )
    if version == 0 and connection.execute("select count(*) from sqlite_master where type = 'table'").fetchone()[0]:
        raise LedgerError("this is the database of something else", place=str(path), hint="name another ledger")
    if (strange := connection.execute(_STRANGE).fetchone()) is not None:
        what = f"the ledger was changed by something else: it has a {strange[0]} of its own"
        raise LedgerError(what, place=str(path), hint="get an export (`reasonry ledger export`), and import that")
    return version


def open_to_read(path: Path) -> tuple[sqlite3.Connection, str]:
    """A connection that changes nothing, and the columns to select. Raises InputError where there is no ledger."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such ledger"
        raise InputError(what, place=str(path), hint="name the ledger.sqlite of a run")
    connection = _readable(path)
    try:
        version = _format_of(connection, path)
        if version == 0:
            raise InputError("this is an empty database, not a ledger", place=str(path), hint="name another file")
        connection.execute("select 1 from attempts limit 1")
    except sqlite3.Error as exc:
        connection.close()
        raise failed(path, "cannot be read", exc) from exc
    except BaseException:
        connection.close()
        raise
    return connection, selected(checksum=version > 1)


def _readable(path: Path) -> sqlite3.Connection:
    """In a folder that cannot be written SQLite finds no place for its shared index. Where no write-ahead log is
    left the file alone is the whole ledger; else the index is kept in memory, which needs the file to ourselves.
    """
    try:
        return _opened(path, "mode=ro")
    except sqlite3.Error as exc:
        if code_of(exc) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, *_NO_ROOM):
            raise failed(path, "cannot be read", exc) from exc
        log = wal_of(path)
        has_log = log.is_file() and log.stat().st_size > 0
    try:
        return _opened(path, "mode=rw", alone=True) if has_log else _opened(path, "immutable=1")
    except sqlite3.Error as exc:
        error = failed(path, "cannot be read", exc)
        if has_log:
            error.hint = f"copy it and {log.name} to a folder that can be written, and read it there"
        raise error from exc


def _opened(path: Path, how: str, *, alone: bool = False) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.resolve()))}?{how}"
    # Whoever closes it may be another thread than the one that read.
    connection = sqlite3.connect(uri, uri=True, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    try:
        if alone:
            connection.execute("pragma locking_mode = exclusive")
        connection.execute("select count(*) from sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def beside(path: Path, ending: str) -> Path:
    """A file that belongs to a ledger, wherever links to the ledger are: SQLite, too, puts its own there."""
    real = path.resolve()
    return real.with_name(real.name + ending)


def wal_of(path: Path) -> Path:
    """The file of the write-ahead log."""
    return beside(path, "-wal")


_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT)


def code_of(exc: BaseException) -> int | None:
    """SQLite's code for an error, without its details; None for an error of another kind."""
    code = getattr(exc, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def damaged(path: Path, what: str, reason: str) -> LedgerError:
    """The file is not what was written: what, where, and how to save the rest."""
    hint = f"`reasonry ledger check {path} --salvage NEW.sqlite` copies what is whole"
    return LedgerError(f"{what}: the file is damaged ({reason})", place=str(path), hint=hint)


def failed(path: Path, what: str, exc: BaseException) -> LedgerError:
    """An error of SQLite or the disk as one of ours: what, where, and what to do."""
    code, reason = code_of(exc), getattr(exc, "strerror", None) or str(exc)
    kept = "every acknowledged answer is kept"
    if reason.startswith("Could not decode"):  # what Python says of a text that is none; it quotes the text
        return damaged(path, f"the ledger {what}", "a text is not UTF-8")
    if code in _DAMAGED:
        return damaged(path, f"the ledger {what}", reason)
    if code == sqlite3.SQLITE_NOTADB:
        hint = "name a ledger; if this was one, its first page is destroyed: take a copy"
    elif code in _NO_ROOM:
        hint = f"free some space on that disk or mend it, then run again: {kept}"
    elif code == sqlite3.SQLITE_BUSY:
        hint = f"another process has been writing for {WAIT_S:.0f} s: run again when it has ended"
    else:
        hint = f"make the file and its folder writable, or name another ledger, then run again: {kept}"
    return LedgerError(f"the ledger {what}: {reason}", place=str(path), hint=hint)
