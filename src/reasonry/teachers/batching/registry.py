"""Which request is in which batch: a small file beside the ledger that outlives the process.

A batch is paid for when it is created, hours before its answers are in the ledger. So what is about to be submitted
is written down first, and every step after it, each line on disk before the next step is taken:

| event | says |
|---|---|
| `intended` | these requests are about to be uploaded, under a random token |
| `uploaded` | the endpoint has their file; from here on a batch may exist |
| `submitted` | the batch exists, and this is its id |
| `given_up` | no batch came of it |
| `collected` | its results were read; `unanswered` found none |

A line that a kill tore is cut off: the step before it stands. Processes that share a ledger share this file; while
one of them submits, the others wait. It holds keys and ids only: no prompt, no answer, no header.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from reasonry.errors import TeacherError

__all__ = ["BatchRegistry", "RecordedBatch", "registry_path"]

_LOCK_PAUSE_S = 0.05


def registry_path(ledger: Path) -> Path:
    """Where the batches of a ledger are recorded: beside the file itself, wherever links to it are."""
    real = ledger.resolve()
    return real.with_name(f"{real.name}.batches.jsonl")


@dataclass(slots=True)
class RecordedBatch:
    """What is known of one batch. `id` is the endpoint's; without it the batch may or may not exist."""

    token: str
    served_by: str
    keys: Sequence[str]
    at: float
    file: str | None = None
    id: str | None = None
    is_given_up: bool = False
    is_collected: bool = False
    unanswered: set[str] = field(default_factory=set[str])
    recorded_unanswered: set[str] = field(default_factory=set[str])

    @property
    def is_open(self) -> bool:
        """Begun, and neither submitted nor given up."""
        return self.id is None and not self.is_given_up

    def may_answer(self, key: str) -> bool:
        """Whether the key's answer is to be had from this batch, now or later."""
        return self.id is not None and key not in self.unanswered


class BatchRegistry:
    """The file, and what it says. Changes are made while it is held (`async with registry.held()`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.batches: dict[str, RecordedBatch] = {}
        self.unread = 0
        self._holders: dict[str, RecordedBatch] = {}
        self._read_to = 0
        self._is_torn = False
        self._turn = asyncio.Lock()  # within this process, where the file's lock would be the same one
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            if is_new:
                _keep_name(path)
        except OSError as exc:
            raise self._error("cannot be opened", exc) from exc

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None]:
        """Alone with the file among all processes, with all that the others wrote."""
        async with self._turn:
            await self._lock()
            try:
                self._read()
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def holder(self, key: str) -> RecordedBatch | None:
        """The last batch that a request was put into."""
        return self._holders.get(key)

    def intend(self, served_by: str, keys: Sequence[str]) -> RecordedBatch:
        """Write down that these requests are about to be submitted."""
        token = secrets.token_hex(16)
        self._append("intended", token, served_by=served_by, keys=list(keys))
        return self.batches[token]

    def uploaded(self, batch: RecordedBatch, file: str) -> None:
        self._append("uploaded", batch.token, file=file)

    def submitted(self, batch: RecordedBatch, batch_id: str) -> None:
        self._append("submitted", batch.token, id=batch_id)

    def give_up(self, batch: RecordedBatch) -> None:
        self._append("given_up", batch.token)

    def collected(self, batch: RecordedBatch, status: str, unanswered: Iterable[str]) -> None:
        self._append("collected", batch.token, status=status, unanswered=sorted(unanswered))

    async def _lock(self) -> None:
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(_LOCK_PAUSE_S)
            except OSError as exc:
                raise self._error("cannot be locked", exc) from exc
            else:
                return

    def _append(self, event: str, token: str, **fields: Any) -> None:
        entry = {"event": event, "batch": token, "at": time.time(), **fields}
        self._write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        self._take(entry)

    def _write(self, line: bytes) -> None:
        is_torn, self._is_torn = self._is_torn, True
        try:
            if is_torn:
                os.ftruncate(self._file, self._read_to)
            left = memoryview(line)
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError as exc:
            raise self._error("cannot be written", exc) from exc
        self._is_torn = False
        self._read_to = os.lseek(self._file, 0, os.SEEK_END)

    def _read(self) -> None:
        """Take in what was added since the last time, by whichever process."""
        try:
            size = os.fstat(self._file).st_size
            added = b""
            while self._read_to + len(added) < size:
                block = os.pread(self._file, size - self._read_to - len(added), self._read_to + len(added))
                if not block:
                    break
                added += block
        except OSError as exc:
            raise self._error("cannot be read", exc) from exc
        whole, newline, torn = added.rpartition(b"\n")
        # Nobody writes while we hold the file, so a line without an end was torn by a kill.
        self._is_torn = bool(torn)
        self._read_to += len(whole) + len(newline)
        for line in whole.split(b"\n"):
            self._take_line(line)

    def _take_line(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            self.unread += 1
            return
        if not isinstance(entry, dict) or not self._take(cast("dict[str, Any]", entry)):
            self.unread += 1

    def _take(self, entry: Mapping[str, Any]) -> bool:
        """Change what is known by one event. False for one that says nothing."""
        event, token = entry.get("event"), str(entry.get("batch"))
        try:
            if event == "intended":
                batch = RecordedBatch(
                    token, str(entry["served_by"]), tuple(map(str, entry["keys"])), float(entry["at"])
                )
                self.batches[token] = batch
                self._holders.update(dict.fromkeys(batch.keys, batch))
                return True
            batch = self.batches[token]
            if event == "uploaded":
                batch.file = str(entry["file"])
            elif event == "submitted":
                batch.id = str(entry["id"])
            elif event == "given_up":
                batch.is_given_up = True
            elif event == "collected":
                batch.recorded_unanswered.update(map(str, entry["unanswered"]))
                batch.unanswered.update(batch.recorded_unanswered)
                batch.is_collected = True
            else:
                return False
        except (KeyError, TypeError, ValueError):
            return False
        return True

    def _error(self, what: str, exc: OSError) -> TeacherError:
        return TeacherError(
            f"the record of batches {what}: {exc.strerror or exc}",
            place=str(self.path),
            fatal=True,
            hint="mend the disk or its permissions and run again: what was submitted is collected then",
        )


def _keep_name(path: Path) -> None:
    """Make a new file's name durable, as its content will be."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
