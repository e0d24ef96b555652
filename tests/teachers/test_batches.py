"""Asking by batches: whatever happens to a batch or to us, what was answered is kept and nothing is paid for twice."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from reasonry.errors import TeacherError
from reasonry.ledger import Ledger
from reasonry.teachers.asking.ask import Answered, Unanswered, ask_all
from reasonry.teachers.batching import results as results_module
from reasonry.teachers.batching.calls import BatchCalls
from reasonry.teachers.batching.registry import BatchRegistry, registry_path
from reasonry.teachers.batching.results import Results, reply_in
from reasonry.teachers.batching.teacher import BatchOptions, BatchTeacher, batched
from reasonry.teachers.simulator.batches import BatchedServed, BatchFaults, add_batch_routes
from reasonry.types import Reply, Request
from tests.teachers.fakes import SOON, client, completion, http_application, request_of, requests_of

KEY = "sk-secret-0123456789abcdef"
QUICK = BatchOptions(linger_s=0.05, poll_s=0.02)
ROOT = Path(__file__).resolve().parents[2]
Middleware = Callable[[web.Request], web.StreamResponse | None]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


@dataclass
class Place:
    """An endpoint, and the ledger's path of those who ask it."""

    base_url: str
    served: BatchedServed
    ledger: Path
    told: list[str] = field(default_factory=list[str])

    def teacher(self, options: BatchOptions = QUICK, **changed: Any) -> BatchTeacher:
        return batched(client(self.base_url, **changed), options, self.ledger, self.told.append)

    def statuses(self) -> list[str]:
        return [batch.status for batch in self.served.batches.values()]


def answer(body: Mapping[str, Any]) -> dict[str, Any]:
    return completion(f"answer to {body['messages'][-1]['content']}")


@contextmanager
def place(
    tmp_path: Path,
    faults: BatchFaults | None = None,
    *,
    answering: Callable[[Mapping[str, Any]], Mapping[str, Any]] = answer,
    before: Middleware | None = None,
    outermost: Any = None,
    client_max_size: int = 1 << 28,
) -> Generator[Place]:
    """`before` sees every call first, and may answer it in the endpoint's place; `outermost` is a middleware."""

    @web.middleware
    async def first(request: web.Request, handler: Any) -> web.StreamResponse:
        instead = before(request) if before is not None else None
        return instead if instead is not None else await handler(request)

    middlewares = [first] if outermost is None else [outermost, first]
    application = web.Application(middlewares=middlewares, client_max_size=client_max_size)
    served = add_batch_routes(application, answering, faults)

    with http_application(application) as base_url:
        yield Place(base_url, served, tmp_path / "ledger.sqlite")


Outcome = Reply | TeacherError


def asked(teacher: BatchTeacher, requests: Sequence[Request]) -> list[Outcome]:
    """One try for each request, without the engine."""

    async def ask(request: Request) -> Outcome:
        try:
            return await teacher(request)
        except TeacherError as error:
            return error

    async def ask_them() -> list[Outcome]:
        async with teacher:
            return await asyncio.gather(*map(ask, requests))

    return asyncio.run(ask_them())


def texts(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.response if isinstance(outcome, Reply) else "-" for outcome in outcomes]


def answers(count: int) -> list[str]:
    return [f"answer to question {i}" for i in range(count)]


def errors(outcomes: Sequence[Outcome]) -> list[TeacherError]:
    return [outcome for outcome in outcomes if isinstance(outcome, TeacherError)]


async def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


def interrupted(teacher: BatchTeacher, requests: Sequence[Request], holds: Callable[[], bool]) -> None:
    """Ask, and leave as an interrupt does once that holds."""

    async def ask() -> None:
        async with teacher:
            tasks = [asyncio.create_task(teacher(request)) for request in requests]
            await until(holds)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(ask())


# What comes back.


def test_a_batch_answers_each_of_its_requests(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        outcomes = asked(here.teacher(), requests_of(30))
        assert texts(outcomes) == answers(30)
        assert outcomes[0] == Reply("answer to question 0", "", "stop", "m-1", 7, 3)
        assert here.served.sizes == [30]
        assert here.told == [
            "batch batch_000000: 30 requests submitted to test",
            "batch batch_000000: completed, 30 of 30 answered",
        ]


def test_nothing_asked_submits_nothing(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        assert asked(here.teacher(), []) == []
        assert not here.served.calls


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (10, [10]), (11, [1, 10]), (35, [5, 10, 10, 10])])
def test_batches_hold_no_more_than_their_size(tmp_path: Path, count: int, sizes: list[int]) -> None:
    with place(tmp_path) as here:
        options = QUICK.model_copy(update={"size": 10})
        assert texts(asked(here.teacher(options), requests_of(count))) == answers(count)
        assert sorted(here.served.sizes) == sizes
        assert set(here.served.in_batches().values()) == {1}


def test_files_hold_no_more_than_their_bytes(tmp_path: Path) -> None:
    requests = [request_of(f"{i} " + "x" * 2000) for i in range(10)] + [request_of("y" * 20_000)]
    with place(tmp_path) as here:
        outcomes = asked(here.teacher(QUICK.model_copy(update={"file_mb": 0.01})), requests)
        inputs = [here.served.files[batch.input_file] for batch in here.served.batches.values()]
    assert max(map(len, inputs)) <= 10_000
    assert sorted(file.count(b"\n") for file in inputs) == [2, 4, 4]
    assert [str(error) for error in errors(outcomes)] == ["test: the request is larger than 0.01 MB"]


def test_a_full_batch_does_not_wait_and_one_that_is_not_does(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        start = time.monotonic()
        asked(here.teacher(BatchOptions(size=5, linger_s=20, poll_s=0.02)), requests_of(5))
        assert time.monotonic() - start < 10
        start = time.monotonic()
        asked(here.teacher(BatchOptions(size=5, linger_s=0.5, poll_s=0.02)), [request_of("another")])
        assert time.monotonic() - start > 0.5


def test_the_same_request_asked_twice_is_in_one_batch_once(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        outcomes = asked(here.teacher(), [*requests_of(3), *requests_of(3)])
        assert texts(outcomes) == answers(3) * 2
        assert here.served.sizes == [3]


def test_the_file_says_what_a_single_call_would(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        asked(here.teacher(), [request_of("What is 2 + 2?", 3, max_tokens=50)])
        batch = here.served.batches["batch_000000"]
        line = json.loads(here.served.files[batch.input_file])
    assert line == {
        "custom_id": request_of("What is 2 + 2?", 3, max_tokens=50).key("simulated-v1", "test"),
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "simulated-v1",
            "messages": [{"role": "user", "content": "What is 2 + 2?"}],
            "max_tokens": 50,
            "seed": 3,
        },
    }
    assert batch.window == "24h"
    assert len(batch.metadata["reasonry_batch"]) == 32


# Whatever a batch did answer is kept.


def test_lines_that_fail_are_tried_again_in_another_batch(tmp_path: Path, ledger: Ledger) -> None:
    with place(tmp_path, BatchFaults(failed=0.3)) as here:
        outcomes = list(ask_all(here.teacher(), requests_of(40), ledger, concurrency=40, waits=SOON))
        counted = here.served.answers
    assert [outcome.reply.response for outcome in outcomes if isinstance(outcome, Answered)] == answers(40)
    assert set(counted.values()) == {1}
    statuses = Counter(entry.http_status for entry in ledger.entries())
    assert statuses[429] > 0 < statuses[500]
    assert statuses[None] == 40


def test_a_refused_line_is_not_asked_again_and_harms_no_other(tmp_path: Path, ledger: Ledger) -> None:
    with place(tmp_path, BatchFaults(refused=0.3)) as here:
        outcomes = list(ask_all(here.teacher(), requests_of(40), ledger, concurrency=40, waits=SOON))
        assert set(here.served.in_batches().values()) == {1}
    refused = [outcome.error for outcome in outcomes if isinstance(outcome, Unanswered)]
    assert 3 < len(refused) < 25
    assert {(error.http_status, error.retryable, error.fatal) for error in refused} == {(400, False, False)}
    assert len(outcomes) == 40


def test_an_expired_batch_keeps_what_it_answered(tmp_path: Path, ledger: Ledger) -> None:
    with place(tmp_path, BatchFaults(answered=0.6)) as here:
        first = asked(here.teacher(), requests_of(50))
        assert len(errors(first)) == 20
        assert {(error.retryable, error.fatal) for error in errors(first)} == {(True, False)}
        assert "batch_expired" in str(errors(first)[0])
        assert here.statuses() == ["expired"]
        assert "expired, 30 of 50 answered, 20 without an answer" in here.told[1]
        # None of these replies reached the ledger, so they are handed over again, and only the others submitted.
        outcomes = list(ask_all(here.teacher(), requests_of(50), ledger, concurrency=50, waits=SOON))
        assert all(isinstance(outcome, Answered) for outcome in outcomes)
        assert sorted(here.served.sizes) == [20, 50]
        assert set(here.served.answers.values()) == {1}


def test_a_cancelled_batch_is_asked_again(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(delay_s=60)) as here:

        async def ask() -> list[Outcome | BaseException]:
            import aiohttp

            async with here.teacher() as teacher, aiohttp.ClientSession() as session:
                tasks = [asyncio.create_task(teacher(request)) for request in requests_of(4)]
                await until(lambda: bool(here.served.batches))
                async with session.post(f"{here.base_url}/batches/batch_000000/cancel") as response:
                    assert (await response.json())["status"] == "cancelled"
                return await asyncio.gather(*tasks, return_exceptions=True)

        outcomes = asyncio.run(ask())
    assert [isinstance(outcome, TeacherError) and outcome.retryable for outcome in outcomes] == [True] * 4
    assert "batch_cancelled" in str(outcomes[0])


def test_lines_that_cannot_be_used_are_counted_and_harm_no_other(tmp_path: Path) -> None:
    faults = BatchFaults(missing=0.2, malformed=0.2, repeated=0.2, unknown=3)
    with place(tmp_path, faults) as here:
        outcomes = asked(here.teacher(), requests_of(60))
    for text, right in zip(texts(outcomes), answers(60), strict=True):
        assert text in (right, "-")
    lost = errors(outcomes)
    assert 10 < len(lost) < 40
    assert all(error.retryable and not error.fatal for error in lost)
    told = here.told[-1]
    assert f"{60 - len(lost)} of 60 answered, {len(lost)} without an answer" in told
    assert "3 lines of no request" in told
    assert "lines that cannot be read" in told
    assert "lines that came again" in told


def test_an_answer_that_cannot_be_used_is_an_error_of_its_request_alone(tmp_path: Path) -> None:
    def some(body: Mapping[str, Any]) -> dict[str, Any]:
        return completion("") if body["messages"][-1]["content"] == "question 1" else answer(body)

    with place(tmp_path, answering=some) as here:
        outcomes = asked(here.teacher(), requests_of(3))
    assert texts(outcomes) == ["answer to question 0", "-", "answer to question 2"]
    assert errors(outcomes)[0].retryable


def test_what_every_line_is_refused_for_ends_the_run(tmp_path: Path) -> None:
    class UnknownModelError(Exception):
        status = 404

    def unknown(_: Mapping[str, Any]) -> dict[str, Any]:
        raise UnknownModelError("no such model")

    with place(tmp_path, answering=unknown) as here:
        outcomes = asked(here.teacher(), requests_of(5))
    assert len(errors(outcomes)) == 5
    assert errors(outcomes)[0].fatal
    assert "no such model" in str(errors(outcomes)[0])


# What the endpoint refuses as a whole.


def test_a_batch_that_is_refused_as_a_whole_ends_the_run_with_the_reason(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(invalid="billing_hard_limit_reached", batches=9)) as here:
        outcomes = asked(here.teacher(), requests_of(5))
        assert len(here.served.batches) == 1
    error = errors(outcomes)[0]
    assert error.fatal
    assert error.hint == "the account has no credit left"
    assert "billing_hard_limit_reached" in str(error)


def test_lines_at_fault_are_refused_and_the_others_submitted_again(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(invalid="invalid_request", invalid_lines=(2, 5))) as here:
        outcomes = asked(here.teacher(), requests_of(6))
    assert texts(outcomes) == [text if i not in (1, 4) else "-" for i, text in enumerate(answers(6))]
    assert {(error.retryable, error.fatal) for error in errors(outcomes)} == {(False, False)}


def test_an_endpoint_that_finds_new_fault_with_every_file_ends_the_run(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(invalid="invalid_request", invalid_lines=(1,), batches=99)) as here:
        outcomes = asked(here.teacher(), requests_of(30))
        assert len(here.served.batches) == 4
    assert sum(error.fatal for error in errors(outcomes)) == 27


def test_a_full_queue_is_waited_for(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(invalid="token_limit_exceeded", batches=1, delay_s=0.05)) as here:
        options = QUICK.model_copy(update={"size": 5})
        assert texts(asked(here.teacher(options), requests_of(10))) == answers(10)
    assert any("queue is full" in text for text in here.told)


def test_a_batch_too_large_for_the_queue_ends_the_run_with_a_hint(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(invalid="token_limit_exceeded", batches=99)) as here:
        outcomes = asked(here.teacher(), requests_of(3))
    assert errors(outcomes)[0].fatal
    assert "distil.batch.size" in (errors(outcomes)[0].hint or "")


@pytest.mark.parametrize("path", ["/v1/files", "/v1/batches"])
def test_a_refused_key_ends_the_run_at_once(tmp_path: Path, path: str) -> None:
    def refuse(request: web.Request) -> web.StreamResponse | None:
        return web.json_response({"error": f"bad key {KEY}"}, status=401) if request.path == path else None

    with place(tmp_path, before=refuse) as here:
        outcomes = asked(here.teacher(key=KEY), requests_of(3))
    assert [error.fatal for error in errors(outcomes)] == [True] * 3
    assert "OPENAI_API_KEY" in (errors(outcomes)[0].hint or "")
    assert KEY not in f"{errors(outcomes)[0]} {here.told}"
    assert not here.served.batches


def test_an_endpoint_that_takes_no_such_file_ends_the_run_with_a_hint(tmp_path: Path) -> None:
    with place(tmp_path, client_max_size=100) as here:
        outcomes = asked(here.teacher(), requests_of(3))
    assert [(error.fatal, error.http_status) for error in errors(outcomes)] == [(True, 413)] * 3
    assert "distil.batch.file_mb" in (errors(outcomes)[0].hint or "")


def test_an_endpoint_without_batches_ends_the_run_with_a_hint(tmp_path: Path) -> None:
    with place(tmp_path, before=lambda _: web.Response(status=404)) as here:
        outcomes = asked(here.teacher(), requests_of(3))
    assert [error.fatal for error in errors(outcomes)] == [True] * 3
    assert "leave distil.batch out" in (errors(outcomes)[0].hint or "")


# An endpoint that is unwell.


def test_calls_that_fail_for_a_while_are_tried_again(tmp_path: Path) -> None:
    seen: Counter[tuple[str, str]] = Counter()

    def fail_twice(request: web.Request) -> web.StreamResponse | None:
        seen[request.method, request.path] += 1
        is_create = request.method == "POST" and request.path == "/v1/batches"
        if is_create or seen[request.method, request.path] > 2:
            return None
        return web.Response(status=429 if seen.total() % 2 else 503)

    with place(tmp_path, before=fail_twice) as here:
        assert texts(asked(here.teacher(), requests_of(5))) == answers(5)
        assert here.served.sizes == [5]


def test_a_batch_whose_creation_was_not_answered_is_found_and_not_submitted_again(tmp_path: Path) -> None:
    """The batch exists; what told of it was lost."""
    with place(tmp_path) as here:

        @asynccontextmanager
        async def losing() -> AsyncGenerator[Any]:
            async with client(here.base_url) as opened:
                yield LosesCreation(opened)

        teacher = batched(losing(), QUICK, here.ledger, here.told.append)
        assert texts(asked(teacher, requests_of(5))) == answers(5)
        assert here.served.calls["create"] == 1
        assert here.served.calls["list"] == 1


class LosesCreation:
    """A client whose session breaks when a batch has been created."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened
        self.session = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)

    @asynccontextmanager
    async def request(self, method: str, url: str, **given: Any) -> AsyncGenerator[Any]:
        import aiohttp

        async with self._opened.session.request(method, url, **given) as response:
            if method == "POST" and url.endswith("/batches"):
                raise aiohttp.ServerDisconnectedError
            yield response


def test_where_nobody_knows_whether_a_batch_exists_nothing_is_submitted_again(tmp_path: Path) -> None:
    def no_list(request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=405) if (request.method, request.path) == ("GET", "/v1/batches") else None

    with place(tmp_path, before=no_list) as here:

        @asynccontextmanager
        async def losing() -> AsyncGenerator[Any]:
            async with client(here.base_url) as opened:
                yield LosesCreation(opened)

        for _ in range(2):
            outcomes = asked(batched(losing(), QUICK, here.ledger), requests_of(5))
            assert errors(outcomes)[0].fatal
            assert "cannot be found out" in str(errors(outcomes)[0])
        assert here.served.calls["create"] == 1


def test_results_that_are_not_all_there_yet_are_looked_for_again(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        content = here.served.files

        def short_at_first(request: web.Request) -> web.StreamResponse | None:
            if request.path.endswith("/content") and here.served.calls["content"] == 0:
                here.served.calls["content"] += 1
                whole = content[request.match_info["id"]]
                return web.Response(body=whole[: len(whole) // 2])
            return None

        with place(tmp_path / "inner", before=short_at_first) as there:
            content = there.served.files
            assert texts(asked(there.teacher(), requests_of(10))) == answers(10)
            assert there.served.sizes == [10]


def test_answers_that_are_counted_and_never_given_are_paid_for_twice_at_most(tmp_path: Path) -> None:
    def empty(request: web.Request) -> web.StreamResponse | None:
        return web.Response(body=b"") if request.path.endswith("/content") else None

    with place(tmp_path, before=empty) as here:
        with Ledger(here.ledger) as ledger:
            outcomes = list(ask_all(here.teacher(), requests_of(4), ledger, concurrency=10, waits=SOON))
        assert all("counts more results" in str(o.error) for o in outcomes if isinstance(o, Unanswered))
        assert len(outcomes) == 4
        assert here.served.sizes == [4, 4]


# After the process is gone.


def test_an_interrupted_run_is_resumed_and_nothing_is_submitted_twice(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(delay_s=0.4)) as here:
        interrupted(here.teacher(), requests_of(20), lambda: bool(here.told))
        assert here.told[-1] == (
            "20 requests in 1 batches stay with test: run again to collect them; nothing is paid for twice"
        )
        assert texts(asked(here.teacher(), requests_of(25))) == answers(25)
        assert sorted(here.served.sizes) == [5, 20]
        assert set(here.served.in_batches().values()) == {1}


class GoneError(Exception):
    """The process ends here."""


STEPS = [
    (event, moment) for event in ("intended", "uploaded", "submitted", "collected") for moment in ("before", "after")
]


@pytest.mark.parametrize(("event", "moment"), STEPS)
def test_a_process_that_ends_at_any_step_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: str, moment: str
) -> None:
    write = BatchRegistry._append  # pyright: ignore[reportPrivateUsage] - the step that a kill comes before or after

    def ends(self: BatchRegistry, given: str, token: str, **fields: Any) -> None:
        if given == event and moment == "before":
            raise GoneError
        write(self, given, token, **fields)
        if given == event:
            raise GoneError

    with place(tmp_path, BatchFaults(failed=0.2)) as here:
        with monkeypatch.context() as patched:
            patched.setattr(BatchRegistry, "_append", ends)
            asked(here.teacher(), requests_of(20))
        again = [*asked(here.teacher(), requests_of(20)), *asked(here.teacher(), requests_of(20))]
        assert texts(asked(here.teacher(), requests_of(20))) == answers(20), again
        assert set(here.served.answers.values()) == {1}, "an answered request was submitted again"


@pytest.mark.parametrize("torn", [b"", b"{", b'{"event": "collected", "batch": "', b"\xff\n", b"[]\n5\n{}\n"])
def test_a_record_with_torn_and_strange_lines_is_read(tmp_path: Path, torn: bytes) -> None:
    with place(tmp_path, BatchFaults(delay_s=0.2)) as here:
        interrupted(here.teacher(), requests_of(5), lambda: bool(here.told))
        path = registry_path(here.ledger)
        path.write_bytes(path.read_bytes() + torn)
        for _ in range(2):
            assert texts(asked(here.teacher(), requests_of(8))) == answers(8)
        assert set(here.served.in_batches().values()) == {1}
    assert any("could not be read" in text for text in here.told) == torn.endswith(b"\n")


def test_replies_that_never_reached_the_ledger_are_handed_over_again(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        for _ in range(3):
            assert texts(asked(here.teacher(), requests_of(12))) == answers(12)
        assert here.served.sizes == [12]


def test_requests_of_a_collected_batch_that_come_later_need_no_second_download(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(delay_s=0.5)) as here:
        interrupted(here.teacher(), requests_of(12), lambda: bool(here.told))

        async def in_turn() -> list[str]:
            async with here.teacher() as teacher:
                return [(await teacher(request)).response for request in requests_of(12)]

        assert asyncio.run(in_turn()) == answers(12)
        assert here.served.calls["content"] == 1
        assert here.served.sizes == [12]


def test_answers_that_the_endpoint_no_longer_keeps_are_asked_for_again(tmp_path: Path) -> None:
    with place(tmp_path) as here:
        asked(here.teacher(), requests_of(4))
        here.served.files.clear()
        outcomes = asked(here.teacher(), requests_of(4))
        assert [error.retryable and not error.fatal for error in errors(outcomes)] == [True] * 4
        assert any("has no file" in text for text in here.told)
        assert texts(asked(here.teacher(), requests_of(4))) == answers(4)


def test_a_batch_that_the_account_does_not_know_ends_the_run(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(delay_s=60)) as here:
        interrupted(here.teacher(), requests_of(4), lambda: bool(here.told))
        here.served.batches.clear()
        outcomes = asked(here.teacher(), requests_of(4))
    assert errors(outcomes)[0].fatal
    assert "does not know the batch batch_000000" in str(errors(outcomes)[0])
    assert "ledger.sqlite.batches.jsonl" in (errors(outcomes)[0].hint or "")
    assert not here.served.batches


def test_batches_that_nobody_asks_for_are_left_alone_and_told(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(delay_s=0.2)) as here:
        interrupted(here.teacher(), requests_of(4), lambda: bool(here.told))
        asked(here.teacher(), [request_of("another")])
        assert here.told[-1] == "1 batches submitted earlier were not asked for by this run: batch_000000"
        assert here.statuses()[0] != "cancelled"


def test_two_processes_on_one_ledger_submit_each_request_once(tmp_path: Path) -> None:
    """As far as one process can stand for two: two teachers with records of their own of the same file."""

    async def both(one: BatchTeacher, two: BatchTeacher) -> list[Reply]:
        async with one, two:
            return await asyncio.gather(*(teacher(request) for request in requests_of(20) for teacher in (one, two)))

    with place(tmp_path, BatchFaults(delay_s=0.1, create_s=0.1)) as here:
        replies = asyncio.run(both(here.teacher(), here.teacher()))
        assert sorted(reply.response for reply in replies) == sorted(answers(20) * 2)
        assert set(here.served.in_batches().values()) == {1}


def test_no_key_and_no_prompt_is_in_the_record(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(failed=0.5)) as here:
        asked(here.teacher(key=KEY), requests_of(10))
        record = registry_path(here.ledger).read_text()
    assert "batch_000000" in record
    assert KEY not in record
    assert "question" not in record
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.sqlite.batches.jsonl"], "something was left behind"


def test_a_record_that_cannot_be_written_submits_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with place(tmp_path) as here:
        monkeypatch.setattr(os, "fsync", full)
        registry_path(here.ledger).touch()
        outcomes = asked(here.teacher(), requests_of(3))
    assert errors(outcomes)[0].fatal
    assert "No space left on device" in str(errors(outcomes)[0])
    assert not here.served.calls


# A run in a process of its own, killed at every stage of its batches.

RUN = """
import sys
from pathlib import Path
from reasonry.ledger import Ledger
from reasonry.teachers.asking.ask import ask_all
from reasonry.teachers.batching.teacher import BatchOptions, batched
from tests.teachers.fakes import SOON, client, requests_of

path = Path(sys.argv[2])
options = BatchOptions(size=20, linger_s=0.05, poll_s=0.05)
with Ledger(path) as ledger:
    teacher = batched(client(sys.argv[1]), options, path)
    for outcome in ask_all(teacher, requests_of(60), ledger, concurrency=60, waits=SOON):
        print(outcome.key, flush=True)
"""


@contextmanager
def run_of(here: Place) -> Generator[subprocess.Popen[bytes]]:
    """Killed on leaving."""
    arguments = [sys.executable, "-c", RUN, here.base_url, str(here.ledger)]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def test_a_killed_run_submits_no_request_twice(tmp_path: Path) -> None:
    with place(tmp_path, BatchFaults(delay_s=0.3, create_s=0.25)) as here:
        calls = here.served.calls
        stages: list[Callable[[], bool]] = [
            lambda: calls["create"] == 1,  # it exists, and the killed one has not heard of it
            lambda: calls["create"] == 2,
            lambda: calls["create"] == 3,
            lambda: calls["content"] >= 1,
            lambda: calls["content"] >= 2,
        ]
        for has_come in stages:
            with run_of(here) as process:
                end = time.monotonic() + 60
                while not has_come() and process.poll() is None:
                    assert time.monotonic() < end
                    time.sleep(0.005)
        with Ledger(here.ledger) as ledger:
            options = QUICK.model_copy(update={"size": 20})
            outcomes = list(ask_all(here.teacher(options), requests_of(60), ledger, concurrency=60, waits=SOON))
        assert [outcome.reply.response for outcome in outcomes if isinstance(outcome, Answered)] == answers(60)
        assert len(here.served.in_batches()) == 60
        assert set(here.served.in_batches().values()) == {1}


def test_an_answer_that_comes_in_pieces_is_read_whole(tmp_path: Path) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        yield b'{"id": "batch_0", '
        await asyncio.sleep(0.05)
        yield b'"status": "in_progress"}'

    def before(_: web.Request) -> web.StreamResponse:
        return web.Response(body=pieces(), content_type="application/json")

    async def look(base_url: str) -> str:
        async with client(base_url) as opened:
            return (await asyncio.wait_for(BatchCalls(opened, 0.02).retrieve("batch_0"), 3)).status

    with place(tmp_path, before=before) as here:
        assert asyncio.run(look(here.base_url)) == "in_progress"


@pytest.mark.parametrize("status", [408, 409, 425, 429, 499, 500, 524])
def test_a_batch_that_exists_whatever_the_status_says_is_not_submitted_again(tmp_path: Path, status: int) -> None:
    @web.middleware
    async def refusing(request: web.Request, handler: Any) -> web.StreamResponse:
        answered = await handler(request)
        is_first = request.method == "POST" and request.path == "/v1/batches" and len(here.served.batches) == 1
        return web.Response(status=status) if is_first else answered

    with place(tmp_path, outermost=refusing) as here:
        assert texts(asked(here.teacher(), requests_of(3))) == answers(3)
        assert len(here.served.batches) == 1


def test_a_key_that_the_endpoint_quotes_is_in_no_error_and_in_no_record(tmp_path: Path) -> None:
    told = {"id": "batch_000000", "status": "failed", "errors": {"data": [{"code": "bad", "message": f"no: {KEY}"}]}}

    def before(request: web.Request) -> web.StreamResponse | None:
        return web.json_response(told) if request.path == "/v1/batches/batch_000000" else None

    with place(tmp_path, before=before) as here:
        (error,) = errors(asked(here.teacher(key=KEY), requests_of(1)))
        assert "no: [key]" in str(error)
        assert not any(KEY in line for line in [*here.told, registry_path(here.ledger).read_text()])


def test_a_key_in_the_error_of_a_line_is_cut_out(tmp_path: Path) -> None:
    line = json.dumps({"custom_id": "r", "response": None, "error": {"code": "x", "message": f"bad {KEY}"}}).encode()
    with pytest.raises(TeacherError, match=r"bad \[key\]"):
        reply_in(line, request_of("q"), client("http://127.0.0.1:1/v1", key=KEY), is_alone=True)


def test_a_line_without_an_end_fills_no_memory_and_harms_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_module, "_LONGEST_LINE", 1_000)
    whole = b'{"custom_id": "%s", "response": {"status_code": 200, "body": {}}}\n'
    with Results(tmp_path) as results:
        results.file.write(whole % b"a" + b'{"custom_id": "b", "response": "' + b"x" * 5_000 + b"\n" + whole % b"c")
        results.index({"a", "b", "c"})
        assert (len(results), results.malformed) == (2, 1)
        assert json.loads(results.line("c") or b"")["custom_id"] == "c"


def test_an_answer_of_parts_within_parts_is_an_error_of_its_request_alone(tmp_path: Path) -> None:
    parts: Any = "4"
    for _ in range(450):
        parts = [{"type": "text", "text": parts}]

    def some(body: Mapping[str, Any]) -> dict[str, Any]:
        return completion(parts) if body["messages"][-1]["content"] == "question 1" else answer(body)

    with place(tmp_path, answering=some) as here:
        outcomes = asked(here.teacher(), requests_of(3))
    assert texts(outcomes) == ["answer to question 0", "-", "answer to question 2"]
    assert errors(outcomes)[0].retryable


def test_a_ledger_behind_a_link_has_the_same_record_of_batches(tmp_path: Path) -> None:
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "l.sqlite")
    assert registry_path(tmp_path / "link.sqlite") == registry_path(tmp_path / "l.sqlite")
