"""One HTTP client, measured in this process. Imports nothing but Python's own and the client's library.

    python -m benchmarks.http2_client httpx-h2 --base-url https://127.0.0.1:PORT/v1 --certificate FILE \\
        --requests 2000 --concurrency 500

One request of a client that is then closed warms up. Two phases follow, with the same open client: `cold` asks
`concurrency` requests at once, without a connection; `warm` asks `requests`, `concurrency` at a time. Before each phase
the process prints `{"ready": PHASE}` and waits for a line on its standard input; after it, it prints the figures. A
request that fails is asked again, five times at most, and counted in `errors`.

aiohttp        HTTP/1.1: one connection for each request in flight
aiohttp-lean   the same; of each TLS connection's 256 KiB read buffer (asyncio's), 32 are left
httpx          HTTP/1.1, likewise
httpx-h2       HTTP/2; httpx keeps one connection for a host, and asks at most 100 requests at once on it
httpx-h2-many  HTTP/2; as many such clients as it takes to ask `concurrency` at once, in turns
h2             HTTP/2 by a minimal asyncio protocol on the h2 library, as a transport of our own would be: as many
               connections as are needed. It replaces a private part of h2, which otherwise reads nothing more of a
               connection after GOAWAY
reqwest        HTTP/1.1 by Rust's reqwest (pyreqwest), to tell what HTTP/2 costs from what it costs in Python
reqwest-h2     the same, HTTP/2
"""

from __future__ import annotations

import argparse
import asyncio
import asyncio.sslproto
import importlib
import json
import math
import resource
import ssl
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from benchmarks.teacher_client_common import Clock, body_of, prompts, raise_open_files

__all__ = ["CLIENTS", "STREAMS", "main"]

STREAMS = 100  # what httpx asks at once on one HTTP/2 connection, whatever the server allows
_READ_BYTES = 1 << 15  # two TLS records
_TRIES = 5
_TIMEOUT_S = 120.0

Post = Callable[[dict[str, object]], Awaitable[bytes]]


@asynccontextmanager
async def _aiohttp_lean(given: argparse.Namespace) -> AsyncGenerator[Post]:
    cast("Any", asyncio.sslproto.SSLProtocol).max_size = _READ_BYTES
    async with _aiohttp(given) as post:
        yield post


@asynccontextmanager
async def _aiohttp(given: argparse.Namespace) -> AsyncGenerator[Post]:
    aiohttp: Any = importlib.import_module("aiohttp")
    secure = ssl.create_default_context(cafile=given.certificate)
    connector = aiohttp.TCPConnector(limit=given.concurrency, ssl=secure)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def post(body: dict[str, object]) -> bytes:
            async with session.post(f"{given.base_url}/chat/completions", json=body) as response:
                response.raise_for_status()
                return await response.read()

        yield post


def _httpx(*, http2: bool, many: bool = False) -> Callable[[argparse.Namespace], Any]:
    @asynccontextmanager
    async def opened(given: argparse.Namespace) -> AsyncGenerator[Post]:
        httpx: Any = importlib.import_module(given.httpx)
        limits = httpx.Limits(max_connections=given.concurrency, max_keepalive_connections=given.concurrency)
        secure = ssl.create_default_context(cafile=given.certificate)
        count = math.ceil(given.concurrency / STREAMS) if many else 1
        turn = 0

        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(
                    httpx.AsyncClient(http2=http2, verify=secure, limits=limits, timeout=_TIMEOUT_S, trust_env=False)
                )
                for _ in range(count)
            ]

            async def post(body: dict[str, object]) -> bytes:
                nonlocal turn
                turn += 1
                response = await clients[turn % count].post(f"{given.base_url}/chat/completions", json=body)
                response.raise_for_status()
                return response.content

            yield post

    return opened


class _Streams(asyncio.Protocol):
    """One HTTP/2 connection that sends small bodies and gives whole answers; no flow control when sending."""

    def __init__(self) -> None:
        config: Any = importlib.import_module("h2.config")
        connection: Any = importlib.import_module("h2.connection")
        self._events: Any = importlib.import_module("h2.events")
        self._settings: Any = importlib.import_module("h2.settings").SettingCodes
        self._h2 = connection.H2Connection(config.H2Configuration(validate_inbound_headers=False))
        self._h2._frame_dispatch_table[importlib.import_module("hyperframe.frame").GoAwayFrame] = self._leave
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, tuple[asyncio.Future[bytes], bytearray]] = {}
        self._is_leaving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._h2.local_settings.update({self._settings.INITIAL_WINDOW_SIZE: 1 << 24, self._settings.ENABLE_PUSH: 0})
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window((1 << 30) - 65535)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        for answer, _ in self._waiting.values():
            if not answer.done():
                answer.set_exception(exc or ConnectionError("closed"))

    @property
    def is_free(self) -> bool:
        return not self._is_leaving and len(self._waiting) < STREAMS

    def _leave(self, frame: Any) -> tuple[list[Any], list[Any]]:
        """The server takes no more on this connection. What it has taken it still answers; the rest is asked anew."""
        self._is_leaving = True
        for stream in [each for each in self._waiting if each > frame.last_stream_id]:
            self._waiting.pop(stream)[0].set_exception(ConnectionError("not taken"))
        return [], []

    def _flush(self) -> None:
        assert self._transport is not None
        if data := self._h2.data_to_send():
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            kind = type(event)
            if kind is self._events.DataReceived:
                self._waiting[event.stream_id][1].extend(event.data)
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif kind is self._events.StreamEnded:
                answer, body = self._waiting.pop(event.stream_id)
                answer.set_result(bytes(body))
            elif kind is self._events.StreamReset:
                self._waiting.pop(event.stream_id)[0].set_exception(ConnectionError("reset"))
        self._flush()

    async def ask(self, headers: list[tuple[str, str]], body: bytes) -> bytes:
        stream = self._h2.get_next_available_stream_id()
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[stream] = answer, bytearray()
        self._h2.send_headers(stream, [*headers, ("content-length", str(len(body)))])
        self._h2.send_data(stream, body, end_stream=True)
        self._flush()
        return await answer

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


@asynccontextmanager
async def _h2(given: argparse.Namespace) -> AsyncGenerator[Post]:
    secure = ssl.create_default_context(cafile=given.certificate)
    secure.set_alpn_protocols(["h2"])
    place = urlsplit(given.base_url)
    headers = [(":method", "POST"), (":authority", place.netloc), (":scheme", "https")]
    headers += [(":path", f"{place.path}/chat/completions"), ("content-type", "application/json")]
    every: list[_Streams] = []
    opening = asyncio.Lock()
    loop = asyncio.get_running_loop()

    def free() -> _Streams | None:
        return next((one for one in every if one.is_free), None)

    async def post(body: dict[str, object]) -> bytes:
        while (one := free()) is None:
            async with opening:
                if free() is None:
                    _, one = await loop.create_connection(_Streams, place.hostname, place.port, ssl=secure)
                    every.append(one)
        return await one.ask(headers, json.dumps(body).encode())

    yield post
    for one in every:
        one.close()


def _reqwest(*, http2: bool) -> Callable[[argparse.Namespace], Any]:
    @asynccontextmanager
    async def opened(given: argparse.Namespace) -> AsyncGenerator[Post]:
        module: Any = importlib.import_module("pyreqwest.client")
        certificate = Path(given.certificate).read_bytes()  # noqa: ASYNC240 - before anything is measured
        builder = module.ClientBuilder().add_root_certificate_pem(certificate).no_proxy()
        builder = builder.timeout(timedelta(seconds=_TIMEOUT_S)).error_for_status(True)  # noqa: FBT003
        builder = builder.http2(True) if http2 else builder.http1_only()  # noqa: FBT003
        async with builder.build() as client:

            async def post(body: dict[str, object]) -> bytes:
                response = await client.post(f"{given.base_url}/chat/completions").body_json(body).build().send()
                return bytes(await response.bytes())

            yield post

    return opened


CLIENTS: dict[str, Callable[[argparse.Namespace], Any]] = {
    "aiohttp": _aiohttp,
    "aiohttp-lean": _aiohttp_lean,
    "httpx": _httpx(http2=False),
    "httpx-h2": _httpx(http2=True),
    "httpx-h2-many": _httpx(http2=True, many=True),
    "h2": _h2,
    "reqwest": _reqwest(http2=False),
    "reqwest-h2": _reqwest(http2=True),
}


class Asking:
    """Asks, `concurrency` at a time, and counts. `errors` holds what went wrong by its name."""

    def __init__(self, post: Post, concurrency: int) -> None:
        self._post = post
        self._slots = asyncio.Semaphore(concurrency)
        self.right = 0
        self.errors: dict[str, int] = {}

    async def ask(self, count: int) -> None:
        await asyncio.gather(*(self._one(prompt) for prompt in prompts(count)))

    async def _one(self, prompt: str) -> None:
        body = body_of(prompt)
        async with self._slots:
            for _ in range(_TRIES):
                try:
                    answer = json.loads(await self._post(body))
                except Exception as exc:  # noqa: BLE001 - whatever the library calls it
                    name = f"{type(exc).__name__}: {exc}"[:100]
                    self.errors[name] = self.errors.get(name, 0) + 1
                    continue
                self.right += bool(answer["choices"][0]["message"]["content"])
                return


def _most_memory_mb() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


async def _measured(given: argparse.Namespace, phases: Sequence[tuple[str, int]]) -> None:
    opened = CLIENTS[given.client]
    async with opened(given) as post:
        await Asking(post, 1).ask(1)
    before_mb = _most_memory_mb()
    async with opened(given) as post:
        for phase, count in phases:
            print(json.dumps({"ready": phase}), flush=True)
            sys.stdin.readline()
            clock = Clock()
            asking = Asking(post, given.concurrency)
            await asking.ask(count)
            spent = clock.spent()
            found = {"requests": count, "right": asking.right, "wall_s": spent.wall_s, "cpu_s": spent.cpu_s}
            memory = {"memory_mb": _most_memory_mb() - before_mb, "errors": asking.errors}
            print(json.dumps({**found, **memory}), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--certificate", required=True, help="the one to trust, a PEM file")
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--httpx", default="httpx", help="httpx, or httpx2")
    given = parser.parse_args()
    raise_open_files()
    asyncio.run(_measured(given, [("cold", given.concurrency), ("warm", given.requests)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
