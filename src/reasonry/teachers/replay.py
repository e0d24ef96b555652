"""Recorded responses, replayed: from a data file, or from a ledger. Nothing is asked of anyone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from pydantic import Field

from reasonry.errors import TeacherError
from reasonry.identity import file_digest
from reasonry.prompts import messages_of
from reasonry.registry import Input, part
from reasonry.sections import DistilSection, RecipePath, Section
from reasonry.teachers.asking.entries import asked_digest
from reasonry.teachers.recordings import Recordings, Told, is_ledger, ledger_digest, read_ledger, read_rows
from reasonry.types import Drop, Question, Reply, Request, Sampling

__all__ = ["RecordedFields", "ReplayOptions", "ReplayTeacher", "replay"]


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


class ReplayTeacher(AbstractAsyncContextManager["ReplayTeacher"]):
    """Answers from recordings. A row of a file belongs to a question with the same prompt, character by character
    or, where there is none, up to white space; an entry of a ledger to the same messages and sampling.
    """

    paid = False
    served_by = "replay"

    def __init__(self, options: ReplayOptions) -> None:
        self._options = options
        self._recordings = _read(options)

    @property
    def model(self) -> str:
        return self._options.model or "replay"

    @property
    def set_aside(self) -> Sequence[Drop]:
        """The recorded rows that could not be used."""
        return self._recordings.set_aside

    async def __aexit__(self, *_: object) -> None:
        return None

    async def __call__(self, request: Request) -> Reply:
        """The recorded reply. Raises TeacherError where there is none."""
        asked = asked_digest(request.messages, request.sampling)
        reply = self._recordings.told(asked)
        if reply is None:
            replies = self._recordings.of_prompt(request.question.prompt)
            reply = replies[request.sampling.index] if request.sampling.index < len(replies) else None
        if reply is None:
            raise TeacherError("no recorded response", place=f"{request.question.id}#{request.sampling.index}")
        return reply

    def recorded(self, question: Question) -> int:
        """How many samples of the question are recorded."""
        of_prompt = len(self._recordings.of_prompt(question.prompt))
        messages = messages_of(self._options, question)
        told = 0
        while self._recordings.told(asked_digest(messages, self._sampling(told))) is not None:
            told += 1
        return max(of_prompt, told)

    def unmatched(self, questions: Iterable[Question]) -> int:
        """How many recordings in files belong to none of the questions."""
        prompts = {question.prompt for question in questions}
        # By identity: two spellings of a prompt may claim the same recording.
        claimed = {id(reply) for prompt in prompts for reply in self._recordings.of_prompt(prompt)}
        return self._recordings.rows - len(claimed)

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


@part("teacher", "replay", version=1, options=ReplayOptions, inputs=_inputs)
def replay(options: ReplayOptions) -> ReplayTeacher:
    """Recorded responses from a file or a ledger. Raises InputError for one that cannot be read."""
    return ReplayTeacher(options)


def _read(options: ReplayOptions) -> Recordings:
    recordings = Recordings()
    columns = {name: getattr(options.fields, name) for name in RecordedFields.model_fields}
    for path in options.paths:
        if is_ledger(path.resolved):
            _tell(recordings, read_ledger(path.resolved), options.model)
        else:
            _add(recordings, read_rows(path.resolved, columns), options.model)
    return recordings


def _tell(recordings: Recordings, entries: Iterable[Told], model: str | None) -> None:
    for entry in entries:
        if model is None or model in (entry.model, entry.reply.model):
            recordings.tell(entry)


def _add(recordings: Recordings, rows: Iterable[Any], model: str | None) -> None:
    for row in rows:
        if isinstance(row, Drop):
            recordings.set_aside.append(row)
        elif model is None or row.reply.model == model:
            recordings.add(row)
