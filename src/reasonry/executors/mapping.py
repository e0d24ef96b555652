"""One call of `map`: which row is where, and what became of it.

Rows go out in frames of many, and each is settled once: by the result that a worker sent, or by the way in which its
worker ended. A worker that ends leaves three kinds of rows, told apart by its marker:

- the row that was under way: a `timeout` where the kernel's timer ended it, else it gets a second try, alone in a new
  worker, since the end may have been no fault of its own; where that one ends too, the row has `died`;
- rows before it, finished but not yet told: they are run again, each in a frame of its own, so that no worker's end can
  take their results along a second time;
- rows behind it, not begun: they go to whoever is free next.

So every end of a worker settles a row or leaves one fewer that may end another, and the number of ends is bounded by
twice the number of rows.
"""

from __future__ import annotations

import selectors
import signal
import time
from collections import deque
from collections.abc import Generator, Iterable
from typing import Any, Protocol

from reasonry.contracts import Limits, Outcome, Work
from reasonry.errors import WorkFailed
from reasonry.executors.frames import Encoded, json_bytes, rows_frame
from reasonry.executors.lanes import FRAME_BYTES, Lane, Row
from reasonry.executors.marker import IDLE, RUNNING
from reasonry.executors.process import WorkerProcess
from reasonry.types import JsonMap

__all__ = ["WINDOW_ROWS", "Mapping", "Workers"]

WINDOW_ROWS = 4096  # for each worker: how far reading may be ahead of what was taken
WINDOW_BYTES = 64 << 20  # ... and for all of them together, as JSON
START_S = 120.0  # wall seconds to import and prepare, which no row is charged for
WALL_FACTOR, WALL_EXTRA_S = 5.0, 1.0  # wall limit of a row, from its CPU limit: for rows that sleep


class Workers(Protocol):
    """Where workers come from and go to."""

    @property
    def workers(self) -> int: ...
    def take(self, work: Work, *, fresh: bool) -> WorkerProcess: ...
    def give_back(self, work: Work, worker: WorkerProcess, *, is_idle: bool) -> None: ...


class Mapping:
    def __init__(self, pool: Workers, work: Work, rows: Iterable[JsonMap | Encoded], limits: Limits) -> None:
        self._pool = pool
        self._work = work
        self._limits = limits
        self._wall_s = WALL_FACTOR * limits.cpu_s + WALL_EXTRA_S
        self._source = iter(rows)
        self._again: deque[Row] = deque()
        self._lanes = [Lane() for _ in range(pool.workers)]
        self._settled: dict[int, tuple[Outcome, int]] = {}  # with the bytes of the row
        self._taken = 0
        self._yielded = 0
        self._bytes = 0  # of the rows taken and not yet yielded
        self._window = WINDOW_ROWS * pool.workers
        self._selector = selectors.DefaultSelector()
        self._listened = time.monotonic()

    def outcomes(self) -> Generator[Outcome]:
        try:
            while True:
                while (settled := self._settled.pop(self._yielded, None)) is not None:
                    self._yielded += 1
                    self._bytes -= settled[1]
                    yield settled[0]
                if not self._share_out():
                    return
                self._wait()
        finally:
            self._release()

    def _share_out(self) -> bool:
        """Give frames to the lanes that run low, the lowest first. True if any lane has rows."""
        while low := [lane for lane in self._lanes if lane.takes_more]:
            lane = min(low, key=lambda lane: lane.frames)
            if not (rows := self._next_rows(lane.size)):
                break
            self._send(lane, rows)
        return any(lane.rows for lane in self._lanes)

    def _next_rows(self, size: int) -> list[Row]:
        """The rows of one frame."""
        rows: list[Row] = []
        room = FRAME_BYTES
        while len(rows) < size and room > 0:
            if self._again:
                if rows and self._again[0].is_single:
                    break
                row = self._again.popleft()
            elif (row := self._new_row()) is None:
                break
            rows.append(row)
            room -= len(row.text)
            if row.is_single:
                break
        return rows

    def _new_row(self) -> Row | None:
        if self._taken - self._yielded >= self._window or self._bytes >= WINDOW_BYTES:
            return None
        row = next(self._source, None)
        if row is None:
            return None
        text = b"[%d,%s]" % (self._taken, row if isinstance(row, Encoded) else json_bytes(_plain(row)))
        self._taken += 1
        self._bytes += len(text)
        return Row(self._taken - 1, text)

    def _send(self, lane: Lane, rows: list[Row]) -> None:
        if lane.worker is None:
            lane.worker = self._pool.take(self._work, fresh=rows[0].is_alone)
            self._selector.register(lane.worker.stdout, selectors.EVENT_READ, lane)
        lane.add(rows)
        lane.worker.send(rows_frame(self._limits.cpu_s, self._limits.memory_mb, [row.text for row in rows]))

    def _wait(self) -> None:
        """Until a worker says something, can take more, or may have run out of time."""
        self._watch_writes()
        self._forgive(time.monotonic() - self._listened)
        # Often enough to see the beginning of a row soon: its wall clock runs from when we see it.
        for key, _ in self._selector.select(self._wall_s / 10):
            lane: Lane = key.data
            if lane.worker is not None and key.fd == lane.worker.stdin:
                lane.worker.flush()
            else:
                self._listen(lane)
        self._listened = now = time.monotonic()
        for lane in self._lanes:
            if lane.worker is not None and lane.rows:
                self._check_clock(lane, lane.worker, now)

    def _forgive(self, seconds: float) -> None:
        """While nobody listened, a worker may have waited for us; a row under way waits for nobody."""
        for lane in self._lanes:
            if lane.seen[1] != RUNNING:
                lane.since += seconds

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

    def _listen(self, lane: Lane) -> None:
        worker = lane.worker
        if worker is None:
            return
        for message in worker.receive():
            self._heard(lane, worker, message)
            if lane.worker is not worker:
                return  # replaced: what it said about the rows behind no longer counts
        if worker.has_ended:
            self._ended(lane, worker)

    def _heard(self, lane: Lane, worker: WorkerProcess, message: list[Any]) -> None:
        if message[0] == "ready":
            worker.is_ready = True
        elif message[0] == "failed":
            raise self._cannot_start(str(message[1]))
        else:
            _, seconds, results = message
            if seconds is not None:
                lane.frame_done(seconds)
            for result in results:
                self._result(lane, worker, result)
                if lane.worker is not worker:
                    return

    def _result(self, lane: Lane, worker: WorkerProcess, result: list[Any]) -> None:
        row = lane.rows[0]
        if result[1] == "done":
            outcome = Outcome(result[2])
        elif result[2] == "memory" and worker.rows_done and not row.is_alone:
            # What earlier rows left in the worker must not decide.
            self._drop_worker(lane)
            _, *behind = lane.empty()
            self._hand_on(behind)
            self._run_alone(lane, row)
            return
        else:
            outcome = Outcome(failure=result[2], detail=result[3])
        lane.rows.popleft()
        worker.rows_done += 1
        self._settle(row, outcome)

    def _settle(self, row: Row, outcome: Outcome) -> None:
        self._settled[row.index] = outcome, len(row.text)

    def _check_clock(self, lane: Lane, worker: WorkerProcess, now: float) -> None:
        """End a worker whose row used up its wall time, or that never came so far as to begin."""
        age = lane.age(now)
        index, phase = lane.seen
        if age < (self._wall_s if phase == RUNNING else START_S):
            return
        if not worker.is_ready:
            raise self._cannot_start(f"nothing heard in {START_S:.0f} s")
        worker.end()
        lane.overdue = index if phase != IDLE else lane.rows[0].index
        self._listen(lane)  # to what it sent before, and its end

    def _ended(self, lane: Lane, worker: WorkerProcess) -> None:
        """Settle what a worker left behind that has ended, one way or the other."""
        status = worker.end()
        if not worker.is_ready:
            raise self._cannot_start(worker.complaint() or _ending(status))
        index, phase = worker.marker.get()
        if lane.overdue is not None:
            index, is_timeout = lane.overdue, True
        else:
            is_timeout = status == -signal.SIGPROF and phase == RUNNING
        self._drop_worker(lane)
        rows = lane.empty()
        at = next((at for at, row in enumerate(rows) if row.index == index), None)
        if at is None:  # between two rows: the first in line is as good as any
            at, is_timeout = 0, False
        before, guilty, behind = rows[:at], rows[at : at + 1], rows[at + 1 :]
        for row in before:
            row.is_single = True
        self._hand_on([*before, *behind])
        for row in guilty:
            self._judge(lane, row, status, is_timeout=is_timeout)

    def _judge(self, lane: Lane, row: Row, status: int, *, is_timeout: bool) -> None:
        """The row with which a worker ended."""
        if is_timeout:
            # One text for both clocks: which of them was first depends on the load of the machine.
            detail = f"used up {self._limits.cpu_s:g} s of processor time or {self._wall_s:g} s of wall time"
            self._settle(row, Outcome(failure="timeout", detail=detail))
        elif row.is_alone:
            self._settle(row, Outcome(failure="died", detail=f"the worker ended twice: {_ending(status)}"))
        else:
            self._run_alone(lane, row)

    def _run_alone(self, lane: Lane, row: Row) -> None:
        row.is_alone = row.is_single = True
        self._send(lane, [row])

    def _hand_on(self, rows: list[Row]) -> None:
        """These go to whoever is free next."""
        self._again.extendleft(reversed(rows))

    def _drop_worker(self, lane: Lane, *, is_idle: bool = False) -> None:
        worker, lane.worker = lane.worker, None
        if worker is None:
            return
        for stream in (worker.stdin, worker.stdout):
            if stream in self._selector.get_map():
                self._selector.unregister(stream)
        self._pool.give_back(self._work, worker, is_idle=is_idle)

    def _release(self) -> None:
        for lane in self._lanes:
            is_idle = lane.worker is not None and lane.worker.is_ready and not lane.frames
            self._drop_worker(lane, is_idle=is_idle)
        self._selector.close()

    def _cannot_start(self, why: str) -> WorkFailed:
        hint = "import it in Python by hand: the same error will show"
        return WorkFailed(f"a worker process could not start: {why}", place=self._work.target, hint=hint)


def _plain(row: JsonMap) -> JsonMap:
    return row if isinstance(row, dict) else dict(row)


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
