"""The simulated teacher as an OpenAI-compatible endpoint on this machine, for tests and the demo.

`POST /v1/chat/completions` answers, `GET /v1/models` lists the one model, `GET /stats` counts what was served, by
request, so that a test can prove that nothing was paid for twice. The sample's index comes as the request's `seed`.

It binds loopback addresses only. As a program:

    python -m reasonry.teachers.endpoint --port 0 --seed 7 --accuracy 0.6 --faults '{"http_429": 0.1}'

prints one JSON line with its `base_url` and serves until it is interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import TypeAdapter, ValidationError

from reasonry.errors import ReasonryError, UsageError, WorkFailed
from reasonry.identity import digest
from reasonry.teachers.faults import FaultKind, FaultOptions
from reasonry.teachers.loops import LoopThread
from reasonry.teachers.simulation import MODEL, Behaviour, Mistake, simulate
from reasonry.types import Message, Reply

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Served", "serve_simulated", "serving"]

ReasoningField = Literal["reasoning_content", "reasoning", "think"]
_LARGEST_REQUEST = 64 << 20


@dataclass(slots=True)
class Served:
    """A running endpoint. `answers` counts the complete answers sent, by digest of the request's body."""

    base_url: str = ""
    received: int = 0
    attempts: Counter[str] = field(default_factory=Counter[str])
    answers: Counter[str] = field(default_factory=Counter[str])
    faults: Counter[str] = field(default_factory=Counter[str])

    def stats(self) -> dict[str, Any]:
        return {
            "served": self.answers.total(),
            "received": self.received,
            "requests": dict(self.answers),
            "faults": dict(self.faults),
        }


@contextmanager
def serve_simulated(
    behaviour: Behaviour,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    faults: FaultOptions | None = None,
    key: str | None = None,
    reasoning_field: ReasoningField = "reasoning_content",
) -> Generator[Served]:
    """Serve on a thread of its own until the block is left. Port 0 takes a free one.

    With a `key`, requests without it are refused (401), with the refused one quoted, as some endpoints do.
    Raises UsageError for a host beyond loopback.
    """
    endpoint = _Endpoint(behaviour, faults or FaultOptions(), key, reasoning_field)
    with LoopThread("simulated endpoint") as loop, loop.hold(_listening(endpoint, host, port)) as served:
        yield served


@asynccontextmanager
async def serving(behaviour: Behaviour, faults: FaultOptions) -> AsyncGenerator[Served]:
    """Serve on the running event loop until the block is left."""
    async with _listening(_Endpoint(behaviour, faults), "127.0.0.1", 0) as served:
        yield served


@asynccontextmanager
async def _listening(endpoint: _Endpoint, host: str, port: int) -> AsyncGenerator[Served]:
    from aiohttp import web

    _check_loopback(host)
    runner = web.AppRunner(endpoint.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
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


class _Endpoint:
    """The handlers. Faulty answers are not counted as served."""

    def __init__(
        self,
        behaviour: Behaviour,
        faults: FaultOptions,
        key: str | None = None,
        reasoning_field: ReasoningField = "reasoning_content",
    ) -> None:
        self.served = Served()
        self._behaviour = behaviour
        self._faults = faults
        self._key = key
        self._reasoning_field: ReasoningField = reasoning_field

    def application(self) -> web.Application:
        from aiohttp import web

        application = web.Application(client_max_size=_LARGEST_REQUEST)
        application.router.add_post("/v1/chat/completions", self._chat)
        application.router.add_get("/v1/models", self._models)
        application.router.add_get("/stats", self._stats)
        return application

    async def _models(self, _: web.Request) -> web.Response:
        return _json({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "reasonry"}]})

    async def _stats(self, _: web.Request) -> web.Response:
        return _json(self.served.stats())

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.served.received += 1
        if self._key is not None and request.headers.get("Authorization") != f"Bearer {self._key}":
            return _problem(401, f"incorrect key: {request.headers.get('Authorization', 'none')}")
        try:
            body = cast("Mapping[str, Any]", await request.json())
            messages, index, max_tokens = _asked(body)
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            return _problem(400, f"not a chat completion request: {exc}")
        if body.get("model") != MODEL:
            return _problem(404, f"no model {body.get('model')!r}")
        reply = simulate(self._behaviour, messages, index, max_tokens)
        return await self._answer(request, digest("body", body), reply)

    async def _answer(self, request: web.Request, asked: str, reply: Reply) -> web.StreamResponse:
        self.served.attempts[asked] += 1
        fault = self._faults.drawn(asked, self.served.attempts[asked])
        if fault is not None:
            self.served.faults[fault] += 1
        if fault == "slow":
            await asyncio.sleep(self._faults.slow_s)
        elif fault is not None:
            return await self._fail(request, fault, reply)
        response = _json(_completion(reply, self._reasoning_field))
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionError:
            return response  # the client has gone: nobody received this answer, so it is not counted
        self.served.answers[asked] += 1
        return response

    async def _fail(self, request: web.Request, fault: FaultKind, reply: Reply) -> web.StreamResponse:
        from aiohttp import web

        if fault == "http_429":
            return _problem(429, "too many requests", {"Retry-After": f"{self._faults.retry_after_s:g}"})
        if fault == "http_500":
            return _problem(500, "an internal error")
        whole = json.dumps(_completion(reply, self._reasoning_field)).encode()
        if fault == "invalid_json":
            return web.Response(body=whole[: len(whole) // 2], content_type="application/json")
        if fault == "empty":
            return _json(_completion(Reply("", model=MODEL, tokens_in=reply.tokens_in, tokens_out=0)))
        return await _cut(request, whole)


async def _cut(request: web.Request, whole: bytes) -> web.StreamResponse:
    """Promise the whole body, send half of it, and hang up."""
    from aiohttp import web

    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(whole))})
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _asked(body: Mapping[str, Any]) -> tuple[list[Message], int, int | None]:
    messages = [Message(str(m["role"]), str(m["content"])) for m in body["messages"]]
    max_tokens = body.get("max_tokens")
    return messages, int(body.get("seed") or 0), None if max_tokens is None else int(max_tokens)


def _completion(reply: Reply, reasoning_field: ReasoningField = "reasoning_content") -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.response}
    if reply.finish == "refusal":
        message.update(content=None, refusal=reply.response)
    elif reasoning_field == "think":
        close = "" if reply.finish == "length" and not reply.response else "\n</think>\n\n"
        message["content"] = f"<think>\n{reply.reasoning}{close}{reply.response}"
    else:
        message[reasoning_field] = reply.reasoning
    tokens_in, tokens_out = reply.tokens_in or 0, reply.tokens_out or 0
    return {
        "object": "chat.completion",
        "model": reply.model,
        "choices": [
            {"index": 0, "message": message, "finish_reason": "stop" if reply.finish == "refusal" else reply.finish}
        ],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def _json(body: Mapping[str, Any]) -> web.Response:
    from aiohttp import web

    return web.json_response(body)


def _problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    from aiohttp import web

    return web.json_response({"error": {"message": message, "code": status}}, status=status, headers=headers)


def main(arguments: Sequence[str] | None = None) -> int:
    """The program: serve until SIGINT or SIGTERM."""
    given = _parser().parse_args(arguments)
    try:
        faults = FaultOptions.model_validate_json(given.faults)
        behaviour = Behaviour(
            given.seed, given.accuracy, TypeAdapter(dict[Mistake, float]).validate_json(given.mistakes)
        )
        asyncio.run(_serve(_Endpoint(behaviour, faults), given.host, given.port))
    except (ReasonryError, ValidationError) as exc:
        sys.stderr.write(f"error: {exc}\n")
        return exc.exit_code if isinstance(exc, ReasonryError) else UsageError.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reasonry.teachers.endpoint", description=simulate.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--accuracy", type=float, default=Behaviour().accuracy)
    parser.add_argument("--mistakes", default='{"slip": 1.0}', help="weights by kind, as JSON")
    parser.add_argument("--faults", default="{}", help="as JSON: " + ", ".join(FaultOptions.model_fields))
    return parser


async def _serve(endpoint: _Endpoint, host: str, port: int) -> None:
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
