"""The `ray` executor: rows spread over the processors of a Ray cluster, with the outcomes of the local executor.

An actor for each processor holds a local executor with one worker: limits, second tries and the box for programs are
those of its node. Rows go to it in batches. Whatever ends an actor (a killed process, a lost node) costs the batches
that it had, and only those: others do them again. A batch with which three actors ended is taken apart, so that a row
that ends actors costs itself alone.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from reasonry.cluster import LOOK_S, Crew, Member, Share, connected, fingerprint, is_lost, need_cluster, somewhere
from reasonry.contracts import Limits, Outcome, Work
from reasonry.errors import WorkFailed
from reasonry.executors.frames import Encoded, json_bytes
from reasonry.executors.local import LocalExecutor, given_workers
from reasonry.registry import part
from reasonry.types import JsonMap

__all__ = ["Hands", "RayExecutor", "ray"]

AHEAD = 2  # batches that an actor has at hand: one under way, one that waits
BATCH_S = 0.25  # how long the rows of a batch should take together
BATCH_ROWS = 4096  # at most; the first has one row
BATCH_BYTES = 2 << 20  # a batch ends with the row that exceeds this
WINDOW_BYTES = 8 << 20  # for each actor: how far reading may be ahead of what was taken, as JSON
WINDOW_ROWS = 4 * BATCH_ROWS  # ... and in rows
TRIES = 3  # of a batch, and then of each of its rows


class Hands:
    """The actor: one processor of a node. Rows come in and outcomes go out as JSON.

    The rows of a batch come as one text, which Ray hands on as it is; a list of texts would be copied several times.
    """

    def __init__(self) -> None:
        self._executor = LocalExecutor(1)
        self._seen: set[bytes] = set()

    def hello(self) -> tuple[str, dict[str, str]]:
        return somewhere(), dict(fingerprint())

    def do(self, order: bytes, lengths: list[int], text: bytes) -> bytes:
        """What became of each row, and in how many seconds (null the first time, when workers start)."""
        began = time.perf_counter()
        target, options, cpu_s, memory_mb = json.loads(order)
        try:
            rows = _apart(lengths, text)
            found = self._executor.map(Work(target, options), rows, Limits(cpu_s, memory_mb))
            outcomes = [[each.value] if each.failure is None else [each.failure, each.detail] for each in found]
        except WorkFailed as exc:
            return json_bytes({"failed": [exc.message, exc.place, exc.hint]})
        is_first = order not in self._seen
        self._seen.add(order)
        return json_bytes([None if is_first else time.perf_counter() - began, outcomes])


class RayExecutor:
    """Actors on an existing Ray cluster, kept for every `map`. Use it in a `with` block: leaving it ends them.

    `workers` None: one for each processor of the cluster, also of nodes that join later.
    """

    def __init__(self, workers: int | None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        self._stack = ExitStack()
        self._stack.enter_context(connected())
        self.crew = Crew(Hands, Share(), workers)
        self._stack.callback(self.crew.close)
        self.batches_again = 0
        self._is_closed = False

    @property
    def workers(self) -> int:
        """As many as the cluster has room for now."""
        return self.crew.wanted

    def map(self, work: Work, rows: Iterable[JsonMap], limits: Limits) -> Generator[Outcome]:
        """The outcome of each row, in order. Reads `rows` only a bounded number ahead of what was taken.

        Raises WorkFailed where workers cannot start, nodes are unlike this machine, or there has been none for a while.
        """
        if self._is_closed:
            raise WorkFailed("the executor is closed", hint="use it inside its with block")
        if limits.cpu_s <= 0 or limits.memory_mb <= 0:
            raise ValueError(f"limits must be positive: {limits}")
        return _Mapping(self, work, rows, limits).outcomes()

    def close(self) -> None:
        """End every actor now, and leave the cluster."""
        self._is_closed = True
        self._stack.close()

    def __enter__(self) -> RayExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@part("executor", "ray", needs=need_cluster)
def ray(workers: int | None) -> RayExecutor:
    """The processors of an existing Ray cluster: RAY_ADDRESS, or the one that was started on this machine."""
    return RayExecutor(workers or given_workers())


@dataclass(slots=True, eq=False)
class _Batch:
    """Rows that stand together, the first of them at `first`."""

    first: int
    rows: list[bytes]
    size: int  # in bytes
    ends: int = 0  # how many actors ended while they had it under way


class _Mapping:
    """One call of `map`: which batch is where, and what became of it."""

    def __init__(self, executor: RayExecutor, work: Work, rows: Iterable[JsonMap], limits: Limits) -> None:
        self._executor = executor
        self._crew = executor.crew
        self._order = json_bytes([work.target, dict(work.options), limits.cpu_s, limits.memory_mb])
        self._work = work
        self._source = iter(rows)
        self._again: deque[_Batch] = deque()
        self._running: dict[Any, tuple[Member, _Batch]] = {}
        self._done: dict[
            int, tuple[int, list[Any]]
        ] = {}  # by the first row: the size of the batch, and what it came to
        self._rows = 1  # of the next batch
        self._taken = 0
        self._yielded = 0
        self._front: bytes | None = None  # read, and in no batch yet
        self._bytes = 0  # of the rows taken and not yet yielded

    def outcomes(self) -> Generator[Outcome]:
        try:
            while True:
                while (done := self._done.pop(self._yielded, None)) is not None:
                    size, found = done
                    self._yielded += len(found)
                    self._bytes -= size
                    yield from map(_outcome, found)
                if not self._share_out():
                    return
                self._wait()
        finally:
            for member, _ in list(self._running.values()):
                self._crew.dismiss(member)

    def _share_out(self) -> bool:
        """Give batches to the actors that run low, the lowest first. True if any row is not done."""
        while low := [member for member in self._crew.members if member.is_there and member.jobs < AHEAD]:
            if (batch := self._next_batch()) is None:
                break
            member = min(low, key=lambda member: member.jobs)
            member.jobs += 1
            lengths, text = [len(row) for row in batch.rows], b"".join(batch.rows)
            self._running[member.actor.do.remote(self._order, lengths, text)] = member, batch
        return bool(self._running or self._again or self._peek() is not None)

    def _next_batch(self) -> _Batch | None:
        if self._again:
            return self._again.popleft()
        width = max(1, len(self._crew.members))
        most = min(self._rows, self._yielded + WINDOW_ROWS * width - self._taken)
        room = min(BATCH_BYTES, WINDOW_BYTES * width - self._bytes)
        rows: list[bytes] = []
        size = 0
        while len(rows) < most and size < room and (row := self._peek()) is not None:
            self._front = None
            rows.append(row)
            size += len(row)
        if not rows:
            return None
        batch = _Batch(self._taken, rows, size)
        self._taken += len(rows)
        self._bytes += size
        return batch

    def _peek(self) -> bytes | None:
        """The next row, which stays where it is; None at the end."""
        if self._front is None and (row := next(self._source, None)) is not None:
            self._front = json_bytes(row if isinstance(row, dict) else dict(row))
        return self._front

    def _wait(self) -> None:
        """Until an actor says something, or it is time to look for new ones."""
        from ray import wait

        self._crew.hire()
        coming = {member.hello: member for member in self._crew.members if not member.is_there}
        watched = [*self._running, *coming]
        if not watched:
            time.sleep(LOOK_S)
        elif wait(watched, num_returns=1, timeout=LOOK_S)[0]:
            self._attend(wait(watched, num_returns=len(watched), timeout=0)[0], coming)
        self._crew.check()

    def _attend(self, settled: list[Any], coming: dict[Any, Member]) -> None:
        for ref in settled:
            if ref in coming:
                self._crew.meet(coming[ref])
            elif ref in self._running:
                self._heard(ref)

    def _heard(self, ref: Any) -> None:
        """A batch came back, or its actor is lost."""
        from ray import get
        from ray.exceptions import RayError

        member, batch = self._running[ref]
        try:
            answer: Any = json.loads(get(ref))
        except RayError as exc:
            if not is_lost(exc):
                raise WorkFailed(f"ray: {exc}", place=self._work.target, hint="`ray status`; run again") from exc
            self._lost(member)
            return
        del self._running[ref]
        member.jobs -= 1
        if isinstance(answer, dict):
            message, place, hint = answer["failed"]
            raise WorkFailed(f"{message} (on node {member.node})", place=place, hint=hint)
        seconds, outcomes = answer
        self._learn(batch, seconds)
        self._done[batch.first] = batch.size, outcomes

    def _learn(self, batch: _Batch, seconds: float | None) -> None:
        """How many rows make a batch of the right length."""
        if seconds is None or len(batch.rows) != self._rows:
            return
        if seconds < BATCH_S / 2:
            self._rows = min(BATCH_ROWS, self._rows * 2)
        elif seconds > BATCH_S * 2:
            self._rows = max(1, self._rows // 2)

    def _lost(self, member: Member) -> None:
        """All that an actor had at hand goes to others. What it had under way may be what ended it."""
        self._crew.dismiss(member)
        lost = {ref: batch for ref, (holder, batch) in self._running.items() if holder is member}
        for ref in lost:
            del self._running[ref]
        self._executor.batches_again += len(lost)
        first, *behind = lost.values()
        first.ends += 1
        self._again.extendleft(reversed([*self._judged(first), *behind]))

    def _judged(self, batch: _Batch) -> Iterator[_Batch]:
        """What is to be tried again of a batch with which an actor ended."""
        if batch.ends < TRIES:
            yield batch
        elif len(batch.rows) > 1:
            for place, row in enumerate(batch.rows):
                yield _Batch(batch.first + place, [row], len(row))
        else:
            self._done[batch.first] = batch.size, [["died", f"its actor ended {batch.ends} times"]]


def _apart(lengths: list[int], text: bytes) -> Iterator[Encoded]:
    """The rows of a batch."""
    at = 0
    for length in lengths:
        yield Encoded(text[at : at + length])
        at += length


def _outcome(told: list[Any]) -> Outcome:
    if len(told) == 1:
        return Outcome(told[0])
    failure, detail = told
    return Outcome(failure=failure, detail=detail)
