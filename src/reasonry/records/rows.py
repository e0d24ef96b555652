"""What reading gives: a record, or a row set aside; and the rules by which a row is set aside."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

__all__ = ["MISSING", "LongInteger", "Record", "Row", "SetAside", "WrittenFloat", "field_value"]

BAD_UTF8 = "bad_utf8"
DUPLICATE_KEY = "duplicate_key"
LINE_TOO_LONG = "line_too_long"
NOT_AN_OBJECT = "not_an_object"
NOT_CSV = "not_csv"
NOT_JSON = "not_json"
NUL_CHARACTER = "nul_character"
RAGGED_ROW = "ragged_row"

CONTENT_CHARACTERS = 2000
CONTENT_BYTES = 4 * CONTENT_CHARACTERS  # UTF-8 needs at most 4 bytes for a character


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""What `field_value` gives for a field that is not there (null is a value)."""


class WrittenFloat(float):
    """A float that remembers how the file wrote it: `0.10` stays "0.10"."""

    __slots__ = ("written",)
    written: str


class LongInteger(str):
    """An integer of more digits than Python converts, as the file wrote it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One row that was read. `values` are plain Python values by column.

    Where only some columns were wanted, `again` reads the row with all of them, while the file is being read.
    """

    file: str
    row: int
    values: dict[str, Any]
    raw: bytes = field(default=b"", repr=False, compare=False)
    again: Callable[[], dict[str, Any]] | None = field(default=None, repr=False, compare=False)

    @property
    def content(self) -> str:
        """The beginning of the row, for a person to recognise it by; always valid Unicode."""
        if self.raw:
            return beginning(self.raw)
        return valid_unicode(json.dumps(self._whole(), ensure_ascii=False, default=str)[:CONTENT_CHARACTERS])

    def _whole(self) -> dict[str, Any]:
        try:
            return self.values if self.again is None else self.again()
        except UnicodeDecodeError:  # in a column that nobody wanted
            return self.values


@dataclass(frozen=True, slots=True)
class SetAside:
    """One row that could not be read: which, by which rule, why, and how it begins."""

    file: str
    row: int
    rule: str
    reason: str
    content: str = ""


Row = Record | SetAside


def field_value(values: dict[str, Any], name: str) -> Any:
    """The value of a column; a name with dots reaches into nested objects. MISSING where there is none."""
    if name in values:
        return values[name]
    here: Any = values
    for step in name.split("."):
        if not isinstance(here, dict) or step not in here:
            return MISSING
        here = cast("dict[str, Any]", here)[step]
    return here


def beginning(raw: bytes) -> str:
    """How a row begins, as text that any file can hold."""
    return raw[:CONTENT_BYTES].decode("utf-8", "replace").rstrip("\r\n")[:CONTENT_CHARACTERS]


def valid_unicode(text: str) -> str:
    """The text with each lone surrogate replaced by a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8 (a lone surrogate cannot)."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
