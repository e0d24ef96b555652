"""Streamed answers: server-sent events, put together into the body that an unstreamed answer would have had.

So a streamed answer and an unstreamed one go through the same reader and give the same Reply. A stream that ends before
the model said why it stopped was cut, and is an error to be tried again; one that was cut after that is whole.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from reasonry.errors import TeacherError
from reasonry.teachers.http.answers import MAX_BODY_BYTES, mapping, object_in, problem_in
from reasonry.types import JsonMap

__all__ = ["ChatCollector", "Collector", "Event", "EventParser", "collected"]

_DONE = "[DONE]"
_LAST_WORDS_S = 1.0  # how long the end of a connection is waited for once the answer is whole


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event: the lines of its data, joined, and its name, which is empty as a rule."""

    data: str
    name: str = ""


class EventParser:
    """Bytes in, events out, however the bytes are cut (HTML standard, section 9.2.6).

    Decoding waits for a whole line, so a character may be cut anywhere. Comments (`: ping`), `id` and `retry` are
    passed over.
    """

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._name = b""
        self._after_return = False
        self._first = True

    def feed(self, block: bytes) -> Iterator[Event]:
        """The events that this block completes."""
        if self._after_return and block.startswith(b"\n"):
            block = block[1:]
            self._after_return = False
        if not block:
            return
        self._after_return = block.endswith(b"\r")
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *whole, rest = block.split(b"\n")
        for line in whole:
            self._line.append(line)
            if (event := self._take(b"".join(self._line))) is not None:
                yield event
            self._line.clear()
        if rest:
            self._line.append(rest)

    def close(self) -> Iterator[Event]:
        """What the last event is, where the stream ended without its blank line."""
        for line in (b"".join(self._line), b""):
            if (event := self._take(line)) is not None:
                yield event
        self._line.clear()

    def _take(self, line: bytes) -> Event | None:
        """One line; the event that it ends, if it ends one."""
        if self._first:
            self._first = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            return self._ended()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._name = value
        return None

    def _ended(self) -> Event | None:
        event = None
        if self._data:
            text = b"\n".join(self._data).decode("utf-8", "replace")
            event = Event(text, self._name.decode("utf-8", "replace"))
        self._data.clear()
        self._name = b""
        return event


class Collector(Protocol):
    """Puts one wire format's events together."""

    @property
    def is_done(self) -> bool:
        """Whether the stream said that it is over."""
        ...

    @property
    def has_stopped(self) -> bool:
        """Whether the model said why it stopped, so that nothing of the answer is missing."""
        ...

    @property
    def characters(self) -> int:
        """How much text has come."""
        ...

    def take(self, event: Event) -> None:
        """Raises TeacherError for an error in the stream."""
        ...

    def body(self) -> JsonMap: ...


@dataclass(slots=True)
class ChatCollector:
    """OpenAI's format: chunks with deltas of the first choice. Calls of tools are passed over."""

    characters: int = 0
    is_done: bool = False
    _texts: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    _parts: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    _finish: Any = None
    _model: Any = None
    _usage: Any = None
    _has_choice: bool = False

    @property
    def has_stopped(self) -> bool:
        return self._finish is not None

    def take(self, event: Event) -> None:
        if event.data.strip() == _DONE:
            self.is_done = True
            return
        chunk = object_in(event.data)
        if (problem := problem_in(chunk)) is not None:
            raise problem
        self._model = self._model or chunk.get("model")
        self._usage = chunk.get("usage") or self._usage
        choices = chunk.get("choices")
        for choice in cast("list[Any]", choices) if isinstance(choices, list) else []:
            self._choose(mapping(choice))

    def _choose(self, choice: JsonMap) -> None:
        if choice.get("index", 0) != 0:
            return
        self._has_choice = True
        self._finish = choice.get("finish_reason") or self._finish
        for name, value in mapping(choice.get("delta")).items():
            if isinstance(value, str) and name != "role":
                self._texts.setdefault(name, []).append(value)
                self.characters += len(value)
            elif isinstance(value, list) and name != "tool_calls":
                self._parts.setdefault(name, []).extend(cast("list[Any]", value))

    def body(self) -> JsonMap:
        message: dict[str, Any] = {name: "".join(texts) for name, texts in self._texts.items()}
        for name, parts in self._parts.items():  # content in parts, after which some go on in plain text
            text = message.get(name)
            message[name] = [*parts, {"type": "text", "text": text}] if text else parts
        choice = {"message": message, "finish_reason": self._finish}
        return {"model": self._model, "choices": [choice] if self._has_choice else [], "usage": self._usage}


async def collected(
    blocks: AsyncIterable[bytes], collector: Collector, cleaned: Callable[[str], str], idle_s: float
) -> JsonMap:
    """The body that a stream comes to. `cleaned` takes the key out of an event's text.

    Raises a retryable TeacherError, which says how much had come, for a stream that was cut or fell silent.
    """
    import aiohttp

    try:
        await _into(blocks, collector, cleaned)
    except TimeoutError as exc:
        if not collector.has_stopped:
            is_silence = isinstance(exc, aiohttp.ServerTimeoutError)
            what = f"nothing came for {idle_s:g} s" if is_silence else "no end of the answer in time"
            raise _lost(what, collector) from exc
    except (aiohttp.ClientError, OSError) as exc:
        if not collector.has_stopped:
            raise _lost("the stream was cut", collector) from exc
    if not (collector.is_done or collector.has_stopped):
        raise _lost("the stream was cut", collector)
    return collector.body()


async def _into(blocks: AsyncIterable[bytes], collector: Collector, cleaned: Callable[[str], str]) -> None:
    parser, size = EventParser(), 0
    async for block in blocks:
        size += len(block)
        if size > MAX_BODY_BYTES:
            raise TeacherError(f"the answer is larger than {MAX_BODY_BYTES / 1e6:.0f} MB")
        for event in parser.feed(block):
            if not collector.is_done:
                collector.take(Event(cleaned(event.data), event.name))
        if collector.is_done:
            return await _drain(blocks)
    for event in parser.close():
        if not collector.is_done and _is_whole(event):
            collector.take(Event(cleaned(event.data), event.name))
    return None


async def _drain(blocks: AsyncIterable[bytes]) -> None:
    """Read to the end, which is there already as a rule, so that the connection can be used again."""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(_LAST_WORDS_S):
            async for _ in blocks:
                pass


def _is_whole(event: Event) -> bool:
    """Whether a last event without its blank line is more than the beginning of one."""
    if event.data.strip() == _DONE:
        return True
    try:
        json.loads(event.data)
    except (ValueError, RecursionError):
        return False
    return True


def _lost(what: str, collector: Collector) -> TeacherError:
    return TeacherError(f"{what}, after {collector.characters} characters of the answer", retryable=True)
