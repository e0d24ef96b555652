"""One query over the tables of one run."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.querying.connecting import MEMORY_MB, THREADS, Connection, connected
from reasonry.querying.guard import refuse_all_but_reading
from reasonry.querying.views import View, views_of

__all__ = ["Answer", "Column", "Table", "query", "tables_of"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found. `rows` are read as they are taken, within the block of `query`."""

    columns: Sequence[str]
    rows: Iterator[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view. `type` is DuckDB's name for it."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Table:
    """What can be asked: a view with its columns."""

    name: str
    rows: int
    columns: Sequence[Column]


def tables_of(folder: Path) -> list[Table]:
    """Every view of a run. Raises UsageError where the folder is no run, StoreError for a damaged table."""
    views = views_of(folder)
    with connected({"main": views}) as connection:
        return [Table(view.name, view.rows, _columns_of(connection, view)) for view in views]


def _columns_of(connection: Connection, view: View) -> list[Column]:
    described = connection.execute(f'describe "{view.name}"').rows()
    return [Column(name, kind) for name, kind, *_ in described]


@contextmanager
def query(folder: Path, sql: str, *, memory_mb: int = MEMORY_MB, threads: int = THREADS) -> Generator[Answer]:
    """Answer one SELECT over a run's views.

    Raises UsageError for a query that is none, is wrong, or wants more than the run's tables; StoreError for a damaged
    table. Taking rows may raise the same.
    """
    with connected({"main": views_of(folder)}, memory_mb=memory_mb, threads=threads) as connection:
        refuse_all_but_reading(connection, sql)
        connection.execute(sql)
        yield Answer(connection.columns, connection.rows())
