"""Parquet files in the Hub's naming: `data/<config>-00000-of-00002.parquet`, bounded in size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from reasonry.tables import RowsFile, rows_to_batch, schema_of, to_plain

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ConfigFile", "ConfigWriter"]

BATCH_ROWS = 1_000
BATCH_BYTES = 8 << 20
SHARD_BYTES = 256 << 20  # before compression: a viewer and a retried upload can hold it


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One written shard. `path` is relative to the dataset folder."""

    path: str
    rows: int


class ConfigWriter:
    """Writes the rows of one config, a batch at a time. There is always one file, so that an empty config loads.

    How many shards there are is known at the end, so they get their final names then.
    """

    def __init__(self, folder: Path, config: str, row_type: type[Any], shard_bytes: int = SHARD_BYTES) -> None:
        self.files: list[ConfigFile] = []
        self._folder = folder
        self._config = config
        self._row_type = row_type
        self._shard_bytes = shard_bytes
        self._single: list[Any] = []  # rows that are not in Arrow yet
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self._written_bytes = 0
        self._rows: list[int] = []
        self._file: RowsFile | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, row: Any) -> None:
        """One row."""
        self._single.append(row)
        self._pending_bytes += _text_bytes(row)
        self._flush_when_full()

    def extend(self, rows: Sequence[Any], texts: pa.RecordBatch) -> None:
        """Rows of which some columns are in Arrow already: those take the place of what the rows have there."""
        self._gather()
        batch = rows_to_batch(self._row_type, [to_plain(row) for row in rows])
        for name in texts.schema.names:
            place = batch.schema.get_field_index(name)
            batch = batch.set_column(place, batch.schema.field(place), texts.column(name))
        self._add(batch)

    def copy(self, batch: pa.RecordBatch) -> None:
        """Rows that are in Arrow altogether, with at least this config's columns."""
        import pyarrow as pa

        self._gather()
        schema = schema_of(self._row_type)
        self._add(pa.RecordBatch.from_arrays([batch.column(name) for name in schema.names], schema=schema))

    def __enter__(self) -> ConfigWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            if self._file is not None:
                self._file.abandon()
            return
        self._flush()
        if not self._rows:
            self._open()
        self._close()
        self.files = [self._named(i, rows) for i, rows in enumerate(self._rows)]

    def _gather(self) -> None:
        """Single rows become a batch; their bytes are counted already."""
        if self._single:
            batch = rows_to_batch(self._row_type, [to_plain(row) for row in self._single])
            self._single = []
            self._pending.append(batch)
            self._pending_rows += batch.num_rows

    def _add(self, batch: pa.RecordBatch) -> None:
        self._pending.append(batch)
        self._pending_rows += batch.num_rows
        self._pending_bytes += batch.nbytes
        self._flush_when_full()

    def _flush_when_full(self) -> None:
        rows = self._pending_rows + len(self._single)
        if rows >= BATCH_ROWS or self._pending_bytes >= min(BATCH_BYTES, self._shard_bytes):
            self._flush()

    def _open(self) -> RowsFile:
        path = self._unnamed(len(self._rows))
        self._rows.append(0)
        self._written_bytes = 0
        self._file = RowsFile(path, self._row_type)
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _flush(self) -> None:
        import pyarrow as pa

        self._gather()
        if not self._pending_rows:
            return
        file = self._file or self._open()
        (batch,) = pa.Table.from_batches(self._pending).combine_chunks().to_batches()
        file.write_batch(batch)
        self._rows[-1] += self._pending_rows
        self._written_bytes += self._pending_bytes
        self._pending, self._pending_rows, self._pending_bytes = [], 0, 0
        if self._written_bytes >= self._shard_bytes:
            self._close()

    def _unnamed(self, index: int) -> Path:
        return self._folder / f"{self._config}-{index:05d}.parquet"

    def _named(self, index: int, rows: int) -> ConfigFile:
        name = f"{self._config}-{index:05d}-of-{len(self._rows):05d}.parquet"
        self._unnamed(index).rename(self._folder / name)
        return ConfigFile(f"{self._folder.name}/{name}", rows)


def _text_bytes(row: Any) -> int:
    plain = to_plain(row)
    texts = sum(len(value) for value in plain.values() if isinstance(value, str))
    return texts + sum(len(message["content"]) for message in plain.get("messages", ()))
