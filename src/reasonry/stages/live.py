"""Verifying answers while others are still being asked for, where verdicts decide how many samples a question gets."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from reasonry.contracts import Executor, Limits
from reasonry.errors import WorkFailed
from reasonry.sections import VerifySection
from reasonry.stages.context import StageContext
from reasonry.types import Verdict
from reasonry.verifiers.batch import VerifyItem, verify_all

__all__ = ["LiveVerifier", "verifying_live"]

_MOST_AT_ONCE = 512  # so that a decision does not wait for too many others


@dataclass(frozen=True, slots=True)
class _Order:
    items: Sequence[VerifyItem]
    loop: asyncio.AbstractEventLoop
    verdicts: asyncio.Future[Sequence[Verdict]]


class LiveVerifier:
    """Takes responses from an event loop, and verifies on a thread of its own all that came meanwhile, together."""

    def __init__(self, executor: Executor, section: VerifySection) -> None:
        self._executor = executor
        self._limits = Limits(section.timeout_s, section.memory_mb)
        self._tier = section.tier
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="live verifier", daemon=True)

    async def __call__(self, items: Sequence[VerifyItem]) -> Sequence[Verdict]:
        """One verdict for each item. Raises what `verify_all` raises."""
        loop = asyncio.get_running_loop()
        order = _Order(items, loop, loop.create_future())
        self._orders.put(order)
        return await order.verdicts

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Finish what is under way, then end."""
        self._orders.put(None)
        self._thread.join()

    def _work(self) -> None:
        is_open = True
        while is_open:
            orders, is_open = self._waiting()
            if orders:
                self._verify(orders)

    def _waiting(self) -> tuple[list[_Order], bool]:
        """What waits now, and whether more may come."""
        orders: list[_Order] = []
        count = 0
        while not orders or (count < _MOST_AT_ONCE and not self._orders.empty()):
            order = self._orders.get()
            if order is None:
                return orders, False
            orders.append(order)
            count += len(order.items)
        return orders, True

    def _verify(self, orders: Sequence[_Order]) -> None:
        items = [item for order in orders for item in order.items]
        try:
            found = list(verify_all(items, self._executor, self._limits, sandbox=self._tier))
            if len(found) != len(items):
                raise WorkFailed(f"{len(found):,} verdicts for {len(items):,} responses", place="verify")
        except Exception as exc:  # noqa: BLE001 - whoever waits is told
            for order in orders:
                _call(order, _refuse, exc)
            return
        verdicts = iter(found)
        for order in orders:
            _call(order, _give, [next(verdicts) for _ in order.items])


def _call(order: _Order, function: object, value: object) -> None:
    """On the order's loop, unless that has ended meanwhile: then nobody waits."""
    try:
        order.loop.call_soon_threadsafe(function, order.verdicts, value)  # type: ignore[arg-type]
    except RuntimeError:
        if not order.loop.is_closed():
            raise


def _give(future: asyncio.Future[Sequence[Verdict]], verdicts: Sequence[Verdict]) -> None:
    if not future.done():
        future.set_result(verdicts)


def _refuse(future: asyncio.Future[Sequence[Verdict]], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


@contextmanager
def verifying_live(section: VerifySection, context: StageContext) -> Generator[LiveVerifier]:
    """A verifier with workers of its own, until the block is left."""
    with context.open_executor() as executor:
        verifier = LiveVerifier(executor, section)
        verifier.start()
        try:
            yield verifier
        finally:
            verifier.close()
