"""Anthropic's messages API as a wire format: what is sent, what comes back, and its stream of events.

The system prompt stands beside the messages, `max_tokens` must be given, thinking comes in blocks of its own, and a
prompt that was read from or written to a cache is counted apart. Thinking is asked for through `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from reasonry.errors import TeacherError
from reasonry.teachers.http.answers import Reading, counted, mapping, object_in, problem_in, unusable
from reasonry.teachers.http.providers import Provider
from reasonry.teachers.http.streams import Event
from reasonry.teachers.reasoning import split_reasoning
from reasonry.types import Finish, JsonMap, Reply, Request

__all__ = ["MessagesCollector", "messages_body", "messages_headers", "read_message"]

_VERSION = "2023-06-01"
_STOPS: dict[str, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",  # a turn that goes on when it is sent back: cut, as far as we can tell
    "refusal": "refusal",
}
_CODES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_PROMPT_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def messages_headers(key: str | None) -> dict[str, str]:
    """The headers of every request; the key, if there is one, in its own and nowhere else."""
    return {"anthropic-version": _VERSION, **({} if key is None else {"x-api-key": key})}


def messages_body(
    provider: Provider, model: str, extra: Mapping[str, Any], seed: int | None, request: Request
) -> dict[str, Any]:
    """A request's body. Raises TeacherError where `max_tokens` is missing, or a cut answer cannot go on."""
    sampling = request.sampling
    if sampling.max_tokens is None:
        raise TeacherError("this API wants max_tokens", fatal=True, hint="set distil.max_tokens")
    turns = [{"role": m.role, "content": m.content} for m in request.messages if m.role != "system"]
    if turns and turns[-1]["role"] == "assistant":
        turns[-1]["content"] = _begun(turns[-1]["content"])
    system = "\n\n".join(message.content for message in request.messages if message.role == "system")
    chosen: dict[str, Any] = {
        "system": system or None,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        provider.seed or "seed": seed if provider.seed else None,
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    return {"model": model, "max_tokens": sampling.max_tokens, "messages": turns, **given, **extra}


def _begun(text: str) -> str:
    """The text as the beginning of an answer, which may not end in white space."""
    if split_reasoning(text, "length").reasoning:
        hint = "raise max_tokens; continuations work for answers without thinking"
        raise TeacherError("this API cannot go on with an answer that has thinking in it", hint=hint)
    return text.rstrip()


def read_message(body: JsonMap, reading: Reading) -> Reply:
    """The reply in a message's body."""
    if (problem := _problem(body)) is not None:
        raise problem
    blocks = body.get("content")
    if not isinstance(blocks, list):
        raise unusable("an answer without content")
    reasoning, response = _texts(cast("list[Any]", blocks))
    finish = _STOPS.get(str(body.get("stop_reason")), "stop")
    if finish == "stop" and not response.strip() and reading.begun is None:
        raise unusable("an empty answer")
    usage, named = mapping(body.get("usage")), body.get("model")
    return Reply(
        response=response,
        reasoning=reasoning,
        finish=finish,
        model=named if isinstance(named, str) and named else reading.model,
        tokens_in=_prompt_tokens(usage),
        tokens_out=counted(usage.get("output_tokens")),
    )


def _texts(blocks: list[Any]) -> tuple[str, str]:
    """Thinking and text. What is redacted is encrypted and stays with the provider."""
    texts: dict[str, list[str]] = {"thinking": [], "text": []}
    for block in map(mapping, blocks):
        kind = str(block.get("type"))
        text = block.get(kind)
        if kind in texts and isinstance(text, str) and text:
            texts[kind].append(text)
    return "\n\n".join(texts["thinking"]), "".join(texts["text"])


def _prompt_tokens(usage: JsonMap) -> int | None:
    """Every token of the prompt, cached or not; unknown where the first count is."""
    counts = [counted(usage.get(name)) for name in _PROMPT_COUNTS]
    return None if counts[0] is None else counted(sum(count or 0 for count in counts))


def _problem(body: JsonMap) -> TeacherError | None:
    """An error in the body, with the status that its kind has where it comes as an answer of its own."""
    error = mapping(body.get("error"))
    return problem_in({"error": {**error, "code": _CODES.get(str(error.get("type")))}}) if error else None


@dataclass(slots=True)
class MessagesCollector:
    """Puts the events of a streamed message together. Kinds of events that are not known are passed over."""

    characters: int = 0
    is_done: bool = False
    _message: dict[str, Any] = field(default_factory=dict[str, Any])
    _blocks: dict[Any, dict[str, Any]] = field(default_factory=dict[Any, dict[str, Any]])
    _texts: dict[Any, list[str]] = field(default_factory=dict[Any, list[str]])
    _usage: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def has_stopped(self) -> bool:
        return self._message.get("stop_reason") is not None

    def take(self, event: Event) -> None:
        body = object_in(event.data)
        kind = body.get("type") or event.name
        if kind == "error":
            raise _problem(body) or unusable("an error in the answer")
        if kind == "message_start":
            message = mapping(body.get("message"))
            self._message.update(message)
            self._usage.update(mapping(message.get("usage")))
        elif kind == "content_block_start":
            self._blocks[body.get("index")] = dict(mapping(body.get("content_block")))
        elif kind == "content_block_delta":
            self._add(body.get("index"), mapping(body.get("delta")))
        elif kind == "message_delta":
            self._message.update(mapping(body.get("delta")))
            self._usage.update({name: value for name, value in mapping(body.get("usage")).items() if value is not None})
        elif kind == "message_stop":
            self.is_done = True

    def _add(self, index: Any, delta: JsonMap) -> None:
        kind = str(delta.get("type")).removesuffix("_delta")
        text = delta.get(kind)
        if kind in ("text", "thinking") and isinstance(text, str):
            self._blocks.setdefault(index, {"type": kind})
            self._texts.setdefault(index, []).append(text)
            self.characters += len(text)

    def body(self) -> JsonMap:
        return {**self._message, "content": [self._whole(index) for index in self._blocks], "usage": self._usage}

    def _whole(self, index: Any) -> dict[str, Any]:
        block = self._blocks[index]
        kind = str(block.get("type"))
        begun = block.get(kind)
        return {**block, kind: (begun if isinstance(begun, str) else "") + "".join(self._texts.get(index, ()))}
