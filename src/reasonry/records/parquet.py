"""Parquet, batch by batch: of the columns that are wanted, and of a row group no more than a few pages at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from reasonry.errors import InputError
from reasonry.records.rows import BAD_UTF8, CONTENT_CHARACTERS, Record, Row, SetAside
from reasonry.records.streams import PACKED, first_line

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["read_parquet"]

BATCH_ROWS = 256
_READ_BYTES = 1 << 20  # of each column at once; without a limit whole row groups are read, which may be the whole file


def read_parquet(path: Path, columns: Collection[str] | None = None) -> Iterator[Row]:
    """The rows of a Parquet file, numbered from 1; where `columns` are given, with no others than these.

    A name with dots reaches into nested objects. What a person is shown of a row has all its columns.
    """
    import pyarrow as pa

    done = 0
    try:
        with path.open("rb") as source:
            file = _opened(path, source)
            if file is None:
                return
            names = None if columns is None else _wanted(file.schema_arrow.names, columns)
            whole = None if names is None else _WholeRows(file)
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=names):
                yield from _rows(path.name, done, batch, whole)
                done += batch.num_rows
    # A damaged file shows in many ways: Arrow's own errors are OSError or ValueError too.
    except (OSError, pa.ArrowException, ValueError) as exc:
        reason = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
        after, place = (f", after row {done}", f"{path}:{done}") if done else ("", str(path))
        hint = "fetch the file again" if path.exists() else "check the path"
        raise InputError(f"cannot be read{after}: {first_line(reason)}", place=place, hint=hint) from exc


def _opened(path: Path, source: BinaryIO) -> pq.ParquetFile | None:
    """None for a file without a byte, which has no rows."""
    import pyarrow.parquet as pq

    head = source.read(4)
    source.seek(0)
    if head and head != b"PAR1":
        hint = "unpack it: Parquet is compressed inside" if path.suffix.lower() in PACKED else None
        raise InputError("not a Parquet file", place=str(path), hint=hint)
    if not head:
        return None
    file = pq.ParquetFile(source, pre_buffer=False, buffer_size=_READ_BYTES)
    names = file.schema_arrow.names
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"two columns are named '{twice[0]}'", place=str(path), hint="give each column its own name")
    return file


def _wanted(names: Sequence[str], columns: Collection[str]) -> list[str] | None:
    """The columns of the file that hold what is wanted; None for all, also where it has none of them."""
    found = {column if column in names else column.split(".")[0] for column in columns}
    return [name for name in names if name in found] or None


class _WholeRows:
    """Rows with all their columns, for the few that a person is shown. Quick where they are asked for in order."""

    def __init__(self, file: pq.ParquetFile) -> None:
        self._file = file
        metadata = file.metadata
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        self._starts = [0, *accumulate(sizes)]
        self._group = -1
        self._start = self._end = 0
        self._batch: pa.RecordBatch | None = None
        self._batches: Iterator[pa.RecordBatch] = iter(())

    def values(self, row: int) -> dict[str, Any]:
        """The row of this number, from 0. Raises UnicodeDecodeError where a text of it is none."""
        group = bisect_right(self._starts, row) - 1
        if group != self._group or row < self._start:
            self._group = group
            self._end = self._starts[group]
            self._batches = self._file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group])
        while row >= self._end:
            batch = self._batch = next(self._batches)
            self._start, self._end = self._end, self._end + batch.num_rows
        assert self._batch is not None
        return self._batch.slice(row - self._start, 1).to_pylist()[0]


def _rows(file: str, done: int, batch: pa.RecordBatch, whole: _WholeRows | None) -> Iterator[Row]:
    try:
        rows = batch.to_pylist()
    except UnicodeDecodeError:  # some row of the batch: find out which
        yield from (_one(file, done + i, batch.slice(i, 1), whole) for i in range(batch.num_rows))
        return
    for i, values in enumerate(rows):
        yield Record(file, done + i + 1, values, again=_again(done + i, whole))


def _one(file: str, row: int, batch: pa.RecordBatch, whole: _WholeRows | None) -> Row:
    try:
        return Record(file, row + 1, batch.to_pylist()[0], again=_again(row, whole))
    except UnicodeDecodeError as exc:
        shown = exc.object.decode("utf-8", "replace")[:CONTENT_CHARACTERS]
        return SetAside(file, row + 1, BAD_UTF8, "a text of this row is not UTF-8", shown)


def _again(row: int, whole: _WholeRows | None) -> Callable[[], dict[str, Any]] | None:
    return None if whole is None else lambda: whole.values(row)
