"""Looking at a ledger, and making it small."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.errors import LedgerError
from reasonry.ledger.book import Ledger
from reasonry.ledger.database import ANSWERED, code_of, failed, open_to_read, wal_of
from reasonry.ledger.entry import IMPORTED

__all__ = ["Compacted", "compact", "facts"]

_MODELS = f"""
select model, served_by, sum({ANSWERED}) as answered, sum({ANSWERED} and attempt = {IMPORTED}) as imported,
  sum(not {ANSWERED}) as failed, sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out,
  sum({ANSWERED} and (tokens_in is null or tokens_out is null)) as tokens_unknown,
  sum(cost_usd) as cost_usd, sum({ANSWERED} and cost_usd is null) as cost_unknown
from attempts group by model, served_by order by model, served_by
"""
_FAILURES = f"""
select http_status, count(*) from attempts where not {ANSWERED} group by http_status order by 2 desc, 1
"""
_TIMES = f"select min(at), max(at) from attempts where attempt <> {IMPORTED} and typeof(at) in ('real', 'integer')"
_SUPERSEDED = f"""
delete from attempts where not {ANSWERED}
  and exists (select 1 from attempts as other where other.key = attempts.key and other.{ANSWERED})
"""


def facts(path: Path) -> dict[str, Any]:
    """What a ledger holds, in figures. Costs and counts that are not known are counted, not taken for 0."""
    connection, _ = open_to_read(path)
    with closing(connection):
        try:
            cursor = connection.execute(_MODELS)
            names = [column[0] for column in cursor.description]
            models = [dict(zip(names, map(_told, row), strict=True)) for row in cursor]
            failures = [{"http_status": status, "count": count} for status, count in connection.execute(_FAILURES)]
            first_at, last_at = connection.execute(_TIMES).fetchone()
        except sqlite3.Error as exc:
            raise failed(path, "cannot be read", exc) from exc
    counted = ("answered", "imported", "failed", "tokens_unknown", "cost_unknown")
    known = ("tokens_in", "tokens_out", "cost_usd")
    return {
        "schema": 1,
        "ledger": str(path),
        "bytes": _bytes(path),
        **{name: sum(model[name] for model in models) for name in counted},
        **{name: _sum([model[name] for model in models]) for name in known},
        "failures": failures,
        "models": models,
        "first_at": first_at,
        "last_at": last_at,
    }


def _told(value: Any) -> Any:
    """A figure that is none, which JSON could not say either, is unknown."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sum(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class Compacted:
    """What compacting did. Bytes include the write-ahead log."""

    dropped: int
    bytes_before: int
    bytes_after: int


def compact(path: Path) -> Compacted:
    """Drop the failed attempts of keys that were answered, and the room they took. Every answer stays.

    Raises LedgerError where another process has it open, or the disk has no room for a copy: nothing is lost then.
    """
    open_to_read(path)[0].close()
    before = _bytes(path)
    Ledger(path).close()  # brings an older format up to date
    with closing(sqlite3.connect(path, timeout=1.0, isolation_level=None)) as connection:
        try:
            connection.execute("pragma synchronous = full")
            connection.execute("pragma locking_mode = exclusive")
            dropped = connection.execute(_SUPERSEDED).rowcount
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        except sqlite3.Error as exc:
            if code_of(exc) == sqlite3.SQLITE_BUSY:
                hint = "compact it when no run uses it"
                raise LedgerError("another process has the ledger open", place=str(path), hint=hint) from exc
            raise failed(path, "cannot be compacted", exc) from exc
    return Compacted(dropped, before, _bytes(path))


def _bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, wal_of(path)) if file.exists())
