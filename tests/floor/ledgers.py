"""Ledgers for tests: entries whose keys are right, and files with damage at a chosen place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from reasonry.ledger import Ledger, LedgerEntry
from reasonry.teachers.asking.entries import reply_text, request_text
from reasonry.types import Question, Reply, Request, Sampling, conversation

MODEL, SERVED_BY = "deepseek-reasoner", "https://api.deepseek.com/v1"


def real_entry(number: int, *, reply: str = "", model: str = MODEL, temperature: float | None = 0.6) -> LedgerEntry:
    """An answered entry as the engine writes it."""
    question = Question(f"What is {number} + {number}?", str(2 * number), "exact")
    request = Request(conversation(question.prompt, "Think."), Sampling(temperature, None, 4096, number % 4), question)
    told = Reply(reply or f"It is {2 * number}. ∎", f"I add. {'hm ' * 300}", "stop", model, 20 + number % 7, 300)
    return LedgerEntry(
        key=request.key(model, SERVED_BY),
        attempt=1,
        outcome="answered",
        request=request_text(request, model),
        reply=reply_text(told),
        model=model,
        served_by=SERVED_BY,
        tokens_in=told.tokens_in,
        tokens_out=told.tokens_out,
        cost_usd=0.001,
        http_status=None,
        detail="",
        seconds=1.5,
        at=1_700_000_000.0 + number,
    )


def failed_entry(number: int, status: int | None = 429) -> LedgerEntry:
    return replace(
        real_entry(number),
        outcome="failed",
        reply=None,
        tokens_in=None,
        tokens_out=None,
        cost_usd=None,
        http_status=status,
        detail="too many requests",
    )


def filled(path: Path, entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """A closed ledger with these entries, every one acknowledged."""
    given = list(entries)
    with Ledger(path) as ledger:
        for future in [ledger.submit(entry) for entry in given]:
            future.result(60)
    return given


def overwrite(path: Path, offset: int, content: bytes) -> None:
    """Change bytes of a file in place, as a bad disk does."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def page_of(path: Path, name: str) -> tuple[int, int]:
    """The offset of the root page of a table or index, and the size of a page."""
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("select rootpage from sqlite_master where name = ?", [name]).fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
    return (page - 1) * size, size


def tear(path: Path, position: float, size: int = 8192) -> None:
    """Fill the page at this share of the file with noise."""
    page = int(path.stat().st_size // size * position)
    overwrite(path, page * size, os.urandom(size))
