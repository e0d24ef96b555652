"""Collecting batches: wait until one has ended, download what it wrote, hand the replies over.

Whatever a batch did answer is kept, also where it expired, was cancelled, or lost lines. A batch that the endpoint
refused as a whole was not paid for: its requests are submitted again where that may help.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from reasonry.errors import TeacherError
from reasonry.teachers.batching.calls import BatchCalls, BatchClient, BatchState
from reasonry.teachers.batching.desk import Desk
from reasonry.teachers.batching.registry import BatchRegistry, RecordedBatch
from reasonry.teachers.batching.results import Results, reply_in
from reasonry.types import Reply

__all__ = ["Collector", "failure"]

_SHORT_PAUSES = (0.1, 1.0)  # in poll_s: result files may be written after the batch is called complete
_QUEUE_FULL = "token_limit_exceeded"
_QUEUE_PAUSE = 10  # in poll_s: until a queue that others fill is tried again
_QUEUE_TRIES = 3
_SPENT = frozenset({"billing_hard_limit_reached", "insufficient_quota"})
_MOST_BAD_FILES = 3  # in a row, each with other lines at fault
_AT_ONCE = 256  # replies read between two turns of the event loop


class Collector:
    """Collects any number of batches at the same time. `room` is cleared while no further batch is to be submitted."""

    def __init__(
        self,
        client: BatchClient,
        calls: BatchCalls,
        registry: BatchRegistry,
        desk: Desk,
        poll_s: float,
        tell: Callable[[str], None],
    ) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self._client = client
        self._calls = calls
        self._registry = registry
        self._desk = desk
        self._poll_s = poll_s
        self._tell = tell
        self._folder: Path = registry.path.parent
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._results: dict[str, Results] = {}
        self._lost = Counter[str]()  # answers that were counted and not given, by key
        self._handed: dict[str, int] = {}
        self._touched: set[str] = set()
        self._handing = asyncio.Lock()
        self._bad_files = 0
        self._full_alone = 0

    async def attend(self, batch: RecordedBatch) -> None:
        """See to it that what is asked for in this batch is answered from it."""
        self._touched.add(batch.token)
        if batch.token in self._results:
            await self._hand_over(batch)
        if batch.token not in self._tasks and self._desk.asked_in(batch):
            self._tasks[batch.token] = asyncio.create_task(self._collect(batch))

    async def end(self) -> None:
        """Stop. What is under way stays with the endpoint, and a person is told how to get it."""
        left = [self._registry.batches[token] for token in self._tasks]
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for results in self._results.values():
            results.close()
        if left:
            count = sum(len(batch.keys) for batch in left)
            self._tell(
                f"{count:,} requests in {len(left):,} batches stay with {self._client.served_by}: "
                "run again to collect them; nothing is paid for twice"
            )
        self._tell_of_strays()

    def _tell_of_strays(self) -> None:
        stray = [
            str(batch.id)
            for batch in self._registry.batches.values()
            if batch.id and not batch.is_collected and batch.token not in self._touched
            if batch.served_by == self._client.served_by
        ]
        if stray:
            names = ", ".join(stray[:3]) + (", ..." if len(stray) > 3 else "")
            self._tell(f"{len(stray):,} batches submitted earlier were not asked for by this run: {names}")

    async def _collect(self, batch: RecordedBatch) -> None:
        try:
            state = await self._ended(batch)
            if state.status == "failed" and not state.files:
                await self._on_invalid(batch, state)
            else:
                await self._on_results(batch, state)
        except TeacherError as error:
            self._desk.break_off(error)
        except Exception as exc:  # noqa: BLE001 - a request waits for hours; whatever ends its wait must reach it
            self._desk.break_off(failure(exc))
        finally:
            del self._tasks[batch.token]
        await self.attend(batch)  # some may have been asked for while the others were handed over

    async def _ended(self, batch: RecordedBatch) -> BatchState:
        assert batch.id is not None
        wait_s = min(1.0, self._poll_s)
        while True:
            try:
                state = await self._calls.retrieve(batch.id)
            except TeacherError as error:
                if error.http_status == 404:
                    raise self._unknown(batch) from error
                raise
            if state.is_over:
                return state
            await asyncio.sleep(wait_s * random.uniform(0.75, 1.25))
            wait_s = min(1.5 * wait_s, self._poll_s)

    def _unknown(self, batch: RecordedBatch) -> TeacherError:
        path = self._registry.path
        return TeacherError(
            f"{self._client.served_by} does not know the batch {batch.id}",
            fatal=True,
            place=str(path),
            hint="use the key of the account that submitted it; or, to give it up and to pay for its requests again, "
            f"move {path.name} aside",
        )

    async def _on_results(self, batch: RecordedBatch, state: BatchState) -> None:
        results = await self._downloaded(batch, state)
        self._bad_files = self._full_alone = 0
        self.room.set()
        unanswered = [key for key in batch.keys if not results.is_answer(key)]
        self._tell(_summary(batch, state, results, len(unanswered)))
        self._results[batch.token] = results
        await self._hand_over(batch, state.status)
        if not batch.is_collected or not batch.recorded_unanswered.issuperset(unanswered):
            async with self._registry.held():
                self._registry.collected(batch, state.status, unanswered)

    async def _downloaded(self, batch: RecordedBatch, state: BatchState) -> Results:
        """What the batch wrote. Looked for again where there is less of it than the endpoint counts."""
        for pause in _SHORT_PAUSES:
            results = await self._read(batch, state)
            if len(results) >= state.ended:
                return results
            results.close()
            await asyncio.sleep(pause * self._poll_s)
            state = await self._ended(batch)
        results = await self._read(batch, state)
        results.is_short = len(results) < state.ended
        return results

    async def _read(self, batch: RecordedBatch, state: BatchState) -> Results:
        results = Results(self._folder)
        try:
            for file in state.files:
                try:
                    await self._calls.download(file, results.file)
                except TeacherError as error:
                    if error.http_status not in (404, 410):
                        raise
                    self._tell(f"batch {batch.id}: the endpoint has no file {file} (any more)")
                results.file.write(b"\n")
            await asyncio.to_thread(results.index, frozenset(batch.keys))
        except BaseException:
            results.close()
            raise
        return results

    async def _hand_over(self, batch: RecordedBatch, status: str = "completed") -> None:
        """Answers first, so that none is lost to an error that ends the run."""
        async with self._handing:
            results = self._results.get(batch.token)
            if results is None:
                return
            keys = sorted(self._desk.asked_in(batch), key=lambda key: not results.is_answer(key))
            fatal: TeacherError | None = None
            for number, key in enumerate(keys, start=1):
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
                if not self._desk.is_asked_in(key, batch):
                    continue
                outcome = self._outcome(key, results, status)
                if isinstance(outcome, Reply):
                    self._handed[batch.token] = self._handed.get(batch.token, 0) + 1
                else:
                    batch.unanswered.add(key)
                    fatal = fatal or (outcome if outcome.fatal else None)
                if fatal is None:
                    self._desk.end(key, outcome)
            if self._handed.get(batch.token, 0) >= results.answered:
                self._results.pop(batch.token).close()
            if fatal is not None:
                self._desk.break_off(fatal)

    def _outcome(self, key: str, results: Results, status: str) -> Reply | TeacherError:
        line = results.line(key)
        if line is None and results.is_short:
            self._lost[key] += 1
            what = "the endpoint counts more results of the batch than it gives, and has none for this request"
            # Asked again, it is paid for again: once is enough to see whether it is lost again.
            return TeacherError(what, retryable=self._lost[key] == 1)
        if line is None:
            return TeacherError(f"the batch is {status} and has no result for this request", retryable=True)
        try:
            return reply_in(line, self._desk.request(key), self._client, is_alone=not results.answered)
        except TeacherError as error:
            return error

    async def _on_invalid(self, batch: RecordedBatch, state: BatchState) -> None:
        """The endpoint refused the file as a whole. Lines that are at fault are no reason to lose the others."""
        async with self._registry.held():
            self._registry.collected(batch, state.status, batch.keys)
        if any(problem.code == _QUEUE_FULL for problem in state.problems):
            await self._wait_for_queue(batch, state)
            return
        self.room.set()
        self._bad_files += 1
        bad = {problem.line: problem for problem in state.problems if problem.line is not None}
        at_fault = {batch.keys[line - 1]: problem for line, problem in bad.items() if 0 < line <= len(batch.keys)}
        speaks_of_lines = bool(at_fault) and all(problem.line is not None for problem in state.problems)
        if not speaks_of_lines or len(at_fault) == len(batch.keys) or self._bad_files > _MOST_BAD_FILES:
            raise _refused(batch, state)
        for key, problem in at_fault.items():
            self._desk.end(key, TeacherError(f"the endpoint refused the request: {problem}", http_status=400))
        self._desk.put_back(self._desk.asked_in(batch))

    async def _wait_for_queue(self, batch: RecordedBatch, state: BatchState) -> None:
        """The account may have no more queued: wait for our other batches, or for those of others."""
        if len(self._tasks) > 1:
            self.room.clear()
            self._tell(f"batch {batch.id}: the account's queue is full; submitted again when another batch has ended")
        else:
            self._full_alone += 1
            if self._full_alone > _QUEUE_TRIES:
                raise _refused(batch, state)
            self._tell(f"batch {batch.id}: the account's queue is full; submitted again after a while")
            await asyncio.sleep(_QUEUE_PAUSE * self._poll_s)
            self.room.set()
        self._desk.put_back(self._desk.asked_in(batch))


def _summary(batch: RecordedBatch, state: BatchState, results: Results, unanswered: int) -> str:
    counts = {
        "without an answer": unanswered,
        "lines that cannot be read": results.malformed,
        "lines of no request": results.unknown,
        "lines that came again": results.repeated,
    }
    told = "".join(f", {count:,} {what}" for what, count in counts.items() if count)
    return f"batch {batch.id}: {state.status}, {results.answered:,} of {len(batch.keys):,} answered{told}"


def _refused(batch: RecordedBatch, state: BatchState) -> TeacherError:
    first = state.problems[0] if state.problems else None
    more = f" (and {len(state.problems) - 1:,} more)" if len(state.problems) > 1 else ""
    hint = "mend what it says and run again: nothing of this batch was paid for"
    if first is not None and first.code == _QUEUE_FULL:
        hint = "distil.batch.size: fewer requests in one batch, or wait until the account's other batches have ended"
    elif first is not None and first.code in _SPENT:
        hint = "the account has no credit left"
    why = f"{first}{more}" if first is not None else "it does not say why"
    return TeacherError(f"the endpoint refused the batch {batch.id}: {why}", fatal=True, hint=hint)


def failure(exc: Exception) -> TeacherError:
    """What was not foreseen, as an error that ends the run."""
    hint = "mend the disk or its permissions and run again: what was submitted is collected then"
    what = f"asking by batches failed: {type(exc).__name__}: {str(exc)[:200]}"
    error = TeacherError(what, fatal=True, hint=hint if isinstance(exc, OSError) else None)
    error.__cause__ = exc
    return error
