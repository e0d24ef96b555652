"""Raw records of a data file, one at a time: JSON lines, CSV or Parquet, plain or packed (.gz, .zst).

Reading never holds more than one row (of a Parquet file: one batch). A row that cannot be read comes as
`SetAside` with a rule and a reason; a file that cannot be read as a whole raises InputError at `file:row`. Every
line that is not blank comes out once, in the file's order.

Row numbers start at 1 and are what an editor shows: for JSON lines and CSV the line on which the row begins (a
CSV's header counts), for Parquet the row itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

from reasonry.errors import InputError
from reasonry.identity import file_digest
from reasonry.records.jsonl import decode_json, read_jsonl
from reasonry.records.rows import MISSING, LongInteger, Record, Row, SetAside, WrittenFloat, field_value
from reasonry.records.streams import PACKED, STDIN

__all__ = [
    "MISSING",
    "STDIN",
    "Format",
    "LongInteger",
    "Record",
    "Row",
    "SetAside",
    "WrittenFloat",
    "decode_json",
    "field_value",
    "file_sha256",
    "format_of",
    "open_records",
]

Format = Literal["jsonl", "csv", "parquet"]

_FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


def format_of(path: Path) -> Format:
    """The format that a file's name promises; the standard input holds JSON lines.

    Raises InputError for a name that promises none.
    """
    if path == STDIN:
        return "jsonl"
    if (suffix := _suffix(path)) in _FORMATS:
        return _FORMATS[suffix]
    raise InputError(
        "unknown kind of file", place=str(path), hint=f"known: {', '.join(_FORMATS)}, each also with .gz or .zst"
    )


def open_records(
    path: Path,
    *,
    form: Format | None = None,
    delimiter: str | None = None,
    columns: Collection[str] | None = None,
) -> Iterator[Row]:
    """The rows of a file, streamed.

    `form` and `delimiter` are taken from the file's name where they are not given. Where only some `columns` are
    wanted, a format that can read them alone leaves the others out. Raises InputError, while it
    is read, where the file cannot be read on, and for a file without rows.
    """
    if path != STDIN and path.is_dir():
        raise InputError("is a folder", place=str(path), hint="name a file in it")
    empty = True
    for row in _rows(path, form or format_of(path), delimiter, columns):
        empty = False
        yield row
    if empty:
        raise InputError("no rows", place=str(path), hint="the file is empty: check how it was made")


def file_sha256(path: Path) -> str:
    """The digest of a data file, for lineage and keys. Raises InputError where it cannot be read."""
    try:
        return file_digest(path)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise InputError(f"cannot be read: {reason}", place=str(path), hint="name a file that can be read") from exc


def _rows(path: Path, form: Format, delimiter: str | None, columns: Collection[str] | None) -> Iterator[Row]:
    if form == "parquet":
        from reasonry.records.parquet import read_parquet

        return read_parquet(path, columns)
    if form == "csv":
        from reasonry.records.csv import read_csv

        return read_csv(path, delimiter or ("\t" if _suffix(path) == ".tsv" else ","))
    return read_jsonl(path)


def _suffix(path: Path) -> str:
    """The suffix that names the format, below one for packing."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""
