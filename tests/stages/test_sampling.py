"""Adaptive sampling: what is decided from verdicts, and that the same answers lead to the same requests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reasonry.sections import DistilSection, PerQuestionOptions, PriceOptions
from reasonry.stages.sampling import Finding, QuestionSeries, decide, joined, samples_of
from reasonry.teachers.asking.outcomes import Answered, Outcome, Unanswered
from reasonry.types import Question, Reply, Request, Status, Verdict, whole_text
from reasonry.verifiers.batch import VerifyItem

QUESTION = Question("1 + 1 = ?", "2", "exact")
RIGHT, WRONG = Finding(Status.CORRECT, "2", 10, 0.1), Finding(Status.INCORRECT, "3", 10, 0.1)
OTHER = Finding(Status.INCORRECT, "4", 10, 0.1)
UNPARSED, UNANSWERED = Finding(Status.UNPARSED, None, 10, 0.1), Finding()


def section(**given: Any) -> DistilSection:
    return DistilSection.model_validate({"teacher": "openai", **given})


@pytest.mark.parametrize(
    ("given", "findings", "ask", "why"),
    [
        ({"samples": 4}, [], 4, ""),
        ({"samples": 4}, [WRONG] * 4, 0, "asked"),
        ({"samples": 2, "max_samples": 8}, [WRONG, WRONG], 2, ""),
        ({"samples": 2, "max_samples": 8}, [WRONG, RIGHT], 0, "solved"),
        ({"samples": 2, "max_samples": 8, "min_correct": 2}, [WRONG, RIGHT], 2, ""),
        ({"samples": 3, "max_samples": 8}, [WRONG] * 6, 2, ""),
        ({"samples": 2, "max_samples": 8}, [WRONG] * 8, 0, "max_samples"),
        ({"samples": 2, "max_samples": 4}, [UNANSWERED] * 4, 0, "max_samples"),
        ({"samples": 8, "agree": 3}, [], 3, ""),
        ({"samples": 8, "agree": 3}, [RIGHT] * 3, 0, "agreed"),
        ({"samples": 8, "agree": 3}, [WRONG] * 3, 0, "agreed"),
        ({"samples": 8, "agree": 3}, [WRONG, RIGHT, WRONG], 5, ""),
        ({"samples": 8, "agree": 3}, [WRONG, OTHER, WRONG], 5, ""),
        ({"samples": 8, "agree": 2}, [UNPARSED, UNPARSED], 6, ""),
        ({"samples": 8, "agree": 2}, [UNANSWERED, UNANSWERED], 6, ""),
        ({"samples": 8, "per_question": {"tokens": 35}}, [], 1, ""),
        ({"samples": 8, "per_question": {"tokens": 35}}, [WRONG], 2, ""),
        ({"samples": 8, "per_question": {"tokens": 35}}, [WRONG] * 3, 1, ""),
        ({"samples": 8, "per_question": {"tokens": 35}}, [WRONG] * 4, 0, "per_question.tokens"),
        ({"samples": 2, "max_samples": 9, "per_question": {"usd": 0.3}}, [WRONG] * 3, 0, "per_question.usd"),
        ({"samples": 2, "max_samples": 9, "per_question": {"usd": 0.9}}, [WRONG] * 2, 2, ""),
    ],
)
def test_decisions(given: dict[str, Any], findings: list[Finding], ask: int, why: str) -> None:
    chosen = section(**given)
    assert isinstance(chosen.samples, int)
    decision = decide(chosen, chosen.samples, findings)
    assert (decision.ask, decision.why) == (ask, why)


@pytest.mark.parametrize(
    ("recorded", "findings", "ask", "why"),
    [
        (3, [WRONG, WRONG], 1, ""),
        (2, [WRONG, WRONG], 0, "recorded"),
        (2, [WRONG, RIGHT], 0, "solved"),
        (9, [WRONG] * 8, 0, "max_samples"),
    ],
)
def test_no_more_is_asked_of_a_recording_than_it_has(
    recorded: int, findings: list[Finding], ask: int, why: str
) -> None:
    decision = decide(section(samples=2, max_samples=8), 2, findings, recorded)
    assert (decision.ask, decision.why) == (ask, why)


FINDINGS = st.lists(st.sampled_from([RIGHT, WRONG, OTHER, UNPARSED, UNANSWERED]), min_size=64, max_size=64)


@given(
    FINDINGS,
    st.integers(1, 6),
    st.none() | st.integers(6, 20),
    st.integers(1, 4),
    st.none() | st.integers(2, 5),
    st.none() | st.integers(1, 300),
)
def test_a_question_ends_within_its_bounds_and_never_before_it_may(
    drawn: list[Finding], samples: int, most: int | None, wanted: int, agree: int | None, tokens: int | None
) -> None:
    assume(most is not None or wanted == 1)
    assume(agree is None or agree <= max(samples, most or 0))
    chosen = section(
        samples=samples, max_samples=most, min_correct=wanted, agree=agree, per_question={"tokens": tokens}
    )
    findings: list[Finding] = []
    while True:
        decision = decide(chosen, samples, findings)
        if not decision.ask:
            break
        findings = drawn[: len(findings) + decision.ask]
    assert 1 <= len(findings) <= max(samples, most or 0)
    correct = sum(finding.status is Status.CORRECT for finding in findings)
    if decision.why == "solved":
        assert correct >= wanted
    if decision.why == "max_samples":
        assert len(findings) == most
        assert correct < wanted
    if decision.why == "asked":
        assert len(findings) == samples


class Teacher:
    """Answers a series by a script: reply by index, and by how often that sample was asked to go on."""

    def __init__(self, script: dict[tuple[int, int], Reply | None]) -> None:
        self.script = script
        self.asked: list[Request] = []

    def __call__(self, requests: Sequence[Request]) -> list[Outcome]:
        self.asked += requests
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Outcome:
        from reasonry.errors import TeacherError

        index = request.sampling.index
        again = sum(r.sampling.index == index for r in self.asked) - 1
        reply = self.script.get((index, again), Reply("It is 3", tokens_out=5))
        if reply is None:
            return Unanswered(request, TeacherError("HTTP 500", retryable=True))
        return Answered(request, reply, f"r-{index}.{again}", 0.01, from_ledger=False)


async def verdicts(items: Sequence[VerifyItem]) -> list[Verdict]:
    return [
        Verdict(Status.CORRECT if item.response.endswith("2") else Status.INCORRECT, extracted=item.response[-1:])
        for item in items
    ]


def play(chosen: DistilSection, teacher: Teacher, *, verified: bool = True) -> tuple[list[Outcome], QuestionSeries]:
    assert isinstance(chosen.samples, int)
    series = QuestionSeries(chosen, QUESTION, chosen.samples, verdicts if verified else None)

    async def all_rounds() -> list[Outcome]:
        outcomes: list[Outcome] = []
        requests = series.start()
        while requests:
            answered = teacher(requests)
            outcomes += answered
            requests = await series.proceed(answered)
        return outcomes

    return asyncio.run(all_rounds()), series


def test_more_samples_until_one_is_correct() -> None:
    teacher = Teacher({(4, 0): Reply("It is 2")})
    outcomes, series = play(section(samples=2, max_samples=10), teacher)
    assert [outcome.request.sampling.index for outcome in outcomes] == [0, 1, 2, 3, 4, 5]
    assert series.why == "solved"


def test_a_ladder_of_temperatures_is_climbed_over_all_rounds() -> None:
    teacher = Teacher({})
    play(section(samples=2, max_samples=5, temperature=[0.2, 0.6, 1.0]), teacher)
    assert [request.sampling.temperature for request in teacher.asked] == [0.2, 0.6, 1.0, 0.2, 0.6]


def test_a_sample_without_an_answer_counts_towards_the_bound() -> None:
    teacher = Teacher({(i, 0): None for i in range(4)})
    outcomes, series = play(section(samples=1, max_samples=4), teacher)
    assert len(outcomes) == 4
    assert series.why == "max_samples"


def test_what_was_cut_is_asked_to_go_on_and_becomes_one_answer() -> None:
    teacher = Teacher(
        {
            (0, 0): Reply("", "First I", "length", tokens_in=4, tokens_out=8),
            (0, 1): Reply(" then stop.", "", "length", tokens_in=12, tokens_out=8),
            (0, 2): Reply("It is 2", " So.", "stop", tokens_in=20, tokens_out=3),
        }
    )
    outcomes, _ = play(section(continuations=2, max_tokens=8), teacher)
    first, second, third = teacher.asked
    assert [message.role for message in second.messages] == ["user", "assistant"]
    assert second.messages[-1].content == whole_text("First I", "", "length")
    assert third.messages[-1].content == whole_text("First I then stop.", "", "length")
    assert len({request.key("m", "s") for request in (first, second, third)}) == 3
    (sample,) = samples_of(outcomes)
    reply = joined([part.reply for part in sample if isinstance(part, Answered)])
    assert reply == Reply("It is 2", "First I then stop. So.", "stop", tokens_in=36, tokens_out=19)


def test_an_answer_that_stays_cut_is_kept_as_it_is() -> None:
    teacher = Teacher({(0, n): Reply("more ", "", "length") for n in range(9)})
    outcomes, _ = play(section(continuations=3), teacher)
    assert len(outcomes) == 4
    assert joined([o.reply for o in outcomes if isinstance(o, Answered)]) == Reply("more more more more ", "", "length")


def test_going_on_that_fails_leaves_the_beginning() -> None:
    teacher = Teacher({(0, 0): Reply("It is", "", "length"), (0, 1): None})
    outcomes, series = play(section(continuations=3, max_samples=2), teacher)
    assert [type(outcome) for outcome in samples_of(outcomes)[0]] == [Answered, Unanswered]
    assert series.why == "max_samples"


@given(st.text(min_size=1), st.text(min_size=1), st.data())
def test_joining_parts_gives_back_the_whole(reasoning: str, response: str, data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(response)))
    start = Reply(response[:where], reasoning, "length") if where else Reply("", reasoning, "length")
    whole = joined([start, Reply(response[where:], "", "stop")])
    assert (whole.reasoning, whole.response, whole.finish) == (reasoning, response, "stop")


def test_per_question_dollars_need_no_price_to_be_counted() -> None:
    chosen = section(
        samples=9, per_question={"usd": 0.015}, price={"input_per_million": 1.0, "output_per_million": 1.0}
    )
    assert chosen.tariff == PriceOptions(input_per_million=1.0, output_per_million=1.0)
    assert chosen.per_question == PerQuestionOptions(usd=0.015)
    outcomes, series = play(chosen, Teacher({}))
    assert len(outcomes) == 2
    assert series.why == "per_question.usd"
