"""A DuckDB of views: in memory, bounded, and shut off from everything but the files behind the views."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reasonry.errors import ReasonryError, UsageError, WorkFailed, nearest_hint
from reasonry.querying.views import Piece, View, damaged
from reasonry.store import is_file_of
from reasonry.tables import schema_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["MEMORY_MB", "THREADS", "Connection", "connected", "literal"]

MEMORY_MB = 1024
THREADS = 2
_BATCH_ROWS = 256
_MOST_CHARACTERS = 300  # of an error's text: DuckDB lists candidates
_PATTERN = frozenset("*?[")  # of a path, to DuckDB

Views = Mapping[str, Sequence[View]]
"""By the schema they are in."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Runs statements over views. Errors come as ours: UsageError for what is wrong with a statement, StoreError for a
    damaged table, WorkFailed for a disk that fails.
    """

    duckdb: duckdb.DuckDBPyConnection
    views: Views

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Connection:
        with self._told():
            self.duckdb.execute(sql, list(values))
        return self

    def parse(self, sql: str) -> None:
        with self._told():
            self.duckdb.extract_statements(sql)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows of the last statement, some at a time."""
        while True:
            with self._told():
                batch = self.duckdb.fetchmany(_BATCH_ROWS)
            if not batch:
                return
            yield from batch

    @property
    def columns(self) -> list[str]:
        """Those of the last statement; with a number where a name comes again, so that each has its own."""
        seen: dict[str, int] = {}
        names: list[str] = []
        for name, *_ in self.duckdb.description or ():
            seen[name] = seen.get(name, 0) + 1
            names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
        return names

    @property
    def names(self) -> list[str]:
        """What can be queried."""
        return [view.name for of_schema in self.views.values() for view in of_schema]

    @contextmanager
    def _told(self) -> Generator[None]:
        import duckdb

        try:
            yield
        except duckdb.Error as exc:
            raise self._error(exc) from exc

    def _error(self, exc: Exception) -> ReasonryError:
        import duckdb

        said, hint = _said(exc), "`reasonry sql RUN --tables` lists what can be asked"
        if isinstance(exc, duckdb.CatalogException) and said.startswith("table with name "):
            name = said.removeprefix("table with name ").split(" does not exist", 1)[0]
            return UsageError(f"no table '{name}' in this run", place="sql", hint=nearest_hint(name, self.names))
        if isinstance(exc, duckdb.PermissionException):
            return UsageError("a query reads a run's tables, and no other file", place="sql", hint=hint)
        if isinstance(exc, duckdb.ParserException | duckdb.CatalogException | duckdb.BinderException):
            return UsageError(said, place="sql", hint=hint)
        if isinstance(exc, duckdb.OutOfMemoryException):
            return UsageError(said, place="sql", hint="give it more with --memory-mb, or ask for less at once")
        for piece in (piece for of_schema in self.views.values() for view in of_schema for piece in view.pieces):
            if not is_file_of(piece.path, piece.bytes, piece.sha256):
                return damaged(piece.path, "its bytes are not those that were written")
        if isinstance(exc, duckdb.IOException):
            return WorkFailed(said, place="sql", hint="free some space or mend the disk, then ask again")
        return UsageError(said, place="sql", hint=hint)


@contextmanager
def connected(views: Views, *, memory_mb: int = MEMORY_MB, threads: int = THREADS) -> Generator[Connection]:
    """A connection that sees these views, by the schema they are in, and nothing else of this machine.

    What does not fit into memory goes to the folder for temporary files. Raises StoreError for a damaged table.
    """
    import duckdb

    config: dict[str, Any] = {
        "threads": threads,
        "memory_limit": f"{memory_mb}MB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with (
        tempfile.TemporaryDirectory(prefix="reasonry-sql-") as folder,
        duckdb.connect(":memory:", config={**config, "temp_directory": f"{folder}/spilled"}) as database,
    ):
        files = _Files(Path(folder))
        connection = Connection(database, views)
        for schema, of_schema in views.items():
            connection.execute(f"create schema if not exists {_quoted(schema)}")
            for view in of_schema:
                _make_view(connection, schema, view, files)
        allowed = ", ".join(literal(path) for path in sorted(files.seen))
        for setting in (
            f"allowed_paths = [{allowed}]",
            "enable_external_access = false",
            "python_enable_replacements = false",  # or our own variables would be tables
            "lock_configuration = true",
        ):
            connection.execute(f"set {setting}")
        yield connection


class _Files:
    """The paths of files as DuckDB may read them. It takes some characters for a pattern: those get a link of ours."""

    def __init__(self, folder: Path) -> None:
        self.seen = set[str]()
        self._folder = folder
        self._links: dict[Path, Path] = {}

    def path(self, piece: Piece) -> str:
        home = piece.path.parent
        if not _PATTERN.isdisjoint(str(home)):
            if home not in self._links:
                self._links[home] = self._folder / f"linked{len(self._links)}"
                self._links[home].symlink_to(home, target_is_directory=True)
            home = self._links[home]
        path = str(home / piece.path.name)
        self.seen.add(path)
        return path


def _make_view(connection: Connection, schema: str, view: View, files: _Files) -> None:
    labels = list(dict.fromkeys(piece.label for piece in view.pieces))
    selects = [_select(view, label, files) for label in labels] or [_empty(view)]
    body = " union all by name ".join(selects)
    connection.execute(f"create view {_quoted(schema)}.{_quoted(view.name)} as {body}")


def _select(view: View, label: str, files: _Files) -> str:
    listed = ", ".join(literal(files.path(piece)) for piece in view.pieces if piece.label == label)
    labelled = f"{literal(label)} as label, " if view.has_label else ""
    return f"select {labelled}* from read_parquet([{listed}], hive_partitioning = false)"


def _empty(view: View) -> str:
    """Without rows, with the right columns."""
    columns = [f"null::{_sql_type(field.type)} as {_quoted(field.name)}" for field in schema_of(view.row_type)]
    labelled = ["null::varchar as label"] if view.has_label else []
    return f"select {', '.join([*labelled, *columns])} where false"


def _sql_type(kind: pa.DataType) -> str:
    names = {"string": "varchar", "int64": "bigint", "double": "double", "bool": "boolean"}
    return names.get(str(kind), "struct(role varchar, content varchar)[]")


def literal(text: str) -> str:
    """A text, in SQL."""
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _said(exc: Exception) -> str:
    """The first paragraph of DuckDB's text, without the name of its error."""
    said = " ".join(str(exc).split("\n\n", 1)[0].split())
    kind, mark, rest = said.partition(" Error: ")
    said = rest if mark and len(kind) < 30 and kind.replace(" ", "").isalpha() else said
    return f"{said[:1].lower()}{said[1:_MOST_CHARACTERS]}"
