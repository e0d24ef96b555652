"""What nobody expects while asking: bugs, a ledger that goes away, interrupts. Nothing hangs, nothing is paid twice."""

from __future__ import annotations

import _thread
import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reasonry.errors import LedgerError, TeacherError, WorkFailed
from reasonry.ledger import Ledger
from reasonry.teachers.asking import admission, recorder
from reasonry.teachers.asking.ask import Answered, Asking, Waits, ask_all, ask_series
from reasonry.teachers.asking.engine import Engine
from reasonry.teachers.asking.outcomes import Outcome
from reasonry.types import Reply, Request
from tests.teachers.fakes import SOON, FakeTeacher, echo, prompt_of, request_of, requests_of
from tests.teachers.test_admission import FakeEndpoint
from tests.teachers.test_asking import list_within_s

LONG_S = 20.0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


class SlowDisk(Ledger):
    """Takes half a second for each group of entries."""

    def _committed(self, group: list[Any]) -> list[Any]:
        time.sleep(0.5)
        return super()._committed(group)


class OneMore:
    """A question whose series raises when it has to decide on more."""

    def __init__(self, request: Request, in_proceed: BaseException | None, in_has_more: Exception | None) -> None:
        self._request = request
        self._in_proceed = in_proceed
        self._in_has_more = in_has_more

    @property
    def has_more(self) -> bool:
        if self._in_has_more is not None:
            raise self._in_has_more
        return True

    def start(self) -> Sequence[Request]:
        return (self._request,)

    async def proceed(self, outcomes: Sequence[Outcome]) -> Sequence[Request]:
        if self._in_proceed is not None:
            raise self._in_proceed
        return ()


@pytest.mark.parametrize(
    ("in_proceed", "in_has_more", "raised"),
    [
        (ValueError("a bug"), None, ValueError),
        (asyncio.CancelledError(), None, WorkFailed),
        (None, ValueError("a bug"), ValueError),
    ],
)
def test_a_series_that_breaks_ends_the_run(
    ledger: Ledger, in_proceed: BaseException | None, in_has_more: Exception | None, raised: type[Exception]
) -> None:
    good = [OneMore(request, None, None) for request in requests_of(100)]
    bad = OneMore(request_of("the bad one"), in_proceed, in_has_more)
    with pytest.raises(raised):
        list_within_s(LONG_S, ask_series(FakeTeacher(), [*good[:20], bad, *good[20:]], ledger, Asking(16)))


def test_a_ledger_that_is_closed_meanwhile_ends_the_run(ledger: Ledger) -> None:
    async def late(request: Request) -> Reply:
        await asyncio.sleep(0.01 if prompt_of(request) == "question 0" else 0.3)
        return await echo(request)

    outcomes = ask_all(FakeTeacher(late), requests_of(50), ledger, concurrency=8)
    next(outcomes)
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        list_within_s(LONG_S, outcomes)


class Served(FakeTeacher):
    """A teacher at the endpoints that are given."""

    def __init__(self, *endpoints: FakeEndpoint) -> None:
        super().__init__()
        self.endpoints = endpoints


class Down(FakeEndpoint):
    async def __call__(self, request: Request) -> Reply:
        raise TeacherError("no connection", retryable=True)


def test_endpoints_that_stay_down_end_the_run(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "_NEVER_THERE_S", 0.5)
    monkeypatch.setattr(admission, "_FIRST_REST_S", 0.02)
    monkeypatch.setattr(admission, "_LONGEST_REST_S", 0.1)
    outcomes = ask_all(
        Served(Down("a"), Down("b")), requests_of(40), ledger, concurrency=4, attempts=1000, waits=Waits(0.01, 0.05)
    )
    with pytest.raises(TeacherError, match="no answer for"):
        list_within_s(LONG_S, outcomes)


class Dying(FakeEndpoint):
    """Answers so many requests, and from then on fails at once, without an end."""

    def __init__(self, status: int | None, answers: int) -> None:
        super().__init__("dying")
        self._status = status
        self._left = answers
        self.failed = 0

    async def __call__(self, request: Request) -> Reply:
        await asyncio.sleep(0.002)
        if self._left > 0:
            self._left -= 1
            return await echo(request)
        self.failed += 1
        raise TeacherError(f"HTTP {self._status}", retryable=True, http_status=self._status)


class Well(FakeEndpoint):
    async def __call__(self, request: Request) -> Reply:
        await asyncio.sleep(0.05)
        return await echo(request)


@pytest.mark.parametrize("status", [None, 200, 429, 500, 503])
@pytest.mark.parametrize("answers", [0, 200])
def test_one_endpoint_that_dies_costs_no_answer(ledger: Ledger, status: int | None, answers: int) -> None:
    dying = Dying(status, answers)
    outcomes = list(ask_all(Served(Well("well"), dying), requests_of(1000), ledger, concurrency=64, waits=SOON))
    assert all(isinstance(outcome, Answered) for outcome in outcomes)
    assert dying.failed < 300


def test_an_interrupt_while_answers_are_written_leaves_the_ledger_working(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asked = threading.Event()

    async def seen(request: Request) -> Reply:
        is_asked.set()
        return await echo(request)

    def interrupted(self: Engine, *_: object) -> bool:
        is_asked.wait()
        time.sleep(0.1)
        raise KeyboardInterrupt

    with SlowDisk(tmp_path / "ledger.sqlite") as ledger:
        with monkeypatch.context() as patch:
            patch.setattr(Engine, "wait_for", interrupted)
            patch.setattr(Engine, "close", lambda _: None)  # as a second interrupt would end it
            with pytest.raises(KeyboardInterrupt):
                next(ask_all(FakeTeacher(seen), requests_of(2), ledger))
        assert len(list_within_s(LONG_S, ask_all(FakeTeacher(), requests_of(2), ledger))) == 2


def test_a_key_is_not_let_go_before_its_answer_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_asked = threading.Event()
    (request,) = requests_of(1)
    key = request.key("fake", "here")
    seen: list[bool] = []

    async def answer(request: Request) -> Reply:
        is_asked.set()
        return await echo(request)

    def interrupted(self: Engine, *_: object) -> bool:
        is_asked.wait()
        time.sleep(0.1)
        raise KeyboardInterrupt

    def other_process() -> None:
        is_asked.wait()
        while not other.claim(key):
            time.sleep(0.01)
        seen.append(key in other.answered([key]))

    with SlowDisk(tmp_path / "ledger.sqlite") as ledger, Ledger(tmp_path / "ledger.sqlite") as other:
        monkeypatch.setattr(Engine, "wait_for", interrupted)
        thread = threading.Thread(target=other_process, daemon=True)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            next(ask_all(FakeTeacher(answer), [request], ledger))
        thread.join(LONG_S)
    assert seen == [True]


class Many:
    """A question with many samples."""

    has_more = False

    def __init__(self, name: str, samples: int) -> None:
        self._name = name
        self._samples = samples

    def start(self) -> Sequence[Request]:
        return [request_of(self._name, index) for index in range(self._samples)]

    async def proceed(self, outcomes: Sequence[Outcome]) -> Sequence[Request]:
        return ()


def test_questions_are_pulled_by_how_many_requests_they_are(ledger: Ledger) -> None:
    pulled = 0

    def questions() -> Iterator[Many]:
        nonlocal pulled
        for i in range(40):
            pulled += 1
            yield Many(f"question {i}", 10_000)

    outcomes = ask_series(FakeTeacher(), questions(), ledger, Asking(16))
    assert len(next(outcomes)) == 10_000
    outcomes.close()  # type: ignore[attr-defined]
    assert pulled <= 3, "20,000 requests ahead, and not 256 questions"


def test_no_more_replies_wait_for_a_slow_disk_than_memory_has_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reasonry.teachers.asking.engine._UNWRITTEN_CHARACTERS", 100_000)
    teacher = FakeTeacher(long)
    with SlowDisk(tmp_path / "ledger.sqlite") as ledger:
        outcomes = ask_all(teacher, requests_of(500), ledger, concurrency=8)
        next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
    assert teacher.asked.total() <= 3 * (10 + 8), "about ten replies, and those in flight, for each half second"


async def long(request: Request) -> Reply:
    await asyncio.sleep(0.001)
    return Reply("y" * 10_000, model="fake", tokens_in=1, tokens_out=1)


def test_an_interrupt_waits_for_the_answers_that_are_under_way(ledger: Ledger) -> None:
    async def slowly(request: Request) -> Reply:
        await asyncio.sleep(0.3)
        return await echo(request)

    teacher = FakeTeacher(slowly)
    outcomes = ask_all(teacher, requests_of(100), ledger, concurrency=8)
    next(outcomes)
    interrupt = threading.Timer(0.1, _thread.interrupt_main)
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in outcomes:
            pass
    interrupt.join()
    assert teacher.asked.total() < 100
    assert len([entry for entry in ledger.entries() if entry.outcome == "answered"]) == teacher.asked.total()


def test_nothing_is_asked_that_may_not_fit_on_the_disk(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    teacher = FakeTeacher()
    with pytest.raises(LedgerError, match=r"the disk has 1\.0 MB left"):
        list(ask_all(teacher, requests_of(3), ledger))
    assert teacher.asked.total() == 0
