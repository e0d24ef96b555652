"""From rows to Arrow and back: schemas derived from the nouns, one definition for each row.

A field's type decides its column: text, int64, float64, bool, enums as text, messages as a list of structs.
Free-form fields (`metadata={"json": True}`) are canonical JSON text, since their shape differs row by row.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from reasonry.identity import canonical_json, mapping_bytes
from reasonry.types import Message

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "RowsFile",
    "from_plain",
    "parquet_options",
    "row_content",
    "rows_from_batch",
    "rows_to_batch",
    "schema_of",
    "to_plain",
]

_REPEATING = frozenset(
    (
        "benchmark",
        "domain",
        "finish",
        "kept_because",
        "kind",
        "license",
        "rule",
        "source",
        "stage",
        "student",
        "teacher",
        "verifier",
    )
)

Row = TypeVar("Row")


@dataclasses.dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: Any
    nullable: bool
    is_json: bool
    is_volatile: bool
    is_init: bool

    @property
    def is_messages(self) -> bool:
        return self.kind == tuple[Message, ...]

    @property
    def is_enum(self) -> bool:
        return isinstance(self.kind, type) and issubclass(self.kind, StrEnum)


@cache
def columns_of(row_type: type[Any]) -> tuple[_Column, ...]:
    hints = typing.get_type_hints(row_type)
    columns: list[_Column] = []
    for field in dataclasses.fields(row_type):
        kind, nullable = _without_none(hints[field.name])
        columns.append(
            _Column(
                field.name,
                kind,
                nullable,
                is_json=bool(field.metadata.get("json")),
                is_volatile=bool(field.metadata.get("volatile")),
                is_init=field.init,
            )
        )
    return tuple(columns)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        others = [a for a in typing.get_args(hint) if a is not type(None)]
        return others[0], len(others) < len(typing.get_args(hint))
    return hint, False


@cache
def schema_of(row_type: type[Any]) -> pa.Schema:
    """The Arrow schema of a noun."""
    import pyarrow as pa

    return pa.schema([pa.field(c.name, _arrow_type(c), nullable=c.nullable) for c in columns_of(row_type)])


def _arrow_type(column: _Column) -> pa.DataType:
    import pyarrow as pa

    kind = column.kind
    if column.is_json or typing.get_origin(kind) is typing.Literal:
        return pa.string()
    if column.is_messages:
        return pa.list_(pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())]))
    if column.is_enum:
        return pa.string()
    simple = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    if kind not in simple:
        raise TypeError(f"{column.name}: no Arrow type for {kind}")
    return simple[kind]


def to_plain(row: Any) -> dict[str, Any]:
    """A row as plain values: what goes into a column, and what a JSON reader sees."""
    return {name: plain(getattr(row, name)) if plain else getattr(row, name) for name, plain in _to(type(row))}


@cache
def _to(row_type: type[Any]) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """For each column what makes its value plain; None where it is plain already."""
    return tuple((c.name, _plainly(c)) for c in columns_of(row_type))


def _plainly(column: _Column) -> Callable[[Any], Any] | None:
    if column.is_json:
        return canonical_json
    if column.is_messages:
        return lambda messages: [{"role": m.role, "content": m.content} for m in messages]
    # A field may hold an enum where plain text is declared, so every text is looked at.
    return _enum_value if column.is_enum or column.kind is str else None


def _enum_value(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value


def from_plain(row_type: type[Row], plain: Mapping[str, Any]) -> Row:
    """The row that `to_plain` was given. Derived fields (ids) are computed again, not believed."""
    values: dict[str, Any] = {}
    for name, made in _from(row_type):
        if name in plain:
            value = plain[name]
            values[name] = value if made is None or value is None else made(value)
    return row_type(**values)


@cache
def _from(row_type: type[Any]) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """For each given column what makes its value of a plain one; None where it stays."""
    return tuple((c.name, _of_plain(c)) for c in columns_of(row_type) if c.is_init)


def _of_plain(column: _Column) -> Callable[[Any], Any] | None:
    if column.is_json:
        return lambda value: json.loads(value) if isinstance(value, str) else value
    if column.is_messages:
        return lambda value: tuple(Message(m["role"], m["content"]) for m in value)
    return column.kind if column.is_enum else None


@cache
def row_content(row_type: type[Any]) -> Callable[[Mapping[str, Any]], bytes]:
    """A function from a plain row to the bytes that enter the table's digest: all but durations."""
    return mapping_bytes([c.name for c in columns_of(row_type) if not c.is_volatile])


def parquet_options(row_type: type[Any]) -> dict[str, Any]:
    """How a noun is stored: a dictionary only for columns whose values repeat, since one of long texts is lost work."""
    repeating = [c.name for c in columns_of(row_type) if c.name in _REPEATING or c.is_enum]
    return {"compression": "zstd", "use_dictionary": repeating}


def rows_to_batch(row_type: type[Any], plain_rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist(list(plain_rows), schema=schema_of(row_type))


def rows_from_batch(row_type: type[Row], batch: pa.RecordBatch) -> Iterable[Row]:
    for plain in batch.to_pylist():
        yield from_plain(row_type, plain)


class RowsFile:
    """A Parquet file of one noun. A thread packs and writes each batch while the caller makes the next one.

    Errors of the thread are raised by the next call. Close it, also after an error.
    """

    def __init__(self, path: Path, row_type: type[Any]) -> None:
        import pyarrow.parquet as pq

        self._row_type = row_type
        self._file = pq.ParquetWriter(path, schema_of(row_type), **parquet_options(row_type))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rows file")
        self._under_way: Future[None] | None = None

    def write(self, plain_rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a batch, once the one before is written."""
        self.write_batch(rows_to_batch(self._row_type, plain_rows))

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """As `write`, for rows that are in Arrow."""
        self._wait()
        self._under_way = self._thread.submit(self._file.write_batch, batch)

    def close(self) -> None:
        """Finish the file."""
        try:
            self._wait()
        finally:
            self._thread.shutdown()
            self._file.close()

    def abandon(self) -> None:
        """Close a file that is thrown away: what is wrong with it matters no more, and must hide no other error."""
        with suppress(Exception):
            self.close()

    def _wait(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()
