"""JSON lines: one object per line, read strictly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from reasonry.records.rows import (
    BAD_UTF8,
    DUPLICATE_KEY,
    NOT_AN_OBJECT,
    NOT_JSON,
    NUL_CHARACTER,
    LongInteger,
    Record,
    Row,
    SetAside,
    WrittenFloat,
    beginning,
    valid_unicode,
)
from reasonry.records.streams import TooLong, open_lines

__all__ = ["decode_json", "read_jsonl"]

MAX_INTEGER_DIGITS = 4000  # below the interpreter's own limit (4300), above which int() raises


def read_jsonl(path: Path) -> Iterator[Row]:
    """The rows of a file of JSON lines. Blank lines are ignored."""
    with open_lines(path) as lines:
        while True:
            try:
                line = next(lines, None)
            except TooLong as long:
                yield long.set_aside(path.name, lines.number)
                continue
            if line is None:
                return
            if line.strip():
                yield _row(path.name, lines.number, line)


def decode_json(text: str) -> Any:
    """A JSON value, with its numbers as written. Raises ValueError, or RecursionError for a deep one."""
    return _DECODER.decode(text)


def _row(file: str, row: int, line: bytes) -> Row:
    def aside(rule: str, reason: str) -> SetAside:
        return SetAside(file, row, rule, reason, beginning(line))

    if b"\0" in line:
        return aside(NUL_CHARACTER, "the line holds a NUL byte")
    try:
        values = decode_json(line.decode("utf-8"))
    except UnicodeDecodeError as exc:
        return aside(BAD_UTF8, f"byte {exc.start + 1} of the line is not UTF-8")
    except _DuplicateKey as exc:
        return aside(DUPLICATE_KEY, str(exc))
    except json.JSONDecodeError as exc:
        return aside(NOT_JSON, _reason(exc, line))
    except RecursionError:
        return aside(NOT_JSON, "not JSON that can be read: nested too deeply")
    if not isinstance(values, dict):
        return aside(NOT_AN_OBJECT, f"a row is an object, this is {_json_type(values)}")
    return Record(file, row, cast("dict[str, Any]", values), line)


def _reason(exc: json.JSONDecodeError, line: bytes) -> str:
    if line.strip() == b"[":
        return "a JSON array over several lines: write one object per line"
    return f"not JSON: {exc.msg[:1].lower()}{exc.msg[1:]} (character {exc.pos + 1})"


def _json_type(value: Any) -> str:
    names = {list: "an array", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


class _DuplicateKey(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(f"the key '{valid_unicode(key[:80])}' stands twice in one object")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON leaves open what a repeated key means, and parsers differ: a row with one says nothing for sure."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _DuplicateKey(next(name for name in names if names.count(name) > 1))
    return made


def _float(text: str) -> float:
    value = WrittenFloat(text)
    value.written = text
    return value


def _integer(text: str) -> int | LongInteger:
    return int(text) if len(text) <= MAX_INTEGER_DIGITS else LongInteger(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_integer)
