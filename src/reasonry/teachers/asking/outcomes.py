"""What comes of a request, and what asks for more: the words that the engine and its callers share."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reasonry.errors import TeacherError
from reasonry.types import Reply, Request

__all__ = ["Answered", "Counters", "Outcome", "Series", "Single", "Unanswered", "Waits"]


@dataclass(frozen=True, slots=True)
class Answered:
    """A request with its reply. `key` and `cost_usd` are None where the ledger is not used.

    `from_ledger`: nothing was paid for it now. It is no property of the result, so keep it out of tables.
    """

    request: Request
    reply: Reply
    key: str | None
    cost_usd: float | None
    from_ledger: bool


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that found no answer, and the last reason."""

    request: Request
    error: TeacherError


Outcome = Answered | Unanswered


class Series(Protocol):
    """The requests for one question. Where `has_more`, what was answered decides whether there are further ones."""

    @property
    def has_more(self) -> bool: ...

    def start(self) -> Sequence[Request]:
        """The first requests."""
        ...

    async def proceed(self, outcomes: Sequence[Outcome]) -> Sequence[Request]:
        """The next requests, from the outcomes of the ones before; none where that is all."""
        ...


@dataclass(frozen=True, slots=True)
class Single:
    """A series of one request."""

    request: Request
    has_more: bool = False

    def start(self) -> Sequence[Request]:
        return (self.request,)

    async def proceed(self, outcomes: Sequence[Outcome]) -> Sequence[Request]:
        return ()


@dataclass(frozen=True, slots=True)
class Waits:
    """Pauses between the tries of one request, in seconds: random, up to `first_s` doubled with every try.

    What the endpoint asks for (Retry-After) is waited in full, up to `longest_asked_s`.
    """

    first_s: float = 0.5
    longest_s: float = 60.0
    longest_asked_s: float = 600.0

    def pause_s(self, tries: int, error: TeacherError) -> float:
        """How long to wait after so many tries, the last of which ended with `error`."""
        longest = min(self.longest_s, self.first_s * 2 ** min(tries - 1, 30))
        asked = min(error.retry_after_s or 0.0, self.longest_asked_s)
        return max(random.uniform(0, longest), asked)


@dataclass(slots=True)
class Counters:
    """What an engine has done so far; written on its loop, read anywhere.

    Tokens are those of new answers; dollars also those of answers `found` in the ledger.
    """

    in_flight: int = 0
    settled: int = 0
    tries: int = 0
    answered: int = 0
    found: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    is_cost_known: bool = True
