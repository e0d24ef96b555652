"""Questions in SQL over the tables of a run, by DuckDB.

Every sealed table of the run is a view: by its stage (`collect`, `curate`, `distil`, `verify`, `"select"`, `publish`,
`train`, `evaluate`), and by what its rows are (`questions`, `curated`, `traces`, `verdicts`, `examples`, `files`,
`steps`, `completions`). `drops` has every drop of every stage. The configs of the published dataset are
`dataset_default`, `dataset_metadata` and `dataset_rejected`.

A query reads and does nothing else: one SELECT is taken, and it reaches the run's own files and no others, no network
and no setting. (DuckDB: `allowed_paths`, `enable_external_access`, `lock_configuration`.)
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reasonry.errors import StoreError, UsageError, nearest_hint
from reasonry.run import load_run
from reasonry.store import Manifest, Store
from reasonry.types import Completion, Drop, Example, Question, Trace, TrainStep, VerdictRow

if TYPE_CHECKING:
    import duckdb

__all__ = ["Answer", "View", "connected", "empty_views", "query", "views_of"]

MEMORY_MB = 1024
THREADS = 2
_BATCH_ROWS = 1_000

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
    "steps": TrainStep,
    "completions": Completion,
}


@dataclass(frozen=True, slots=True)
class View:
    """What can be queried: a name, the files behind it, and how many rows they have together."""

    name: str
    files: Sequence[Path]
    rows: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found. `rows` are read as they are taken, within the block of `query`."""

    columns: Sequence[str]
    rows: Iterator[tuple[Any, ...]]


def views_of(folder: Path) -> list[View]:
    """The views of a run. Raises UsageError where the folder is no run, StoreError for a damaged manifest."""
    store = Store(folder / "tables")
    stages = [(str(stage["stage"]), str(stage["key"])) for stage in load_run(folder)["stages"]]
    sealed = [manifest for stage, key in stages if (manifest := store.sealed(stage, key)) is not None]
    return [*_table_views(store, sealed), *_drop_views(store, sealed), *_dataset_views(folder)]


@contextmanager
def query(folder: Path, sql: str, *, memory_mb: int = MEMORY_MB, threads: int = THREADS) -> Generator[Answer]:
    """Answer one SELECT over a run's views.

    Raises UsageError for a query that is none, is wrong, or wants more than the run's tables; StoreError for a damaged
    table.
    """
    views = views_of(folder)
    with connected({"main": views}, memory_mb=memory_mb, threads=threads) as connection:
        with _told(views):
            _refuse_all_but_a_select(connection, sql)
            found = connection.execute(sql)
            columns = [str(column[0]) for column in found.description or ()]
        yield Answer(columns, _rows(connection, views))


@contextmanager
def connected(
    views: Mapping[str, Sequence[View]], *, memory_mb: int = MEMORY_MB, threads: int = THREADS
) -> Generator[duckdb.DuckDBPyConnection]:
    """A connection that sees these views, by the schema they are in, and nothing else of this machine."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="reasonry-sql-") as spill, duckdb.connect(":memory:") as connection:
        connection.execute("SET threads = ?", [threads])
        connection.execute("SET memory_limit = ?", [f"{memory_mb}MB"])
        connection.execute("SET temp_directory = ?", [spill])
        files = sorted({str(file) for of_schema in views.values() for view in of_schema for file in view.files})
        connection.execute("SET allowed_paths = ?", [files])
        for schema, of_schema in views.items():
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            for view in of_schema:
                _make_view(connection, schema, view)
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def _rows(connection: duckdb.DuckDBPyConnection, views: Sequence[View]) -> Iterator[tuple[Any, ...]]:
    while True:
        with _told(views):
            batch = connection.fetchmany(_BATCH_ROWS)
        if not batch:
            return
        yield from batch


def empty_views() -> list[View]:
    """What every run could have, without a row: for a run that has not come so far."""
    return [View(name, (), 0) for name in (*_ROWS, "drops")]


def _table_views(store: Store, sealed: Sequence[Manifest]) -> Iterator[View]:
    for stage, noun in _NOUNS.items():
        manifests = [manifest for manifest in sealed if manifest.stage == stage]
        if not manifests:
            continue
        everything = _files(store, manifests, "rows")
        rows = sum(manifest.rows_out for manifest in manifests)
        yield View(stage, everything, rows)
        yield View(noun, everything, rows)
        for manifest in manifests:
            if manifest.label:
                yield View(_name(stage, manifest.label), _files(store, [manifest], "rows"), manifest.rows_out)


def _drop_views(store: Store, sealed: Sequence[Manifest]) -> Iterator[View]:
    yield View("drops", _files(store, sealed, "drops"), sum(sum(m.dropped.values()) for m in sealed))
    for stage in dict.fromkeys(manifest.stage for manifest in sealed):
        of_stage = [manifest for manifest in sealed if manifest.stage == stage]
        rows = sum(sum(manifest.dropped.values()) for manifest in of_stage)
        yield View(f"{stage}_drops", _files(store, of_stage, "drops"), rows)


def _dataset_views(folder: Path) -> Iterator[View]:
    import pyarrow.parquet as pq

    for config in ("default", "metadata", "rejected"):
        files = sorted((folder / "dataset" / "data").glob(f"{config}-*.parquet"))
        if files:
            rows = sum(pq.read_metadata(file).num_rows for file in files)
            yield View(f"dataset_{config}", files, rows)


def _files(store: Store, manifests: Sequence[Manifest], contents: str) -> list[Path]:
    return [
        (store.folder(manifest.stage, manifest.key) / shard.path).resolve()
        for manifest in manifests
        for shard in manifest.shards
        if shard.contents == contents
    ]


def _name(stage: str, label: str) -> str:
    """A label as a part of a name that needs no quotes."""
    return f"{stage}_{re.sub(r'[^A-Za-z0-9]+', '_', label).strip('_').lower()}"


def _make_view(connection: duckdb.DuckDBPyConnection, schema: str, view: View) -> None:
    """Raises StoreError for a file that is no table any more."""
    import duckdb

    if not view.files:
        connection.register(f"empty {schema} {view.name}", _empty(view.name))
        connection.execute(f'CREATE VIEW "{schema}"."{view.name}" AS SELECT * FROM "empty {schema} {view.name}"')
        return
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in view.files)
    try:
        connection.execute(f'CREATE VIEW "{schema}"."{view.name}" AS SELECT * FROM read_parquet([{listed}])')
    except duckdb.Error as exc:
        hint = "remove its folder and run again: the stage will be done again from the ledger"
        raise StoreError(f"a table cannot be read: {_first_line(exc)}", place=view.name, hint=hint) from exc


def _empty(view: str) -> Any:
    """A table without rows, of the right columns."""
    from reasonry.tables import schema_of

    row_type = Drop if view.endswith("drops") else _ROWS[view]
    return schema_of(row_type).empty_table()


def _refuse_all_but_a_select(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    import duckdb

    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError(f"{len(statements)} statements in the place of one", place="sql", hint='"select ..."')
    if statements[0].type != duckdb.StatementType.SELECT:  # EXPLAIN ANALYZE would run what it explains
        raise UsageError("only SELECT is taken: a run's tables are sealed", place="sql", hint='"select ..."')


@contextmanager
def _told(views: Sequence[View]) -> Generator[None]:
    """Whatever is wrong with a query, in a line or two, with the nearest name where one is not known."""
    import duckdb

    try:
        yield
    except duckdb.Error as exc:
        message = _first_line(exc)
        unknown = re.search(r"Table with name (\S+) does not exist", message)
        hint = nearest_hint(unknown[1], [view.name for view in views]) if unknown else "`reasonry sql RUN --tables`"
        if unknown:
            message = f"no table '{unknown[1]}' in this run"
        raise UsageError(message, place="sql", hint=hint) from exc


def _first_line(exc: Exception) -> str:
    return str(exc).strip().partition("\n")[0]
