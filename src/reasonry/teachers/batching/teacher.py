"""A teacher that asks by batches: the same contract, answered hours later and at a lower price.

A request waits until a batch is full, or none has come for a while; the batch is submitted, and its requests are
answered when its result file is there. To the engine each request is one try like any other, so the ledger, retries,
budget and single flight work as they do otherwise.

What is submitted is paid for, so it is written down beside the ledger (`batch_registry`) and never submitted again:
a request that comes back after a kill is answered from the batch it was in. Interrupting a run cancels no batch.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated

from pydantic import Field

from reasonry.errors import TeacherError
from reasonry.sections import Section
from reasonry.teachers.asking.ask import Waits
from reasonry.teachers.batching.calls import CHAT, BatchCalls, BatchClient, BatchState, may_have_created
from reasonry.teachers.batching.collecting import Collector, failure
from reasonry.teachers.batching.desk import Desk
from reasonry.teachers.batching.registry import BatchRegistry, RecordedBatch, registry_path
from reasonry.types import Question, Reply, Request

__all__ = ["BatchOptions", "BatchTeacher", "batched"]

_LONGEST_LINGER = 10  # times linger_s: requests that trickle in are not waited for without end
_BATCHES_AT_ONCE = 5
_LOOKS = (0.0, 0.1, 0.5)  # pauses, in poll_s: a batch just created may not be listed yet


class BatchOptions(Section):
    """Ask by batches: cheaper, and answered within hours."""

    size: Annotated[int, Field(ge=1, le=50_000)] = Field(default=10_000, description="the most requests in one batch")
    linger_s: Annotated[float, Field(ge=0)] = Field(
        default=2.0, description="a batch that is not full is submitted when no request has come for so many seconds"
    )
    poll_s: Annotated[float, Field(gt=0)] = Field(default=30.0, description="seconds between two looks at a batch")
    window: str = Field(default="24h", pattern=r"^\d+[hdm]$", description="within which the endpoint must answer")
    file_mb: Annotated[float, Field(gt=0, le=200)] = Field(default=200.0, description="the largest file, in MB")

    @property
    def in_flight(self) -> int:
        """How many requests may wait for their batches at once, where the recipe leaves it open."""
        return _BATCHES_AT_ONCE * self.size


def batched(
    teacher: AbstractAsyncContextManager[BatchClient],
    options: BatchOptions,
    ledger: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> BatchTeacher:
    """The teacher, asked by batches. `ledger` is the ledger's path: the record of batches lies beside it.

    `tell` is given what a person should know: what was submitted, what came back, how to resume.
    """
    return BatchTeacher(teacher, options, registry_path(ledger), tell)


class BatchTeacher(AbstractAsyncContextManager["BatchTeacher"]):
    """Gathers requests into batches. An async context manager; it opens and closes the client that it is given."""

    def __init__(
        self,
        client: AbstractAsyncContextManager[BatchClient],
        options: BatchOptions,
        registry: Path,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._unopened = client
        self._options = options
        self._path = registry
        self._tell = tell
        self._stack = AsyncExitStack()

    @property
    def model(self) -> str:
        return self._client.model

    @property
    def served_by(self) -> str:
        return self._client.served_by

    @property
    def paid(self) -> bool:
        return self._client.paid

    @property
    def waits(self) -> Waits:
        return getattr(self._client, "waits", None) or Waits()

    def recorded(self, question: Question) -> int | None:
        return self._client.recorded(question)

    async def __aenter__(self) -> BatchTeacher:
        async with AsyncExitStack() as stack:
            self._registry = BatchRegistry(self._path)
            stack.callback(self._registry.close)
            client = self._client = await stack.enter_async_context(self._unopened)
            async with self._registry.held():
                if self._registry.unread:
                    self._tell(f"{self._path}: {self._registry.unread:,} lines could not be read")
            self._calls = BatchCalls(client, self._options.poll_s)
            self._desk = Desk(client.served_by)
            self._collector = Collector(
                client, self._calls, self._registry, self._desk, self._options.poll_s, self._tell
            )
            self._sender = asyncio.create_task(self._send())
            stack.push_async_callback(self._end)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def __call__(self, request: Request) -> Reply:
        """Answered when the request's batch is. Raises TeacherError, like any try."""
        return await self._desk.ask(request.key(self.model, self.served_by), request)

    async def _end(self) -> None:
        self._sender.cancel()
        await asyncio.gather(self._sender, return_exceptions=True)
        await self._collector.end()
        self._desk.close()

    async def _send(self) -> None:
        try:
            while True:
                await self._gather()
                await self._collector.room.wait()
                async with self._registry.held():
                    await self._settle_open()
                    await self._attach()
                    await self._submit_all()
        except TeacherError as error:
            self._desk.break_off(error)
        except Exception as exc:  # noqa: BLE001 - a request waits for hours; whatever ends its wait must reach it
            self._desk.break_off(failure(exc))

    async def _gather(self) -> None:
        """Wait until a batch is full, or none has come for a while."""
        waiting, arrived, loop = self._desk.waiting, self._desk.arrived, asyncio.get_running_loop()
        while not waiting:
            arrived.clear()
            await arrived.wait()
        end = loop.time() + self._options.linger_s * _LONGEST_LINGER
        while len(waiting) < self._options.size and loop.time() < end:
            arrived.clear()
            try:
                await asyncio.wait_for(arrived.wait(), self._options.linger_s)
            except TimeoutError:
                return
        arrived.clear()

    async def _settle_open(self) -> None:
        """What an earlier process began and did not finish: find out whether a batch came of it."""
        holders = (self._registry.holder(key) for key in self._desk.waiting)
        for batch in {holder.token: holder for holder in holders if holder and holder.is_open}.values():
            state = await self._find(batch)
            if state is None:
                self._registry.give_up(batch)
            else:
                self._registry.submitted(batch, state.id)
                self._tell(f"batch {state.id} was submitted by a run that ended before it knew")

    async def _attach(self) -> None:
        """Requests that are in a batch already are answered from that one."""
        found: dict[str, RecordedBatch] = {}
        for key in list(self._desk.waiting):
            holder = self._registry.holder(key)
            if holder is not None and holder.may_answer(key):
                self._desk.put_into(holder, [key])
                found[holder.token] = holder
        for batch in found.values():
            await self._collector.attend(batch)

    async def _submit_all(self) -> None:
        """Full batches, and what is left over unless more is coming."""
        desk = self._desk
        while desk.waiting and (len(desk.waiting) >= self._options.size or not desk.arrived.is_set()):
            await self._submit()

    async def _submit(self) -> None:
        """One batch of what waits, as much as one takes."""
        desk = self._desk
        candidates = [(key, desk.request(key)) for key in itertools.islice(desk.waiting, self._options.size)]
        with tempfile.TemporaryFile(dir=self._path.parent) as file:
            written = await asyncio.to_thread(self._write, file, candidates)
            for key, error in written.refused.items():
                desk.end(key, error)
            if not written.keys or not desk.waiting.keys() >= set(written.keys):
                return  # where somebody no longer asks, the rest is written again
            batch = self._registry.intend(self.served_by, written.keys)
            desk.put_into(batch, batch.keys)
            try:
                state = await self._created(batch, file)
            except _UnsureError:
                raise
            except TeacherError as error:
                self._registry.give_up(batch)
                if not error.retryable:
                    _explain(error)
                    raise
                desk.end_all(batch.keys, error)
                return
        self._registry.submitted(batch, state.id)
        self._tell(f"batch {state.id}: {len(batch.keys):,} requests submitted to {self.served_by}")
        await self._collector.attend(batch)

    async def _created(self, batch: RecordedBatch, file: IO[bytes]) -> BatchState:
        uploaded = await self._calls.upload(file, f"reasonry-{batch.token}.jsonl")
        self._registry.uploaded(batch, uploaded)
        try:
            return await self._calls.create(uploaded, batch.token, self._options.window)
        except TeacherError as error:
            if not may_have_created(error):
                raise
            state = await self._find(batch)
            if state is None:
                raise
            return state

    async def _find(self, batch: RecordedBatch) -> BatchState | None:
        """The batch that came of an intention: known by our token, or by its file where no metadata are kept."""
        if batch.file is None:
            return None  # a batch is created after its file's id is written down
        try:
            for pause in _LOOKS:
                await asyncio.sleep(pause * self._options.poll_s)
                async for state in self._calls.listed():
                    if state.token == batch.token or state.input_file == batch.file:
                        return state
        except TeacherError as error:
            raise _UnsureError(
                f"whether a batch was created cannot be found out: {error.message}",
                fatal=True,
                http_status=error.http_status,
                hint=f"run again; or look for the file {batch.file} in the endpoint's list of batches, and where no "
                f"batch has it, move {self._path.name} aside",
            ) from error
        return None

    def _write(self, file: IO[bytes], candidates: Iterable[tuple[str, Request]]) -> _Written:
        """Lines for as many requests as a file may hold."""
        written = _Written([], {})
        left = int(self._options.file_mb * 1e6)
        for key, request in candidates:
            try:
                body = self._client.body(request)
            except TeacherError as error:
                written.refused[key] = error
                continue
            line = json.dumps({"custom_id": key, "method": "POST", "url": CHAT, "body": body}).encode() + b"\n"
            if len(line) > self._options.file_mb * 1e6:
                written.refused[key] = TeacherError(f"the request is larger than {self._options.file_mb:g} MB")
                continue
            if len(line) > left:
                break
            left -= file.write(line)
            written.keys.append(key)
        file.flush()
        return written


class _UnsureError(TeacherError):
    """A batch may or may not exist, and the endpoint cannot be asked. What was intended stays written down."""


def _explain(error: TeacherError) -> None:
    """A refusal of a file or of a batch as such: no other one would be taken either."""
    if error.hint is None or error.http_status == 404:
        error.hint = "does the endpoint offer OpenAI's batch API? if not, leave distil.batch out"
    if error.http_status == 413:
        error.hint = "distil.batch.file_mb: a smaller file, as the endpoint allows"


@dataclass(frozen=True, slots=True)
class _Written:
    keys: list[str]
    refused: dict[str, TeacherError]
