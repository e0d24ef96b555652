"""An event loop on a thread of its own, so that requests go on while the caller does something else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Generator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

__all__ = ["LoopThread"]

T = TypeVar("T")


class LoopThread:
    """A running event loop; a context manager. On leaving, what still runs is cancelled and the loop is closed."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop. Cancelling the future cancels the coroutine."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    @contextmanager
    def hold(self, manager: AbstractAsyncContextManager[T]) -> Generator[T]:
        """Enter an async context manager on the loop, and leave it in the same task."""
        entered: Future[T] = Future()
        leave = asyncio.Event()

        async def inside() -> None:
            async with manager as value:
                entered.set_result(value)
                await leave.wait()

        task = self.submit(inside())
        try:
            either: list[Future[Any]] = [entered, task]
            wait(either, return_when=FIRST_COMPLETED)
            if not entered.done():
                task.result()
            yield entered.result()
        finally:
            self._loop.call_soon_threadsafe(leave.set)
            if entered.done():
                task.result()

    def __enter__(self) -> LoopThread:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(_cancel_others())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


async def _cancel_others() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
