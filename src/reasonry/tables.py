"""From rows to Arrow and back: schemas derived from the nouns, one definition for each row.

A field's type decides its column: text, int64, float64, bool, enums as text, messages as a list of structs.
Free-form fields (`metadata={"json": True}`) are canonical JSON text, since their shape differs row by row.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from reasonry.identity import canonical_json
from reasonry.types import Message

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["digest_row", "from_plain", "rows_from_batch", "rows_to_batch", "schema_of", "to_plain"]

Row = TypeVar("Row")


@dataclasses.dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kind: Any
    nullable: bool
    is_json: bool
    is_volatile: bool
    is_init: bool


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
    if kind == tuple[Message, ...]:
        return pa.list_(pa.struct([pa.field("role", pa.string()), pa.field("content", pa.string())]))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return pa.string()
    simple = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    if kind not in simple:
        raise TypeError(f"{column.name}: no Arrow type for {kind}")
    return simple[kind]


def to_plain(row: Any) -> dict[str, Any]:
    """A row as plain values: what goes into a column, and what a JSON reader sees."""
    plain: dict[str, Any] = {}
    for column in columns_of(type(row)):
        value = getattr(row, column.name)
        if column.is_json:
            value = canonical_json(value)
        elif column.kind == tuple[Message, ...]:
            value = [{"role": m.role, "content": m.content} for m in value]
        elif isinstance(value, StrEnum):
            value = value.value
        plain[column.name] = value
    return plain


def from_plain(row_type: type[Row], plain: Mapping[str, Any]) -> Row:
    """The row that `to_plain` was given. Derived fields (ids) are computed again, not believed."""
    values: dict[str, Any] = {}
    for column in columns_of(row_type):
        if not column.is_init or column.name not in plain:
            continue
        value = plain[column.name]
        if column.is_json:
            value = json.loads(value) if isinstance(value, str) else value
        elif column.kind == tuple[Message, ...]:
            value = tuple(Message(m["role"], m["content"]) for m in value)
        elif isinstance(column.kind, type) and issubclass(column.kind, StrEnum):
            value = column.kind(value)
        values[column.name] = value
    return row_type(**values)


def digest_row(row_type: type[Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """What of a plain row enters the table's digest: all but durations."""
    return {c.name: plain[c.name] for c in columns_of(row_type) if not c.is_volatile}


def rows_to_batch(row_type: type[Any], plain_rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist(list(plain_rows), schema=schema_of(row_type))


def rows_from_batch(row_type: type[Row], batch: pa.RecordBatch) -> Iterable[Row]:
    for plain in batch.to_pylist():
        yield from_plain(row_type, plain)
