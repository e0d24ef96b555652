"""Teachers and endpoints whose behaviour a test writes down."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

from reasonry.arithmetic import FAMILIES
from reasonry.teachers.asking.ask import Waits
from reasonry.teachers.asking.loops import LoopThread
from reasonry.teachers.http.addresses import address_of
from reasonry.teachers.openai import Connection, OpenAITeacher
from reasonry.types import Question, Reply, Request, Sampling, conversation

SOON = Waits(first_s=0.001, longest_s=0.01)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def request_of(prompt: str, index: int = 0, *, max_tokens: int | None = None, answer: str = "") -> Request:
    question = Question(prompt, answer, "exact")
    return Request(conversation(prompt), Sampling(max_tokens=max_tokens, index=index), question)


def requests_of(count: int) -> list[Request]:
    return [request_of(f"question {i}") for i in range(count)]


def arithmetic_requests(count: int, family: str = "chain_sum") -> list[Request]:
    """Problems of one family, all different."""
    import random

    generator = random.Random(5)
    problems = {p.prompt: p for p in (FAMILIES[family].make(generator, 3, 3) for _ in range(4 * count))}
    return [request_of(p.prompt, answer=str(p.answer)) for p in list(problems.values())[:count]]


class FakeTeacher(AbstractAsyncContextManager["FakeTeacher"]):
    """Answers with a function; counts how often it was asked what, and how many at once."""

    model = "fake"
    served_by = "here"

    def __init__(self, answer: Callable[[Request], Awaitable[Reply]] | None = None, *, paid: bool = True) -> None:
        self.paid = paid
        self.asked: Counter[str] = Counter()
        self.at_once = 0
        self.most_at_once = 0
        self.open = 0
        self._answer = answer or echo

    async def __aenter__(self) -> FakeTeacher:
        self.open += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open -= 1

    def recorded(self, question: Question) -> int | None:
        return None

    async def __call__(self, request: Request) -> Reply:
        self.asked[prompt_of(request)] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._answer(request)
        finally:
            self.at_once -= 1


async def echo(request: Request) -> Reply:
    return Reply(f"answer to {prompt_of(request)}", model="fake", tokens_in=100, tokens_out=10)


def prompt_of(request: Request) -> str:
    return request.messages[-1].content


@contextmanager
def http_server(handler: Handler) -> Generator[str]:
    """A server on loopback that answers every request with `handler`; its base URL."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    with http_application(application) as base_url:
        yield base_url


@contextmanager
def http_application(application: web.Application) -> Generator[str]:
    """Serve an application on loopback; its base URL."""

    @asynccontextmanager
    async def listening() -> AsyncGenerator[str]:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            await runner.cleanup()

    with LoopThread("test server") as loop, loop.hold(listening()) as base_url:
        yield base_url


def client(base_url: str, key: str | None = None, **changed: Any) -> OpenAITeacher:
    """A client of a test's endpoint."""
    given: dict[str, Any] = {"model": "simulated-v1", "identity": "simulated-v1", "timeout_s": 10.0, "waits": SOON}
    return OpenAITeacher(Connection(address_of(base_url), served_by="test", key=key, **{**given, **changed}))


def completion(content: Any, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """The body of a chat completion."""
    return {
        "model": "m-1",
        "choices": [{"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
    }


def prompts(requests: Iterable[Request]) -> list[str]:
    return [prompt_of(request) for request in requests]
