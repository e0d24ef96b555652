"""Recorded replies, found again by prompt or by request. In memory is where they stand, on disk what they say.

Of a row of a data file the index takes 48 bytes (two digests of 16, sorted, with their rows, and a place on disk), of
an answer in a ledger 32: its reply stays where it is.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, overload

from reasonry.ledger import AnswersByKey
from reasonry.teachers.asking.entries import read_reply
from reasonry.teachers.packing import unpacked
from reasonry.teachers.recorded_rows import Recorded, Told
from reasonry.teachers.spool import Spool
from reasonry.types import Drop, Reply

__all__ = ["Recordings"]

_DIGEST_BYTES = 16


class Recordings:
    """Replies by prompt (data files) and by request (ledgers). All are added, then `finish` is called, then read."""

    def __init__(self, folder: Path | None = None) -> None:
        """What is put aside goes into `folder`. Raises StoreError where it cannot be written."""
        self._spool = Spool(folder)
        self._places = array("Q")
        self._exact, self._spaced, self._told = _Index(), _Index(), _Index()
        self._keys = array("Q")
        self._ledger_of = array("I")
        self._ledgers: list[Path] = []
        self.set_aside = SetAside(self._spool)

    @property
    def rows(self) -> int:
        """How many replies there are by prompt."""
        return len(self._places)

    def add(self, row: Recorded) -> None:
        """One row of a data file."""
        self._places.append(self._spool.append(row.reply))
        self._exact.add(_digest_of(row.prompt))
        self._spaced.add(_digest_of(_single_spaced(row.prompt)))

    def tell(self, entry: Told, ledger: Path) -> None:
        """One answer of a ledger. The first stands, where several models answered the same request."""
        if not self._ledgers or self._ledgers[-1] != ledger:
            self._ledgers.append(ledger)
        self._told.add(bytes.fromhex(entry.asked))
        self._keys.append(self._spool.append(entry.key.encode()))
        self._ledger_of.append(len(self._ledgers) - 1)

    def finish(self) -> None:
        """Nothing more is added."""
        self._spool.finish()
        for index in (self._exact, self._spaced, self._told):
            index.sort()

    def of_prompt(self, prompt: str) -> Sequence[int]:
        """The rows that answer a prompt, in recorded order: those with the very same; else up to white space."""
        rows = self._exact.rows(_digest_of(prompt))
        return rows if len(rows) else self._spaced.rows(_digest_of(_single_spaced(prompt)))

    def reply(self, row: int) -> Reply:
        """The reply of a row. Raises StoreError where the disk fails."""
        return unpacked(self._spool.read(self._places[row]))

    @property
    def has_told(self) -> bool:
        """Whether there is any answer of a ledger."""
        return bool(self._keys)

    def is_told(self, asked: str) -> bool:
        """Whether a ledger has an answer to this request."""
        return self.has_told and len(self._told.rows(bytes.fromhex(asked))) > 0

    def told(self, asked: str, answers: Answers) -> Reply | None:
        """A ledger's answer to this request. Raises LedgerError where it is gone."""
        if not self.is_told(asked):
            return None
        first = self._told.rows(bytes.fromhex(asked))[0]
        key = self._spool.read(self._keys[first]).decode()
        return answers.reply(self._ledgers[self._ledger_of[first]], key)

    def claims(self) -> Claims:
        """For counting which rows belong to some prompt."""
        return Claims(self)


class Claims:
    """Which rows some prompt claims. Two spellings of a prompt may claim the same one."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings
        self._is_claimed = bytearray(recordings.rows)

    def claim(self, prompt: str) -> None:
        for row in self._recordings.of_prompt(prompt):
            self._is_claimed[row] = 1

    @property
    def unclaimed(self) -> int:
        """How many rows belong to none of the prompts."""
        return self._is_claimed.count(0)


class Answers:
    """Open ledgers, for one thread at a time."""

    def __init__(self) -> None:
        self._open: dict[Path, AnswersByKey] = {}

    def reply(self, ledger: Path, key: str) -> Reply:
        """The answer under a key. Raises LedgerError where it is gone."""
        if ledger not in self._open:
            self._open[ledger] = AnswersByKey(ledger)
        return read_reply(self._open[ledger].reply(key))

    def close(self) -> None:
        for opened in self._open.values():
            opened.close()
        self._open.clear()


class SetAside(Sequence[Drop]):
    """The recorded rows that could not be used: there may be as many as rows, so they are on disk too."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._places = array("Q")

    def append(self, drop: Drop) -> None:
        self._places.append(self._spool.append(json.dumps(asdict(drop)).encode()))

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Drop: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Drop]: ...

    def __getitem__(self, index: int | slice) -> Drop | Sequence[Drop]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return Drop(**json.loads(self._spool.read(self._places[index])))


class _Index:
    """Which rows have a digest: 20 bytes a row, once sorted."""

    def __init__(self) -> None:
        self._added = bytearray()
        self._digests: Any = None  # numpy, sorted
        self._order: Any = None

    def add(self, digest: bytes) -> None:
        self._added += digest

    def sort(self) -> None:
        import numpy as np

        digests = np.array(memoryview(self._added).cast("B"), dtype=np.uint8).view(f"S{_DIGEST_BYTES}")
        self._added = bytearray()
        order = np.argsort(digests, kind="stable")  # equal ones stay in recorded order
        self._digests, self._order = digests[order], order.astype(np.uint32)

    def rows(self, digest: bytes) -> Sequence[int]:
        start, end = (int(self._digests.searchsorted(digest, side)) for side in ("left", "right"))
        return self._order[start:end].tolist()


def _digest_of(prompt: str) -> bytes:
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()[:_DIGEST_BYTES]


def _single_spaced(prompt: str) -> str:
    return " ".join(prompt.split())
