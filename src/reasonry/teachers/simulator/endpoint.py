"""The simulated teacher as an OpenAI-compatible endpoint on this machine, for tests and the demo.

`POST /v1/chat/completions` answers, whole or as a stream of events; `/v1/files` and `/v1/batches` take batches;
`GET /v1/models` lists the one model. `GET /stats` counts what was served, by request and by second, so that a test can
prove that nothing was paid for twice (`/stats?brief` leaves the requests out). The sample's index comes as the
request's `seed`.

It binds loopback addresses only. As a program:

    python -m reasonry.teachers.simulator.endpoint --port 0 --seed 7 --accuracy 0.6 --faults '{"http_429": 0.1}'
    python -m reasonry.teachers.simulator.endpoint --faults chaos --capacity '{"at_once": 64, "latency_s": 0.2}'

prints one JSON line with its `base_url` and serves until it is interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import signal
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, get_args

from pydantic import TypeAdapter, ValidationError

from reasonry.errors import ReasonryError, UsageError, WorkFailed
from reasonry.teachers.asking.loops import LoopThread
from reasonry.teachers.simulator.batches import add_batch_routes
from reasonry.teachers.simulator.bodies import Asked, ReasoningField, completion, events, problem, read_asked
from reasonry.teachers.simulator.capacity import Capacity, CapacityOptions, Refused
from reasonry.teachers.simulator.counts import Served
from reasonry.teachers.simulator.faults import FaultKind, FaultOptions
from reasonry.teachers.simulator.simulation import MODEL, Behaviour, Mistake, simulate
from reasonry.types import Reply

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Served", "SimulatedEndpoint", "serve_simulated", "serving"]

_LARGEST_REQUEST = 64 << 20
_BACKLOG = 4096  # connections that wait to be accepted: clients open hundreds at once


@contextmanager
def serve_simulated(
    behaviour: Behaviour,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    faults: FaultOptions | None = None,
    capacity: CapacityOptions | None = None,
    key: str | None = None,
    reasoning_field: ReasoningField = "reasoning_content",
) -> Generator[Served]:
    """Serve on a thread of its own until the block is left. Port 0 takes a free one.

    With a `key`, requests without it are refused (401), with the refused one quoted, as some endpoints do.
    Raises UsageError for a host beyond loopback.
    """
    endpoint = SimulatedEndpoint(behaviour, faults, capacity, key, reasoning_field)
    with LoopThread("simulated endpoint") as loop, loop.hold(_listening(endpoint, host, port)) as served:
        yield served


@asynccontextmanager
async def serving(
    behaviour: Behaviour, faults: FaultOptions | None = None, capacity: CapacityOptions | None = None
) -> AsyncGenerator[Served]:
    """Serve on the running event loop until the block is left."""
    async with _listening(SimulatedEndpoint(behaviour, faults, capacity), "127.0.0.1", 0) as served:
        yield served


@asynccontextmanager
async def _listening(endpoint: SimulatedEndpoint, host: str, port: int) -> AsyncGenerator[Served]:
    from aiohttp import web

    _check_loopback(host)
    # A request whose client has gone is given up, as engines do: it holds no place, and is not counted as answered.
    runner = web.AppRunner(
        endpoint.application(), access_log=None, shutdown_timeout=1.0, handler_cancellation=True, keepalive_timeout=3600
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
        except OSError as exc:
            raise WorkFailed(f"cannot listen: {exc.strerror or exc}", place=f"{host}:{port}", hint="--port 0") from exc
        shown = f"[{host}]" if ":" in host else host
        endpoint.served.base_url = f"http://{shown}:{runner.addresses[0][1]}/v1"
        yield endpoint.served
    finally:
        await runner.cleanup()


def _check_loopback(host: str) -> None:
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback:
        raise UsageError(f"the simulated teacher is served on loopback only, not on {host}", hint="--host 127.0.0.1")


class SimulatedEndpoint:
    """The handlers. Faulty answers are not counted as served."""

    def __init__(
        self,
        behaviour: Behaviour,
        faults: FaultOptions | None = None,
        capacity: CapacityOptions | None = None,
        key: str | None = None,
        reasoning_field: ReasoningField = "reasoning_content",
    ) -> None:
        self.served = Served()
        self._behaviour = behaviour
        self._faults = faults or FaultOptions()
        self._capacity = Capacity(capacity or CapacityOptions())
        self._key = key
        self._reasoning_field: ReasoningField = reasoning_field

    def application(self) -> web.Application:
        from aiohttp import web

        application = web.Application(client_max_size=_LARGEST_REQUEST)
        application.router.add_post("/v1/chat/completions", self._chat)
        application.router.add_get("/v1/models", self._models)
        application.router.add_get("/stats", self._stats)
        add_batch_routes(application, self.answer)
        return application

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The completion that a request's body gets, counted as served: neither faults nor limits apply.

        Raises Refused for a body that is no request.
        """
        asked = self._read(body)
        whole = completion(self._reply(asked), self._reasoning_field, asked.begun)
        self.served.answered(asked.digest)
        return whole

    async def _models(self, _: web.Request) -> web.Response:
        return _json({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "reasonry"}]})

    async def _stats(self, request: web.Request) -> web.Response:
        return _json(self.served.stats(brief="brief" in request.query))

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        with self.served.under_way():
            try:
                return await self._served(request)
            except Refused as refused:
                return self._problem(refused.status, refused.message, refused.headers)
            except asyncio.CancelledError:
                self.served.abandoned += 1
                raise

    async def _served(self, request: web.Request) -> web.StreamResponse:
        if self._key is not None and request.headers.get("Authorization") != f"Bearer {self._key}":
            raise Refused(401, f"incorrect key: {request.headers.get('Authorization', 'none')}")
        try:
            body = json.loads(await request.read())
        except ValueError as exc:
            raise _no_request(exc) from exc
        asked = self._read(body)
        reply = self._reply(asked)
        return await self._answer(request, asked, reply)

    def _read(self, body: Any) -> Asked:
        try:
            asked, model = read_asked(body), body.get("model")
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            raise _no_request(exc) from exc
        if model != MODEL:
            raise Refused(404, f"no model {model!r}")
        return asked

    def _reply(self, asked: Asked) -> Reply:
        return simulate(self._behaviour, asked.messages, asked.index, asked.max_tokens)

    async def _answer(self, request: web.Request, asked: Asked, reply: Reply) -> web.StreamResponse:
        headers = self._capacity.charge((reply.tokens_in or 0) + (reply.tokens_out or 0))
        self.served.attempts[asked.digest] += 1
        attempt = self.served.attempts[asked.digest]
        fault = self._faults.drawn(asked.digest, attempt)
        if fault is not None:
            self.served.faults[fault] += 1
        if fault == "http_429":
            raise Refused(429, "too many requests", {**headers, "Retry-After": f"{self._faults.retry_after_s:g}"})
        if fault == "http_500":
            raise Refused(500, "an internal error", headers)
        if fault == "empty":
            reply = Reply("", model=MODEL, tokens_in=reply.tokens_in, tokens_out=0)
        async with self._capacity.place() as load:
            latency_s = self._capacity.options.latency_of(asked.digest, attempt, load)
            if fault == "slow":
                latency_s += self._faults.slow_s
            if asked.stream:
                return await self._stream(request, asked, reply, fault, headers, latency_s)
            if latency_s:
                await asyncio.sleep(latency_s)
            if fault == "hang":
                return await self._hang(request)
        whole = json.dumps(completion(reply, self._reasoning_field, asked.begun)).encode()
        if fault == "cut":
            return await _cut(request, whole)
        if fault == "invalid_json":
            whole = whole[: len(whole) // 2]
        return await self._send(request, asked, whole, headers, fault)

    async def _send(
        self, request: web.Request, asked: Asked, whole: bytes, headers: Mapping[str, str], fault: FaultKind | None
    ) -> web.StreamResponse:
        from aiohttp import web

        response = web.Response(body=whole, content_type="application/json", headers=headers)
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            self.served.abandoned += 1
            return response  # the client has gone: nobody received this answer, so it is not counted
        self._count(asked, fault)
        return response

    async def _stream(
        self,
        request: web.Request,
        asked: Asked,
        reply: Reply,
        fault: FaultKind | None,
        headers: Mapping[str, str],
        latency_s: float,
    ) -> web.StreamResponse:
        """The answer in pieces, spread over the time it takes. A fault comes in the middle."""
        from aiohttp import web

        written = events(reply, self._reasoning_field, asked.begun, with_usage=asked.with_usage)
        middle = len(written) // 2
        pause_s = latency_s / len(written)
        response = web.StreamResponse(headers={**headers, "Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            for number, event in enumerate(written):
                if pause_s:
                    await asyncio.sleep(pause_s)
                if number == middle and fault == "hang":
                    return await self._hang(request, response)
                if number == middle and fault == "cut":
                    _hang_up(request)
                    return response
                if number == middle and fault == "invalid_json":
                    event = event[: len(event) // 2] + b"\n\n"  # noqa: PLW2901 - half of it is what is sent
                await response.write(event)
            await response.write_eof()
        except ConnectionError:
            self.served.abandoned += 1
            return response
        self._count(asked, fault)
        return response

    def _count(self, asked: Asked, fault: FaultKind | None) -> None:
        if fault in (None, "slow"):
            self.served.answered(asked.digest)

    async def _hang(self, request: web.Request, begun: web.StreamResponse | None = None) -> web.StreamResponse:
        """Say nothing (more), then hang up."""
        from aiohttp import web

        await asyncio.sleep(self._faults.hang_s)
        _hang_up(request)
        return begun or web.Response()

    def _problem(self, status: int, message: str, headers: Mapping[str, str]) -> web.Response:
        if status == 429 or status >= 500:
            self.served.refused(status)
        return _json(problem(status, message), status, headers)


async def _cut(request: web.Request, whole: bytes) -> web.StreamResponse:
    """Promise the whole body, send half of it, and hang up."""
    from aiohttp import web

    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(whole))})
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    _hang_up(request)
    return response


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


def _no_request(exc: Exception) -> Refused:
    return Refused(400, f"not a chat completion request: {exc}")


def _json(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    from aiohttp import web

    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers, content_type="application/json")


def main(arguments: Sequence[str] | None = None) -> int:
    """The program: serve until SIGINT or SIGTERM."""
    given = _parser().parse_args(arguments)
    try:
        faults = FaultOptions.model_validate_json(_table_or_name(given.faults))
        capacity = CapacityOptions.model_validate_json(given.capacity)
        mistakes = TypeAdapter(dict[Mistake, float]).validate_json(given.mistakes)
        behaviour = Behaviour(given.seed, given.accuracy, mistakes)
        _take_all_files()
        endpoint = SimulatedEndpoint(behaviour, faults, capacity, reasoning_field=given.reasoning_field)
        asyncio.run(_serve(endpoint, given.host, given.port))
    except (ReasonryError, ValidationError) as exc:
        sys.stderr.write(f"error: {exc}\n")
        return exc.exit_code if isinstance(exc, ReasonryError) else UsageError.exit_code
    return 0


def _take_all_files() -> None:
    """Have as many open files as the system lets this process: each client's connection is one."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _table_or_name(text: str) -> str:
    """A mode's name stands for its table."""
    return json.dumps(text) if text.isalpha() else text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reasonry.teachers.simulator.endpoint", description=simulate.__doc__
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--accuracy", type=float, default=Behaviour().accuracy)
    parser.add_argument("--mistakes", default='{"slip": 1.0}', help="weights by kind, as JSON")
    parser.add_argument("--faults", default="{}", help="chaos, or as JSON: " + ", ".join(FaultOptions.model_fields))
    parser.add_argument("--capacity", default="{}", help="as JSON: " + ", ".join(CapacityOptions.model_fields))
    parser.add_argument("--reasoning-field", choices=get_args(ReasoningField), default="reasoning_content")
    return parser


async def _serve(endpoint: SimulatedEndpoint, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # where signals cannot be handled so, an interrupt ends the loop
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _listening(endpoint, host, port) as served:
        sys.stdout.write(json.dumps({"base_url": served.base_url}) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main())
