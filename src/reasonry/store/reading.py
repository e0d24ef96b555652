"""The tables under one folder: which are whole, and their rows."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from reasonry.errors import StoreError
from reasonry.store.disk import is_file_of
from reasonry.store.manifest import Contents, Manifest
from reasonry.store.writing import TableWriter
from reasonry.tables import rows_from_batch
from reasonry.types import Drop

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["Store"]

Row = TypeVar("Row")


class Store:
    """The tables under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, stage: str, key: str) -> Path:
        return self.root / stage / key

    def sealed(self, stage: str, key: str) -> Manifest | None:
        """The manifest of a whole table; None where there is none. Raises StoreError for a damaged one."""
        path = self.folder(stage, key) / "manifest.json"
        try:
            return Manifest.from_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError, KeyError) as exc:
            raise StoreError(
                f"the manifest cannot be read: {exc}",
                place=str(path),
                hint="remove that folder: the stage will be done again, and paid answers come from the ledger",
            ) from exc

    def is_complete(self, manifest: Manifest) -> bool:
        """Whether every file that the manifest lists is there, byte for byte: a table that was edited is none."""
        folder = self.folder(manifest.stage, manifest.key)
        listed = [*manifest.shards, *manifest.files]
        return all(is_file_of(folder / file.path, file.bytes, file.sha256) for file in listed)

    def manifests(self, stage: str) -> list[Manifest]:
        """Every whole table of a stage, the newest first."""
        folders = sorted((self.root / stage).glob("*/manifest.json"))
        found = [m for f in folders if (m := self.sealed(stage, f.parent.name)) is not None]
        return sorted(found, key=lambda m: -m.started_at)

    def write(self, stage: str, key: str, row_type: type[Any]) -> TableWriter:
        """A writer for a new table. Rows appear in the store when it is sealed, not before."""
        return TableWriter(self.folder(stage, key), stage, key, row_type)

    def rows(self, manifest: Manifest, row_type: type[Row]) -> Iterator[Row]:
        """The rows of a table, in order, a batch at a time."""
        yield from self._read(manifest, row_type, "rows")

    def drops(self, manifest: Manifest) -> Iterator[Drop]:
        """The rows that left the line at this table, with their reasons."""
        yield from self._read(manifest, Drop, "drops")

    def values(
        self, manifest: Manifest, columns: Sequence[str], contents: Contents = "rows"
    ) -> Iterator[Sequence[Any]]:
        """Some columns of a table's rows, in order, one sequence of values for each row. The others are not read."""
        for batch in self.batches(manifest, columns, contents):
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)

    def batches(
        self, manifest: Manifest, columns: Sequence[str] | None = None, contents: Contents = "rows"
    ) -> Iterator[pa.RecordBatch]:
        """A table's rows in Arrow, in order: as many as were written together, which is some megabytes."""
        names = None if columns is None else list(columns)
        for path in self._paths(manifest, contents):
            with _opened(path) as file:
                for group in range(file.num_row_groups):
                    yield from file.read_row_group(group, columns=names).to_batches()

    def find(
        self, manifest: Manifest, row_type: type[Row], column: str, wanted: Collection[str], contents: Contents = "rows"
    ) -> Iterator[Row]:
        """The rows whose column holds one of the wanted values, in order. Of the others, that column alone is read."""
        if not wanted:
            return
        for path in self._paths(manifest, contents):
            with _opened(path) as file:
                for batch in _wanted_batches(file, column, wanted):
                    yield from rows_from_batch(row_type, batch)

    def sweep(self) -> None:
        """Remove what a killed writer left behind. Only for the process that holds the run's lock."""
        for leftover in self.root.glob("*/*.partial"):
            shutil.rmtree(leftover, ignore_errors=True)
        for work in self.root.glob("*/*.work"):  # an unsealed stage goes on from it
            if (work.with_suffix("") / "manifest.json").is_file():
                shutil.rmtree(work, ignore_errors=True)

    def _read(self, manifest: Manifest, row_type: type[Row], contents: Contents) -> Iterator[Row]:
        for batch in self.batches(manifest, None, contents):
            yield from rows_from_batch(row_type, batch)

    def _paths(self, manifest: Manifest, contents: Contents) -> list[Path]:
        folder = self.folder(manifest.stage, manifest.key)
        return [folder / shard.path for shard in manifest.shards if shard.contents == contents]


@contextmanager
def _opened(path: Path) -> Generator[pq.ParquetFile]:
    """A shard. Raises StoreError where it, or what is read of it in the block, is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowException) as exc:
        raise StoreError(
            f"the shard cannot be read: {exc}",
            place=str(path),
            hint="remove its folder: the stage will be done again from the ledger",
        ) from exc


def _wanted_batches(file: pq.ParquetFile, column: str, wanted: Collection[str]) -> Iterator[pa.RecordBatch]:
    """Of each row group that has a wanted row, just those rows."""
    for group in range(file.num_row_groups):
        names = file.read_row_group(group, columns=[column]).column(0).to_pylist()
        places = [place for place, name in enumerate(names) if name in wanted]
        if places:
            yield from file.read_row_group(group).take(places).to_batches()
