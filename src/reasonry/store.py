"""The store: sealed tables, addressed by what went into them.

A table is a folder `<stage>/<key>/` with Parquet shards (zstd) and a `manifest.json`. It is written in a folder
of another name; the manifest is written last and the folder is renamed into place, so a table that can be seen
is whole, whatever was killed when. The table's digest is computed over its rows, not over Parquet's bytes: it
does not depend on the writer's version, on shard sizes, or on durations.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar

from reasonry.errors import StoreError
from reasonry.identity import RowHasher, digest, file_digest
from reasonry.tables import RowsFile, row_content, rows_from_batch, to_plain
from reasonry.types import Drop

__all__ = ["Manifest", "Shard", "Store", "StoredFile", "TableWriter", "is_file_of", "write_durably"]

Row = TypeVar("Row")
Contents = Literal["rows", "drops"]

BATCH_ROWS = 1_000
BATCH_BYTES = 8 << 20
SHARD_BYTES = 256 << 20  # of uncompressed text: bounds what a reader maps, and a Hub upload's retry


@dataclass(frozen=True, slots=True)
class Shard:
    """One Parquet file. `digest` is of its rows, `sha256` of its bytes."""

    path: str
    contents: Contents
    rows: int
    bytes: int
    digest: str
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file beside the rows (a checkpoint's weights), relative to the table's folder."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a sealed table is made of and what it came from. Its presence means the table is whole."""

    stage: str
    key: str
    digest: str
    section: Mapping[str, Any]
    parts: Sequence[str]
    inputs: Mapping[str, str]
    sources: Sequence[Mapping[str, Any]]
    shards: Sequence[Shard]
    files: Sequence[StoredFile]
    rows_in: int
    rows_out: int
    dropped: Mapping[str, int]
    metrics: Mapping[str, Any]
    cost_usd: float | None
    environment: Mapping[str, str]
    started_at: float
    seconds: float
    label: str = ""
    schema: int = 1

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        plain = json.loads(text)
        plain["shards"] = [Shard(**shard) for shard in plain["shards"]]
        plain["files"] = [StoredFile(**stored) for stored in plain["files"]]
        return cls(**plain)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True, ensure_ascii=False)


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
        return TableWriter(self, stage, key, row_type)

    def rows(self, manifest: Manifest, row_type: type[Row]) -> Iterator[Row]:
        """The rows of a table, in order, a batch at a time."""
        yield from self._read(manifest, row_type, "rows")

    def drops(self, manifest: Manifest) -> Iterator[Drop]:
        """The rows that left the line at this table, with their reasons."""
        yield from self._read(manifest, Drop, "drops")

    def sweep(self) -> None:
        """Remove what a killed writer left behind. Only for the process that holds the run's lock."""
        for leftover in self.root.glob("*/*.partial"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _read(self, manifest: Manifest, row_type: type[Row], contents: Contents) -> Iterator[Row]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        for shard in manifest.shards:
            if shard.contents != contents:
                continue
            path = self.folder(manifest.stage, manifest.key) / shard.path
            try:
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(batch_size=BATCH_ROWS):
                        yield from rows_from_batch(row_type, batch)
            except (OSError, pa.ArrowException) as exc:
                raise StoreError(
                    f"the shard cannot be read: {exc}",
                    place=str(path),
                    hint="remove its folder: the stage will be done again from the ledger",
                ) from exc


class TableWriter:
    """Writes one table: rows and drops in order, then `seal`.

    Used as a context manager: leaving it without `seal` removes everything that was written.
    """

    def __init__(self, store: Store, stage: str, key: str, row_type: type[Any]) -> None:
        self.stage = stage
        self.key = key
        self._final = store.folder(stage, key)
        self._folder = self._final.with_name(key + ".partial")
        self._started = time.time()
        self._clock = time.perf_counter()
        self._is_sealed = False
        shutil.rmtree(self._folder, ignore_errors=True)
        try:
            self._folder.mkdir(parents=True)
        except OSError as exc:
            raise StoreError(f"cannot be written: {exc.strerror}", place=str(self._folder)) from exc
        self._rows = _ShardWriter(self._folder, "rows", row_type)
        self._drops = _ShardWriter(self._folder, "drops", Drop)
        self._files: list[StoredFile] = []
        self.dropped: dict[str, int] = {}

    def append(self, row: Any) -> None:
        with _DiskErrors(self._folder):
            self._rows.append(row)

    def drop(self, drop: Drop) -> None:
        self.dropped[drop.rule] = self.dropped.get(drop.rule, 0) + 1
        with _DiskErrors(self._folder):
            self._drops.append(drop)

    @property
    def rows_out(self) -> int:
        return self._rows.count

    def file_folder(self, name: str) -> Path:
        """A folder beside the rows, for files that belong to the table."""
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def seal(
        self,
        *,
        section: Mapping[str, Any],
        parts: Sequence[str],
        inputs: Mapping[str, str],
        rows_in: int,
        metrics: Mapping[str, Any] | None = None,
        sources: Sequence[Mapping[str, Any]] = (),
        cost_usd: float | None = None,
        label: str = "",
    ) -> Manifest:
        """Make the table whole: durable shards, then the manifest, then the folder's final name."""
        with _DiskErrors(self._folder):
            shards = [*self._rows.close(), *self._drops.close()]
            files = list(_files_in(self._folder, {shard.path for shard in shards}))
            manifest = Manifest(
                stage=self.stage,
                key=self.key,
                digest=digest("table", self.stage, self._rows.digest, self._drops.digest),
                section=section,
                parts=list(parts),
                inputs=dict(inputs),
                sources=list(sources),
                shards=shards,
                files=files,
                rows_in=rows_in,
                rows_out=self._rows.count,
                dropped=dict(sorted(self.dropped.items())),
                metrics=dict(metrics or {}),
                cost_usd=cost_usd,
                environment=environment(),
                started_at=self._started,
                seconds=time.perf_counter() - self._clock,
                label=label,
            )
            self._publish(manifest)
        self._is_sealed = True
        return manifest

    def _publish(self, manifest: Manifest) -> None:
        for path in self._folder.rglob("*"):
            if path.is_file():
                _sync(path)
        write_durably(self._folder / "manifest.json", manifest.to_json())
        _sync(self._folder)
        shutil.rmtree(self._final, ignore_errors=True)
        self._folder.rename(self._final)
        _sync(self._final.parent)

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_sealed:
            self._rows.abandon()
            self._drops.abandon()
            shutil.rmtree(self._folder, ignore_errors=True)


class _ShardWriter:
    """Rows of one kind, in batches, in shards of bounded size."""

    def __init__(self, folder: Path, contents: Contents, row_type: type[Any]) -> None:
        self._folder = folder
        self._contents: Contents = contents
        self._row_type = row_type
        self._content = row_content(row_type)
        self._pending: list[dict[str, Any]] = []
        self._pending_bytes = 0
        self._file: RowsFile | None = None
        self._shards: list[Shard] = []
        self._shard_rows = 0
        self._shard_bytes = 0
        self._shard_hasher = RowHasher("shard")
        self._hasher = RowHasher("rows")
        self.count = 0

    @property
    def digest(self) -> str:
        return self._hasher.hexdigest()

    def append(self, row: Any) -> None:
        plain = to_plain(row)
        content = self._content(plain)
        self._hasher.update_content(content)
        self._shard_hasher.update_content(content)
        self._pending.append(plain)
        self._pending_bytes += len(content)
        self.count += 1
        if len(self._pending) >= BATCH_ROWS or self._pending_bytes >= BATCH_BYTES:
            self._flush()

    def close(self) -> list[Shard]:
        """The shards, at least one for rows, so that an empty table still has its schema."""
        self._flush()
        if self._contents == "rows" and not self._shards and self._file is None:
            self._open()
        self._finish_shard()
        return self._shards

    def abandon(self) -> None:
        if self._file is not None:
            self._file.abandon()
            self._file = None

    def _open(self) -> RowsFile:
        self._file = RowsFile(self._folder / self._name(), self._row_type)
        return self._file

    def _name(self) -> str:
        prefix = "part" if self._contents == "rows" else "drops"
        return f"{prefix}-{len(self._shards):05d}.parquet"

    def _flush(self) -> None:
        if not self._pending:
            return
        file = self._file or self._open()
        file.write(self._pending)
        self._shard_rows += len(self._pending)
        self._shard_bytes += self._pending_bytes
        self._pending, self._pending_bytes = [], 0
        if self._shard_bytes >= SHARD_BYTES:
            self._finish_shard()

    def _finish_shard(self) -> None:
        if self._file is None:
            return
        self._file.close()
        self._file = None
        name = self._name()
        path = self._folder / name
        shard_digest = self._shard_hasher.hexdigest()
        size = path.stat().st_size
        self._shards.append(Shard(name, self._contents, self._shard_rows, size, shard_digest, file_digest(path)))
        self._shard_rows = self._shard_bytes = 0
        self._shard_hasher = RowHasher("shard")


class _DiskErrors:
    """Attributes a disk that fails to the disk, once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(value, OSError):
            raise StoreError(
                f"cannot be written: {value.strerror or value}",
                place=str(self._folder),
                hint="free some space or mend the disk, then run again: paid answers are in the ledger",
            ) from value


def environment() -> dict[str, str]:
    """The software that wrote a table (no names of machines or users)."""
    from importlib.metadata import version

    return {
        "reasonry": version("reasonry"),
        "python": platform.python_version(),
        "pyarrow": version("pyarrow"),
        "system": platform.system(),
        "machine": platform.machine(),
    }


def is_file_of(path: Path, size: int, sha256: str) -> bool:
    """Whether a file is the one that was described."""
    return path.is_file() and path.stat().st_size == size and file_digest(path) == sha256


def write_durably(path: Path, text: str) -> None:
    """Write a file whole or not at all, and make it survive a loss of power. Raises StoreError."""
    temporary = path.with_name(path.name + ".writing")
    with _DiskErrors(path):
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def _files_in(folder: Path, shards: set[str]) -> Iterator[StoredFile]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in shards:
            yield StoredFile(name, path.stat().st_size, file_digest(path))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
