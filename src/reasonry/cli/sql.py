"""sql: ask the tables of a run."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click

from reasonry.cli.options import json_option, print_json, run_argument
from reasonry.console import visible
from reasonry.errors import UsageError
from reasonry.querying import MEMORY_MB, THREADS, Answer, query, views_of

_WIDEST = 60  # characters of a cell on a terminal
_SHOWN = 50  # rows on a terminal


@click.command("sql")
@run_argument
@click.argument("select", required=False)
@click.option("--tables", is_flag=True, help="List what can be asked: views, their columns and rows.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a header, every row.")
@json_option
@click.option("--limit", type=click.IntRange(min=1), help=f"Rows at most. Default: {_SHOWN} for people, else all.")
@click.option("--memory-mb", type=click.IntRange(min=64), default=MEMORY_MB, show_default=True, help="For DuckDB.")
@click.option("--threads", type=click.IntRange(min=1), default=THREADS, show_default=True, help="For DuckDB.")
def sql_verb(
    run: Path,
    select: str | None,
    *,
    tables: bool,
    as_csv: bool,
    as_json: bool,
    limit: int | None,
    memory_mb: int,
    threads: int,
) -> None:
    """Answer SELECT, a query over the tables of RUN: questions, traces, verdicts, examples, drops, dataset_metadata.

    A SELECT of - is read from stdin. Nothing is written, and nothing but the run's own files is read.
    """
    if tables:
        _list_tables(run, as_json=as_json)
        return
    if select is None:
        raise UsageError("no query", place="reasonry sql", hint='"select status, count(*) from verdicts group by 1"')
    sql = sys.stdin.read() if select == "-" else select
    with query(run, sql, memory_mb=memory_mb, threads=threads) as answer:
        if as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(answer.columns)
            writer.writerows(islice(answer.rows, limit))
        elif as_json:
            rows = [dict(zip(answer.columns, row, strict=True)) for row in islice(answer.rows, limit)]
            print_json({"schema": 1, "columns": answer.columns, "rows": rows})
        else:
            _show(answer, limit or _SHOWN)


def _list_tables(run: Path, *, as_json: bool) -> None:
    views = views_of(run)
    listed: list[dict[str, Any]] = []
    for view in views:
        with query(run, f'select * from "{view.name}" limit 0') as answer:
            listed.append({"name": view.name, "rows": view.rows, "columns": list(answer.columns)})
    if as_json:
        print_json({"schema": 1, "tables": listed})
        return
    for table in listed:
        click.echo(visible(f"{table['name']:<24} {table['rows']:>10,} rows  {', '.join(table['columns'])}"))


def _show(answer: Answer, limit: int) -> None:
    """A table for people: as wide as its cells, long ones cut."""
    rows = [[_cell(value) for value in row] for row in islice(answer.rows, limit)]
    more = next(answer.rows, None) is not None
    widths = [max(map(len, column)) for column in zip(answer.columns, *rows, strict=True)]
    for line in _lines(answer.columns, rows, widths):
        click.echo(line)
    if more:
        click.echo(f"the first {limit:,} rows; --limit N shows more, --csv all", err=True)


def _lines(columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    yield _line(columns, widths)
    yield "  ".join("-" * width for width in widths)
    yield from (_line(row, widths) for row in rows)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cell(value: Any) -> str:
    text = "" if value is None else visible(" ".join(str(value).split()))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
