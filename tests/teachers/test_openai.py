"""The client against endpoints that behave in every way an endpoint may."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from reasonry.errors import TeacherError, UsageError
from reasonry.ledger import Ledger
from reasonry.ledger.texts import reply_problem
from reasonry.teachers.asking.ask import Answered, Outcome, Unanswered, ask_all
from reasonry.teachers.http.addresses import address_of
from reasonry.teachers.http.providers import provider_named
from reasonry.teachers.openai import OpenAIOptions, OpenAITeacher, openai
from reasonry.types import Reply, Request, Sampling, conversation
from tests.teachers.fakes import SOON, Handler, client, completion, http_server, request_of, requests_of

KEY = "sk-secret-0123456789abcdef"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def once(teacher: OpenAITeacher, request: Request | None = None) -> Reply:
    """One try, without the engine."""

    async def ask() -> Reply:
        async with teacher:
            return await teacher(request or request_of("What is 2 + 2?"))

    return asyncio.run(ask())


def always(respond: Callable[[], web.StreamResponse]) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return respond()

    return handler


def body(content: Any, finish: str = "stop", **message: Any) -> Handler:
    return always(lambda: web.json_response(completion(content, finish, **message)))


def reply_to(handler: Handler, **changed: Any) -> Reply:
    with http_server(handler) as base_url:
        return once(client(base_url, **changed))


def failure_of(handler: Handler, **changed: Any) -> TeacherError:
    with pytest.raises(TeacherError) as caught:
        reply_to(handler, **changed)
    return caught.value


def test_a_completion_becomes_a_reply() -> None:
    assert reply_to(body("4")) == Reply("4", "", "stop", "m-1", 7, 3)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_apart_from_the_response(name: str) -> None:
    reply = reply_to(body("4", **{name: "2 and 2"}))
    assert (reply.reasoning, reply.response) == ("2 and 2", "4")


@pytest.mark.parametrize(
    ("content", "finish", "reasoning", "response"),
    [
        ("<think>\n2 and 2\n</think>\n\n4", "stop", "2 and 2", "4"),
        ("  <think>a</think>b</think>c", "stop", "a", "b</think>c"),
        ("2 and 2</think>\n4", "stop", "2 and 2", "4"),
        ("<think>2 and", "length", "2 and", ""),
        ("<think>a</think>so 4 an", "length", "a", "so 4 an"),
        ("<think>never closed, and yet 4", "stop", "", "<think>never closed, and yet 4"),
        ("4, see <think>no</think>", "stop", "", "4, see <think>no</think>"),
        ("  4 \n", "stop", "", "  4 \n"),
    ],
)
def test_a_leading_think_block_is_reasoning(content: str, finish: str, reasoning: str, response: str) -> None:
    reply = reply_to(body(content, finish))
    assert (reply.reasoning, reply.response, reply.finish) == (reasoning, response, finish)


def test_an_empty_reasoning_field_does_not_hide_a_think_block() -> None:
    reply = reply_to(body("<think>a</think>4", reasoning_content=None, reasoning=""))
    assert (reply.reasoning, reply.response) == ("a", "4")


@pytest.mark.parametrize(
    ("given", "finish"), [("stop", "stop"), ("length", "length"), ("content_filter", "refusal"), (None, "stop")]
)
def test_why_it_stopped_is_said_in_our_words(given: Any, finish: str) -> None:
    assert reply_to(body("4", given)).finish == finish


def test_a_refusal_is_a_reply_and_not_an_empty_answer() -> None:
    reply = reply_to(body(None, refusal="I cannot help with that."))
    assert (reply.finish, reply.response) == ("refusal", "I cannot help with that.")


def test_an_answer_cut_off_while_thinking_is_no_error() -> None:
    reply = reply_to(body("", "length", reasoning_content="2 and"))
    assert (reply.reasoning, reply.response, reply.finish) == ("2 and", "", "length")


def test_content_in_parts_is_joined() -> None:
    assert (
        reply_to(body([{"type": "text", "text": "4"}, {"type": "image"}, {"type": "text", "text": "!"}])).response
        == "4!"
    )


@pytest.mark.parametrize(
    "usage", [None, {}, [], {"prompt_tokens": True, "completion_tokens": -1}, {"prompt_tokens": 2**70}]
)
def test_a_count_that_is_no_count_is_unknown(usage: Any) -> None:
    answer = {**completion("4"), "usage": usage}
    reply = reply_to(always(lambda: web.json_response(answer)))
    assert (reply.tokens_in, reply.tokens_out) == (None, None)


def test_the_request_says_what_was_chosen_and_nothing_else() -> None:
    seen: list[tuple[str, str, dict[str, Any]]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((request.method, request.path, await request.json()))
        return web.json_response(completion("4"))

    given = request_of("Hi")
    chosen = Request(given.messages, Sampling(0.6, 0.95, 100, 3), given.question)
    with http_server(handler) as base_url:
        once(client(base_url), given)
        once(client(base_url, send_index=False, extra={"top_k": 5}), chosen)
    messages = [{"role": "user", "content": "Hi"}]
    assert seen == [
        ("POST", "/v1/chat/completions", {"model": "simulated-v1", "messages": messages, "seed": 0}),
        (
            "POST",
            "/v1/chat/completions",
            {
                "model": "simulated-v1",
                "messages": messages,
                "temperature": 0.6,
                "top_p": 0.95,
                "max_tokens": 100,
                "top_k": 5,
            },
        ),
    ]


@pytest.mark.parametrize(
    "handler",
    [
        *(
            always(lambda status=status: web.Response(status=status))
            for status in (408, 409, 425, 429, 500, 502, 520, 524, 529)
        ),
        always(lambda: web.Response(text='{"choices": [')),
        always(lambda: web.Response(text="[" * 100_000)),
        always(lambda: web.json_response([1])),
        always(lambda: web.json_response({"choices": []})),
        always(lambda: web.json_response({"error": {"message": "overloaded"}})),
        body(""),
        body(" \n"),
        body(None),
        body("", reasoning_content="thought, and said nothing"),
        body("4", "error"),
    ],
)
def test_what_may_pass_is_worth_another_try(handler: Handler) -> None:
    error = failure_of(handler)
    assert (error.retryable, error.fatal) == (True, False)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_that_is_wrong_is_not_tried_again(status: int) -> None:
    error = failure_of(always(lambda: web.Response(status=status, text="too long")))
    assert (error.retryable, error.fatal, error.http_status) == (False, False, status)
    assert "too long" in str(error)


def test_a_prompt_that_is_too_long_is_not_tried_again_and_harms_no_other() -> None:
    problem = {"error": {"message": "maximum context length is 4096 tokens", "code": "context_length_exceeded"}}
    error = failure_of(always(lambda: web.json_response(problem, status=400)))
    assert (error.retryable, error.fatal) == (False, False)


def test_a_flagged_prompt_is_refused_and_harms_no_other() -> None:
    problem = {"error": {"message": "your input was flagged", "code": 403}}
    error = failure_of(always(lambda: web.json_response(problem, status=403)))
    assert (error.retryable, error.fatal) == (False, False)


@pytest.mark.parametrize(("code", "retryable"), [(429, True), (502, True), (400, False), ("busy", True), (True, True)])
def test_an_error_that_comes_with_status_200_is_what_its_code_says(code: Any, retryable: bool) -> None:
    error = failure_of(always(lambda: web.json_response({"error": {"message": "no", "code": code}})))
    assert (error.retryable, error.fatal) == (retryable, False)


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_meets_every_request_is_fatal_and_has_a_hint(status: int) -> None:
    error = failure_of(always(lambda: web.Response(status=status)))
    assert (error.retryable, error.fatal) == (False, True)
    assert error.hint


def test_a_refused_key_names_the_variable_to_check() -> None:
    error = failure_of(always(lambda: web.Response(status=401)), key_variable="MY_KEY")
    assert "MY_KEY" in (error.hint or "")


def test_a_spent_quota_is_fatal_though_it_comes_as_429() -> None:
    error = failure_of(always(lambda: web.json_response({"error": {"code": "insufficient_quota"}}, status=429)))
    assert (error.retryable, error.fatal) == (False, True)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    paths: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    error = failure_of(handler, key=KEY)
    assert (error.fatal, paths) == (True, ["/v1/chat/completions"])


def test_retry_after_reaches_the_error() -> None:
    error = failure_of(always(lambda: web.Response(status=503, headers={"Retry-After": "7"})))
    assert error.retry_after_s == 7.0


def test_an_error_quotes_at_most_200_characters() -> None:
    error = failure_of(always(lambda: web.Response(status=400, text="x" * 10_000_000)))
    assert len(error.message) <= 220


@pytest.mark.parametrize(
    "quoted",
    [
        f"incorrect key {KEY}",
        "x" * 190 + KEY,
        f'{{"error":{{"message":"bad key {KEY}"}}}}',
        f"incorrect key {KEY[:6]}****{KEY[-4:]}",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_the_key_is_in_no_error_text(quoted: str, status: int) -> None:
    error = failure_of(always(lambda: web.Response(status=status, text=quoted)), key=KEY)
    for text in (str(error), repr(error), error.hint or "", repr(error.__cause__)):
        assert KEY not in text
        assert KEY[:8] not in text
        assert KEY[-4:] not in text


def test_the_key_is_not_in_the_ledger_even_where_the_model_says_it(ledger: Ledger) -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers["Authorization"])
        if len(seen) == 1:
            return web.Response(status=500, text=f"headers were {dict(request.headers)}")
        return web.json_response(completion(f"my headers: {dict(request.headers)}"))

    with http_server(handler) as base_url:
        outcomes = list(ask_all(client(base_url, key=KEY), requests_of(3), ledger, concurrency=1))
    assert len(seen) == 4
    assert set(seen) == {f"Bearer {KEY}"}
    assert all(isinstance(outcome, Answered) for outcome in outcomes)
    ledger.close()
    for file in ledger.path.parent.iterdir():
        assert KEY.encode() not in file.read_bytes(), file


def test_the_key_is_not_shown_by_a_connection() -> None:
    assert KEY not in repr(client("http://127.0.0.1:1/v1", key=KEY)._connection)  # type: ignore[reportPrivateUsage]


def test_an_endless_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reasonry.teachers.openai.MAX_BODY_BYTES", 100_000)
    assert reply_to(body("x" * 90_000)).response == "x" * 90_000
    error = failure_of(body("x" * 110_000))
    assert "larger than" in str(error)
    assert not error.retryable


@pytest.mark.parametrize("packed", [False, True])
def test_a_small_answer_that_unpacks_to_an_endless_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr("reasonry.teachers.openai.MAX_BODY_BYTES", 100_000)

    def answer(size: int) -> web.Response:
        response = web.json_response(completion("x" * size))
        if packed:
            response.enable_compression(web.ContentCoding.gzip)
        return response

    assert len(reply_to(always(lambda: answer(90_000))).response) == 90_000
    assert "larger than" in str(failure_of(always(lambda: answer(110_000))))


def test_one_connection_serves_request_after_request() -> None:
    ports: set[int] = set()

    async def handler(request: web.Request) -> web.StreamResponse:
        ports.add(request.transport.get_extra_info("peername")[1] if request.transport else 0)
        return web.json_response(completion("4"))

    async def asking(base_url: str) -> None:
        async with client(base_url) as teacher:
            for index in range(5):
                await teacher(request_of("Hi", index))

    with http_server(handler) as base_url:
        asyncio.run(asking(base_url))
    assert len(ports) == 1


def test_two_endpoints_are_asked_each_with_its_own_key() -> None:
    seen: list[tuple[str, str]] = []

    def named(name: str) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            seen.append((name, request.headers["Authorization"]))
            return web.json_response(completion(name), status=200 if name == "a" else 500)

        return handler

    async def asking(one: str, other: str) -> list[Any]:
        connections = [client(url, key=key)._connection for url, key in ((one, "key-a"), (other, "key-b"))]  # type: ignore[reportPrivateUsage]
        async with OpenAITeacher(*connections) as teacher:
            return await asyncio.gather(*(e(request_of("Hi")) for e in teacher.endpoints), return_exceptions=True)

    with http_server(named("a")) as one, http_server(named("b")) as other:
        reply, error = asyncio.run(asking(one, other))
    assert isinstance(reply, Reply)
    assert reply.response == "a"
    assert isinstance(error, TeacherError)
    assert error.place == f"test at {other}"
    assert sorted(seen) == [("a", "Bearer key-a"), ("b", "Bearer key-b")]


def test_a_teacher_that_is_not_open_says_so() -> None:
    with pytest.raises(TeacherError, match="not open"):
        asyncio.run(client("http://127.0.0.1:1/v1")(request_of("Hi")))


def test_an_answer_that_takes_too_long_is_tried_again() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.5)
        return web.json_response(completion("late"))

    error = failure_of(handler, timeout_s=0.1)
    assert error.retryable
    assert "no answer within 0.1 s" in str(error)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_refused_connection_is_tried_again_and_then_leaves_requests_unanswered(ledger: Ledger) -> None:
    outcomes: list[Outcome] = list(
        ask_all(client(f"http://127.0.0.1:{unused_port()}/v1"), requests_of(2), ledger, attempts=3, waits=SOON)
    )
    assert [type(outcome) for outcome in outcomes] == [Unanswered, Unanswered]
    assert [outcome.error.retryable for outcome in outcomes if isinstance(outcome, Unanswered)] == [True, True]
    assert [entry.outcome for entry in ledger.entries()] == ["failed"] * 6


def test_an_unknown_host_is_a_failed_try_and_no_crash() -> None:
    with pytest.raises(TeacherError, match="no connection"):
        once(client("http://no-such-host.invalid/v1"))


# What peers get wrong: a cache key that misses an input, and reasoning that is dropped


@pytest.mark.parametrize("changed", ["system", "base_url", "model", "index", "temperature", "nothing"])
def test_what_decides_the_answer_is_in_the_key(changed: str) -> None:
    def key(base_url: str = "http://localhost/v1", model: str = "m", system: str = "Be brief.", **given: Any) -> str:
        teacher = openai(options(base_url=base_url, model=model))
        request = Request(conversation("Hi", system), Sampling(**given), request_of("Hi").question)
        return request.key(teacher.model, teacher.served_by)

    others = {
        "system": key(system="Be long."),
        "base_url": key(base_url="http://localhost:8000/v1"),
        "model": key(model="m2"),
        "index": key(index=1),
        "temperature": key(temperature=0.5),
        "nothing": key(),
    }
    assert (others[changed] == key()) == (changed == "nothing")


def test_another_endpoint_or_system_prompt_is_asked_anew(ledger: Ledger) -> None:
    asked: list[str] = []

    def named(name: str) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            messages = (await request.json())["messages"]
            asked.append(f"{name}: {messages[0]['content']}")
            return web.json_response(completion(name))

        return handler

    question = request_of("Hi").question
    requests = [Request(conversation("Hi", system), Sampling(), question) for system in ("Be brief.", "Be long.")]
    with http_server(named("a")) as one, http_server(named("b")) as other:
        for base_url in (one, other, one, other):
            teacher = openai(options(base_url=base_url, retry_wait_s=0.01))
            outcomes = list(ask_all(teacher, requests, ledger))
            assert {o.reply.response for o in outcomes if isinstance(o, Answered)} == {"a" if base_url == one else "b"}
    assert sorted(asked) == ["a: Be brief.", "a: Be long.", "b: Be brief.", "b: Be long."]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "think", "parts"])
def test_reasoning_is_kept_in_the_ledger_wherever_it_stands(ledger: Ledger, name: str, stream: bool) -> None:
    message: dict[str, Any] = {"content": "4", name: "2 and 2"}
    if name == "think":
        message = {"content": "<think>2 and 2</think>4"}
    elif name == "parts":
        message = {"content": [{"type": "thinking", "thinking": "2 and 2"}, {"type": "text", "text": "4"}]}

    async def handler(request: web.Request) -> web.StreamResponse:
        whole = completion("")
        if not (await request.json()).get("stream"):
            whole["choices"][0]["message"] = message
            return web.json_response(whole)
        chunks = [{"delta": message}, {"delta": {}, "finish_reason": "stop"}]
        lines = [json.dumps({"model": "m-1", "choices": [choice]}) for choice in chunks]
        last = json.dumps({"model": "m-1", "choices": [], "usage": whole["usage"]})
        text = "".join(f"data: {line}\n\n" for line in (*lines, last, "[DONE]"))
        return web.Response(text=text, content_type="text/event-stream")

    with http_server(handler) as base_url:
        teacher = openai(options(base_url=base_url, stream=stream, retry_wait_s=0.01))
        first = list(ask_all(teacher, [request_of("Hi")], ledger))
        again = list(ask_all(teacher, [request_of("Hi")], ledger))
    for outcome in (*first, *again):
        assert isinstance(outcome, Answered)
        assert outcome.reply == Reply("4", "2 and 2", "stop", "m-1", 7, 3)
    assert [outcome.from_ledger for outcome in (*first, *again) if isinstance(outcome, Answered)] == [False, True]


# Options, addresses and keys


def options(**given: Any) -> OpenAIOptions:
    return OpenAIOptions.model_validate({"teacher": "openai", "model": "m", **given})


@pytest.fixture(autouse=True)
def _no_endpoint_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_a_missing_key_is_a_usage_error_that_names_the_variable() -> None:
    with pytest.raises(UsageError, match="MY_KEY is not set") as caught:
        openai(options(base_url="https://api.example.com/v1", api_key_env="MY_KEY"))
    assert "export MY_KEY" in (caught.value.hint or "")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:9"])
def test_an_endpoint_on_this_machine_needs_no_key(host: str) -> None:
    assert openai(options(base_url=f"http://{host}/v1")).model == "m"


def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one\nsk-two")
    with pytest.raises(UsageError) as caught:
        openai(options())
    assert "sk-" not in f"{caught.value!r}{caught.value.hint}"


@pytest.mark.parametrize(
    ("base_url", "chat", "name"),
    [
        ("https://API.example.com/v1/", "https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("http://host:8000/v1", "http://host:8000/v1/chat/completions", "http://host:8000/v1"),
        ("https://h:443/v1", "https://h/v1/chat/completions", "https://h/v1"),
        ("http://[::1]:80/v1", "http://[::1]/v1/chat/completions", "http://[::1]/v1"),
        ("https://h/v1/chat/completions", "https://h/v1/chat/completions", "https://h/v1"),
        ("https://h/v1?key=abc", "https://h/v1/chat/completions?key=abc", "https://h/v1"),
    ],
)
def test_an_address_has_a_name_without_anything_secret(base_url: str, chat: str, name: str) -> None:
    address = address_of(base_url)
    assert (address.chat, address.name) == (chat, name)


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.example.com",
        "ftp://h/v1",
        "https:///v1",
        "http://user:word@h/v1",
        "http://[::1",
        "http://h:x/v1",
        "http://h:99999",
        "http://a b/v1",
    ],
)
def test_what_is_no_address_is_refused(base_url: str) -> None:
    with pytest.raises(ValidationError, match="base_url"):
        options(base_url=base_url)


def test_the_endpoint_is_in_the_key_wherever_its_address_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    given = options(base_url="https://h/v1").key_content()
    assert given["served_by"] == "https://h/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "https://h/v1/")
    assert options().key_content() == given
    monkeypatch.setenv("OPENAI_BASE_URL", "https://other/v1")
    assert options().key_content() != given
    assert options(served_by="https://h/v1").key_content() == given


@pytest.mark.parametrize(
    "changed", [{"extra": {"top_k": 5}}, {"send_index": False}, {"served_by": "b"}, {"model": "m2"}]
)
def test_what_changes_answers_changes_both_keys(changed: dict[str, Any]) -> None:
    base = {"base_url": "http://localhost/v1", "served_by": "a"}
    one, other = options(**base), options(**{**base, **changed})
    request = request_of("Hi")
    keys = [request.key(t.model, t.served_by) for t in (openai(one), openai(other))]
    assert keys[0] != keys[1]
    assert one.key_content() != other.key_content()


@pytest.mark.parametrize(
    "changed",
    [
        {"timeout_s": 5},
        {"api_key_env": "OTHER"},
        {"concurrency": 2},
        {"attempts": 2},
        {"base_url": "http://127.0.0.1:9/v1"},
        {"retry_wait_s": 0.1},
        {"stream": True},
        {"idle_timeout_s": 5},
        {"limits": {"requests_per_minute": 5}},
        {"base_url": None, "endpoints": [{"base_url": "http://127.0.0.1:9/v1"}]},
    ],
)
def test_what_does_not_change_answers_changes_no_key(changed: dict[str, Any]) -> None:
    base = {"base_url": "http://localhost/v1", "served_by": "a"}
    one, other = options(**base), options(**{**base, **changed})
    request = request_of("Hi")
    assert one.key_content() == other.key_content()
    assert len({request.key(t.model, t.served_by) for t in (openai(one), openai(other))}) == 1


@pytest.mark.parametrize(
    "extra", [{"stream": True}, {"model": "x"}, {"at": datetime(2026, 1, 1, tzinfo=UTC)}, {"x": float("nan")}]
)
def test_extra_fields_that_cannot_be_sent_are_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="extra"):
        options(extra=extra)


def test_the_options_are_plain_json_in_the_lock() -> None:
    content = options(extra={"a": [1, {"b": None}]}, base_url="https://h/v1").content()
    assert json.loads(json.dumps(content))["served_by"] == "https://h/v1"


AWKWARD = "sk-secret/0123+456789=abcdef"


@pytest.mark.parametrize("status", [200, 400])
def test_a_key_that_json_has_escaped_is_in_no_error_text(status: int) -> None:
    escaped = AWKWARD.replace("/", "\\/").replace("+", "\\u002B")
    text = f'{{"error":{{"message":"bad key {escaped}"}}}}'
    error = failure_of(always(lambda: web.Response(status=status, text=text)), key=AWKWARD)
    for shown in (str(error), repr(error)):
        assert "[key]" in shown
        assert "sk-secret" not in shown


@pytest.fixture
def raw_server() -> Iterator[Callable[[bytes], str]]:
    """Serves bytes that are no HTTP; the base URL, with a secret query."""
    servers: list[socket.socket] = []

    def serve(answer: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def answering() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(1 << 16)
                        connection.sendall(answer)

        threading.Thread(target=answering, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/v1?api-key=query-secret-1"

    yield serve
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.parametrize(
    "answer",
    [
        f"HTTP/1.1 200 OK\r\nNo Header {KEY}\r\n\r\n".encode(),
        f"HTTP/1.1 xx {KEY}\r\n\r\n".encode(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 400 Bad\r\nContent-Length: 60\r\n\r\n"
        + b"cannot POST /v1/chat/completions?api-key=query-secret-1".ljust(60),
        b"",
    ],
)
def test_neither_key_nor_query_is_in_what_a_broken_answer_is_told_as(
    answer: bytes, raw_server: Callable[[bytes], str]
) -> None:
    with pytest.raises(TeacherError) as caught:
        once(client(raw_server(answer), key=KEY))
    shown = "".join(traceback.format_exception(caught.value))
    assert "sk-secret" not in shown
    assert "query-secret" not in shown


@pytest.mark.parametrize("key", ["x", "m", "EMPTY", "ollama"])
def test_a_key_that_only_stands_in_for_one_changes_no_answer(key: str) -> None:
    text = "x = 4; EMPTY means m, says ollama"
    assert reply_to(body(text), key=key).response == text


def test_an_answer_of_parts_within_parts_is_tried_again() -> None:
    parts: Any = "4"
    for _ in range(450):
        parts = [{"type": "text", "text": parts}]
    error = failure_of(body(parts))
    assert error.retryable
    assert error.http_status == 200


def test_a_count_that_no_ledger_takes_is_unknown() -> None:
    usage = {"prompt_tokens": 1 << 53, "completion_tokens": (1 << 53) - 1}
    reply = reply_to(always(lambda: web.json_response({**completion("4"), "usage": usage})))
    assert (reply.tokens_in, reply.tokens_out) == (None, (1 << 53) - 1)
    assert reply_problem(asdict(reply)) is None


@pytest.mark.parametrize("host", ["https://api.deepseek.com.mirror.example", "https://api.deepseek.com:8443"])
def test_a_mirror_whose_name_begins_like_the_provider_keeps_its_key(host: str) -> None:
    endpoint = client(f"{host}/v1", key=KEY, provider=provider_named("deepseek")).endpoints[0]
    assert endpoint.continuing_at == f"{host}/v1/chat/completions"


def test_tls_connections_get_small_read_buffers() -> None:
    from asyncio import sslproto

    from reasonry.teachers.http.buffers import READ_BYTES

    async def opened() -> None:
        async with client("https://127.0.0.1:1/v1"):
            pass

    asyncio.run(opened())
    assert getattr(sslproto.SSLProtocol, "max_size", 0) <= READ_BYTES
