"""sql: ask the tables of a run."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import click

from reasonry.cli.options import json_option, print_json, run_argument
from reasonry.cli.values import json_value, shown_value
from reasonry.console import visible
from reasonry.errors import UsageError
from reasonry.querying import MEMORY_MB, THREADS, Answer, Column, query, tables_of

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
    if as_csv and as_json:
        raise UsageError("--csv and --json: give one", place="reasonry sql", hint="leave one of them out")
    if select is None:
        raise UsageError("no query", place="reasonry sql", hint='"select status, count(*) from verdicts group by 1"')
    sql = sys.stdin.read() if select == "-" else select
    with query(run, sql, memory_mb=memory_mb, threads=threads) as answer:
        if as_csv:
            _print_csv(answer, limit)
        elif as_json:
            _print_json(answer, limit)
        else:
            _show(answer, limit or _SHOWN)


def _print_csv(answer: Answer, limit: int | None) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in islice(answer.rows, limit):
        writer.writerow(["" if value is None else shown_value(value) for value in row])


def _print_json(answer: Answer, limit: int | None) -> None:
    """One object, written while the rows come."""
    sys.stdout.write(f'{{"schema": 1, "columns": {json.dumps(answer.columns, ensure_ascii=False)}, "rows": [')
    for number, row in enumerate(islice(answer.rows, limit)):
        plain = dict(zip(answer.columns, map(json_value, row), strict=True))
        sys.stdout.write((",\n" if number else "\n") + json.dumps(plain, ensure_ascii=False, allow_nan=False))
    sys.stdout.write("\n]}\n")


def _list_tables(run: Path, *, as_json: bool) -> None:
    tables = tables_of(run)
    if as_json:
        print_json({"schema": 1, "tables": [asdict(table) for table in tables]})
        return
    for table in tables:
        name = f'"{table.name}"' if table.name == "select" else table.name  # a word of SQL's own
        columns = ", ".join(_column(column) for column in table.columns)
        click.echo(visible(f"{name:<24} {table.rows:>10,} rows  {columns}"))


def _column(column: Column) -> str:
    return column.name if column.type == "VARCHAR" else f"{column.name} {column.type.lower()}"


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
    text = "" if value is None else visible(" ".join(shown_value(value).split()))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
