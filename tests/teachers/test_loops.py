"""The loop on a thread: what it runs, and what it leaves behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from reasonry.teachers.asking.loops import LoopThread


def test_leaving_cancels_what_still_runs() -> None:
    started, ended = threading.Event(), threading.Event()

    async def forever() -> None:
        started.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ended.set()
            raise

    with LoopThread("test") as loop:
        future = loop.submit(forever())
        assert started.wait(5)
    assert ended.is_set()
    assert not future.done() or future.cancelled()
    assert "test" not in {thread.name for thread in threading.enumerate()}


def test_a_manager_is_entered_and_left_in_one_task() -> None:
    tasks: list[asyncio.Task[None] | None] = []

    @asynccontextmanager
    async def noting() -> AsyncGenerator[str]:
        tasks.append(asyncio.current_task())
        yield "value"
        tasks.append(asyncio.current_task())

    with LoopThread("test") as loop, loop.hold(noting()) as value:
        assert value == "value"
    assert len(tasks) == 2
    assert tasks[0] is tasks[1]


@pytest.mark.parametrize("when", ["entering", "leaving"])
def test_an_error_of_a_manager_comes_through(when: str) -> None:
    @asynccontextmanager
    async def failing() -> AsyncGenerator[None]:
        if when == "entering":
            raise OSError("no such host")
        yield
        raise OSError("no such host")

    with pytest.raises(OSError, match="no such host"), LoopThread("test") as loop, loop.hold(failing()):
        assert when == "leaving"
