"""The `local` executor: rows spread over worker processes of this machine.

A row that runs too long, eats memory or kills its worker costs that row its own limits and nothing else: the worker
is replaced and the rows behind it go on. Outcomes come back in the order of the rows, and are the same whatever the
number of workers.
"""

from __future__ import annotations

import selectors
import signal
import time
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from types import TracebackType

from reasonry.contracts import Limits, Outcome, Work
from reasonry.errors import WorkFailed
from reasonry.executors.frames import encode
from reasonry.executors.process import WorkerProcess
from reasonry.identity import canonical_json
from reasonry.registry import part
from reasonry.types import JsonMap

__all__ = ["LocalExecutor", "local"]

BATCH = 32  # rows that a worker has at hand, so that it never waits for the parent
REFILL = 16  # ... and below how many it gets more
START_S = 120.0  # wall seconds to import and prepare, which no row is charged for
WALL_FACTOR, WALL_EXTRA_S = 5.0, 1.0  # wall limit of a row, from its CPU limit: for rows that sleep


class LocalExecutor:
    """Worker processes, started when needed and kept for the next `map` of the same work.

    Use it in a `with` block: leaving it ends every worker. Raises WorkFailed where workers cannot start at all.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        self._workers = workers
        self._parked: dict[str, list[WorkerProcess]] = {}
        self._busy: set[WorkerProcess] = set()
        self._is_closed = False

    @property
    def workers(self) -> int:
        return self._workers

    def map(self, work: Work, rows: Iterable[JsonMap], limits: Limits) -> Generator[Outcome]:
        """The outcome of each row, in order. Reads `rows` only a bounded number ahead of what was taken."""
        if self._is_closed:
            raise WorkFailed("the executor is closed", hint="use it inside its with block")
        if limits.cpu_s <= 0 or limits.memory_mb <= 0:
            raise ValueError(f"limits must be positive: {limits}")
        return _Mapping(self, work, rows, limits).outcomes()

    def close(self) -> None:
        """End every worker now."""
        self._is_closed = True
        parked = [worker for workers in self._parked.values() for worker in workers]
        for worker in (*parked, *self._busy):
            worker.close()
        self._parked.clear()
        self._busy.clear()

    def take(self, work: Work, *, fresh: bool) -> WorkerProcess:
        """A worker for this work: one that waits, unless it must be new."""
        waiting = self._parked.get(_work_key(work))
        worker = waiting.pop() if waiting and not fresh else WorkerProcess(work)
        self._busy.add(worker)
        return worker

    def give_back(self, work: Work, worker: WorkerProcess, *, is_idle: bool) -> None:
        """Keep an idle worker for the next map; end any other."""
        self._busy.discard(worker)
        if is_idle and not worker.has_ended and not self._is_closed:
            self._parked.setdefault(_work_key(work), []).append(worker)
        else:
            worker.close()

    def __enter__(self) -> LocalExecutor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@part("executor", "local")
def local(workers: int) -> LocalExecutor:
    """Worker processes on this machine, with limits on CPU time and memory for each row."""
    return LocalExecutor(workers)


def _work_key(work: Work) -> str:
    return canonical_json([work.target, work.options])


@dataclass(slots=True, eq=False)
class _Row:
    index: int
    frame: bytes
    is_alone: bool = False  # second and last try, in a new worker with no other row


@dataclass(slots=True, eq=False)
class _Lane:
    """A place for one worker, with the rows it has at hand. The first of them is the one that runs."""

    rows: deque[_Row] = field(default_factory=deque[_Row])
    worker: WorkerProcess | None = None
    deadline: float | None = None

    def watch(self, seconds: float) -> None:
        """The first row must show a sign of life within so many wall seconds."""
        self.deadline = time.monotonic() + seconds if self.rows else None


class _Mapping:
    """One call of `map`: which row is where, and what became of it."""

    def __init__(self, executor: LocalExecutor, work: Work, rows: Iterable[JsonMap], limits: Limits) -> None:
        self._executor = executor
        self._work = work
        self._limits = limits
        self._wall_s = WALL_FACTOR * limits.cpu_s + WALL_EXTRA_S
        self._source = iter(rows)
        self._again: deque[_Row] = deque()
        self._lanes = [_Lane() for _ in range(executor.workers)]
        self._outcomes: dict[int, Outcome] = {}
        self._taken = 0
        self._yielded = 0
        self._window = 4 * BATCH * executor.workers
        self._selector = selectors.DefaultSelector()

    def outcomes(self) -> Generator[Outcome]:
        try:
            while True:
                while (outcome := self._outcomes.pop(self._yielded, None)) is not None:
                    self._yielded += 1
                    paused = time.monotonic()
                    yield outcome
                    self._forgive(time.monotonic() - paused)
                if not self._share_out():
                    return
                self._wait()
        finally:
            self._release()

    def _forgive(self, seconds: float) -> None:
        """While the caller works on an outcome nobody listens to the workers, so that time does not count."""
        for lane in self._lanes:
            if lane.deadline is not None:
                lane.deadline += seconds

    def _share_out(self) -> bool:
        """Give rows to the lanes that run low, the shortest first. True if any lane has rows."""
        low = [lane for lane in self._lanes if len(lane.rows) <= REFILL and not (lane.rows and lane.rows[0].is_alone)]
        while low:
            lane = min(low, key=lambda lane: len(lane.rows))
            if len(lane.rows) >= BATCH or (row := self._next_row()) is None:
                break
            self._assign(lane, row)
        return any(lane.rows for lane in self._lanes)

    def _next_row(self) -> _Row | None:
        if self._again:
            return self._again.popleft()
        if self._taken - self._yielded >= self._window:
            return None
        row = next(self._source, None)
        if row is None:
            return None
        frame = encode([self._taken, dict(row), self._limits.cpu_s, self._limits.memory_mb])
        self._taken += 1
        return _Row(self._taken - 1, frame)

    def _assign(self, lane: _Lane, row: _Row) -> None:
        if lane.worker is None:
            lane.worker = self._executor.take(self._work, fresh=row.is_alone)
            self._selector.register(lane.worker.stdout, selectors.EVENT_READ, lane)
        lane.rows.append(row)
        if len(lane.rows) == 1:
            lane.watch(START_S)
        lane.worker.send(row.frame)

    def _wait(self) -> None:
        """Until a worker says something, can take more, or has run out of time."""
        self._watch_writes()
        deadlines = [lane.deadline for lane in self._lanes if lane.deadline is not None]
        timeout = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        for key, _ in self._selector.select(timeout):
            lane: _Lane = key.data
            if lane.worker is not None and key.fd == lane.worker.stdin:
                lane.worker.flush()
            else:
                self._listen(lane)
        now = time.monotonic()
        for lane in self._lanes:
            if lane.deadline is not None and lane.deadline <= now:
                self._overdue(lane)

    def _watch_writes(self) -> None:
        """Wait for room in a worker's pipe only while there is something to write."""
        for lane in self._lanes:
            if lane.worker is None:
                continue
            watched = lane.worker.stdin in self._selector.get_map()
            if lane.worker.has_unsent and not watched:
                self._selector.register(lane.worker.stdin, selectors.EVENT_WRITE, lane)
            elif watched and not lane.worker.has_unsent:
                self._selector.unregister(lane.worker.stdin)

    def _listen(self, lane: _Lane) -> None:
        worker = lane.worker
        if worker is None:
            return
        for kind, *content in worker.receive():
            self._heard(lane, worker, kind, content)
            if lane.worker is not worker:
                return  # replaced: what it said about the rows behind no longer counts
        if worker.has_ended:
            self._died(lane, worker)

    def _heard(self, lane: _Lane, worker: WorkerProcess, kind: str, content: list[object]) -> None:
        if kind == "ready":
            worker.is_ready = True
        elif kind == "failed":
            raise self._cannot_start(str(content[0]))
        elif kind == "start":
            lane.watch(self._wall_s)
        elif kind == "done":
            self._settle(lane, worker, Outcome(content[1]))
        elif content[1] == "memory" and worker.rows_done and not lane.rows[0].is_alone:
            self._retry_first(lane)  # what earlier rows left in the worker must not decide
        else:
            failure = "memory" if content[1] == "memory" else "raised"
            self._settle(lane, worker, Outcome(failure=failure, detail=str(content[2])))

    def _settle(self, lane: _Lane, worker: WorkerProcess, outcome: Outcome) -> None:
        self._outcomes[lane.rows.popleft().index] = outcome
        worker.rows_done += 1
        lane.watch(START_S)

    def _overdue(self, lane: _Lane) -> None:
        """The first row used up its wall time (or its worker never came so far as to begin)."""
        worker = lane.worker
        if worker is None:
            return
        if not worker.is_ready:
            raise self._cannot_start(f"nothing heard in {START_S:.0f} s")
        self._drop_worker(lane)
        self._settle(lane, worker, self._timeout())
        self._hand_on(lane)

    def _died(self, lane: _Lane, worker: WorkerProcess) -> None:
        status = worker.finish()
        if not worker.is_ready:
            raise self._cannot_start(worker.complaint() or _ending(status))
        if not lane.rows:
            self._drop_worker(lane)
        elif status == -signal.SIGPROF:
            self._drop_worker(lane)
            self._settle(lane, worker, self._timeout())
            self._hand_on(lane)
        elif lane.rows[0].is_alone:
            self._drop_worker(lane)
            self._settle(lane, worker, Outcome(failure="died", detail=f"the worker ended twice: {_ending(status)}"))
        else:
            self._retry_first(lane)

    def _retry_first(self, lane: _Lane) -> None:
        """Once more, alone and in a new worker: the death may have been no fault of this row."""
        self._drop_worker(lane)
        first = lane.rows.popleft()
        self._hand_on(lane)
        first.is_alone = True
        self._assign(lane, first)

    def _hand_on(self, lane: _Lane) -> None:
        """The rows behind go to whoever is free next."""
        self._again.extendleft(reversed(lane.rows))
        lane.rows.clear()
        lane.deadline = None

    def _drop_worker(self, lane: _Lane, *, is_idle: bool = False) -> None:
        worker, lane.worker = lane.worker, None
        if worker is None:
            return
        for stream in (worker.stdin, worker.stdout):
            if stream in self._selector.get_map():
                self._selector.unregister(stream)
        self._executor.give_back(self._work, worker, is_idle=is_idle)

    def _release(self) -> None:
        for lane in self._lanes:
            is_idle = lane.worker is not None and lane.worker.is_ready and not lane.rows
            self._drop_worker(lane, is_idle=is_idle)
        self._selector.close()

    def _timeout(self) -> Outcome:
        # One text for both clocks: which of them was first depends on the load of the machine.
        detail = f"used up {self._limits.cpu_s:g} s of processor time or {self._wall_s:g} s of wall time"
        return Outcome(failure="timeout", detail=detail)

    def _cannot_start(self, why: str) -> WorkFailed:
        hint = "import it in Python by hand: the same error will show"
        return WorkFailed(f"a worker process could not start: {why}", place=self._work.target, hint=hint)


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
