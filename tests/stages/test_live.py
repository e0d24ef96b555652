"""Verifying while others are asked: nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import pytest

from reasonry.contracts import Limits, Outcome, Work
from reasonry.errors import WorkFailed
from reasonry.sections import VerifySection
from reasonry.stages.live import LiveVerifier
from reasonry.types import JsonMap, Question
from reasonry.verifiers.batch import VerifyItem


class Broken:
    """An executor that ends before it has been through its rows, or raises."""

    workers = 1

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def map(self, work: Work, rows: Iterable[JsonMap], limits: Limits) -> Iterator[Outcome]:
        next(iter(rows))
        if self._error is not None:
            raise self._error
        return iter(())


@pytest.mark.parametrize("executor", [Broken(), Broken(WorkFailed("no workers"))])
def test_who_waits_for_verdicts_that_do_not_come_is_told(executor: Broken) -> None:
    live = LiveVerifier(executor, VerifySection())
    live.start()
    items = [VerifyItem(Question(f"{i} = ?", str(i), "exact"), str(i)) for i in range(3)]

    async def ask_twice() -> None:
        for _ in range(2):
            with pytest.raises(WorkFailed):
                await asyncio.wait_for(live(items), 10)

    asyncio.run(ask_twice())
    live.close()
