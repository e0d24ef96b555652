"""Anthropic's messages API: what is sent, what is read, and what its errors mean."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from reasonry.errors import TeacherError
from reasonry.teachers.anthropic import AnthropicOptions, anthropic
from reasonry.teachers.http.providers import provider_named
from reasonry.teachers.openai import OpenAITeacher
from reasonry.types import Message, Question, Reply, Request, Sampling
from tests.teachers.fakes import Handler, client, http_server

KEY = "sk-ant-0123456789abcdef"
ASKED = Request(
    (Message("system", "Be brief."), Message("user", "2 + 2?")),
    Sampling(temperature=0.6, top_p=0.9, max_tokens=100, index=3),
    Question("2 + 2?", "4", "exact"),
)


def message(*blocks: dict[str, Any], stop: Any = "end_turn", **usage: Any) -> dict[str, Any]:
    given = {"input_tokens": 7, "output_tokens": 3, **usage}
    return {"type": "message", "model": "claude-x", "content": list(blocks), "stop_reason": stop, "usage": given}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def thinking(thought: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": thought, "signature": "s"}


def teacher_at(base_url: str, **changed: Any) -> OpenAITeacher:
    return client(base_url, key=KEY, provider=provider_named("anthropic"), **changed)


def ask(handler: Handler, request: Request = ASKED, **changed: Any) -> Reply:
    async def asking(base_url: str) -> Reply:
        async with teacher_at(base_url, **changed) as teacher:
            return await teacher(request)

    with http_server(handler) as base_url:
        return asyncio.run(asking(base_url))


def answering(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers=headers)

    return handler


def test_a_request_is_put_in_anthropics_words() -> None:
    seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, dict(request.headers), await request.json()))
        return web.json_response(message(text("4")))

    thought = {"thinking": {"type": "enabled", "budget_tokens": 50}}
    assert ask(handler, extra=thought) == Reply("4", "", "stop", "claude-x", 7, 3)
    path, headers, body = seen[0]
    assert path == "/v1/messages"
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert "Authorization" not in headers
    assert body == {
        "model": "simulated-v1",
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "2 + 2?"}],
        "max_tokens": 100,
        "temperature": 0.6,
        "top_p": 0.9,
        **thought,
    }


def test_thinking_is_kept_apart_and_what_is_redacted_left_out() -> None:
    blocks = [
        thinking("2 and 2"),
        {"type": "redacted_thinking", "data": "zzz"},
        thinking("4"),
        text("It is "),
        text("4"),
    ]
    reply = ask(answering(message(*blocks)))
    assert (reply.reasoning, reply.response) == ("2 and 2\n\n4", "It is 4")


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("refusal", "refusal"),
        (None, "stop"),
    ],
)
def test_why_it_stopped_is_said_in_our_words(stop: Any, finish: str) -> None:
    assert ask(answering(message(text("4"), stop=stop))).finish == finish


def test_an_answer_cut_while_thinking_and_a_silent_refusal_are_replies() -> None:
    cut = ask(answering(message(thinking("2 and"), stop="max_tokens")))
    assert (cut.reasoning, cut.response, cut.finish) == ("2 and", "", "length")
    refused = ask(answering(message(stop="refusal")))
    assert (refused.response, refused.finish) == ("", "refusal")


def test_every_token_of_the_prompt_is_counted_cached_or_not() -> None:
    reply = ask(answering(message(text("4"), cache_read_input_tokens=2, cache_creation_input_tokens=1)))
    assert (reply.tokens_in, reply.tokens_out) == (10, 3)
    unknown = ask(answering(message(text("4"), input_tokens=None, output_tokens=True)))
    assert (unknown.tokens_in, unknown.tokens_out) == (None, None)


@pytest.mark.parametrize(
    ("body", "retryable"),
    [
        (message(), True),
        (message(text(" \n")), True),
        (message(thinking("thought, and said nothing")), True),
        ({"type": "message"}, True),
        ([], True),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, True),
        ({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}, False),
    ],
)
def test_what_cannot_be_used_is_an_error(body: Any, retryable: bool) -> None:
    with pytest.raises(TeacherError) as caught:
        ask(answering(body))
    assert caught.value.retryable == retryable


@pytest.mark.parametrize(
    ("status", "retryable", "fatal"),
    [
        (400, False, False),
        (401, False, True),
        (413, False, False),
        (429, True, False),
        (500, True, False),
        (529, True, False),
    ],
)
def test_what_a_status_means(status: int, retryable: bool, fatal: bool) -> None:
    body = {"type": "error", "error": {"type": "some_error", "message": f"bad key {KEY}"}}
    with pytest.raises(TeacherError) as caught:
        ask(answering(body, status))
    assert (caught.value.retryable, caught.value.fatal, caught.value.http_status) == (retryable, fatal, status)
    assert KEY[:8] not in str(caught.value)


def test_no_credit_left_is_fatal_though_it_comes_as_400() -> None:
    body = {"error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the API."}}
    with pytest.raises(TeacherError) as caught:
        ask(answering(body, 400))
    assert (caught.value.retryable, caught.value.fatal) == (False, True)


def test_without_max_tokens_nothing_is_sent() -> None:
    request = Request(ASKED.messages, Sampling(), ASKED.question)
    with pytest.raises(TeacherError, match="max_tokens") as caught:
        ask(answering(message(text("4"))), request)
    assert caught.value.fatal


def test_the_rate_limits_headers_are_read() -> None:
    async def headroom(base_url: str) -> Any:
        async with teacher_at(base_url) as teacher:
            await teacher(ASKED)
            return teacher.endpoints[0].headroom

    later = (datetime.now(UTC) + timedelta(seconds=60)).isoformat().replace("+00:00", "Z")
    headers = {
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": later,
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "soon",
    }
    with http_server(answering(message(text("4")), headers=headers)) as base_url:
        known = asyncio.run(headroom(base_url))
    assert (known.requests, known.tokens, known.tokens_reset_s) == (49, 0, None)
    assert 50 < known.requests_reset_s <= 60


def test_an_answer_that_was_cut_goes_on_from_its_text() -> None:
    seen: list[dict[str, Any]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(await request.json())
        return web.json_response(message(text(" is 4.")))

    begun = Request((*ASKED.messages, Message("assistant", "The sum \n")), ASKED.sampling, ASKED.question)
    assert ask(handler, begun).response == " is 4."
    assert seen[0]["messages"][-1] == {"role": "assistant", "content": "The sum"}


def test_a_message_is_streamed() -> None:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message(), "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": text("")},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "4"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]
    seen: list[dict[str, Any]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(await request.json())
        raw = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        return web.Response(text=raw, content_type="text/event-stream")

    assert ask(handler, stream=True) == Reply("4", "", "stop", "claude-x", 7, 9)
    assert seen[0]["stream"] is True
    assert "stream_options" not in seen[0]


def options(**given: Any) -> AnthropicOptions:
    return AnthropicOptions.model_validate({"teacher": "anthropic", "model": "claude-x", "max_tokens": 100, **given})


def test_the_teacher_is_anthropics_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://other/v1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    teacher = anthropic(options())
    assert teacher.served_by == "https://api.anthropic.com/v1"
    assert teacher.endpoints[0].headers["x-api-key"] == KEY
    assert options().key_content()["provider"] == "anthropic"


@pytest.mark.parametrize(
    "given", [{"max_tokens": None}, {"extra": {"system": "x"}}, {"extra": {"messages": []}}, {"provider": "nobody"}]
)
def test_what_cannot_be_asked_is_refused_before_anything_runs(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        options(**given)
