"""Export and import: the answers of a ledger as a file that can be published, and read by strangers.

The file is JSON lines: a header, then one answer a line in the order of the keys. An answer's line has what was asked,
of whom, and what came back; no time, duration, price or number of tries, so equal answers give equal bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from reasonry.errors import InputError, LedgerError, UsageError
from reasonry.identity import canonical_json
from reasonry.ledger.book import Ledger
from reasonry.ledger.database import ANSWERED, damaged, failed, open_to_read
from reasonry.ledger.entry import IMPORTED, LedgerEntry
from reasonry.ledger.reading import answers
from reasonry.ledger.texts import problem_of, text_problem
from reasonry.records import Record, SetAside, open_records
from reasonry.records.rows import is_unicode, valid_unicode

__all__ = ["Exported", "Imported", "export_ledger", "import_file"]

KIND = "reasonry-ledger"
SCHEMA = 1
_FIELDS = ("key", "model", "served_by", "tokens_in", "tokens_out", "request", "reply")
_CHUNK = 500
_LEVEL = 10


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `digest` is the sha256 of the lines below the header."""

    count: int
    digest: str


@dataclass(slots=True)
class Imported:
    """What became of the lines of one file: taken in, there already, or not usable."""

    added: int = 0
    kept: int = 0
    bad: int = 0


def export_ledger(path: Path, out: Path, model: str | None = None) -> Exported:
    """Write every answer (of one model) to `out`: .jsonl, .jsonl.gz or .jsonl.zst. It appears when it is whole.

    Raises LedgerError where an answer is damaged, and InputError where there is none.
    """
    if not out.name.endswith((".jsonl", ".jsonl.gz", ".jsonl.zst")):
        raise UsageError("an export is JSON lines", place=str(out), hint="-o FILE.jsonl.zst, or .jsonl, or .jsonl.gz")
    connection, columns = open_to_read(path)
    with closing(connection):
        try:
            connection.execute("begin")  # both readings see the same answers
            exported = _measure(_lines(connection, columns, path, model))
            if not exported.count:
                raise InputError("there is no answer to export", place=str(path), hint=_models_hint(connection))
            header = {"kind": KIND, "schema": SCHEMA, "count": exported.count, "digest": exported.digest}
            with _output(out) as file:
                file.write(_line(header))
                for line in _lines(connection, columns, path, model):
                    file.write(line)
        except sqlite3.Error as exc:
            raise failed(path, "cannot be read", exc) from exc
    return exported


def _lines(connection: sqlite3.Connection, columns: str, path: Path, model: str | None) -> Iterator[bytes]:
    for entry in answers(connection, columns, path, model):
        problem = text_problem(entry.key, entry.request, entry.reply, entry.model, entry.served_by)
        if problem is not None:
            raise damaged(path, f"the entry {entry.key[:40]} cannot be published", problem)
        yield _line(_published(entry))


def _published(entry: LedgerEntry) -> dict[str, Any]:
    texts = {"request": json.loads(entry.request), "reply": json.loads(entry.reply or "")}
    return {name: texts[name] if name in texts else getattr(entry, name) for name in _FIELDS}


def _line(value: dict[str, Any]) -> bytes:
    return canonical_json(value).encode() + b"\n"


def _measure(lines: Iterator[bytes]) -> Exported:
    hasher, count = hashlib.sha256(), 0
    for line in lines:
        hasher.update(line)
        count += 1
    return Exported(count, hasher.hexdigest())


def _models_hint(connection: sqlite3.Connection) -> str:
    query = f"select distinct model from attempts where {ANSWERED} order by model limit 10"
    models = [str(model) for (model,) in connection.execute(query)]
    return f"answered by: {', '.join(models)}" if models else "run a recipe with it first"


@contextmanager
def _output(out: Path) -> Generator[IO[bytes]]:
    """A file that appears under its name when it is whole and on disk."""
    temporary = out.with_name(out.name + ".partial")
    try:
        with temporary.open("wb") as file:
            with _packed(file, out.suffix) as stream:
                yield stream
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(out)
    except OSError as exc:
        hint = "free some space or name another place"
        raise LedgerError(f"the export cannot be written: {exc.strerror or exc}", place=str(out), hint=hint) from exc
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _packed(file: IO[bytes], suffix: str) -> Generator[Any]:
    """Neither form keeps a name or a time, so that the bytes depend on the content alone."""
    if suffix == ".zst":
        import zstandard

        packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        with packer.stream_writer(file, closefd=False) as stream:
            yield stream
    elif suffix == ".gz":
        with gzip.GzipFile("", "wb", _LEVEL - 1, file, mtime=0) as stream:
            yield stream
    else:
        yield file


def import_file(ledger: Ledger, path: Path, on_bad: Callable[[str, str], None]) -> Imported:
    """Take in the answers of an export. `on_bad` is told place and reason of each line that cannot be used.

    An answer to a key that is answered here is left alone. Raises InputError where the file is no export, or breaks
    off; what came before that is in the ledger. Raises LedgerError where a process that has the ledger open does not
    see us, since it would ask for what we take in.
    """
    if not ledger.is_seen:
        hint = "let it go on, or end it (is it stopped, or its disk full?), then import again"
        raise LedgerError("a process that has the ledger open does not answer", place=str(ledger.path), hint=hint)
    rows = open_records(path, form="jsonl")
    header = _header(next(rows), path)
    imported, hasher, chunk = Imported(), hashlib.sha256(), list[LedgerEntry]()
    try:
        for row in rows:
            reason = row.reason if isinstance(row, SetAside) else _reason(row)
            if reason is not None:
                imported.bad += 1
                on_bad(f"{path}:{row.row}", valid_unicode(reason))
            elif isinstance(row, Record):
                hasher.update(row.raw.rstrip(b"\r\n") + b"\n")
                chunk.append(_entry(row.values))
            if len(chunk) >= _CHUNK:
                _store(ledger, chunk, imported)
                chunk = []
    except InputError:
        _store(ledger, chunk, imported)
        raise
    _store(ledger, chunk, imported)
    if not imported.bad and (imported.added + imported.kept, hasher.hexdigest()) != header:
        imported.bad += 1
        on_bad(str(path), "the file does not hold what its header says: it was cut, joined or changed")
    return imported


def _header(row: Record | SetAside, path: Path) -> tuple[Any, Any]:
    values = row.values if isinstance(row, Record) else {}
    if values.get("kind") != KIND:
        raise InputError(
            "this is no export of a ledger", place=str(path), hint="name a file that `reasonry ledger export` wrote"
        )
    if values.get("schema") != SCHEMA:
        raise InputError(
            f"this export has schema {str(values.get('schema'))[:20]}, this Reasonry reads {SCHEMA}",
            place=str(path),
            hint="use a newer Reasonry",
        )
    return values.get("count"), values.get("digest")


def _reason(row: Record) -> str | None:
    """Why a line cannot be used; None where it can."""
    values = row.values
    if set(values) != set(_FIELDS):
        missing, unknown = sorted(set(_FIELDS) - set(values)), sorted(set(values) - set(_FIELDS))
        return f"missing: {', '.join(missing)}" if missing else f"unknown: {', '.join(unknown)[:80]}"
    if not all(type(values[name]) is str for name in ("key", "model", "served_by")):
        return "key, model and served_by are text"
    reply = values["reply"]
    problem = problem_of(values["key"], values["request"], reply, values["model"], values["served_by"])
    if problem is None and any(values[name] != reply.get(name) for name in ("tokens_in", "tokens_out")):
        return "its counts of tokens are not those of its reply"
    if problem is None and not is_unicode(canonical_json(values)):
        return "holds half a character (a lone surrogate)"
    return problem


def _entry(values: dict[str, Any]) -> LedgerEntry:
    return LedgerEntry(
        key=values["key"],
        attempt=IMPORTED,
        outcome="answered",
        request=canonical_json(values["request"]),
        reply=canonical_json(values["reply"]),
        model=values["model"],
        served_by=values["served_by"],
        tokens_in=values["tokens_in"],
        tokens_out=values["tokens_out"],
        cost_usd=None,
        http_status=None,
        detail="",
        seconds=0.0,
        at=time.time(),
    )


def _store(ledger: Ledger, chunk: list[LedgerEntry], imported: Imported) -> None:
    known = ledger.holds(entry.key for entry in chunk)
    new = {entry.key: entry for entry in reversed(chunk) if entry.key not in known}  # the first of two stands
    for write in [ledger.submit(entry) for entry in new.values()]:
        write.result()
    imported.added += len(new)
    imported.kept += len(chunk) - len(new)
