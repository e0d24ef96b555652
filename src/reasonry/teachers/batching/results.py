"""What a batch wrote: its result files on this machine, and the reply in each of their lines.

Lines come in any order and belong to a request by `custom_id`. A line that belongs to none, comes again, or cannot
be read is counted, and harms no other.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Container, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from reasonry.errors import TeacherError
from reasonry.teachers.batching.calls import BatchClient
from reasonry.teachers.http.answers import MAX_BODY_BYTES, unusable
from reasonry.types import Reply, Request

__all__ = ["Results", "reply_in"]

_LONGEST_LINE = MAX_BODY_BYTES + (1 << 20)
_PER_LINE = frozenset({403, 404})  # refusals that speak of one line where others of the same batch were answered


@dataclass(frozen=True, slots=True)
class _Line:
    begin: int
    length: int
    is_answer: bool


class Results(AbstractContextManager["Results"]):
    """The lines of one batch, in a file without a name: nothing is left behind, however the process ends."""

    def __init__(self, folder: Path) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`
        self.answered = 0
        self.is_short = False  # the endpoint counts more results than there are
        self.malformed = 0
        self.unknown = 0
        self.repeated = 0
        self._lines: dict[str, _Line] = {}

    def close(self) -> None:
        self.file.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._lines)

    def is_answer(self, key: str) -> bool:
        """Whether there is a line for that request which says that it was answered."""
        line = self._lines.get(key)
        return line is not None and line.is_answer

    def index(self, keys: Container[str]) -> None:
        """Find the line of each of these requests. Of two for one request, an answer is better than a failure."""
        self.file.seek(0)
        begin = 0
        while raw := self.file.readline(_LONGEST_LINE):
            if raw.endswith(b"\n"):
                self._add(raw, begin, keys)
            else:  # no answer is so long; every part of a file ends with a line's end
                self.malformed += 1
                while (more := self.file.readline(_LONGEST_LINE)) and not more.endswith(b"\n"):
                    pass
            begin = self.file.tell()

    def line(self, key: str) -> bytes | None:
        found = self._lines.get(key)
        if found is None:
            return None
        self.file.seek(found.begin)
        return self.file.read(found.length)

    def _add(self, raw: bytes, begin: int, keys: Container[str]) -> None:
        if not raw.strip():
            return
        line = _object(raw)
        key = line.get("custom_id")
        if not isinstance(key, str) or not ("response" in line or "error" in line):
            self.malformed += 1
            return
        if key not in keys:
            self.unknown += 1
            return
        found = _Line(begin, len(raw), _status(line) == 200)
        known = self._lines.get(key)
        self.repeated += known is not None
        if known is None or (found.is_answer and not known.is_answer):
            self._lines[key] = found
            self.answered += found.is_answer


def reply_in(line: bytes, request: Request, client: BatchClient, *, is_alone: bool) -> Reply:
    """The reply in a line of the results. `is_alone`: no request of this batch was answered.

    Raises TeacherError: what a status means outside of a batch, or that the batch ended before this request.
    """
    entry = _object(line)
    response, status = _mapping(entry.get("response")), _status(entry)
    try:
        body = json.dumps(response.get("body")).encode()
    except RecursionError as exc:
        raise unusable("an answer of parts within parts without end") from exc
    if status == 200:
        return client.read(body, request)
    if status is not None and 300 <= status < 600:
        error = client.refused(status, body, None)
        if status in _PER_LINE and not is_alone:
            error.fatal = False
        raise error
    problem = _mapping(entry.get("error"))
    shown = ": ".join(" ".join(str(problem[name]).split()) for name in ("code", "message") if problem.get(name))
    told = client.without_secrets(shown) or "no reason given"
    raise TeacherError(f"the batch has no answer: {told}"[:300], retryable=True)


def _status(line: Mapping[str, Any]) -> int | None:
    status = _mapping(line.get("response")).get("status_code")
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(raw))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
