"""Recorded responses, replayed: from a data file, or from a ledger. Nothing is asked of anyone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated

from pydantic import Field

from reasonry.errors import LedgerError, StoreError, TeacherError
from reasonry.identity import file_digest
from reasonry.prompts import messages_of
from reasonry.registry import Input, part
from reasonry.sections import DistilSection, RecipePath, Section
from reasonry.teachers.asking.entries import asked_digest
from reasonry.teachers.recorded_rows import Recorded, Told, is_ledger, ledger_digest, read_ledger, read_rows
from reasonry.teachers.recordings import Answers, Recordings
from reasonry.types import Drop, Question, Reply, Request, Sampling

__all__ = ["RecordedFields", "ReplayOptions", "ReplayTeacher", "replay"]

_PAUSE_ROWS = 256
_IN_FLIGHT = 32  # whoever asks holds some times as many replies; the disk answers at once


class RecordedFields(Section):
    """Which column of a recording holds what. A name with dots reaches into nested objects."""

    prompt: str = "question"
    response: str = "response"
    reasoning: str | None = Field(default=None, description="default: a leading <think> block of the response")
    model: str | None = Field(default=None, description="who answered; default: replay")
    finish: str | None = None
    tokens_in: str | None = None
    tokens_out: str | None = None


class ReplayOptions(DistilSection):
    """Where the recordings are."""

    path: RecipePath | Annotated[list[RecipePath], Field(min_length=1)] = Field(
        description="JSON lines, CSV or Parquet (also .gz, .zst), or a ledger; the order of rows is that of samples"
    )
    fields: RecordedFields = Field(default_factory=RecordedFields)
    model: str | None = Field(default=None, description="only what this model answered")

    @property
    def paths(self) -> list[RecipePath]:
        return self.path if isinstance(self.path, list) else [self.path]

    @property
    def most_in_flight(self) -> int:
        return _IN_FLIGHT if self.concurrency == "auto" else self.concurrency


class ReplayTeacher(AbstractAsyncContextManager["ReplayTeacher"]):
    """Answers from recordings. A row of a file belongs to a question with the same prompt, character by character
    or, where there is none, up to white space; an entry of a ledger to the same messages and sampling.

    The recordings are read when the teacher is opened, or first asked about them, which raises InputError where they
    cannot be read.
    """

    paid = False
    served_by = "replay"

    def __init__(self, options: ReplayOptions) -> None:
        self._options = options
        self._folder: Path | None = None
        self._read: Recordings | None = None
        self._answers = Answers()

    @property
    def model(self) -> str:
        return self._options.model or "replay"

    @property
    def set_aside(self) -> Sequence[Drop]:
        """The recorded rows that could not be used."""
        return self._recordings.set_aside

    def spool_in(self, folder: Path) -> None:
        """Where there is room for a copy of the recordings, packed; default: the folder for temporary files."""
        self._folder = folder

    async def __aenter__(self) -> ReplayTeacher:
        for _ in self._reading():
            await asyncio.sleep(0)  # who does not want to wait for all of it can cancel us
        return self

    async def __aexit__(self, *_: object) -> None:
        self._answers.close()

    async def __call__(self, request: Request) -> Reply:
        """The recorded reply. Raises TeacherError where there is none."""
        return self.recall(request)

    def recall(self, request: Request) -> Reply:
        """As a call. Raises TeacherError where there is no recorded reply."""
        try:
            reply = self._reply(request)
        except (StoreError, LedgerError) as exc:
            raise TeacherError(exc.message, place=exc.place, hint=exc.hint, fatal=True) from exc
        if reply is None:
            raise TeacherError("no recorded response", place=f"{request.question.id}#{request.sampling.index}")
        return reply

    def recorded(self, question: Question) -> int:
        """How many samples of the question are recorded."""
        recordings, told = self._recordings, 0
        if recordings.has_told:
            messages = messages_of(self._options, question)
            while recordings.is_told(asked_digest(messages, self._sampling(told))):
                told += 1
        return max(len(recordings.of_prompt(question.prompt)), told)

    def unmatched(self, questions: Iterable[Question]) -> int:
        """How many recordings in files belong to none of the questions."""
        claims = self._recordings.claims()
        for question in questions:
            claims.claim(question.prompt)
        return claims.unclaimed

    def _reply(self, request: Request) -> Reply | None:
        recordings = self._recordings
        if recordings.has_told:
            told = recordings.told(asked_digest(request.messages, request.sampling), self._answers)
            if told is not None:
                return told
        rows = recordings.of_prompt(request.question.prompt)
        index = request.sampling.index
        return recordings.reply(rows[index]) if index < len(rows) else None

    @property
    def _recordings(self) -> Recordings:
        for _ in self._reading():
            pass
        assert self._read is not None
        return self._read

    def _reading(self) -> Iterator[None]:
        """Reads all of it, once, and pauses now and then."""
        if self._read is not None:
            return
        recordings = Recordings(self._folder)
        yield from _read(self._options, recordings)
        recordings.finish()
        self._read = recordings

    def _sampling(self, index: int) -> Sampling:
        options = self._options
        return Sampling(options.temperature_of(index), options.top_p, options.max_tokens, index)


def _inputs(options: ReplayOptions) -> list[Input]:
    """Each file with its digest; of a ledger, a digest of its answers, since its bytes change without them."""
    return [_input(path) for path in options.paths]


def _input(path: RecipePath) -> Input:
    resolved = path.resolved
    if is_ledger(resolved):
        return Input(resolved.name, ledger_digest(resolved))
    return Input(resolved.name, file_digest(resolved), resolved.stat().st_size)


@part("teacher", "replay", version=2, options=ReplayOptions, inputs=_inputs)
def replay(options: ReplayOptions) -> ReplayTeacher:
    """Recorded responses from a file or a ledger."""
    return ReplayTeacher(options)


def _read(options: ReplayOptions, recordings: Recordings) -> Iterator[None]:
    columns = {name: getattr(options.fields, name) for name in RecordedFields.model_fields}
    for path in options.paths:
        ledger = path.resolved if is_ledger(path.resolved) else None
        rows = read_rows(path.resolved, columns) if ledger is None else read_ledger(ledger)
        for number, row in enumerate(rows):
            _add(recordings, row, options.model, ledger)
            if number % _PAUSE_ROWS == 0:
                yield


def _add(recordings: Recordings, row: Recorded | Told | Drop, model: str | None, ledger: Path | None) -> None:
    if isinstance(row, Drop):
        recordings.set_aside.append(row)
    elif isinstance(row, Recorded):
        if model is None or row.model == model:
            recordings.add(row)
    elif model is None or model in (row.model, row.answered_by):
        assert ledger is not None
        recordings.tell(row, ledger)
