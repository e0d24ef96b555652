"""What stands in recordings: rows of data files, and answers of ledgers, read one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.errors import InputError, LedgerError
from reasonry.identity import RowHasher
from reasonry.ledger import read_answers
from reasonry.ledger.texts import reply_problem
from reasonry.records import MISSING, Record, SetAside, field_value, open_records
from reasonry.records.rows import is_unicode
from reasonry.teachers.asking.entries import asked_digest_of
from reasonry.teachers.packing import packed
from reasonry.teachers.reasoning import finish_of, split_reasoning
from reasonry.types import Drop, Reply

__all__ = ["Recorded", "Told", "is_ledger", "ledger_digest", "read_ledger", "read_rows"]

_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A reply of a data file, packed, with the prompt it belongs to and who answered."""

    prompt: str
    model: str
    reply: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """An answer of a ledger, by key. `asked` is the digest of messages and sampling.

    `model` is the name in the ledger's key, `answered_by` the one in the reply.
    """

    key: str
    asked: str
    model: str
    answered_by: str


def read_rows(path: Path, columns: Mapping[str, str | None]) -> Iterator[Recorded | Drop]:
    """The rows of a data file. `columns` says which column holds each field of a recording."""
    wanted = [column for column in columns.values() if column is not None]
    for row in open_records(path, columns=wanted):
        if isinstance(row, SetAside):
            yield _unusable(row.file, row.row, row.reason, row.content)
            continue
        try:
            yield _recorded(row, columns)
        except ValueError as exc:
            yield _unusable(row.file, row.row, str(exc), row.content)


def _unusable(file: str, row: int, reason: str, content: str) -> Drop:
    return Drop(f"{file}:{row}", "distil", "recorded_row_unusable", reason, content=content)


def _recorded(row: Record, columns: Mapping[str, str | None]) -> Recorded:
    response = _text(row, columns["response"])
    finish = finish_of(_value(row, columns["finish"]))
    reasoning = _text(row, columns["reasoning"], required=False)
    if not reasoning:
        parts = split_reasoning(response, finish)
        reasoning, response = parts.reasoning, parts.response
    reply = Reply(
        response=response,
        reasoning=reasoning,
        finish=finish,
        model=_text(row, columns["model"], required=False) or "replay",
        tokens_in=_count(row, columns["tokens_in"]),
        tokens_out=_count(row, columns["tokens_out"]),
    )
    prompt = _text(row, columns["prompt"])
    try:
        prompt.encode()
        return Recorded(prompt, reply.model, packed(reply))
    except UnicodeEncodeError as exc:
        raise ValueError(f"'{_broken(row, columns)}' holds half a character (a lone surrogate)") from exc


def _broken(row: Record, columns: Mapping[str, str | None]) -> str | None:
    """The first column whose text is no Unicode."""
    names = [columns[name] for name in ("response", "reasoning", "model", "prompt")]
    return next(name for name in names if not is_unicode(str(_value(row, name))))


def _value(row: Record, column: str | None) -> Any:
    value = MISSING if column is None else field_value(row.values, column)
    return None if value is MISSING else value


def _text(row: Record, column: str | None, *, required: bool = True) -> str:
    value = _value(row, column)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        what = "missing" if value is None else f"a {type(value).__name__}, not text"
        raise ValueError(f"'{column}' is {what}")  # noqa: TRY004 - the value of a row, not of a caller
    return value


def _count(row: Record, column: str | None) -> int | None:
    """A count of tokens. A CSV gives it as text; anything that is no count is unknown, which costs nothing here."""
    value = _value(row, column)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53:
        return value
    return None


def is_ledger(path: Path) -> bool:
    """Whether a file is an SQLite database, by its first bytes."""
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except IsADirectoryError:
        return False
    except OSError as exc:
        raise InputError(f"cannot be read: {exc.strerror}", place=str(path), hint="check its permissions") from exc


def read_ledger(path: Path) -> Iterator[Told]:
    """The answers in a ledger, in the order of their keys, so that the order of writing decides nothing."""
    for key, request, reply, model in _answers(path):
        try:
            told = json.loads(reply)
            if (problem := reply_problem(told)) is not None:
                raise ValueError(problem)
            yield Told(key, asked_digest_of(json.loads(request)), model, told.get("model", ""))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as exc:
            hint = f"`reasonry ledger check {path}` says what else is wrong with it"
            raise InputError(f"the entry {key} holds no request and reply: {exc}", place=str(path), hint=hint) from exc


def ledger_digest(path: Path) -> str:
    """A digest of the answers in a ledger."""
    hasher = RowHasher("ledger answers")
    for key, request, reply, model in _answers(path):
        hasher.update({"key": key, "request": request, "reply": reply, "model": model})
    return hasher.hexdigest()


def _answers(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Read-only, so that a ledger in use is not disturbed."""
    try:
        for entry in read_answers(path):
            yield entry.key, entry.request, entry.reply or "", entry.model
    except LedgerError as exc:
        raise InputError(f"cannot be read as a ledger: {exc.message}", place=str(path), hint=exc.hint) from exc
