"""Runs that share their tables and their ledger, several at a time: each in a process that ends with this one.

A child is a run folder like any other: `reasonry show`, `report` and `explain` read it. Its `tables` is a link to the
tables that all share, so what one sealed no other does again.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reasonry.console import Console
from reasonry.errors import StoreError, WorkFailed
from reasonry.recipe import Recipe
from reasonry.run import RunResult, run
from reasonry.teachers.asking.spending import Budget

__all__ = ["Child", "Ended", "ledger_of", "run_children", "shared_run"]

_TABLES, _LEDGER = "tables", "ledger.sqlite"


@dataclass(frozen=True, slots=True)
class Child:
    """A run that is to be made: the recipe's file, what is set, its folder, and the folder of what is shared."""

    recipe: str
    settings: tuple[str, ...]
    folder: str
    shared: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A child that came to its end; `error` says what stopped it."""

    child: Child
    error: str | None


def ledger_of(shared: Path) -> Path:
    """The ledger that runs below this folder share."""
    return shared / _LEDGER


def shared_run(
    recipe: Recipe,
    folder: Path,
    shared: Path,
    *,
    workers: int | None,
    console: Console,
    budget: Budget | None = None,
) -> RunResult:
    """Run a recipe into `folder`, with tables and ledger of `shared`, which the caller holds and sweeps."""
    _link(folder, shared)
    ledger = ledger_of(shared)
    return run(recipe, folder, console=console, workers=workers, ledger=ledger, sweep=False, budget=budget)


def _link(folder: Path, shared: Path) -> None:
    try:
        (shared / _TABLES).mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".lock").touch()  # ours: what stands here is a run's
        link = folder / _TABLES
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(shared / _TABLES, folder), target_is_directory=True)
    except OSError as exc:
        raise StoreError(f"cannot be written: {exc.strerror}", place=str(folder), hint="--out FOLDER") from exc


def run_children(groups: Sequence[Sequence[Child]], at_once: int, on_end: Callable[[Ended], None]) -> None:
    """Run all children, those of a group one after the other. Raises WorkFailed where some failed, after all others.

    Two children that would seal the same table belong in one group.
    """
    waiting: queue.SimpleQueue[Sequence[Child]] = queue.SimpleQueue()
    for group in groups:
        waiting.put(group)
    ended: queue.SimpleQueue[Ended | BaseException | None] = queue.SimpleQueue()
    workers = [_Worker() for _ in range(min(at_once, len(groups)))]
    threads = [threading.Thread(target=_serve, args=(worker, waiting, ended), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    failed: list[Ended] = []
    try:
        for one in _results(ended, len(threads)):
            on_end(one)
            if one.error is not None:
                failed.append(one)
    finally:
        for worker in workers:
            worker.end()
    if failed:
        raise WorkFailed(
            f"{len(failed)} runs failed; the first: {failed[0].error}",
            place=failed[0].child.folder,
            hint="what is sealed is kept: run again once it is mended",
        )


def _results(ended: queue.SimpleQueue[Ended | BaseException | None], threads: int) -> Iterator[Ended]:
    while threads:
        one = ended.get()
        if one is None:
            threads -= 1
        elif isinstance(one, BaseException):
            raise one
        else:
            yield one


def _serve(
    worker: _Worker,
    waiting: queue.SimpleQueue[Sequence[Child]],
    ended: queue.SimpleQueue[Ended | BaseException | None],
) -> None:
    try:
        while True:
            try:
                group = waiting.get_nowait()
            except queue.Empty:
                break
            for child in group:
                ended.put(worker.run(child))
    except BaseException as exc:  # noqa: BLE001 - whoever waits for results gets it
        ended.put(exc)
    ended.put(None)


class _Worker:
    """A process that runs one child after another: what it imports, it imports once."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "reasonry.ablating.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, child: Child) -> Ended:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(asdict(child)) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkFailed(
                f"the process that ran a cell ended with {self._process.wait()}",
                place=child.folder,
                hint="memory? fewer --workers need less; what is sealed is kept",
            )
        told: dict[str, Any] = json.loads(line)
        return Ended(child, told["error"])

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
