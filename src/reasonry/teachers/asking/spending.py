"""The budget of a stage: what is spent never exceeds it.

A request reserves the most it can cost before it is sent, and settles at what it did cost. So a stage close to its
limit first waits for what is under way, and stops only when nothing more is affordable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from reasonry.errors import BudgetReached, UsageError
from reasonry.sections import PriceOptions
from reasonry.types import Request

__all__ = ["Budget", "Purse"]

_TOKENS_AROUND_MESSAGE = 16  # what a chat template puts around one message, at most


@dataclass(slots=True)
class Budget:
    """US dollars. Answers that come from the ledger count too: they were paid for, by this run or another.

    `counts_paid` False: they do not. Then it is what may still be paid, however often what was paid is used.
    """

    limit_usd: float
    spent_usd: float = 0.0
    counts_paid: bool = True
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def add(self, cost_usd: float) -> None:
        with self._lock:
            self.spent_usd += cost_usd


class Purse:
    """Admits requests within a budget. For one event loop."""

    def __init__(self, budget: Budget | None, price: PriceOptions | None) -> None:
        if budget is not None and price is None:
            hint = "price = { input_per_million = ..., output_per_million = ... }"
            raise UsageError("a budget needs a price", place="budget", hint=hint)
        self._budget = budget
        self._price = price
        self._reserved = 0.0
        self._open = 0
        self._dearest = 0.0

    @property
    def is_open(self) -> bool:
        """Whether something under way may turn out cheaper than what was reserved for it."""
        return self._open > 0

    def count(self, request: Request, cost_usd: float | None) -> None:
        """Count what was paid for earlier, an unknown cost (None) as it was then. It is never refused."""
        if self._budget is None:
            return
        cost = self._most(request) if cost_usd is None else cost_usd
        self._dearest = max(self._dearest, cost)
        if self._budget.counts_paid:
            self._budget.add(cost)

    def affords(self, request: Request) -> bool:
        """Whether the most that a request can cost is left. Raises UsageError where nothing says how much that is."""
        budget = self._budget
        if budget is None:
            return True
        used = budget.spent_usd + (self._reserved if self._open else 0.0)
        if used >= budget.limit_usd:
            return False
        if request.sampling.max_tokens is None:
            hint = "max_tokens = 16384: without it nobody knows what the answers under way may cost"
            raise UsageError("a budget needs max_tokens", place="budget", hint=hint)
        return used + self._most(request) <= budget.limit_usd

    def reserve(self, request: Request) -> float:
        """Set aside the most that a request can cost, in US dollars."""
        if self._budget is None:
            return 0.0
        most = self._most(request)
        self._reserved += most
        self._open += 1
        return most

    def settle(self, reserved: float, cost_usd: float | None) -> None:
        """Replace a reservation by the cost. An unknown cost (None) counts as what was reserved."""
        if self._budget is None:
            return
        self._reserved -= reserved
        self._open -= 1
        self._add(self._budget, reserved if cost_usd is None else cost_usd)

    def reached(self, request: Request) -> BudgetReached:
        """The error that ends a run at its budget, which the request may exceed."""
        assert self._budget is not None
        budget = self._budget
        return BudgetReached(
            f"${budget.spent_usd:.4f} of ${budget.limit_usd:.4f} is spent, and the next request may cost "
            f"${self._most(request):.4f}",
            place="budget.usd",
            hint="raise budget.usd and run again: every answer paid for is in the ledger and is not asked for twice",
        )

    def _add(self, budget: Budget, cost_usd: float) -> None:
        self._dearest = max(self._dearest, cost_usd)
        budget.add(cost_usd)

    def _most(self, request: Request) -> float:
        """The most a request can cost: never less than the dearest so far, as an endpoint may add its own prompt."""
        if request.sampling.max_tokens is None or self._price is None:
            return self._dearest
        # A token stands for at least one byte.
        tokens_in = sum(len(m.content.encode("utf-8", "replace")) + _TOKENS_AROUND_MESSAGE for m in request.messages)
        return max(self._price.cost_usd(tokens_in, request.sampling.max_tokens) or 0.0, self._dearest)
