"""Parquet files in the Hub's naming: `data/<config>-00000-of-00002.parquet`, bounded in size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from reasonry.tables import rows_to_batch, schema_of, to_plain

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["ConfigFile", "ConfigWriter"]

BATCH_ROWS = 1_000
BATCH_BYTES = 8 << 20
SHARD_BYTES = 256 << 20  # of text before compression: a viewer and a retried upload can hold it


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
        self._pending: list[dict[str, Any]] = []
        self._pending_bytes = 0
        self._written_bytes = 0
        self._rows: list[int] = []
        self._file: pq.ParquetWriter | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def rows(self) -> int:
        return sum(self._rows) + len(self._pending)

    def append(self, row: Any) -> None:
        plain = to_plain(row)
        self._pending.append(plain)
        self._pending_bytes += _text_bytes(plain)
        if len(self._pending) >= BATCH_ROWS or self._pending_bytes >= min(BATCH_BYTES, self._shard_bytes):
            self._flush()

    def __enter__(self) -> ConfigWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
            if not self._rows:
                self._open()
        if self._file is not None:
            self._file.close()
        if kind is None:
            self.files = [self._named(i, rows) for i, rows in enumerate(self._rows)]

    def _open(self) -> pq.ParquetWriter:
        import pyarrow.parquet as pq

        path = self._unnamed(len(self._rows))
        self._rows.append(0)
        self._written_bytes = 0
        self._file = pq.ParquetWriter(path, schema_of(self._row_type), compression="zstd")
        return self._file

    def _flush(self) -> None:
        if not self._pending:
            return
        file = self._file or self._open()
        file.write_batch(rows_to_batch(self._row_type, self._pending))
        self._rows[-1] += len(self._pending)
        self._written_bytes += self._pending_bytes
        self._pending, self._pending_bytes = [], 0
        if self._written_bytes >= self._shard_bytes:
            file.close()
            self._file = None

    def _unnamed(self, index: int) -> Path:
        return self._folder / f"{self._config}-{index:05d}.parquet"

    def _named(self, index: int, rows: int) -> ConfigFile:
        name = f"{self._config}-{index:05d}-of-{len(self._rows):05d}.parquet"
        self._unnamed(index).rename(self._folder / name)
        return ConfigFile(f"{self._folder.name}/{name}", rows)


def _text_bytes(plain: dict[str, Any]) -> int:
    texts = sum(len(value) for value in plain.values() if isinstance(value, str))
    return texts + sum(len(message["content"]) for message in plain.get("messages", ()))
