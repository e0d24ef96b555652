"""The budget of a stage: what is spent never exceeds it.

A request reserves the most it can cost before it is sent, and settles at what it did cost. So a stage close to its
limit first waits for what is under way, and stops only when nothing more is affordable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

from reasonry.errors import BudgetReached, UsageError
from reasonry.sections import PriceOptions
from reasonry.types import Request

__all__ = ["Budget", "Purse"]

_TOKENS_AROUND_MESSAGE = 16  # what a chat template puts around one message, at most


@dataclass(slots=True)
class Budget:
    """US dollars. Answers that come from the ledger count too: they were paid for, by this run or another.

        `counts_paid` False: they do not. Then it is what may still be paid, however often what was paid is used.

    Several purses may share one, each on a thread of its own: what one of them has reserved, no other can spend.
    """

    limit_usd: float
    spent_usd: float = 0.0
    counts_paid: bool = True
    _reserved: float = 0.0
    _open: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def add(self, cost_usd: float) -> None:
        with self._lock:
            self.spent_usd += cost_usd

    def reserve(self, most_usd: float) -> Literal["reserved", "wait", "reached"]:
        """Set so much aside, where it is left; `wait` where something under way may turn out cheaper."""
        with self._lock:
            used = self.spent_usd + (self._reserved if self._open else 0.0)
            if used < self.limit_usd and used + most_usd <= self.limit_usd:
                self._reserved += most_usd
                self._open += 1
                return "reserved"
            return "wait" if self._open else "reached"

    def settle(self, reserved_usd: float, cost_usd: float) -> None:
        """Replace what was reserved by the cost."""
        with self._lock:
            self._reserved -= reserved_usd
            self._open -= 1
            self.spent_usd += cost_usd


class Purse:
    """Admits requests within a budget. For one event loop."""

    def __init__(self, budget: Budget | None, price: PriceOptions | None) -> None:
        if budget is not None and price is None:
            hint = "price = { input_per_million = ..., output_per_million = ... }"
            raise UsageError("a budget needs a price", place="budget", hint=hint)
        self._budget = budget
        self._price = price
        self._dearest = 0.0

    def count(self, request: Request, cost_usd: float | None) -> None:
        """Count what was paid for earlier, an unknown cost (None) as it was then. It is never refused."""
        if self._budget is None:
            return
        cost = self._most(request) if cost_usd is None else cost_usd
        self._dearest = max(self._dearest, cost)
        if self._budget.counts_paid:
            self._budget.add(cost)

    def reserve(self, request: Request) -> float | None:
        """Set aside the most that a request can cost, in US dollars; None where it has to wait for others to settle.

        Raises BudgetReached where it is not left and nothing is under way, UsageError where nobody can tell how much.
        """
        budget = self._budget
        if budget is None:
            return 0.0
        if request.sampling.max_tokens is None and budget.spent_usd < budget.limit_usd:
            hint = "max_tokens = 16384: without it nobody knows what the answers under way may cost"
            raise UsageError("a budget needs max_tokens", place="budget", hint=hint)
        most = self._most(request)
        found = budget.reserve(most)
        if found == "reached":
            raise self._reached(request, budget)
        return most if found == "reserved" else None

    def settle(self, reserved: float, cost_usd: float | None) -> None:
        """Replace a reservation by the cost. An unknown cost (None) counts as what was reserved."""
        if self._budget is not None:
            cost = reserved if cost_usd is None else cost_usd
            self._dearest = max(self._dearest, cost)
            self._budget.settle(reserved, cost)

    def _reached(self, request: Request, budget: Budget) -> BudgetReached:
        """The error that ends a run at its budget, which the request may exceed."""
        return BudgetReached(
            f"${budget.spent_usd:.4f} of ${budget.limit_usd:.4f} is spent, and the next request may cost "
            f"${self._most(request):.4f}",
            place="budget.usd",
            hint="raise budget.usd and run again: every answer paid for is in the ledger and is not asked for twice",
        )

    def _most(self, request: Request) -> float:
        """The most a request can cost: never less than the dearest so far, as an endpoint may add its own prompt."""
        if request.sampling.max_tokens is None or self._price is None:
            return self._dearest
        # A token stands for at least one byte.
        tokens_in = sum(len(m.content.encode("utf-8", "replace")) + _TOKENS_AROUND_MESSAGE for m in request.messages)
        return max(self._price.cost_usd(tokens_in, request.sampling.max_tokens) or 0.0, self._dearest)
