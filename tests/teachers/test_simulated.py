"""The simulated teacher: each kind of mistake is what its name says, and nothing depends on the way it is asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reasonry.arithmetic import FAMILIES, Problem, parse_problem, read_steps
from reasonry.errors import PartError
from reasonry.ledger import Ledger
from reasonry.teachers.asking.ask import Answered, ask_all
from reasonry.teachers.simulated import SimulatedOptions, simulated
from reasonry.teachers.simulator.simulation import Behaviour, Mistake, simulate
from reasonry.testing import check_teacher
from reasonry.types import Message, Reply, Request, conversation, whole_text
from tests.teachers.fakes import FakeTeacher, arithmetic_requests, request_of

MISTAKES: Sequence[Mistake] = get_args(Mistake)
FAMILY = pytest.mark.parametrize("family", sorted(FAMILIES))


def options(**given: Any) -> SimulatedOptions:
    return SimulatedOptions.model_validate({"teacher": "simulated", "seed": 5, **given})


def replies(kind: Mistake, family: str, count: int = 60) -> list[tuple[Problem, Reply]]:
    """Replies of a teacher that makes nothing but one kind of mistake."""
    made: list[tuple[Problem, Reply]] = []
    for request in arithmetic_requests(count, family):
        problem = parse_problem(request.messages[-1].content)
        assert problem is not None
        made.append((problem, simulate(Behaviour(1, 0.0, {kind: 1.0}), request.messages)))
    return made


def boxed(reply: Reply) -> int | None:
    found = re.search(r"\\boxed\{(-?\d+)\}", reply.response)
    return int(found[1]) if found else None


@FAMILY
def test_without_mistakes_the_trace_is_the_reference(family: str) -> None:
    for request in arithmetic_requests(40, family):
        problem = parse_problem(request.messages[-1].content)
        reply = simulate(Behaviour(accuracy=1.0), request.messages)
        assert problem is not None
        assert read_steps(reply.reasoning) == list(problem.steps)
        assert (boxed(reply), reply.finish) == (problem.answer, "stop")


@FAMILY
def test_a_slip_is_one_wrong_step_and_the_rest_goes_on_from_it(family: str) -> None:
    for problem, reply in replies("slip", family):
        steps = read_steps(reply.reasoning)
        (wrong,) = [step for step in steps if not step.is_right]
        assert abs(wrong.result - wrong.true_result) <= 10
        assert boxed(reply) == steps[-1].result != problem.answer


@FAMILY
def test_a_misconception_drops_carries_in_every_step(family: str) -> None:
    wrong = 0
    for problem, reply in replies("misconception", family):
        steps = read_steps(reply.reasoning)
        assert len(steps) == len(problem.steps)
        assert boxed(reply) == steps[-1].result
        wrong += boxed(reply) != problem.answer
    assert wrong > 40


def test_a_misconception_adds_digit_by_digit() -> None:
    reply = simulate(Behaviour(1, 0.0, {"misconception": 1.0}), conversation("Compute 47 + 85 + 11."))
    assert reply.reasoning == "47 + 85 = 22\n22 + 11 = 33"


@FAMILY
def test_cancelling_slips_are_two_wrong_steps_and_the_right_answer(family: str) -> None:
    for problem, reply in replies("cancelling", family):
        steps = read_steps(reply.reasoning)
        assert [step.is_right for step in steps].count(False) == 2
        assert boxed(reply) == steps[-1].result == problem.answer


@FAMILY
def test_wrong_steps_are_under_a_right_answer(family: str) -> None:
    for problem, reply in replies("wrong_steps", family):
        steps = read_steps(reply.reasoning)
        assert [step.is_right for step in steps].count(False) == 1
        assert steps[-1].is_right
        assert boxed(reply) == problem.answer


@FAMILY
def test_a_truncated_trace_is_the_beginning_of_the_right_one(family: str) -> None:
    for problem, reply in replies("truncation", family):
        whole = "\n".join(map(str, problem.steps))
        assert whole.startswith(reply.reasoning)
        assert reply.reasoning != whole
        assert (reply.response, reply.finish) == ("", "length")


@FAMILY
def test_a_bad_format_has_right_steps_and_no_box(family: str) -> None:
    texts: set[bool] = set()
    for problem, reply in replies("bad_format", family):
        assert read_steps(reply.reasoning) == list(problem.steps)
        assert boxed(reply) is None
        assert reply.response
        texts.add(str(problem.answer) in reply.response)
    assert texts == {True, False}, "sometimes in prose, sometimes missing"


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_problem_of_one_step_can_be_got_wrong_in_every_way(kind: Mistake) -> None:
    reply = simulate(Behaviour(1, 0.0, {kind: 1.0}), conversation("Compute 47 + 85."))
    right = simulate(Behaviour(1, 1.0), conversation("Compute 47 + 85."))
    assert (reply.reasoning, reply.response) != (right.reasoning, right.response)


def test_the_share_of_right_traces_is_the_accuracy() -> None:
    requests = arithmetic_requests(1000)
    right = sum(
        all(step.is_right for step in read_steps(simulate(Behaviour(2, 0.6), request.messages).reasoning))
        for request in requests
    )
    assert 0.55 < right / len(requests) < 0.65


def test_mistakes_are_drawn_by_weight() -> None:
    behaviour = Behaviour(3, 0.0, {"truncation": 3.0, "bad_format": 1.0, "slip": 0.0})
    finishes = Counter(simulate(behaviour, request.messages).finish for request in arithmetic_requests(800))
    assert 0.68 < finishes["length"] / finishes.total() < 0.82


def test_seed_prompt_and_index_decide_everything() -> None:
    messages = conversation("Compute 471 + 852 + 233.")

    def traces(seed: int) -> list[Reply]:
        return [simulate(Behaviour(seed, 0.3), messages, index) for index in range(20)]

    assert traces(1) == traces(1)
    assert traces(1) != traces(2)
    assert len({reply.reasoning for reply in traces(1)}) > 5


def test_a_system_prompt_and_a_template_change_no_arithmetic() -> None:
    messages = (Message("system", "Be brief."), Message("user", "Solve this.\n\nCompute 1 + 2 + 3.\nShow your steps."))
    assert simulate(Behaviour(accuracy=1.0), messages).response == "The answer is \\boxed{6}."


@pytest.mark.parametrize("prompt", ["What is love?", "", "Compute."])
def test_an_unknown_problem_is_refused(prompt: str) -> None:
    assert simulate(Behaviour(), conversation(prompt)).finish == "refusal"


@given(st.integers(1, 40))
def test_a_limit_on_tokens_cuts_the_trace(limit: int) -> None:
    messages = conversation("Compute 47 + 85 + 11 + 12.")
    whole = simulate(Behaviour(accuracy=1.0), messages)
    cut = simulate(Behaviour(accuracy=1.0), messages, max_tokens=limit)
    assert cut.tokens_out == min(limit, whole.tokens_out or 0)
    assert whole.reasoning.startswith(cut.reasoning)
    assert whole.response.startswith(cut.response)
    assert cut.finish == ("stop" if limit >= (whole.tokens_out or 0) else "length")


@FAMILY
@pytest.mark.parametrize("kind", [None, *MISTAKES])
@pytest.mark.parametrize("step", [1, 3, 7])
def test_what_is_continued_in_pieces_is_the_whole(kind: Mistake | None, step: int, family: str) -> None:
    behaviour = Behaviour(1, 1.0) if kind in (None, "truncation") else Behaviour(1, 0.0, {kind: 1.0})
    for request in arithmetic_requests(5, family):
        whole = simulate(behaviour, request.messages)
        reasoning = response = ""
        messages, finish, tokens = tuple(request.messages), "length", 0
        while finish == "length":
            piece = simulate(behaviour, messages, max_tokens=step)
            reasoning, response = reasoning + piece.reasoning, response + piece.response
            finish, tokens = piece.finish, tokens + (piece.tokens_out or 0)
            messages = (*request.messages, Message("assistant", whole_text(reasoning, response, piece.finish)))
        assert (reasoning, response, tokens) == (whole.reasoning, whole.response, whole.tokens_out)


def test_a_trace_that_broke_off_goes_on_where_it_stopped() -> None:
    behaviour = Behaviour(1, 0.0, {"truncation": 1.0})
    for request in arithmetic_requests(20):
        cut = simulate(behaviour, request.messages)
        begun = Message("assistant", whole_text(cut.reasoning, cut.response, cut.finish))
        rest = simulate(behaviour, (*request.messages, begun))
        right = simulate(Behaviour(1, 1.0), request.messages)
        assert (cut.reasoning + rest.reasoning, rest.response) == (right.reasoning, right.response)
        assert rest.finish == "stop"


MIXED: dict[str, Any] = {"accuracy": 0.3, "mistakes": dict.fromkeys(MISTAKES, 1)}


def mixed_requests() -> list[Request]:
    unknown = [request_of("What is love?")]
    return [r for family in sorted(FAMILIES) for r in arithmetic_requests(25, family)] + unknown


def asked(given: SimulatedOptions, folder: Path) -> list[Answered]:
    with Ledger(folder / "ledger.sqlite") as ledger:
        outcomes = list(ask_all(simulated(given), mixed_requests(), ledger, price=given.price))
    return [outcome for outcome in outcomes if isinstance(outcome, Answered)]


def test_over_http_the_replies_are_the_same_and_go_through_the_ledger(tmp_path: Path) -> None:
    here = asked(options(**MIXED), tmp_path / "a")
    there = asked(options(**MIXED, over_http=True), tmp_path / "b")
    assert [o.reply for o in there] == [o.reply for o in here]
    assert len(here) == len(mixed_requests())
    assert {o.key for o in here} == {None}
    assert all(o.key for o in there)


def test_faults_change_no_reply_and_no_key(tmp_path: Path) -> None:
    faults = {"http_429": 0.2, "http_500": 0.2, "cut": 0.2, "invalid_json": 0.1, "empty": 0.1, "retry_after_s": 0.01}
    smooth, rough = options(**MIXED, over_http=True), options(**MIXED, over_http=True, faults=faults)
    assert smooth.key_content() == rough.key_content()
    a, b = asked(smooth, tmp_path / "a"), asked(rough, tmp_path / "b")
    assert [(o.reply, o.key) for o in a] == [(o.reply, o.key) for o in b]
    with Ledger(tmp_path / "b" / "ledger.sqlite") as ledger:
        assert {entry.outcome for entry in ledger.entries()} == {"answered", "failed"}


def test_chaos_changes_no_reply_and_no_key(tmp_path: Path) -> None:
    chaos = {"mode": "chaos", "retry_after_s": 0.01}
    capacity = {"at_once": 8, "then": "queue", "latency_s": 0.002, "jitter": 0.5}
    smooth = options(**MIXED, over_http=True)
    rough = options(**MIXED, over_http=True, faults=chaos, capacity=capacity, timeout_s=1.0)
    assert smooth.key_content() == rough.key_content()
    a, b = asked(smooth, tmp_path / "a"), asked(rough, tmp_path / "b")
    assert [(o.reply, o.key) for o in a] == [(o.reply, o.key) for o in b]
    assert options(faults="chaos").faults.hang == 0.02


@pytest.mark.parametrize("changed", [{"seed": 6}, {"accuracy": 0.5}, {"mistakes": {"truncation": 1.0}}])
def test_another_behaviour_is_another_teacher_to_the_ledger(changed: dict[str, Any]) -> None:
    request = request_of("Compute 1 + 2.")
    one, other = simulated(options()), simulated(options(**changed))
    assert request.key(one.model, one.served_by) != request.key(other.model, other.served_by)
    assert options().key_content() != options(**changed).key_content()


def test_it_is_named_simulated_everywhere() -> None:
    teacher = simulated(options())
    reply = simulate(options().behaviour, conversation("Compute 1 + 2."))
    assert all("simulated" in name for name in (teacher.model, teacher.served_by, reply.model))


@pytest.mark.parametrize(
    "given",
    [
        {"mistakes": {}},
        {"mistakes": {"slip": 0}},
        {"mistakes": {"typo": 1}},
        {"mistakes": {"slip": -1, "truncation": 2}},
        {"accuracy": 1.5},
        {"faults": {"http_429": 0.7, "cut": 0.7}},
        {"faults": {"rain": 0.1}},
        {"faults": "mayhem"},
        {"faults": {"mode": "mayhem"}},
        {"faults": {"mode": "chaos", "slow": 0.8}},
        {"capacity": {"at_once": 0}},
        {"capacity": {"then": "explode"}},
        {"timeout_s": 0.0},
    ],
)
def test_options_that_cannot_be_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        options(**given)


@pytest.mark.parametrize("over_http", [False, True])
def test_it_keeps_the_contract_of_teachers(over_http: bool) -> None:
    request = arithmetic_requests(1)[0]
    reply = check_teacher(simulated, options(accuracy=1.0, over_http=over_http), request, repeats=True)
    assert read_steps(reply.reasoning)


# What the check must catch: each of these breaks one promise.


def part_that(**changed: Any) -> Any:
    from reasonry.registry import Part

    def call(_: object) -> FakeTeacher:
        teacher = FakeTeacher(changed.get("answer"), paid=changed.get("paid", True))
        for name in ("model", "served_by"):
            setattr(teacher, name, changed.get(name, "fake"))
        return teacher

    return Part(changed.get("kind", "teacher"), "fake", 1, call)


async def _empty(_: Request) -> Reply:
    return Reply("", model="fake")


async def _nameless(_: Request) -> Reply:
    return Reply("yes")


async def _no_reply(_: Request) -> Any:
    return "yes"


def _wavering() -> Any:
    numbers = iter(range(100))

    async def answer(_: Request) -> Reply:
        return Reply(str(next(numbers)), model="fake")

    return answer


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": ""}, "model is empty"),
        ({"served_by": None}, "served_by is None"),
        ({"paid": "yes"}, "paid is 'yes'"),
        ({"kind": "source"}, "is a source"),
        ({"answer": _empty}, "the reply is empty"),
        ({"answer": _nameless}, "which model"),
        ({"answer": _no_reply}, "no answer: the teacher returned a str"),
        ({"answer": _wavering()}, "in two ways"),
    ],
)
def test_the_check_catches_a_teacher_that_breaks_a_promise(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_teacher(part_that(**changed), options(), request_of("Hi"), repeats=True)


def test_the_check_refuses_a_callable_that_is_no_part() -> None:
    with pytest.raises(PartError):
        check_teacher(lambda _: FakeTeacher(), options(), request_of("Hi"))


def test_the_check_accepts_a_teacher_that_keeps_its_promises() -> None:
    assert check_teacher(part_that(), options(), request_of("Hi"), repeats=True).response == "answer to Hi"
