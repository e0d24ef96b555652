"""Spreading a pure function of ours over an executor, in batches: a row of the executor is a list of rows.

A function of 50 microseconds costs more on its way to a worker than in it where rows go one by one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from reasonry.contracts import Executor, Limits, Mapper, Work
from reasonry.errors import WorkFailed
from reasonry.types import JsonMap

__all__ = ["in_process", "spread", "worker"]

BATCH_ROWS = 500
BATCH_CHARACTERS = 1 << 20
_LIMITS = Limits(cpu_s=600.0, memory_mb=8192)  # for a batch of our own code: only to end what never ends
_TARGET = "reasonry.executors.spread:worker"

Batch = Sequence[JsonMap]


def spread(executor: Executor) -> Mapper:
    """A mapper that uses the executor's workers."""

    def mapper(work: Work, rows: Iterable[JsonMap]) -> Iterator[Any]:
        wrapped = Work(_TARGET, {"target": work.target, "options": dict(work.options)})
        batches = ({"rows": batch} for batch in _batches(rows))
        for outcome in executor.map(wrapped, batches, _LIMITS):
            if outcome.failure is not None:
                detail = f"a batch of rows could not be done: {outcome.failure}: {outcome.detail}"
                raise WorkFailed(detail, place=work.target, hint="run again; with --workers 1 the error will show")
            yield from outcome.value

    return mapper


def in_process(work: Work, rows: Iterable[JsonMap]) -> Iterator[Any]:
    """A mapper without workers."""
    function = _made(work.target, work.options)
    for batch in _batches(rows):
        yield from function(batch)


def worker(options: JsonMap) -> Callable[[JsonMap], list[Any]]:
    """What worker processes import: calls the function for each batch."""
    function = _made(options["target"], options["options"])
    return lambda row: list(function(row["rows"]))


def _made(target: str, options: JsonMap) -> Callable[[Batch], Sequence[Any]]:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)(options)


def _batches(rows: Iterable[JsonMap]) -> Iterator[list[JsonMap]]:
    """Bounded in rows and in text."""
    batch: list[JsonMap] = []
    room = BATCH_CHARACTERS
    for row in rows:
        batch.append(row)
        room -= sum(len(value) for value in row.values() if isinstance(value, str))
        if len(batch) >= BATCH_ROWS or room <= 0:
            yield batch
            batch, room = [], BATCH_CHARACTERS
    if batch:
        yield batch
