"""Gates: pauses that endpoints ask for, limits by the minute, weights, broken endpoints."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import pytest

from reasonry.contracts import Headroom, RateLimits
from reasonry.errors import TeacherError
from reasonry.teachers.asking.admission import Admission, Turn
from reasonry.teachers.asking.control import FIRST
from reasonry.teachers.asking.pacing import Pace
from reasonry.types import Question, Reply, Request


@dataclass
class FakeEndpoint:
    name: str = "here"
    weight: float = 1.0
    limits: RateLimits = field(default_factory=RateLimits)
    headroom: Headroom | None = None

    async def __call__(self, request: Request) -> Reply:
        raise NotImplementedError


class FakeServed:
    model, served_by, paid = "m", "s", True

    def __init__(self, *endpoints: FakeEndpoint) -> None:
        self.endpoints = endpoints

    def recorded(self, question: Question) -> int | None:
        return None

    async def __call__(self, request: Request) -> Reply:
        raise NotImplementedError


def admission(*endpoints: FakeEndpoint, most: int = 100) -> Admission:
    return Admission.of(FakeServed(*endpoints), most, seeks_knee=False, say=print)


REPLY = Reply("yes", tokens_in=100, tokens_out=100)
BUSY = TeacherError("HTTP 429", retryable=True, http_status=429)
DOWN = TeacherError("no connection", retryable=True)


def taken(gates: Admission, now: float = 0.0, characters: int = 400) -> Turn:
    turn = gates.take(characters, now)
    assert turn is not None
    return turn


def test_a_pause_that_was_asked_for_is_kept_by_every_request() -> None:
    gates = admission(FakeEndpoint())
    turn = taken(gates)
    error = TeacherError("HTTP 429", retryable=True, http_status=429, retry_after_s=5.0)
    turn.gate.ended(turn, error, 1.0)
    assert gates.take(400, 5.9) is None
    assert gates.ready_in_s(400, 2.0) == pytest.approx(4.0)
    assert gates.take(400, 6.0) is not None


def test_a_pause_has_a_limit() -> None:
    pace = Pace(RateLimits())
    pace.pause(1e9, 0.0)
    assert pace.wait_s(1, 0.0) == 600.0


def test_a_request_goes_where_it_did_not_fail_and_waits_for_that_on_its_last_try() -> None:
    gates = admission(FakeEndpoint("a"), FakeEndpoint("b"))
    dying, well = gates.gates
    for _ in range(FIRST - 1):
        well.take(400, 0.0)
    turn = gates.take(400, 0.0, dying)
    assert turn is not None
    assert turn.gate is well  # though it has more to do
    again = gates.take(400, 0.0, dying)
    assert again is not None
    assert again.gate is dying  # the other is full
    assert gates.take(400, 0.0, dying, elsewhere=True) is None
    assert gates.ready_in_s(400, 0.0, dying, elsewhere=True) is None
    well.ended(turn, REPLY, 1.0)
    last = gates.take(400, 1.0, dying, elsewhere=True)
    assert last is not None
    assert last.gate is well


def test_where_enough_are_in_flight_altogether_an_open_gate_is_no_reason_to_ask_again() -> None:
    gates = admission(FakeEndpoint("a"), FakeEndpoint("b"), most=4)
    for _ in range(4):
        taken(gates)
    assert gates.take(400, 0.0) is None
    assert gates.ready_in_s(400, 0.0) is None


def test_failures_do_not_lower_what_an_answer_is_expected_to_have() -> None:
    endpoint = FakeEndpoint(limits=RateLimits(tokens_per_minute=60_000))
    gates = admission(endpoint)
    turn = taken(gates)
    turn.gate.ended(turn, Reply("yes", tokens_in=100, tokens_out=1000), 0.0)
    expected = taken(gates, 100.0).counted_tokens
    for i in range(7):
        turn = taken(gates, 200.0 + 100 * i)
        turn.gate.ended(turn, DOWN, 200.0 + 100 * i)
    assert taken(gates, 2000.0).counted_tokens == expected == 1100


def test_headers_that_say_nothing_is_left_are_believed() -> None:
    endpoint = FakeEndpoint()
    gates = admission(endpoint)
    endpoint.headroom = Headroom(requests=0, requests_reset_s=4.0)  # when the request came, one second before
    turn = taken(gates)
    turn.gate.ended(turn, REPLY, 1.0)
    assert gates.take(400, 3.9) is None
    assert gates.take(400, 4.0) is not None


def test_what_headers_said_once_is_not_said_again_by_a_failure_without_any() -> None:
    endpoint = FakeEndpoint()
    gates = admission(endpoint)
    endpoint.headroom = Headroom(requests=0, requests_reset_s=2.0)
    first, second = taken(gates), taken(gates)
    first.gate.ended(first, REPLY, 0.5)
    second.gate.ended(second, DOWN, 3.9)
    assert gates.take(400, 4.0) is not None


@pytest.mark.parametrize("latency_s", [0.1, 5.0])
def test_an_endpoint_s_own_count_is_kept_without_a_refusal_and_without_idling(latency_s: float) -> None:
    """Ten a second, fifty at most at once after a rest; the headers are those of the request's arrival."""
    endpoint = FakeEndpoint()
    gates = admission(endpoint, most=1000)
    left, at, now = 50.0, 0.0, 0.0
    refused = sent = 0
    ends: list[tuple[float, int, Turn, Headroom]] = []
    while now < 120:
        turn = gates.take(400, now)
        if turn is None:
            waits = [gates.ready_in_s(400, now), ends[0][0] - now if ends else None]
            now += max(min(wait for wait in waits if wait is not None), 1e-6)
            while ends and ends[0][0] <= now:
                _, _, ended, told = heapq.heappop(ends)
                endpoint.headroom = told
                ended.gate.ended(ended, REPLY, now)
            continue
        left, at = min(50.0, left + 10 * (now - at)), now
        if left < 1 and sent > 32:  # nobody can know before the first answer
            refused += 1
        left = max(left - 1, 0.0)
        sent += 1
        told = Headroom(requests=int(left), requests_reset_s=(50 - left) / 10)
        heapq.heappush(ends, (now + latency_s, sent, turn, told))
    assert refused <= 40, "the first burst, and hardly any after"
    assert sent >= 0.85 * 10 * (120 - 2 * latency_s)


def test_requests_by_the_minute_are_spread_evenly() -> None:
    gates = admission(FakeEndpoint(limits=RateLimits(requests_per_minute=120)))
    sent: list[float] = []
    now = 0.0
    while now < 60:
        turn = gates.take(400, now)
        if turn is None:
            now += gates.ready_in_s(400, now) or 0.01
            continue
        sent.append(now)
        turn.gate.ended(turn, REPLY, now)
    assert 118 <= len(sent) <= 122
    assert max(sum(start <= at < start + 10 for at in sent) for start in range(50)) <= 22


def test_tokens_by_the_minute_count_what_answers_really_have() -> None:
    pace = Pace(RateLimits(tokens_per_minute=60_000))  # 1,000 a second
    now, sent = 0.0, 0
    while now < 60:
        if (wait := pace.wait_s(4000, now)) > 0:
            now += wait
            continue
        counted = pace.take(4000, now)
        pace.settle(counted, 1000, 1000, now)  # 2,000 each
        sent += 1
    assert 29 <= sent <= 33


def test_requests_are_shared_out_by_weight() -> None:
    gates = admission(FakeEndpoint("a", 3.0), FakeEndpoint("b", 1.0), most=16)
    names = [taken(gates).gate.name for _ in range(16)]
    assert (names.count("a"), names.count("b")) == (12, 4)
    assert gates.take(400, 0.0) is None, "16 in flight altogether"


def test_a_broken_endpoint_is_left_alone_but_tried_now_and_then() -> None:
    gates = admission(FakeEndpoint("good"), FakeEndpoint("bad"))
    bad = gates.gates[1]
    for _ in range(8):
        turn = bad.take(400, 0.0)
        bad.ended(turn, DOWN, 0.0)
    names = {taken(gates, 0.5).gate.name for _ in range(10)}
    assert names == {"good"}
    assert bad.wait_s(400, 1.0) == 0, "after a second one is let through"
    trial = bad.take(400, 1.0)
    assert bad.wait_s(400, 1.0) is None, "and no second one beside it"
    bad.ended(trial, DOWN, 1.1)
    assert bad.wait_s(400, 2.5) == pytest.approx(0.6), "then after two"
    trial = bad.take(400, 3.2)
    bad.ended(trial, REPLY, 3.3)
    assert [bad.wait_s(400, 3.3)] == [0], "an answer closes it again"


def test_an_endpoint_that_is_down_for_good_ends_the_run() -> None:
    gates = admission(FakeEndpoint())
    (gate,) = gates.gates
    now = 0.0
    while gates.without_hope() is None:
        assert now < 3600
        wait = gate.wait_s(400, now)
        assert wait is not None
        now += wait
        gate.ended(gate.take(400, now), DOWN, now + 0.1)
    error = gates.without_hope()
    assert error is not None
    assert error.fatal
    assert "no answer for" in error.message
    assert 60 <= now < 130, "one that never answered"
    assert "is it started" in (error.hint or "")


def test_an_endpoint_that_has_answered_is_waited_for_longer() -> None:
    gates = admission(FakeEndpoint())
    (gate,) = gates.gates
    gate.ended(gate.take(400, 0.0), REPLY, 0.0)
    now = 0.0
    while gates.without_hope() is None:
        wait = gate.wait_s(400, now)
        assert wait is not None
        now += wait
        gate.ended(gate.take(400, now), DOWN, now + 0.1)
    assert 1800 <= now < 2000


@pytest.mark.parametrize("status", [200, 429, 503, 529])
def test_an_endpoint_that_answers_nothing_of_use_is_left_alone_too(status: int) -> None:
    gates = admission(FakeEndpoint("good"), FakeEndpoint("bad"))
    bad = gates.gates[1]
    error = TeacherError(f"HTTP {status}", retryable=True, http_status=status)
    for _ in range(8):
        bad.ended(bad.take(400, 0.0), error, 0.0)
    assert {taken(gates, 0.5).gate.name for _ in range(10)} == {"good"}
    assert bad.wait_s(400, 1.0) == 0


@pytest.mark.parametrize("status", [200, 429])
def test_an_endpoint_that_speaks_is_tried_every_second_and_not_given_up(status: int) -> None:
    gates = admission(FakeEndpoint())
    (gate,) = gates.gates
    error = TeacherError(f"HTTP {status}", retryable=True, http_status=status)
    for second in range(4000):
        assert gate.wait_s(400, float(second)) == 0
        gate.ended(gate.take(400, float(second)), error, float(second))
    assert gates.without_hope() is None


def test_many_refused_at_once_are_no_reason_to_leave_an_endpoint_alone() -> None:
    gates = admission(FakeEndpoint(), most=32)
    turns = [taken(gates) for _ in range(32)]
    for turn in turns[1:]:
        turn.gate.ended(turn, BUSY, 0.0)
    assert turns[0].gate.limit > 1
    assert gates.take(400, 0.0) is not None


def test_one_endpoint_that_refuses_the_key_leaves_hope_for_the_other() -> None:
    gates = admission(FakeEndpoint("a"), FakeEndpoint("b"))
    a, b = gates.gates
    refused = TeacherError("HTTP 401", fatal=True, http_status=401)
    a.ended(a.take(400, 0.0), refused, 0.0)
    assert gates.without_hope() is None
    assert {taken(gates).gate.name for _ in range(5)} == {"b"}
    b.ended(b.take(400, 0.0), refused, 0.0)
    assert gates.without_hope() is refused


def test_a_request_that_was_given_up_tells_nothing() -> None:
    gates = admission(FakeEndpoint())
    turn = taken(gates)
    turn.gate.ended(turn, None, 0.0)
    assert (gates.in_flight, turn.gate.limit) == (0, FIRST)


def test_refusals_narrow_the_gate() -> None:
    gates = admission(FakeEndpoint(), most=16)
    turns = [taken(gates) for _ in range(16)]
    assert gates.take(400, 0.0) is None
    for turn in turns[8:]:
        turn.gate.ended(turn, BUSY, 0.0)
    assert turns[0].gate.limit == 8
