"""What the simulated endpoint reads and writes: bodies of chat completions, whole and as a stream of events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reasonry.identity import digest
from reasonry.teachers.simulator.simulation import MODEL
from reasonry.types import Message, Reply

__all__ = ["Asked", "ReasoningField", "completion", "events", "problem", "read_asked", "request_digest"]

ReasoningField = Literal["reasoning_content", "reasoning", "think"]
_HOW_IT_IS_SENT = frozenset({"stream", "stream_options"})
_PIECE = 24  # characters in one event of a stream
END = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's body, read."""

    messages: list[Message]
    index: int
    max_tokens: int | None
    stream: bool
    with_usage: bool
    digest: str

    @property
    def begun(self) -> str | None:
        """The text that the answer is to go on from; None where it begins anew."""
        last = self.messages[-1] if self.messages else None
        return last.content if last is not None and last.role == "assistant" else None


def read_asked(body: Mapping[str, Any]) -> Asked:
    """What a body asks for. Raises ValueError, TypeError, KeyError or AttributeError for one that is no request."""
    max_tokens = body.get("max_tokens")
    if max_tokens is None:
        max_tokens = body.get("max_completion_tokens")
    options = body.get("stream_options") or {}
    return Asked(
        messages=[_message(message) for message in body["messages"]],
        index=int(body.get("seed") or 0),
        max_tokens=None if max_tokens is None else int(max_tokens),
        stream=bool(body.get("stream")),
        with_usage=bool(options.get("include_usage")),
        digest=request_digest(body),
    )


def request_digest(body: Mapping[str, Any]) -> str:
    """The name of a request in the counts: its body, whichever way the answer is sent."""
    return digest("body", {name: value for name, value in body.items() if name not in _HOW_IT_IS_SENT})


def _message(message: Mapping[str, Any]) -> Message:
    """An assistant's message may carry what it thought apart, where it is to be continued."""
    thought = message.get("reasoning_content")
    content = str(message["content"])
    return Message(str(message["role"]), f"{thought}\n{content}" if isinstance(thought, str) else content)


def completion(
    reply: Reply, reasoning_field: ReasoningField = "reasoning_content", begun: str | None = None
) -> dict[str, Any]:
    """A chat completion's body. `begun` is the text that it goes on from."""
    message = {"role": "assistant", "content": None, **_texts(reply, reasoning_field, begun)}
    return {
        "object": "chat.completion",
        "model": reply.model,
        "choices": [{"index": 0, "message": message, "finish_reason": _finish(reply)}],
        "usage": _usage(reply),
    }


def problem(status: int, message: str) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"message": message, "code": status}}


def events(reply: Reply, reasoning_field: ReasoningField, begun: str | None, *, with_usage: bool) -> list[bytes]:
    """The same answer as server-sent events: who speaks, the text in pieces, why it ended, what it cost, the end."""
    texts = _texts(reply, reasoning_field, begun)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{name: piece} for name, text in texts.items() for piece in _pieces(text)]
    choices: list[Any] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": _finish(reply)})
    written = [_event(reply, choices=[choice]) for choice in choices]
    if with_usage:
        written.append(_event(reply, choices=[], usage=_usage(reply)))
    return [*written, END]


def _event(reply: Reply, **content: Any) -> bytes:
    chunk = {"object": "chat.completion.chunk", "model": reply.model or MODEL, **content}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def _texts(reply: Reply, reasoning_field: ReasoningField, begun: str | None) -> dict[str, str]:
    """The answer's texts by the field they are sent in, in the order in which they are written."""
    if reply.finish == "refusal":
        return {"refusal": reply.response}
    if reasoning_field != "think":
        return {reasoning_field: reply.reasoning, "content": reply.response}
    if begun is not None and "</think>" in begun:
        return {"content": reply.response}
    opening = "<think>\n" if begun is None else ""
    closing = "" if reply.finish == "length" and not reply.response else "\n</think>\n\n"
    return {"content": f"{opening}{reply.reasoning}{closing}{reply.response}"}


def _finish(reply: Reply) -> str:
    return "stop" if reply.finish == "refusal" else reply.finish


def _usage(reply: Reply) -> dict[str, int]:
    tokens_in, tokens_out = reply.tokens_in or 0, reply.tokens_out or 0
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
    }
