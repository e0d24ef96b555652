"""Rate limits and waits, in every way that providers write them; and how many connections a process may have."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from reasonry.contracts import Headroom, Served
from reasonry.errors import TeacherError, UsageError
from reasonry.teachers.http.descriptors import allow_connections
from reasonry.teachers.http.headers import RateHeaders, headroom_in, retry_after_in, retry_after_s, seconds_in
from reasonry.teachers.http.providers import OTHER, provider_named
from tests.teachers.fakes import Handler, client, completion, http_server, request_of


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("0.25", 0.25), ("-5", 0.0), ("soon", None), ("nan", None), ("inf", None), ("", None), (None, None)],
)
def test_retry_after_is_read_as_seconds(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header) == seconds


def test_retry_after_is_read_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 80 < (retry_after_s(later) or 0) <= 90
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "1"}, 1.0),
        ({"retry-after-ms": "-1"}, 0.0),
        ({}, None),
    ],
)
def test_milliseconds_are_the_finer_wait(headers: Mapping[str, str], seconds: float | None) -> None:
    assert retry_after_in(headers) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("2m59.56s", 179.56),
        ("12", 12.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("1d", 86400.0),
        ("5 minutes", None),
        ("6m0", None),
        ("", None),
        ("nan", None),
        ("9" * 500, None),
        ("1999-01-01T00:00:00Z", 0.0),
    ],
)
def test_a_reset_is_read_however_it_is_written(text: str, seconds: float | None) -> None:
    assert seconds_in(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("write", [lambda at: f"{at:.3f}", lambda at: f"{at * 1000:.0f}"])
def test_a_reset_may_be_a_unix_time(write: Callable[[float], str]) -> None:
    assert 25 < (seconds_in(write(time.time() + 30)) or 0) <= 30.01


def test_a_reset_may_be_a_time_with_a_zone_or_without() -> None:
    for text in (
        (datetime.now(UTC) + timedelta(seconds=30)).isoformat(),
        f"{datetime.now(UTC) + timedelta(seconds=30):%Y-%m-%dT%H:%M:%S}",
    ):
        assert 25 < (seconds_in(text) or 0) <= 30.01


@given(st.text(max_size=60))
def test_no_header_is_an_error(text: str) -> None:
    names = RateHeaders("a", "b", "c", "d")
    headroom_in(dict.fromkeys("abcd", text), names)
    retry_after_in({"retry-after-ms": text, "Retry-After": text})


def answering(headers: Mapping[str, str], status: int = 200) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(completion("4"), status=status, headers=headers)

    return handler


HEADERS = {
    "x-ratelimit-remaining-requests": "59",
    "x-ratelimit-reset-requests": "1s",
    "x-ratelimit-remaining-tokens": "149984",
    "x-ratelimit-reset-tokens": "6m0s",
}


def test_an_endpoint_says_after_every_try_what_is_left() -> None:
    async def seen(base_url: str) -> list[Headroom | None]:
        async with client(base_url) as teacher:
            (endpoint,) = teacher.endpoints
            before = endpoint.headroom
            with suppress(TeacherError):
                await endpoint(request_of("Hi"))
            return [before, endpoint.headroom]

    for status in (200, 429):
        with http_server(answering(HEADERS, status)) as base_url:
            assert asyncio.run(seen(base_url)) == [None, Headroom(59, 1.0, 149984, 360.0)]
    for silent in ({}, {"x-ratelimit-remaining-requests": "-1"}, {"x-ratelimit-reset-requests": "1s"}):
        with http_server(answering(silent)) as base_url:
            assert asyncio.run(seen(base_url)) == [None, None]


def test_a_local_servers_headers_are_not_looked_at() -> None:
    assert headroom_in(HEADERS, provider_named("vllm").rate_limits) is None
    assert headroom_in(HEADERS, OTHER.rate_limits) is not None


def test_the_client_is_served_at_endpoints() -> None:
    assert isinstance(client("http://127.0.0.1:1/v1"), Served)


@pytest.fixture
def limit() -> object:
    given = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield given
    resource.setrlimit(resource.RLIMIT_NOFILE, given)


def test_the_limit_of_open_files_is_raised_as_far_as_connections_need(limit: tuple[int, int]) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limit[1]))
    allow_connections(16)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 256
    allow_connections(500)
    assert 500 < resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 1000


def test_more_connections_than_the_system_allows_are_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 1024))
    with pytest.raises(
        UsageError, match="2000 connections need 2128 open files, and this process may have 1024"
    ) as caught:
        allow_connections(2000)
    assert "concurrency = 896" in (caught.value.hint or "")


def test_a_limit_that_cannot_be_raised_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("not allowed")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    with pytest.raises(UsageError, match="this process may have 256"):
        allow_connections(500)


@pytest.mark.parametrize(
    "header",
    ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2030 00:00:00 +99999999999999", "1" * 5000],
)
def test_a_date_that_cannot_be_is_no_wait_and_no_error(header: str) -> None:
    assert retry_after_s(header) is None


@pytest.mark.parametrize("text", ["1e300", "1e999999", "-1e300"])
def test_no_endpoint_is_waited_for_longer_than_a_day(text: str) -> None:
    waits = (
        retry_after_s(text),
        retry_after_in({"retry-after-ms": text}),
        seconds_in(text),
        seconds_in("9" * 30 + "d"),
    )
    assert all(wait is None or 0 <= wait <= 86_400 for wait in waits)


def test_a_header_of_many_digits_costs_no_time_and_no_pause() -> None:
    began = time.process_time()
    assert seconds_in("9" * 400 + "s") is None  # as a float it is infinite
    assert seconds_in("1s" + "9" * 8_000) is None
    assert time.process_time() - began < 0.1
