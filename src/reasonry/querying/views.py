"""Which views a run has, and which files are behind each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from reasonry.errors import StoreError
from reasonry.exporters.contract import PublishedFile
from reasonry.run import load_run
from reasonry.store import Manifest, Store
from reasonry.store.manifest import Contents
from reasonry.types import Completion, Drop, Example, Question, Trace, TrainStep, VerdictRow

__all__ = ["Piece", "View", "damaged", "empty_views", "views_of"]

_NOUNS: Mapping[str, str] = {
    "collect": "questions",
    "curate": "curated",
    "distil": "traces",
    "verify": "verdicts",
    "select": "examples",
    "publish": "files",
    "train": "steps",
    "evaluate": "completions",
}
_ROWS: Mapping[str, type[Any]] = {
    "questions": Question,
    "curated": Question,
    "traces": Trace,
    "verdicts": VerdictRow,
    "examples": Example,
    "files": PublishedFile,
    "steps": TrainStep,
    "completions": Completion,
}
_LABELLED = frozenset({"train", "evaluate"})
_CONFIGS = ("default", "metadata", "rejected")


@dataclass(frozen=True, slots=True)
class Piece:
    """A Parquet file as it was written. `label` tells the tables of one stage apart (a student, a benchmark)."""

    path: Path
    bytes: int
    sha256: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What can be queried: a name, the files behind it, and how many rows they have together.

    Without a file it is empty, with the columns of `row_type`. `has_label` adds the column `label`.
    """

    name: str
    pieces: Sequence[Piece]
    rows: int
    row_type: type[Any] = Drop
    has_label: bool = False


def views_of(folder: Path) -> list[View]:
    """The views of a run; of one that stopped half-way, those of the stages it came to.

    Raises UsageError where the folder is no run, StoreError for a table that is not whole.
    """
    store = Store(folder / "tables")
    stages = [(str(stage["stage"]), str(stage["key"])) for stage in load_run(folder)["stages"]]
    sealed = [manifest for stage, key in stages if (manifest := store.sealed(stage, key)) is not None]
    return [*_table_views(store, sealed), *_drop_views(store, sealed), *_dataset_views(folder, store, sealed)]


def empty_views() -> list[View]:
    """What every run could have, without a row: for a run that has not come so far."""
    rows = [View(noun, (), 0, _ROWS[noun], has_label=stage in _LABELLED) for stage, noun in _NOUNS.items()]
    drops = [View(f"{stage}_drops", (), 0, has_label=stage in _LABELLED) for stage in _NOUNS]
    return [*rows, *drops, View("drops", (), 0, has_label=True)]


def damaged(path: Path, reason: str) -> StoreError:
    """The error for a file that is not the one that was written."""
    hint = "remove its folder and run again: the stage will be done again from the ledger"
    return StoreError(f"the table cannot be read: {reason}", place=str(path), hint=hint)


def _table_views(store: Store, sealed: Sequence[Manifest]) -> Iterator[View]:
    for stage, noun in _NOUNS.items():
        manifests = [manifest for manifest in sealed if manifest.stage == stage]
        if not manifests:
            continue
        everything = _pieces(store, manifests, "rows")
        rows = sum(manifest.rows_out for manifest in manifests)
        for name in (stage, noun):
            yield View(name, everything, rows, has_label=stage in _LABELLED)
        taken = {f"{stage}_drops"}
        for manifest in manifests if stage in _LABELLED else ():
            yield View(_name(stage, manifest.label, taken), _pieces(store, [manifest], "rows"), manifest.rows_out)


def _drop_views(store: Store, sealed: Sequence[Manifest]) -> Iterator[View]:
    yield _drops("drops", store, sealed)
    for stage in dict.fromkeys(manifest.stage for manifest in sealed):
        yield _drops(f"{stage}_drops", store, [manifest for manifest in sealed if manifest.stage == stage])


def _drops(name: str, store: Store, manifests: Sequence[Manifest]) -> View:
    rows = sum(sum(manifest.dropped.values()) for manifest in manifests)
    has_label = name == "drops" or manifests[0].stage in _LABELLED
    return View(name, _pieces(store, manifests, "drops"), rows, has_label=has_label)


def _dataset_views(folder: Path, store: Store, sealed: Sequence[Manifest]) -> Iterator[View]:
    """The configs whose files are the ones that this run published."""
    listed = [
        row
        for manifest in sealed
        if manifest.stage == "publish"
        for row in store.values(manifest, ["path", "rows", "bytes", "sha256"])
    ]
    for config in _CONFIGS:
        of_config = [row for row in listed if row[0].startswith(f"data/{config}-")]
        pieces = [Piece((folder / "dataset" / path).resolve(), size, sha256) for path, _, size, sha256 in of_config]
        if pieces and all(piece.path.is_file() and piece.path.stat().st_size == piece.bytes for piece in pieces):
            yield View(f"dataset_{config}", pieces, sum(rows or 0 for _, rows, *_ in of_config))


def _pieces(store: Store, manifests: Iterable[Manifest], contents: Contents) -> list[Piece]:
    return [
        _whole(Piece((store.folder(m.stage, m.key) / shard.path).resolve(), shard.bytes, shard.sha256, m.label))
        for m in manifests
        for shard in m.shards
        if shard.contents == contents
    ]


def _whole(piece: Piece) -> Piece:
    """A file that is there, as large as it was written. Its bytes are looked at only where DuckDB stumbles."""
    try:
        size = piece.path.stat().st_size
    except OSError as exc:
        raise damaged(piece.path, exc.strerror or str(exc)) from exc
    if size != piece.bytes:
        raise damaged(piece.path, f"it has {size:,} bytes, and had {piece.bytes:,} when it was sealed")
    return piece


def _name(stage: str, label: str, taken: set[str]) -> str:
    """A label as a part of a name that needs no quotes; with a number, where another one has made the same name."""
    plain = f"{stage}_{re.sub(r'[^A-Za-z0-9]+', '_', label).strip('_').lower() or 'unnamed'}"
    numbered = (plain if number == 1 else f"{plain}_{number}" for number in count(1))
    name = next(candidate for candidate in numbered if candidate not in taken)
    taken.add(name)
    return name
