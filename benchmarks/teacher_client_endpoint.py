"""A chat endpoint on loopback that is as cheap as Python allows, so that a client's cost is the client's.

    python -m benchmarks.teacher_client_endpoint --latency 0.05 --reply-characters 2000

Every POST gets a chat completion in OpenAI's format, with usage, after the latency; several fixed texts take turns. No
request is parsed beyond its length, nothing is checked, and HTTP/1.1 connections stay open. Printed, once it listens:
`{"base_url": "http://127.0.0.1:PORT/v1"}`. It counts: a request is in flight from its last byte's arrival until its
answer is handed to the kernel.

GET /stats                             {"served", "in_flight", "most_in_flight", "connections", "cpu_s"}
POST /reset {"latency_s": 0.05}        counts from nought, and sets the latency
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import signal
import sys
from collections import deque
from typing import Any, cast

from benchmarks.teacher_client_common import MODEL, raise_open_files

__all__ = ["Endpoint", "complete_requests", "replies", "serve"]

_WORDS = ("so", "then", "we", "add", "both", "sides", "and", "get", "the", "square", "of", "x", "plus", "two", "thus")
_TEXTS = 16
_TICK_S = 0.001
_BACKLOG = 4096


def replies(characters: int) -> list[bytes]:
    """Whole HTTP responses whose content has that many characters."""
    draw = random.Random(5)
    made: list[bytes] = []
    for number in range(_TEXTS):
        text = " ".join(draw.choice(_WORDS) for _ in range(characters // 2 + 1))[:characters]
        body = json.dumps(_completion(f"chatcmpl-{number}", text)).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        made.append(head.encode() + body)
    return made


def _completion(name: str, text: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 60, "completion_tokens": len(text) // 4, "total_tokens": 60 + len(text) // 4},
    }


def complete_requests(buffer: bytearray) -> list[bytes]:
    """Take every whole request off the front of the buffer: its first line and its body, one after the other."""
    found: list[bytes] = []
    while (end := buffer.find(b"\r\n\r\n")) >= 0:
        head = bytes(buffer[:end])
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(buffer) < end + 4 + length:
            break
        found.append(head.split(b"\r\n", 1)[0] + b"\n" + bytes(buffer[end + 4 : end + 4 + length]))
        del buffer[: end + 4 + length]
    return found


class Endpoint:
    """The counts, and the answers that wait for their time: one timer serves all, since all wait equally long."""

    def __init__(self, latency_s: float, reply_characters: int) -> None:
        self._replies = replies(reply_characters)
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, asyncio.Transport]] = deque()
        self._latency_s = latency_s
        self._is_ticking = False
        self._cpu_s = _cpu_s()
        self.served = 0
        self.most_in_flight = 0
        self.connections = 0

    def ask(self, transport: asyncio.Transport) -> None:
        """Answer on this connection, after the latency."""
        self._waiting.append((self._loop.time() + self._latency_s, transport))
        self.most_in_flight = max(self.most_in_flight, len(self._waiting))
        if not self._is_ticking:
            self._is_ticking = True
            self._loop.call_later(self._latency_s, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        while self._waiting and self._waiting[0][0] <= now:
            transport = self._waiting.popleft()[1]
            transport.write(self._replies[self.served % _TEXTS])
            self.served += 1
        self._is_ticking = bool(self._waiting)
        if self._is_ticking:
            self._loop.call_later(max(_TICK_S, self._waiting[0][0] - now), self._tick)

    def stats(self) -> dict[str, Any]:
        return {
            "served": self.served,
            "in_flight": len(self._waiting),
            "most_in_flight": self.most_in_flight,
            "connections": self.connections,
            "cpu_s": _cpu_s() - self._cpu_s,
        }

    def reset(self, body: bytes) -> dict[str, Any]:
        """Count from nought. What still waits from before is forgotten: its client has gone."""
        given = cast("dict[str, Any]", json.loads(body or b"{}"))
        self._latency_s = float(given.get("latency_s", self._latency_s))
        self._waiting.clear()
        self.served = self.most_in_flight = self.connections = 0
        self._cpu_s = _cpu_s()
        return self.stats()


class _Connection(asyncio.Protocol):
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._endpoint.connections += 1

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._buffer += data
        for request in complete_requests(self._buffer):
            line, _, body = request.partition(b"\n")
            if line.startswith(b"POST /reset"):
                self._say(self._endpoint.reset(body))
            elif line.startswith(b"GET "):
                self._say(self._endpoint.stats())
            else:
                self._endpoint.ask(self._transport)

    def _say(self, what: dict[str, Any]) -> None:
        body = json.dumps(what).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        cast("asyncio.Transport", self._transport).write(head.encode() + body)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def serve(latency_s: float, reply_characters: int, port: int = 0) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    endpoint = Endpoint(latency_s, reply_characters)
    server = await loop.create_server(lambda: _Connection(endpoint), "127.0.0.1", port, backlog=_BACKLOG)
    print(json.dumps({"base_url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"}), flush=True)
    await stop.wait()
    server.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    parser.add_argument("--reply-characters", type=int, default=2000)
    given = parser.parse_args()
    raise_open_files()
    asyncio.run(serve(given.latency, given.reply_characters, given.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
