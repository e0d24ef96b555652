"""How much the simulated endpoint can do: a model of the ways in which real ones are full.

Two kinds of limit, as in the field:

- places: `at_once` requests are served at a time. Beyond that, some endpoints refuse (429), and some let requests
  queue, so that nothing is refused and everything takes longer (vLLM's way; with `queue_most`, 503 beyond that);
- rates: `requests_per_minute` and `tokens_per_minute`, told in `x-ratelimit-*` headers as OpenAI does.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from pydantic import Field

from reasonry.identity import digest
from reasonry.sections import Section

__all__ = ["Allowance", "Capacity", "CapacityOptions", "Refused", "duration_text"]

Clock = Callable[[], float]
_NOTHING = 1e-6  # of a request or token: what is left of computing with floats


class CapacityOptions(Section):
    """How many requests are served at a time and by the minute, and what happens to more of them."""

    seed: int = 0
    at_once: Annotated[int, Field(ge=1)] | None = Field(default=None, description="places; default: no limit")
    then: Literal["reject", "queue"] = Field(
        default="queue", description="what happens when all places are taken: 429 at once, or waiting"
    )
    queue_most: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="requests that may wait; one more is refused with 503"
    )
    latency_s: Annotated[float, Field(ge=0)] = Field(default=0.0, description="seconds in a place, on average")
    jitter: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="latencies are spread evenly over latency_s * (1 - jitter) to latency_s * (1 + jitter)"
    )
    degrade: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="how much slower an answer is where all places are taken: 0.5 is half as long again"
    )
    retry_after_s: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Retry-After of a refusal for want of places; default: no such header"
    )
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    tokens_per_minute: Annotated[float, Field(gt=0)] | None = None
    burst_s: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="how many seconds' worth of a rate may be used at once"
    )

    def latency_of(self, request: str, attempt: int, load: float = 0.0) -> float:
        """Seconds that this try of a request takes. `load` is the share of places taken."""
        if not self.latency_s:
            return 0.0
        drawn = random.Random(int(digest("latency", self.seed, request, attempt), 16)).uniform(-1.0, 1.0)
        return self.latency_s * (1.0 + self.jitter * drawn) * (1.0 + self.degrade * load)


class Refused(Exception):
    """A request that is not served, and the response it gets."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


class Capacity:
    """The limits of one running endpoint."""

    def __init__(self, options: CapacityOptions, clock: Clock = time.monotonic) -> None:
        self.options = options
        self.taken = 0
        self.waiting = 0
        self._places = asyncio.Semaphore(options.at_once) if options.at_once else None
        self._requests = _allowance(options.requests_per_minute, options.burst_s, clock)
        self._tokens = _allowance(options.tokens_per_minute, options.burst_s, clock)

    def charge(self, tokens: int) -> dict[str, str]:
        """Take one request of so many tokens from the rates; the headers that tell what is left.

        Raises Refused (429), which takes nothing.
        """
        rates = [(name, rate, cost) for name, rate, cost in self._rates(tokens) if rate is not None]
        wait_s = max((rate.wait_s(cost) for _, rate, cost in rates), default=0.0)
        if not wait_s:
            for _, rate, cost in rates:
                rate.take(cost)
        headers = {name: value for kind, rate, _ in rates for name, value in rate.headers(kind).items()}
        if wait_s:
            headers["Retry-After"] = f"{math.ceil(wait_s * 1000) / 1000:g}"
            raise Refused(429, "rate limit reached", headers)
        return headers

    def _rates(self, tokens: int) -> list[tuple[str, Allowance | None, float]]:
        return [("requests", self._requests, 1.0), ("tokens", self._tokens, float(tokens))]

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[float]:
        """One of the places, for as long as the block runs; gives the share that is taken with it.

        Raises Refused where there is none and waiting is not allowed.
        """
        if self._places is None:
            yield 0.0
            return
        if self._places.locked():
            self._check_may_wait()
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        self.taken += 1
        try:
            yield self.taken / (self.options.at_once or 1)
        finally:
            self.taken -= 1
            self._places.release()

    def _check_may_wait(self) -> None:
        options = self.options
        retry_after_s = options.retry_after_s
        headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
        if options.then == "reject":
            raise Refused(429, f"{options.at_once} requests are being served, which is the most", headers)
        if options.queue_most is not None and self.waiting >= options.queue_most:
            raise Refused(503, f"{self.waiting} requests are waiting, which is the most", headers)


class Allowance:
    """What may be used by the minute: a store that fills steadily, up to `burst_s` seconds' worth."""

    def __init__(self, per_minute: float, burst_s: float = 60.0, clock: Clock = time.monotonic) -> None:
        self.per_minute = per_minute
        self._per_second = per_minute / 60.0
        self._size = max(1.0, self._per_second * burst_s)
        self._clock = clock
        self._left = self._size
        self._at = clock()

    def left(self) -> float:
        now = self._clock()
        self._left = min(self._size, self._left + (now - self._at) * self._per_second)
        self._at = now
        return self._left

    def wait_s(self, amount: float) -> float:
        """Seconds until `amount` is there. What is larger than the whole store waits for a full one."""
        missing = min(amount, self._size) - self.left()
        return missing / self._per_second if missing > _NOTHING else 0.0

    def take(self, amount: float) -> None:
        self._left = self.left() - amount

    def headers(self, kind: str) -> dict[str, str]:
        """What is left, as OpenAI tells it; `kind` is requests or tokens."""
        left = self.left()
        return {
            f"x-ratelimit-limit-{kind}": f"{math.floor(self.per_minute)}",
            f"x-ratelimit-remaining-{kind}": f"{max(0, math.floor(left))}",
            f"x-ratelimit-reset-{kind}": duration_text((self._size - left) / self._per_second),
        }


def _allowance(per_minute: float | None, burst_s: float, clock: Clock) -> Allowance | None:
    return None if per_minute is None else Allowance(per_minute, burst_s, clock)


def duration_text(seconds: float) -> str:
    """A duration as it stands in rate-limit headers: `12ms`, `1.2s`, `6m0s`, `1h2m3s`."""
    milliseconds = math.ceil(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    before = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{before}{rest / 1000:g}s"
