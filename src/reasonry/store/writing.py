"""Writing a table: rows and drops in order, in shards of bounded size, then the manifest."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from reasonry.errors import StoreError
from reasonry.identity import RowHasher, digest, file_digest
from reasonry.store.disk import DiskErrors, sync, write_durably
from reasonry.store.manifest import Contents, Manifest, Shard, StoredFile
from reasonry.tables import RowsFile, row_content, to_plain
from reasonry.types import Drop

__all__ = ["TableWriter", "work_folder"]

BATCH_ROWS = 1_000
BATCH_BYTES = 8 << 20
SHARD_BYTES = 256 << 20  # of uncompressed text: bounds what a reader maps, and a Hub upload's retry


def work_folder(partial: Path) -> Path:
    """Where a stage may keep what outlives a killed process: beside its unsealed table, until that is sealed."""
    return partial.with_name(partial.name.removesuffix(".partial") + ".work")


class TableWriter:
    """Writes one table: rows and drops in order, then `seal`.

    Used as a context manager: leaving it without `seal` removes everything that was written.
    """

    def __init__(self, folder: Path, stage: str, key: str, row_type: type[Any]) -> None:
        self.stage = stage
        self.key = key
        self._final = folder
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
        with DiskErrors(self._folder):
            self._rows.append(row)

    def drop(self, drop: Drop) -> None:
        self.dropped[drop.rule] = self.dropped.get(drop.rule, 0) + 1
        with DiskErrors(self._folder):
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
        with DiskErrors(self._folder):
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
                sync(path)
        write_durably(self._folder / "manifest.json", manifest.to_json())
        sync(self._folder)
        shutil.rmtree(self._final, ignore_errors=True)
        self._folder.rename(self._final)
        sync(self._final.parent)
        shutil.rmtree(work_folder(self._folder), ignore_errors=True)

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


def _files_in(folder: Path, shards: set[str]) -> Iterator[StoredFile]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in shards:
            yield StoredFile(name, path.stat().st_size, file_digest(path))
