"""What the ledger holds: attempts, and the checksum by which a damaged one is known."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Literal

__all__ = ["COLUMNS", "IMPORTED", "LedgerEntry", "Outcome", "Usage", "checksum_of", "row_of"]

Outcome = Literal["answered", "failed"]
IMPORTED = 0
"""The number of an attempt that was not made here: somebody else's answer, imported."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One attempt at one request. `request` and `reply` are JSON text; `at` is Unix time in seconds."""

    key: str
    attempt: int
    outcome: Outcome
    request: str
    reply: str | None
    model: str
    served_by: str
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None
    http_status: int | None
    detail: str
    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer took. `seconds` is None for an imported one; `characters` is the length of the request."""

    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None
    seconds: float | None
    characters: int = 0


COLUMNS = tuple(f.name for f in fields(LedgerEntry))
_values = attrgetter(*COLUMNS)


def checksum_of(key: str, request: str, reply: str | None) -> int:
    """SQLite does not see when the bytes of a text have changed; this does."""
    crc = zlib.crc32(request.encode(), zlib.crc32(key.encode()))
    return crc if reply is None else zlib.crc32(reply.encode(), crc)


def row_of(entry: LedgerEntry) -> tuple[Any, ...]:
    """The entry as a row of the table. Raises UnicodeEncodeError for text that is no Unicode."""
    return (*_values(entry), checksum_of(entry.key, entry.request, entry.reply))
