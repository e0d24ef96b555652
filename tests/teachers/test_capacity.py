"""The simulated endpoint's limits: places, queues and rates, as real endpoints have them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.teachers.simulator.capacity import Allowance, Capacity, CapacityOptions, Refused, duration_text
from reasonry.teachers.simulator.endpoint import Served, serving
from reasonry.teachers.simulator.simulation import Behaviour

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)(ms|s))?")


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def seconds_of(text: str) -> float:
    found = _DURATION.fullmatch(text)
    assert found, text
    hours, minutes, rest, unit = found.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest or 0) / (1000 if unit == "ms" else 1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0ms"), (0.012, "12ms"), (1.2, "1.2s"), (6, "6s"), (360, "6m0s"), (61.5, "1m1.5s"), (3723, "1h2m3s")],
)
def test_durations_are_written_as_in_headers(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@given(st.floats(0, 1e5))
def test_a_duration_is_never_told_too_short(seconds: float) -> None:
    assert 0 <= seconds_of(duration_text(seconds)) - seconds < 0.0021


def test_an_allowance_fills_steadily_and_tells_what_is_left() -> None:
    clock = Clock()
    allowance = Allowance(120, burst_s=5, clock=clock)  # two a second, ten at once
    for _ in range(10):
        assert allowance.wait_s(1) == 0
        allowance.take(1)
    assert allowance.wait_s(1) == pytest.approx(0.5)
    assert allowance.headers("requests") == {
        "x-ratelimit-limit-requests": "120",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "5s",
    }
    clock.now += 1
    assert allowance.left() == pytest.approx(2)
    clock.now += 1000
    assert allowance.left() == 10


def test_what_is_larger_than_the_whole_allowance_waits_for_a_full_one() -> None:
    clock = Clock()
    allowance = Allowance(60, burst_s=10, clock=clock)
    assert allowance.wait_s(1000) == 0
    allowance.take(1000)
    assert allowance.wait_s(1) == pytest.approx(991)


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 400)), max_size=60))
def test_a_rate_is_never_exceeded(steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    capacity = Capacity(CapacityOptions(requests_per_minute=60, tokens_per_minute=6000, burst_s=2), clock)
    start, requests, tokens = clock.now, 0, 0
    for pause, cost in steps:
        clock.now += pause
        try:
            capacity.charge(min(cost, 200))
        except Refused as refused:
            clock.now += float(refused.headers["Retry-After"])
            capacity.charge(min(cost, 200))  # when it is told to come back, it is served
        requests, tokens = requests + 1, tokens + min(cost, 200)
        assert requests <= 2 + (clock.now - start) * 1 + 1e-6
        assert tokens <= 200 + (clock.now - start) * 100 + 1e-6


def test_latency_is_drawn_by_request_and_grows_with_the_load() -> None:
    options = CapacityOptions(latency_s=2.0, jitter=0.25, degrade=0.5)
    drawn = [options.latency_of(f"request {i}", 1) for i in range(500)]
    assert drawn == [options.latency_of(f"request {i}", 1) for i in range(500)]
    assert 1.5 <= min(drawn) < 1.6
    assert 2.4 < max(drawn) <= 2.5
    assert sum(drawn) / 500 == pytest.approx(2.0, abs=0.05)
    assert options.latency_of("request 1", 1, load=1.0) == pytest.approx(1.5 * drawn[1])
    assert CapacityOptions().latency_of("request 1", 1, load=1.0) == 0


async def statuses(count: int, **capacity: Any) -> tuple[list[tuple[int, Mapping[str, str]]], Served]:
    """Ask `count` questions at once; the statuses and headers, sorted by status."""
    async with (
        serving(Behaviour(), capacity=CapacityOptions.model_validate(capacity)) as served,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):

        async def ask(index: int) -> tuple[int, Mapping[str, str]]:
            messages = [{"role": "user", "content": "Compute 1 + 2."}]
            body = {"model": "simulated-v1", "messages": messages, "seed": index}
            async with session.post(f"{served.base_url}/chat/completions", json=body) as response:
                await response.read()
                return response.status, response.headers

        answers = await asyncio.gather(*map(ask, range(count)))
        return sorted(answers, key=lambda answer: answer[0]), served


@pytest.mark.parametrize("retry_after_s", [None, 1.5])
def test_beyond_its_places_it_refuses(retry_after_s: float | None) -> None:
    given: dict[str, Any] = {} if retry_after_s is None else {"retry_after_s": retry_after_s}
    answers, served = asyncio.run(statuses(10, at_once=3, then="reject", latency_s=0.5, **given))
    assert [status for status, _ in answers] == [200] * 3 + [429] * 7
    waits = {headers.get("Retry-After") for status, headers in answers if status == 429}
    assert waits == {None if retry_after_s is None else "1.5"}
    assert sum(served.refusals.values()) == 7
    assert served.answers.total() == 3
    assert 3 < served.most_in_flight <= 10


def test_beyond_its_places_it_lets_wait() -> None:
    async def timed() -> float:
        start = asyncio.get_running_loop().time()
        answers, served = await statuses(12, at_once=3, then="queue", latency_s=0.1)
        assert [status for status, _ in answers] == [200] * 12
        assert not served.refusals
        return asyncio.get_running_loop().time() - start

    assert asyncio.run(timed()) >= 4 * 0.1


def test_beyond_a_full_queue_it_is_overloaded() -> None:
    answers, _ = asyncio.run(statuses(10, at_once=2, then="queue", queue_most=3, latency_s=0.3))
    assert [status for status, _ in answers] == [200] * 5 + [503] * 5


def test_rates_are_told_in_headers_and_kept() -> None:
    answers, _ = asyncio.run(statuses(8, requests_per_minute=60, tokens_per_minute=60000, burst_s=5))
    assert [status for status, _ in answers] == [200] * 5 + [429] * 3
    for status, headers in answers:
        assert headers["x-ratelimit-limit-requests"] == "60"
        assert int(headers["x-ratelimit-remaining-tokens"]) < 60000
        assert 0 < seconds_of(headers["x-ratelimit-reset-requests"]) <= 5
        assert ("Retry-After" in headers) == (status == 429)
    left = sorted(int(headers["x-ratelimit-remaining-requests"]) for status, headers in answers if status == 200)
    assert left == [0, 1, 2, 3, 4]


def test_without_limits_no_headers_tell_of_any() -> None:
    answers, _ = asyncio.run(statuses(2))
    assert not any(name.lower().startswith("x-ratelimit") for _, headers in answers for name in headers)
