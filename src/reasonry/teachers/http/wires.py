"""The two formats that endpoints speak, each as a row of functions: OpenAI's chat completions, Anthropic's messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reasonry.errors import TeacherError
from reasonry.teachers.http.answers import Reading, read_answer
from reasonry.teachers.http.messages_api import MessagesCollector, messages_body, messages_headers, read_message
from reasonry.teachers.http.providers import Provider
from reasonry.teachers.http.streams import ChatCollector, Collector
from reasonry.teachers.reasoning import is_thinking, split_reasoning
from reasonry.types import JsonMap, Message, Reply, Request

__all__ = ["WIRES", "Wire", "begun_in"]


@dataclass(frozen=True, slots=True)
class Wire:
    """One format. `body(provider, model, extra, seed, request)` is what is sent; `read` takes what comes back."""

    path: str
    headers: Callable[[str | None], dict[str, str]]
    body: Callable[[Provider, str, Mapping[str, Any], int | None, Request], dict[str, Any]]
    read: Callable[[JsonMap, Reading], Reply]
    collector: Callable[[], Collector]
    stream_options: Mapping[str, Any]


def begun_in(request: Request) -> str | None:
    """The text that a request wants to go on from; None for a question that is asked afresh."""
    last = request.messages[-1] if request.messages else None
    return last.content if last is not None and last.role == "assistant" else None


def _chat_headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def _chat_body(
    provider: Provider, model: str, extra: Mapping[str, Any], seed: int | None, request: Request
) -> dict[str, Any]:
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
    }
    if sampling.temperature is not None:
        body["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        body["top_p"] = sampling.top_p
    if sampling.max_tokens is not None:
        body[provider.max_tokens] = sampling.max_tokens
    if seed is not None and provider.seed is not None:
        body[provider.seed] = seed
    if begun_in(request) is not None:
        _go_on(provider, request.messages[-1], body)
    body.update(extra)
    return body


def _go_on(provider: Provider, begun: Message, body: dict[str, Any]) -> None:
    """Ask for the rest of an answer, in the provider's own way. Raises TeacherError where it has none."""
    if provider.continues is None:
        hint = "continuations = 0, or name a provider that can go on with a cut answer"
        raise TeacherError(f"nobody knows how {_shown(provider)} goes on with a cut answer", hint=hint)
    if provider.continues == "continue_final_message":
        body.update(continue_final_message=True, add_generation_prompt=False)
    elif provider.continues == "prefix":
        body["messages"][-1] = _prefix(begun.content)


def _prefix(begun: str) -> dict[str, Any]:
    """The last message as a prefix, with the thinking in a field of its own."""
    if is_thinking(begun):
        hint = "raise max_tokens: only an answer that was cut after its thinking can go on"
        raise TeacherError("this API cannot go on with thinking that was cut", hint=hint)
    parts = split_reasoning(begun, "length")
    thought = {"reasoning_content": parts.reasoning} if parts.reasoning else {}
    return {"role": "assistant", "content": parts.response, "prefix": True, **thought}


def _shown(provider: Provider) -> str:
    return "this endpoint" if provider.name == "other" else provider.name


WIRES: dict[str, Wire] = {
    "openai": Wire(
        path="/chat/completions",
        headers=_chat_headers,
        body=_chat_body,
        read=read_answer,
        collector=ChatCollector,
        stream_options={"include_usage": True},
    ),
    "anthropic": Wire(
        path="/messages",
        headers=messages_headers,
        body=messages_body,
        read=read_message,
        collector=MessagesCollector,
        stream_options={},
    ),
}
