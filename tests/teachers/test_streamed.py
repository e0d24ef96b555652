"""The simulated endpoint's streams of events: the same answer in pieces, and faults in the middle of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from reasonry.teachers.simulator.capacity import CapacityOptions
from reasonry.teachers.simulator.endpoint import serve_simulated
from reasonry.teachers.simulator.faults import FaultOptions
from reasonry.teachers.simulator.simulation import Behaviour, simulate
from reasonry.types import conversation
from tests.teachers.test_endpoint import within

BEHAVIOUR = Behaviour(seed=9, accuracy=1.0)
PROMPT = "Compute 47 + 85 + 11 + 12 + 13 + 14."
BODY: dict[str, Any] = {"model": "simulated-v1", "messages": [{"role": "user", "content": PROMPT}], "stream": True}
REPLY = simulate(BEHAVIOUR, conversation(PROMPT))


async def received(base_url: str, body: Mapping[str, Any], timeout_s: float = 10.0) -> tuple[bytes, Exception | None]:
    """What comes over the wire, and the error in which it ended."""
    read = bytearray()
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as session,
            session.post(f"{base_url}/chat/completions", json=dict(body)) as response,
        ):
            assert response.status == 200
            assert response.content_type == "text/event-stream"
            async for block in response.content.iter_any():
                read += block
    except (aiohttp.ClientError, TimeoutError) as exc:
        return bytes(read), exc
    return bytes(read), None


def lines(raw: bytes) -> list[str]:
    return [line.removeprefix("data: ") for line in raw.decode().split("\n\n") if line]


def texts(chunks: list[dict[str, Any]], name: str) -> list[str]:
    return [choice["delta"][name] for chunk in chunks for choice in chunk["choices"] if choice["delta"].get(name)]


@pytest.mark.parametrize("latency_s", [0.0, 0.1])
def test_a_stream_is_the_whole_answer_in_pieces(latency_s: float) -> None:
    with serve_simulated(BEHAVIOUR, capacity=CapacityOptions(latency_s=latency_s)) as served:
        raw, error = asyncio.run(received(served.base_url, {**BODY, "stream_options": {"include_usage": True}}))
        within(5, lambda: served.answers.total() == 1)
    assert error is None
    *sent, end = lines(raw)
    chunks = [json.loads(line) for line in sent]
    assert end == "[DONE]"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    reasoning, content = texts(chunks, "reasoning_content"), texts(chunks, "content")
    assert len(reasoning) > 1
    assert ("".join(reasoning), "".join(content)) == (REPLY.reasoning, REPLY.response)
    assert [c["choices"][0]["finish_reason"] for c in chunks[:-1]] == [None] * (len(chunks) - 2) + ["stop"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == REPLY.tokens_out


def test_usage_comes_only_when_it_is_asked_for() -> None:
    with serve_simulated(BEHAVIOUR) as served:
        raw, _ = asyncio.run(received(served.base_url, BODY))
    assert b"usage" not in raw


def test_streamed_or_not_it_is_one_request_in_the_counts() -> None:
    with serve_simulated(BEHAVIOUR) as served:
        asyncio.run(received(served.base_url, BODY))
        asyncio.run(received(served.base_url, {**BODY, "stream_options": {"include_usage": True}}))
        within(5, lambda: list(served.answers.values()) == [2])


@pytest.mark.parametrize("kind", ["cut", "hang", "invalid_json"])
def test_a_fault_comes_in_the_middle_and_is_not_counted_as_an_answer(kind: str) -> None:
    faults = FaultOptions.model_validate({kind: 1.0, "hang_s": 30.0})
    with serve_simulated(BEHAVIOUR, faults=faults) as served:
        raw, error = asyncio.run(received(served.base_url, BODY, timeout_s=1.0))
        assert (served.answers.total(), served.faults[kind]) == (0, 1)
    assert b"reasoning_content" in raw
    if kind == "invalid_json":
        assert error is None
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            [json.loads(line) for line in lines(raw)[:-1]]
    else:
        assert isinstance(error, TimeoutError if kind == "hang" else aiohttp.ClientError)
        assert b"[DONE]" not in raw


def test_an_empty_answer_stops_without_a_text() -> None:
    with serve_simulated(BEHAVIOUR, faults=FaultOptions(empty=1.0)) as served:
        raw, error = asyncio.run(received(served.base_url, BODY))
    chunks = [json.loads(line) for line in lines(raw)[:-1]]
    assert error is None
    assert not texts(chunks, "content")
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
