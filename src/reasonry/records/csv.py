"""CSV with a header, read strictly: a row that does not fit the header is set aside."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reasonry.errors import InputError
from reasonry.records.rows import (
    BAD_UTF8,
    CONTENT_BYTES,
    NOT_CSV,
    NUL_CHARACTER,
    RAGGED_ROW,
    Record,
    Row,
    SetAside,
    beginning,
    is_unicode,
)
from reasonry.records.streams import MAX_LINE_BYTES, Lines, TooLong, open_lines

__all__ = ["read_csv"]


def read_csv(path: Path, delimiter: str) -> Iterator[Row]:
    """The rows of a CSV file. `row` is the line on which a row begins; the header is line 1."""
    with open_lines(path) as lines:
        parsed = _parsed(path.name, lines, delimiter)
        if (first := next(parsed, None)) is None:
            return
        header = _header(path, first)
        for row in parsed:
            yield row if isinstance(row, SetAside) else _row(path.name, header, row)


@dataclass(frozen=True, slots=True)
class _Cells:
    row: int
    cells: Sequence[str]
    raw: bytes


class _Text:
    """Feeds the csv reader with text, and keeps how the row at hand begins.

    Bytes that are not UTF-8 pass as surrogates, so that only their own row is set aside.
    """

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.start = b""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self.start += line[: max(0, CONTENT_BYTES - len(self.start))]
        return line.decode("utf-8", "surrogateescape")


def _parsed(file: str, lines: Lines, delimiter: str) -> Iterator[_Cells | SetAside]:
    """The cells of each row that is not blank. After an error the reader goes on with the next line."""
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))  # its own limit is 128 kB for a cell
    text = _Text(lines)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        row, text.start = lines.number + 1, b""
        try:
            cells = next(reader, None)
        except TooLong as long:
            yield long.set_aside(file, row)
            continue
        except csv.Error as exc:
            yield SetAside(file, row, NOT_CSV, _reason(exc, lines.number - row), beginning(text.start))
            continue
        if cells is None:
            return
        if cells:
            yield _Cells(row, cells, text.start)


def _header(path: Path, first: _Cells | SetAside) -> list[str]:
    place = f"{path}:{first.row}"
    if isinstance(first, SetAside):
        raise InputError(f"the header cannot be read: {first.reason}", place=place)
    names = list(first.cells)
    if not all(is_unicode(name) and "\0" not in name for name in names):
        raise InputError("the header is not UTF-8 text", place=place, hint="save the file as UTF-8")
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"two columns are named '{twice[0]}'", place=place, hint="give each column its own name")
    return names


def _row(file: str, header: Sequence[str], parsed: _Cells) -> Row:
    cells = parsed.cells
    if len(cells) != len(header):
        rule, reason = RAGGED_ROW, f"{len(cells)} cells under {len(header)} columns"
    elif any("\0" in cell for cell in cells):
        rule, reason = NUL_CHARACTER, "the row holds a NUL byte"
    elif not all(is_unicode(cell) for cell in cells):
        column = next(name for name, cell in zip(header, cells, strict=True) if not is_unicode(cell))
        rule, reason = BAD_UTF8, f"column '{column}' is not UTF-8"
    else:
        return Record(file, parsed.row, dict(zip(header, cells, strict=True)), parsed.raw)
    return SetAside(file, parsed.row, rule, reason, beginning(parsed.raw))


def _reason(exc: csv.Error, lines_more: int) -> str:
    if "unexpected end" in str(exc):
        return f"a quote in this row is never closed: {lines_more} more lines, up to the end of the file, belong to it"
    return f"not CSV: {exc}"
