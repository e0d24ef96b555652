"""The engine: order, limits, the ledger, retries, budgets, and what an interrupt leaves behind."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.errors import BudgetReached, LedgerError, TeacherError, UsageError
from reasonry.ledger import Ledger, LedgerEntry
from reasonry.sections import PriceOptions
from reasonry.teachers.asking.ask import Answered, Budget, Outcome, Unanswered, Waits, ask_all
from reasonry.teachers.asking.entries import read_reply, reply_text
from reasonry.types import Reply, Request
from tests.teachers.fakes import SOON, FakeTeacher, echo, prompt_of, prompts, request_of, requests_of

PRICE = PriceOptions(input_per_million=1.0, output_per_million=10.0)  # an echo costs $0.0002
ECHO_USD = 0.0002


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def list_within_s(seconds: float, outcomes: Iterator[Any]) -> list[Any]:
    """All of them, or what was raised; a hang fails the test and does not hold it up."""
    found: Future[list[Any]] = Future()

    def work() -> None:
        try:
            found.set_result(list(outcomes))
        except BaseException as exc:
            found.set_exception(exc)

    threading.Thread(target=work, daemon=True).start()
    return found.result(seconds)


def answered(outcomes: list[Outcome]) -> list[Answered]:
    assert all(isinstance(outcome, Answered) for outcome in outcomes), outcomes
    return [outcome for outcome in outcomes if isinstance(outcome, Answered)]


def test_outcomes_come_in_the_order_of_the_requests_whatever_the_latencies(ledger: Ledger) -> None:
    delays = random.Random(3)

    async def late(request: Request) -> Reply:
        await asyncio.sleep(delays.random() * 0.02)
        return await echo(request)

    requests = requests_of(150)
    outcomes = answered(list(ask_all(FakeTeacher(late), requests, ledger, concurrency=7)))
    assert [outcome.request for outcome in outcomes] == requests
    assert [outcome.reply.response for outcome in outcomes] == [f"answer to {p}" for p in prompts(requests)]


@pytest.mark.parametrize("paid", [True, False])
def test_no_more_than_concurrency_requests_are_with_the_teacher(ledger: Ledger, paid: bool) -> None:
    async def late(request: Request) -> Reply:
        await asyncio.sleep(0.002)
        return await echo(request)

    teacher = FakeTeacher(late, paid=paid)
    assert len(list(ask_all(teacher, requests_of(60), ledger, concurrency=5))) == 60
    assert teacher.most_at_once == 5


def test_requests_are_pulled_as_outcomes_are_taken(ledger: Ledger) -> None:
    pulled = 0

    def endless() -> Iterator[Request]:
        nonlocal pulled
        for i in count():
            pulled += 1
            yield request_of(f"question {i}")

    outcomes = ask_all(FakeTeacher(), endless(), ledger, concurrency=2)
    assert [prompt_of(o.request) for o in islice(outcomes, 700)] == [f"question {i}" for i in range(700)]
    outcomes.close()  # type: ignore[attr-defined]
    assert pulled <= 700 + 256 + 20_000, "one chunk and one window ahead, no more"


def test_one_slow_answer_lets_others_be_asked_meanwhile(ledger: Ledger) -> None:
    others = threading.Event()

    async def first_waits(request: Request) -> Reply:
        if prompt_of(request) == "question 0":
            await asyncio.to_thread(others.wait, 10)
        elif prompt_of(request) == "question 12":
            others.set()
        return await echo(request)

    outcomes = ask_all(FakeTeacher(first_waits), requests_of(20), ledger, concurrency=2)
    assert prompt_of(next(outcomes).request) == "question 0"
    assert others.is_set()
    assert len(list(outcomes)) == 19


def test_a_reply_that_was_handed_out_is_on_disk(ledger: Ledger) -> None:
    other = sqlite3.connect(ledger.path)
    try:
        for outcome in answered(list(islice(ask_all(FakeTeacher(), requests_of(40), ledger), 40))):
            rows = other.execute("select reply from attempts where key = ? and outcome = 'answered'", [outcome.key])
            assert [read_reply(text) for (text,) in rows] == [outcome.reply]
    finally:
        other.close()


def test_what_the_ledger_holds_is_not_asked_again(ledger: Ledger) -> None:
    first = answered(list(ask_all(FakeTeacher(), requests_of(300), ledger, price=PRICE)))
    teacher = FakeTeacher()
    again = answered(list(ask_all(teacher, requests_of(310), ledger, price=PRICE)))
    assert teacher.asked.total() == 10
    assert [o.from_ledger for o in again] == [True] * 300 + [False] * 10
    assert [(o.reply, o.key, o.cost_usd) for o in again[:300]] == [(o.reply, o.key, o.cost_usd) for o in first]


def test_a_teacher_of_another_name_is_asked_anew(ledger: Ledger) -> None:
    list(ask_all(FakeTeacher(), requests_of(3), ledger))
    other = FakeTeacher()
    other.served_by = "elsewhere"
    assert not any(o.from_ledger for o in answered(list(ask_all(other, requests_of(3), ledger))))
    assert other.asked.total() == 3


def test_an_unpaid_teacher_goes_past_the_ledger(ledger: Ledger) -> None:
    teacher = FakeTeacher(paid=False)
    outcomes = answered(list(ask_all(teacher, [*requests_of(3), *requests_of(3)], ledger)))
    assert teacher.asked.total() == 6
    assert {(o.key, o.cost_usd, o.from_ledger) for o in outcomes} == {(None, None, False)}
    assert list(ledger.entries()) == []


def test_a_paid_teacher_without_a_ledger_is_refused() -> None:
    teacher = FakeTeacher()
    with pytest.raises(LedgerError, match="needs a ledger"):
        list(ask_all(teacher, requests_of(1), None))
    assert (teacher.asked.total(), teacher.open) == (0, 0)


@pytest.mark.parametrize("apart", [0, 5, 600])
def test_equal_keys_are_asked_once(ledger: Ledger, apart: int) -> None:
    async def late(request: Request) -> Reply:
        await asyncio.sleep(0.002)
        return await echo(request)

    first, second = request_of("the same", answer="1"), request_of("the same", answer="2")
    teacher = FakeTeacher(late)
    outcomes = answered(list(ask_all(teacher, [first, *requests_of(apart), second], ledger, concurrency=50)))
    assert teacher.asked["the same"] == 1
    assert outcomes[0].reply == outcomes[-1].reply
    assert [outcomes[0].request, outcomes[-1].request] == [first, second]
    assert [outcomes[0].from_ledger, outcomes[-1].from_ledger] == [False, True]


def test_equal_keys_are_asked_once_though_the_first_is_still_under_way_a_chunk_later(ledger: Ledger) -> None:
    async def late(request: Request) -> Reply:
        await asyncio.sleep(0.3 if prompt_of(request) == "the same" else 0)
        return await echo(request)

    teacher = FakeTeacher(late)
    requests = [request_of("the same"), *requests_of(300), request_of("the same")]
    assert len(answered(list(ask_all(teacher, requests, ledger, concurrency=50)))) == 302
    assert teacher.asked["the same"] == 1


class Failing:
    """Fails the first `times` tries of each question in `which`."""

    def __init__(self, which: set[str], times: int, error: TeacherError) -> None:
        self.which, self.times, self.error = which, times, error
        self.tries: dict[str, int] = {}

    async def __call__(self, request: Request) -> Reply:
        prompt = prompt_of(request)
        self.tries[prompt] = self.tries.get(prompt, 0) + 1
        if prompt in self.which and self.tries[prompt] <= self.times:
            raise self.error
        return await echo(request)


def test_a_passing_failure_is_tried_again_and_every_try_is_recorded(ledger: Ledger) -> None:
    failing = Failing({"question 1"}, 2, TeacherError("HTTP 500: oh", retryable=True, http_status=500))
    outcomes = answered(list(ask_all(FakeTeacher(failing), requests_of(3), ledger, attempts=3, waits=SOON)))
    entries = [e for e in ledger.entries() if e.key == outcomes[1].key]
    assert [(e.attempt, e.outcome, e.http_status, e.detail) for e in entries] == [
        (1, "failed", 500, "HTTP 500: oh"),
        (2, "failed", 500, "HTTP 500: oh"),
        (3, "answered", None, ""),
    ]
    assert [e.reply is None for e in entries] == [True, True, False]


def test_a_request_that_fails_harms_no_other(ledger: Ledger) -> None:
    failing = Failing({"question 4", "question 9"}, 99, TeacherError("HTTP 500", retryable=True))
    outcomes = list(ask_all(FakeTeacher(failing), requests_of(12), ledger, attempts=3, waits=SOON))
    assert [i for i, outcome in enumerate(outcomes) if isinstance(outcome, Unanswered)] == [4, 9]
    assert failing.tries["question 4"] == 3


def test_what_cannot_be_mended_by_trying_is_tried_once(ledger: Ledger) -> None:
    failing = Failing({"question 0"}, 99, TeacherError("HTTP 400: too long", http_status=400))
    (outcome,) = ask_all(FakeTeacher(failing), requests_of(1), ledger, waits=SOON)
    assert isinstance(outcome, Unanswered)
    assert outcome.error.message == "HTTP 400: too long"
    assert failing.tries == {"question 0": 1}


@pytest.mark.parametrize("returned", [ValueError("a bug"), "no Reply"])
def test_a_bug_in_a_teacher_is_the_request_s_failure_not_the_run_s(ledger: Ledger, returned: object) -> None:
    async def buggy(request: Request) -> Reply:
        if prompt_of(request) != "question 1":
            return await echo(request)
        if isinstance(returned, Exception):
            raise returned
        return returned  # type: ignore[return-value]

    outcomes = list(ask_all(FakeTeacher(buggy), requests_of(3), ledger, waits=SOON))
    assert [type(outcome) for outcome in outcomes] == [Answered, Unanswered, Answered]


@pytest.mark.parametrize(
    "reply",
    [Reply(None), Reply("yes", tokens_out="7"), Reply("yes", reasoning=["no"])],  # type: ignore[arg-type,list-item]
)
def test_a_reply_that_could_not_be_read_back_is_not_taken_for_an_answer(ledger: Ledger, reply: Reply) -> None:
    async def buggy(request: Request) -> Reply:
        return reply if prompt_of(request) == "question 1" else await echo(request)

    outcomes = list(ask_all(FakeTeacher(buggy), requests_of(3), ledger, waits=SOON))
    assert [type(outcome) for outcome in outcomes] == [Answered, Unanswered, Answered]


@pytest.mark.parametrize("raised", [asyncio.CancelledError(), SystemExit(3)])
def test_a_teacher_that_ends_its_own_task_is_a_failed_try(ledger: Ledger, raised: BaseException) -> None:
    async def ends(request: Request) -> Reply:
        if prompt_of(request) == "question 1":
            raise raised
        return await echo(request)

    outcomes = list_within_s(20, ask_all(FakeTeacher(ends), requests_of(3), ledger, waits=SOON))
    assert [type(outcome) for outcome in outcomes] == [Answered, Unanswered, Answered]


def test_a_failed_request_is_asked_again_by_the_next_run(ledger: Ledger) -> None:
    failing = Failing({"question 1"}, 1, TeacherError("HTTP 500", retryable=True))
    teacher = FakeTeacher(failing)
    first = list(ask_all(teacher, requests_of(3), ledger, attempts=1))
    second = answered(list(ask_all(teacher, requests_of(3), ledger, attempts=1)))
    assert isinstance(first[1], Unanswered)
    assert [o.from_ledger for o in second] == [True, False, True]


def test_an_endpoint_that_asks_for_a_pause_gets_it(ledger: Ledger) -> None:
    times: list[float] = []

    async def busy_once(request: Request) -> Reply:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 1:
            raise TeacherError("HTTP 429", retryable=True, retry_after_s=0.3)
        return await echo(request)

    answered(list(ask_all(FakeTeacher(busy_once), requests_of(1), ledger, waits=SOON)))
    assert 0.3 <= times[1] - times[0] < 2


def test_an_error_that_meets_every_request_ends_the_run_after_what_is_under_way_is_recorded(ledger: Ledger) -> None:
    async def refused(request: Request) -> Reply:
        first = prompt_of(request) == "question 0"
        await asyncio.sleep(0.02 if first else 0.2)
        if first:
            raise TeacherError("HTTP 401", fatal=True)
        return await echo(request)

    teacher = FakeTeacher(refused)
    outcomes = ask_all(teacher, requests_of(500), ledger, concurrency=8)
    with pytest.raises(TeacherError, match="HTTP 401"):
        list(outcomes)
    assert teacher.asked.total() == 8
    assert [entry.outcome for entry in ledger.entries()] == ["failed"] + ["answered"] * 7
    assert teacher.open == 0


def test_an_error_that_meets_every_request_does_not_wait_for_pauses(ledger: Ledger) -> None:
    async def refused(request: Request) -> Reply:
        if prompt_of(request) == "question 0":
            raise TeacherError("HTTP 429", retryable=True, retry_after_s=500.0)
        await asyncio.sleep(0.05)
        raise TeacherError("HTTP 403", fatal=True)

    finished = threading.Event()

    def work() -> None:
        with pytest.raises(TeacherError, match="HTTP 403"):
            list(ask_all(FakeTeacher(refused), requests_of(2), ledger))
        finished.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert finished.wait(10)
    thread.join()


def test_a_ledger_that_cannot_be_written_ends_the_run_without_handing_the_reply_out(tmp_path: Path) -> None:
    class FullDisk(Ledger):
        def record(self, entry: LedgerEntry, tell: Callable[[LedgerError | None], None]) -> None:
            tell(LedgerError("the ledger cannot be written: disk full"))

    with FullDisk(tmp_path / "ledger.sqlite") as ledger, pytest.raises(LedgerError, match="disk full"):
        next(ask_all(FakeTeacher(), requests_of(4), ledger))


def test_closing_early_cancels_what_is_under_way_and_leaves_a_working_ledger(ledger: Ledger) -> None:
    cancelled = 0

    async def stuck(request: Request) -> Reply:
        nonlocal cancelled
        if prompt_of(request) == "question 0":
            return await echo(request)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled += 1
            raise
        raise AssertionError

    teacher = FakeTeacher(stuck)
    outcomes = ask_all(teacher, requests_of(50), ledger, concurrency=4)
    assert isinstance(next(outcomes), Answered)
    outcomes.close()  # type: ignore[attr-defined]
    assert (teacher.open, teacher.at_once) == (0, 0)
    assert cancelled == teacher.asked.total() - 1
    assert len(answered(list(ask_all(FakeTeacher(), requests_of(50), ledger)))) == 50


def test_an_error_in_the_requests_comes_through_and_closes_the_teacher(ledger: Ledger) -> None:
    def broken() -> Iterator[Request]:
        yield from requests_of(300)
        raise RuntimeError("no more")

    teacher = FakeTeacher()
    with pytest.raises(RuntimeError, match="no more"):
        list(ask_all(teacher, broken(), ledger))
    assert teacher.open == 0


def test_a_budget_stops_new_requests_and_is_not_exceeded(ledger: Ledger) -> None:
    # Just over 100 bytes in, 10 tokens out: the most a request can cost is little more than what an echo does.
    requests = [request_of(f"question {i:091}", max_tokens=10) for i in range(100)]
    budget = Budget(10.5 * ECHO_USD)
    teacher = FakeTeacher()
    with pytest.raises(BudgetReached, match=r"\$0.0020 of \$0.0021 is spent") as caught:
        list(ask_all(teacher, requests, ledger, price=PRICE, budget=budget))
    assert budget.spent_usd <= budget.limit_usd
    assert teacher.asked.total() == 10
    assert sum(entry.cost_usd or 0.0 for entry in ledger.entries()) == pytest.approx(budget.spent_usd)
    assert "run again" in (caught.value.hint or "")


def test_a_larger_budget_resumes_without_paying_twice(ledger: Ledger) -> None:
    requests = [request_of(f"question {i}", max_tokens=10) for i in range(30)]
    teacher = FakeTeacher()
    with pytest.raises(BudgetReached):
        list(ask_all(teacher, requests, ledger, price=PRICE, budget=Budget(10 * ECHO_USD)))
    with pytest.raises(BudgetReached):  # the same budget: nothing more is bought
        list(ask_all(teacher, requests, ledger, price=PRICE, budget=Budget(10 * ECHO_USD)))
    assert len(answered(list(ask_all(teacher, requests, ledger, price=PRICE, budget=Budget(1.0))))) == 30
    assert set(teacher.asked.values()) == {1}


def test_answers_in_the_ledger_need_no_budget(ledger: Ledger) -> None:
    list(ask_all(FakeTeacher(), requests_of(5), ledger, price=PRICE))
    again = answered(list(ask_all(FakeTeacher(), requests_of(5), ledger, price=PRICE, budget=Budget(0.0))))
    assert all(o.from_ledger for o in again)


def test_a_budget_may_leave_out_what_was_paid_before(ledger: Ledger) -> None:
    requests = [request_of(f"question {i:091}", max_tokens=10) for i in range(30)]
    list(ask_all(FakeTeacher(), requests[:10], ledger, price=PRICE))
    budget = Budget(5.5 * ECHO_USD, counts_paid=False)
    with pytest.raises(BudgetReached):
        list(ask_all(FakeTeacher(), requests, ledger, price=PRICE, budget=budget))
    assert len(list(ledger.entries())) == 15
    assert budget.spent_usd == pytest.approx(5 * ECHO_USD, rel=0.05)


def test_an_empty_budget_buys_nothing(ledger: Ledger) -> None:
    teacher = FakeTeacher()
    with pytest.raises(BudgetReached):
        list(ask_all(teacher, requests_of(5), ledger, price=PRICE, budget=Budget(0.0)))
    assert teacher.asked.total() == 0


def test_a_cost_that_is_not_told_counts_as_the_most_it_can_be(ledger: Ledger) -> None:
    async def silent(request: Request) -> Reply:
        return Reply("yes", model="fake")

    requests = [request_of(f"question {i}", max_tokens=1000) for i in range(50)]  # $0.01 at most, each
    teacher = FakeTeacher(silent)
    with pytest.raises(BudgetReached):
        list(ask_all(teacher, requests, ledger, price=PRICE, budget=Budget(0.05), concurrency=1))
    assert teacher.asked.total() == 4


def test_a_cost_that_is_not_told_counts_as_much_when_it_is_found_in_the_ledger(ledger: Ledger) -> None:
    async def silent(request: Request) -> Reply:
        return Reply("yes", model="fake")

    requests = [request_of(f"question {i}", max_tokens=1000) for i in range(50)]
    teacher = FakeTeacher(silent)
    for _ in range(3):
        with pytest.raises(BudgetReached):
            list(ask_all(teacher, requests, ledger, price=PRICE, budget=Budget(0.05), concurrency=1))
    assert teacher.asked.total() == 4


def test_a_budget_without_max_tokens_buys_nothing(ledger: Ledger) -> None:
    teacher = FakeTeacher()
    with pytest.raises(UsageError, match="a budget needs max_tokens"):
        list(ask_all(teacher, requests_of(500), ledger, price=PRICE, budget=Budget(0.001), concurrency=200))
    assert teacher.asked.total() == 0


def test_a_budget_without_a_price_is_refused(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="a budget needs a price"):
        list(ask_all(FakeTeacher(), requests_of(1), ledger, budget=Budget(1.0)))


def test_an_unknown_price_is_none_and_not_zero(ledger: Ledger) -> None:
    (outcome,) = answered(list(ask_all(FakeTeacher(), requests_of(1), ledger)))
    assert outcome.cost_usd is None
    assert [entry.cost_usd for entry in ledger.entries()] == [None]


def test_a_lone_surrogate_is_stored_and_comes_back_the_same_from_the_ledger(ledger: Ledger) -> None:
    async def broken(request: Request) -> Reply:
        return Reply("half a character: \ud83d", model="fake")

    requests = [request_of("a broken \udc00 prompt")]
    (first,) = answered(list(ask_all(FakeTeacher(broken), requests, ledger)))
    (again,) = answered(list(ask_all(FakeTeacher(broken), requests, ledger)))
    assert first.reply == again.reply
    assert again.from_ledger
    assert first.reply.response == "half a character: ?"


@given(
    st.builds(
        Reply,
        response=st.text(),
        reasoning=st.text(),
        finish=st.sampled_from(["stop", "length", "refusal", "error"]),
        model=st.text(),
        tokens_in=st.none() | st.integers(0, 2**53),
        tokens_out=st.none() | st.integers(0, 2**53),
    )
)
def test_a_reply_reads_back_from_its_text(reply: Reply) -> None:
    assert read_reply(reply_text(reply)) == reply


def test_pauses_grow_are_random_and_have_a_limit() -> None:
    def pauses(tries: int) -> list[float]:
        return [Waits(first_s=1.0, longest_s=8.0).pause_s(tries, TeacherError("no")) for _ in range(200)]

    assert max(pauses(1)) <= 1.0 < max(pauses(3)) <= 4.0 < max(pauses(9)) <= 8.0
    assert len(set(pauses(3))) > 100


def test_a_bug_of_ours_ends_the_run_and_does_not_hang_it(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Ledger, key: str) -> bool:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Ledger, "claim", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        list(ask_all(FakeTeacher(), requests_of(3), ledger))
