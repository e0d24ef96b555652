"""The `local` executor: rows spread over worker processes of this machine.

A row that runs too long, eats memory or kills its worker costs that row its own limits and nothing else: the worker
is replaced and the rows behind it go on. Outcomes come back in the order of the rows, and are the same whatever the
number of workers.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from types import TracebackType

from reasonry import env
from reasonry.contracts import Limits, Outcome, Work
from reasonry.errors import UsageError, WorkFailed
from reasonry.executors.frames import Encoded
from reasonry.executors.mapping import Mapping
from reasonry.executors.process import WorkerProcess
from reasonry.identity import canonical_json
from reasonry.registry import part
from reasonry.types import JsonMap

__all__ = ["LocalExecutor", "default_workers", "given_workers", "local"]


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

    def map(self, work: Work, rows: Iterable[JsonMap | Encoded], limits: Limits) -> Generator[Outcome]:
        """The outcome of each row, in order. Reads `rows` only a bounded number ahead of what was taken."""
        if self._is_closed:
            raise WorkFailed("the executor is closed", hint="use it inside its with block")
        if limits.cpu_s <= 0 or limits.memory_mb <= 0:
            raise ValueError(f"limits must be positive: {limits}")
        return Mapping(self, work, rows, limits).outcomes()

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
def local(workers: int | None) -> LocalExecutor:
    """Worker processes on this machine, with limits on CPU time and memory for each row."""
    return LocalExecutor(workers or default_workers())


def default_workers() -> int:
    """REASONRY_WORKERS, or the processors this process may use. Raises UsageError for no number."""
    if (given := given_workers()) is not None:
        return given
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def given_workers() -> int | None:
    """REASONRY_WORKERS. Raises UsageError for no number."""
    given = env.read("REASONRY_WORKERS")
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or int(given) < 1:
        raise UsageError(f"not a number of workers: {given}", place="REASONRY_WORKERS", hint="REASONRY_WORKERS=2")
    return int(given)


def _work_key(work: Work) -> str:
    return canonical_json([work.target, work.options])
