"""Streams: cut anywhere, by anyone, and still the reply that an unstreamed answer gives."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from reasonry.errors import TeacherError
from reasonry.teachers.http.answers import Reading, read_answer
from reasonry.teachers.http.messages_api import MessagesCollector, read_message
from reasonry.teachers.http.providers import provider_named
from reasonry.teachers.http.streams import ChatCollector, Collector, Event, EventParser, collected
from reasonry.types import Reply
from tests.teachers.fakes import Handler, client, completion, http_server, request_of

READING = Reading("m")
KEY = "sk-secret-0123456789abcdef"


def events_of(*blocks: bytes) -> list[Event]:
    parser = EventParser()
    return [*(event for block in blocks for event in parser.feed(block)), *parser.close()]


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (b"data: a\n\n", [Event("a")]),
        (b"data:a\r\n\r\ndata: b\r\rdata: c\n\n", [Event("a"), Event("b"), Event("c")]),
        (b": ping\n\ndata: a\n: ping\ndata:  b\n\n", [Event("a\n b")]),
        (b"event: ping\n\nevent: x\ndata: a\n\ndata: b\n\n", [Event("a", "x"), Event("b")]),
        (b"id: 1\nretry: 5\ndata\n\n", [Event("")]),
        (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
        (b"data: a", [Event("a")]),
        (b"data: \xff\n\n", [Event("\ufffd")]),
        (b"\n\n\r\n", []),
    ],
)
def test_events_are_read_as_the_standard_says(raw: bytes, events: list[Event]) -> None:
    assert events_of(raw) == events
    assert events_of(*(raw[i : i + 1] for i in range(len(raw)))) == events


ANSWER = {"reasoning_content": "2 and 2 — naïve, 数学 🧮", "content": "4 \u2028 is\r\nthe sum 🎉"}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"model": "m-1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def chunks_of(message: dict[str, Any], finish: str = "stop", piece: int = 3) -> list[dict[str, Any]]:
    """A message as an endpoint streams it: role first, then pieces, then the reason, then the usage alone."""
    pieces = [chunk({name: text[i : i + piece]}) for name, text in message.items() for i in range(0, len(text), piece)]
    usage = {"model": "m-1", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
    return [chunk({"role": "assistant", "content": ""}), *pieces, chunk({}, finish), usage]


def sse(chunks: Sequence[Any], *, end: str = "\n", done: bool = True, ascii_only: bool = False) -> bytes:
    lines = [f"data: {json.dumps(each, ensure_ascii=ascii_only)}{end}{end}" for each in chunks]
    return "".join([*lines, f"data: [DONE]{end}{end}" if done else ""]).encode()


def cut(raw: bytes, places: Sequence[int]) -> list[bytes]:
    edges = sorted({0, len(raw), *(place % (len(raw) + 1) for place in places)})
    return [raw[a:b] for a, b in itertools.pairwise(edges)]


async def _each(blocks: Sequence[bytes]) -> AsyncGenerator[bytes]:
    for block in blocks:
        yield block


def collect(blocks: Sequence[bytes], collector: Collector) -> dict[str, Any]:
    return dict(asyncio.run(collected(_each(blocks), collector, lambda text: text, 1.0)))


def reply_of(blocks: Sequence[bytes]) -> Reply:
    return read_answer(collect(blocks, ChatCollector()), READING)


@given(
    places=st.lists(st.integers(0, 10_000), max_size=30),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    piece=st.integers(1, 50),
    ascii_only=st.booleans(),
    name=st.sampled_from(["reasoning_content", "reasoning", "think"]),
)
def test_any_chunking_gives_the_reply_of_an_unstreamed_answer(
    places: list[int], end: str, piece: int, ascii_only: bool, name: str
) -> None:
    thought, said = ANSWER["reasoning_content"], ANSWER["content"]
    message = {"content": f"<think>{thought}</think>{said}"} if name == "think" else {name: thought, "content": said}
    raw = sse(chunks_of(message, piece=piece), end=end, ascii_only=ascii_only)
    expected = Reply(said, thought, "stop", "m-1", 7, 3)
    whole = {"model": "m-1", "choices": [{"message": message, "finish_reason": "stop"}]}
    assert read_answer({**whole, "usage": completion("")["usage"]}, READING) == expected
    assert reply_of(cut(raw, places)) == expected


@given(
    thought=st.text(max_size=40),
    said=st.text(min_size=1, max_size=40).filter(str.strip),
    finish=st.sampled_from(["stop", "length", "content_filter"]),
    places=st.lists(st.integers(0, 10_000), max_size=10),
)
def test_any_text_comes_through_a_stream_as_it_comes_without(
    thought: str, said: str, finish: str, places: list[int]
) -> None:
    message = {"reasoning": thought, "content": said}
    whole = {"model": "m-1", "choices": [{"message": message, "finish_reason": finish}], "usage": {}}
    raw = sse(chunks_of(message, finish)[:-1], ascii_only=True)
    assert reply_of(cut(raw, places)) == read_answer(whole, READING)


def test_a_stream_may_end_without_its_last_words_once_the_model_has_stopped() -> None:
    raw = sse(chunks_of({"content": "4"})[:-1], done=False)
    assert reply_of([raw]) == Reply("4", "", "stop", "m-1", None, None)


@pytest.mark.parametrize("left", [0, 1, 20, 150])
def test_a_stream_that_ends_before_the_model_stopped_was_cut(left: int) -> None:
    raw = sse(chunks_of({"content": "the sum is 4"})[:-2], done=False)[:left]
    with pytest.raises(TeacherError, match=r"the stream was cut, after [0-9]+ characters") as caught:
        reply_of([raw])
    assert caught.value.retryable


def test_what_comes_after_the_end_does_not_count() -> None:
    raw = sse(chunks_of({"content": "4"})) + sse([chunk({"content": "!"})])
    assert reply_of([raw]).response == "4"
    assert reply_of([raw[i : i + 1] for i in range(len(raw))]).response == "4"


def test_calls_of_tools_and_other_choices_are_passed_over() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": "stop"}]}
    tool = chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}], "content": None})
    assert reply_of([sse([other, tool, *chunks_of({"content": "4"})])]).response == "4"


def test_content_in_parts_is_streamed_too() -> None:
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "2 and 2"}]}]
    chunks = [chunk({"content": thought}), chunk({"content": "4"}), chunk({}, "stop")]
    assert reply_of([sse(chunks)]) == Reply("4", "2 and 2", "stop", "m-1", None, None)
    whole = completion([*thought, {"type": "text", "text": "4"}])
    assert read_answer(whole, READING) == Reply("4", "2 and 2", "stop", "m-1", 7, 3)


@pytest.mark.parametrize(
    ("problem", "retryable"),
    [
        ({"error": {"message": "overloaded"}}, True),
        ({"error": {"message": "too many", "code": 429}}, True),
        ({"error": "gone"}, True),
        ({"error": {"message": "context length", "code": 400}}, False),
        ({"error": {"code": 502}, "choices": [{"delta": {"content": ""}, "finish_reason": "error"}]}, True),
        (chunk({}, "error"), True),
        ("no object", True),
    ],
)
def test_an_error_in_the_stream_is_an_error(problem: Any, retryable: bool) -> None:
    with pytest.raises(TeacherError) as caught:
        reply_of([sse([chunk({"content": "4"}), problem])])
    assert caught.value.retryable == retryable


def test_an_event_that_is_no_json_is_an_error_to_be_tried_again() -> None:
    with pytest.raises(TeacherError, match="not JSON") as caught:
        reply_of([b"data: {\n\n"])
    assert caught.value.retryable


def test_an_empty_stream_of_a_model_that_stopped_is_an_empty_answer() -> None:
    with pytest.raises(TeacherError, match="an empty answer"):
        reply_of([sse(chunks_of({"content": ""}))])
    with pytest.raises(TeacherError, match="without choices"):
        reply_of([b"data: [DONE]\n\n"])


def test_an_endless_stream_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reasonry.teachers.http.streams.MAX_BODY_BYTES", 1000)
    with pytest.raises(TeacherError, match="larger than") as caught:
        reply_of([sse(chunks_of({"content": "x" * 2000}))])
    assert not caught.value.retryable


# Over HTTP


def streaming(blocks: Sequence[bytes], *, then: str = "end", seen: list[dict[str, Any]] | None = None) -> Handler:
    """An endpoint that sends the blocks, and then ends, hangs or hangs up."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if seen is not None:
            seen.append(await request.json())
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for block in blocks:
            await response.write(block)
        if then == "hang":
            await asyncio.sleep(1.0)
        elif then == "hang up" and request.transport is not None:
            request.transport.close()
        return response

    return handler


def ask(handler: Handler, times: int = 1, **changed: Any) -> list[Reply]:
    async def asking(base_url: str) -> list[Reply]:
        async with client(base_url, stream=True, **changed) as teacher:
            return [await teacher(request_of("2 + 2?")) for _ in range(times)]

    with http_server(handler) as base_url:
        return asyncio.run(asking(base_url))


WHOLE = sse(chunks_of({"reasoning": "2 and 2", "content": "4"}))


def test_a_streamed_answer_is_asked_for_with_its_usage() -> None:
    seen: list[dict[str, Any]] = []
    assert ask(streaming([WHOLE], seen=seen)) == [Reply("4", "2 and 2", "stop", "m-1", 7, 3)]
    assert (seen[0]["stream"], seen[0]["stream_options"]) == (True, {"include_usage": True})
    ask(streaming([WHOLE], seen=seen), provider=provider_named("mistral"))
    assert "stream_options" not in seen[1]


def test_a_connection_is_used_again_after_a_stream() -> None:
    ports: list[int] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ports.append(request.transport.get_extra_info("peername")[1] if request.transport else 0)
        return await streaming([WHOLE])(request)

    ask(handler, times=3)
    assert len(set(ports)) == 1


def test_an_endpoint_that_does_not_stream_is_understood() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.json_response(completion("4"))

    assert ask(handler) == [Reply("4", "", "stop", "m-1", 7, 3)]


def test_a_silent_stream_is_given_up_and_says_how_much_had_come() -> None:
    beginning = sse([chunk({"reasoning": "2 and "}), chunk({"reasoning": "2"})], done=False)
    with pytest.raises(TeacherError, match=r"nothing came for 0\.1 s, after 7 characters") as caught:
        ask(streaming([beginning], then="hang"), idle_timeout_s=0.1)
    assert caught.value.retryable
    with pytest.raises(TeacherError, match=r"no end of the answer in time, after 7 characters") as caught:
        ask(streaming([beginning], then="hang"), timeout_s=0.2)
    assert caught.value.retryable


def test_keep_alives_are_no_silence() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(8):
            await response.write(b": keep-alive\n\n")
            await asyncio.sleep(0.05)
        await response.write(WHOLE)
        return response

    assert ask(handler, idle_timeout_s=0.25)[0].response == "4"


def test_an_endpoint_that_never_begins_is_given_up() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.6)
        return web.Response()

    with pytest.raises(TeacherError, match=r"nothing came for 0\.1 s") as caught:
        ask(handler, idle_timeout_s=0.1)
    assert caught.value.retryable


def test_a_connection_that_breaks_is_a_cut_stream_unless_the_model_had_stopped() -> None:
    chunks = chunks_of({"content": "the sum is 4"})
    with pytest.raises(TeacherError, match="the stream was cut, after 12 characters") as caught:
        ask(streaming([sse(chunks[:-2], done=False)], then="hang up"))
    assert caught.value.retryable
    assert ask(streaming([sse(chunks[:-1], done=False)], then="hang up"))[0].response == "the sum is 4"


def test_the_key_is_in_no_streamed_reply_or_error_however_it_is_cut() -> None:
    whole = sse(chunks_of({"content": f"it is {KEY}."}, piece=5))
    assert ask(streaming([whole]), key=KEY)[0].response == "it is [key]."
    with pytest.raises(TeacherError) as caught:
        ask(streaming([sse([{"error": {"message": f"bad key {KEY}"}}])]), key=KEY)
    assert KEY[:8] not in str(caught.value)


# Anthropic's events

MESSAGE = {
    "model": "claude-x",
    "content": [
        {"type": "thinking", "thinking": "2 and 2 — 数学", "signature": "s"},
        {"type": "redacted_thinking", "data": "abc"},
        {"type": "text", "text": "4 🎉"},
        {"type": "text", "text": "."},
    ],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 3},
}


def message_events(message: dict[str, Any], piece: int = 2) -> list[dict[str, Any]]:
    begun = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, block in enumerate(message["content"]):
        kind = block["type"]
        empty = {**block, kind: ""} if kind in block else block
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        text = block.get(kind, "")
        deltas = [{"type": f"{kind}_delta", kind: text[i : i + piece]} for i in range(0, len(text), piece)]
        deltas += [{"type": "signature_delta", "signature": "s"}] if kind == "thinking" else []
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    usage = {"output_tokens": message["usage"]["output_tokens"]}
    stopped = {"type": "message_delta", "delta": {"stop_reason": message["stop_reason"]}, "usage": usage}
    return [*events, stopped, {"type": "message_stop"}]


def named_sse(events: Sequence[dict[str, Any]]) -> bytes:
    return "".join(
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events
    ).encode()


@given(places=st.lists(st.integers(0, 10_000), max_size=30), piece=st.integers(1, 20))
def test_any_chunking_of_a_message_gives_the_same_reply(places: list[int], piece: int) -> None:
    raw = named_sse(message_events(MESSAGE, piece))
    reply = read_message(collect(cut(raw, places), MessagesCollector()), READING)
    assert reply == read_message(MESSAGE, READING)
    assert reply == Reply("4 🎉.", "2 and 2 — 数学", "stop", "claude-x", 7, 3)


@pytest.mark.parametrize(
    ("kind", "retryable"), [("overloaded_error", True), ("api_error", True), ("invalid_request_error", False)]
)
def test_an_error_event_is_an_error(kind: str, retryable: bool) -> None:
    events = [*message_events(MESSAGE)[:6], {"type": "error", "error": {"type": kind, "message": "no"}}]
    with pytest.raises(TeacherError, match=kind) as caught:
        collect([named_sse(events)], MessagesCollector())
    assert caught.value.retryable == retryable


def test_a_message_without_its_stop_was_cut() -> None:
    with pytest.raises(TeacherError, match="the stream was cut"):
        collect([named_sse(message_events(MESSAGE)[:-2])], MessagesCollector())
    whole = collect([named_sse(message_events(MESSAGE)[:-1])], MessagesCollector())
    assert read_message(whole, READING) == read_message(MESSAGE, READING)
