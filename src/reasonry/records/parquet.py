"""Parquet, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from reasonry.errors import InputError
from reasonry.records.rows import BAD_UTF8, CONTENT_CHARACTERS, Record, Row, SetAside
from reasonry.records.streams import PACKED, first_line

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_parquet"]

BATCH_ROWS = 256


def read_parquet(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file, numbered from 1."""
    import pyarrow as pa

    done = 0
    try:
        with path.open("rb") as source:
            for batch in _batches(path, source):
                yield from _rows(path.name, done, batch)
                done += batch.num_rows
    # A damaged file shows in many ways: Arrow's own errors are OSError or ValueError too.
    except (OSError, pa.ArrowException, ValueError) as exc:
        reason = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
        after, place = (f", after row {done}", f"{path}:{done}") if done else ("", str(path))
        hint = "fetch the file again" if path.exists() else "check the path"
        raise InputError(f"cannot be read{after}: {first_line(reason)}", place=place, hint=hint) from exc


def _batches(path: Path, source: BinaryIO) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    head = source.read(4)
    source.seek(0)
    if head and head != b"PAR1":
        hint = "unpack it: Parquet is compressed inside" if path.suffix.lower() in PACKED else None
        raise InputError("not a Parquet file", place=str(path), hint=hint)
    if not head:
        return
    file = pq.ParquetFile(source)
    names = file.schema_arrow.names
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"two columns are named '{twice[0]}'", place=str(path), hint="give each column its own name")
    yield from file.iter_batches(batch_size=BATCH_ROWS)


def _rows(file: str, done: int, batch: pa.RecordBatch) -> Iterator[Row]:
    try:
        rows = batch.to_pylist()
    except UnicodeDecodeError:  # some row of the batch: find out which
        yield from (_one(file, done + i + 1, batch.slice(i, 1)) for i in range(batch.num_rows))
        return
    for i, values in enumerate(rows):
        yield Record(file, done + i + 1, values)


def _one(file: str, row: int, batch: pa.RecordBatch) -> Row:
    try:
        return Record(file, row, batch.to_pylist()[0])
    except UnicodeDecodeError as exc:
        shown = exc.object.decode("utf-8", "replace")[:CONTENT_CHARACTERS]
        return SetAside(file, row, BAD_UTF8, "a text of this row is not UTF-8", shown)
