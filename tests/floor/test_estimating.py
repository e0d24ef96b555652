"""Estimates: intervals that hold the true total, and unknowns that stay unknown."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.arithmetic import FAMILIES
from reasonry.estimating import Observed, Range, Seen, estimate, total_of
from reasonry.sections import DistilSection, PriceOptions
from reasonry.teachers.simulator.simulation import Behaviour, simulate
from reasonry.types import Message

PRICE = PriceOptions(input_per_million=0.5, output_per_million=2.0)
SECTION = DistilSection(teacher="simulated", samples=2, price=PRICE, concurrency=8)


def seen(tokens_out: int | None = 10, cost_usd: float | None = 1.0, requests: int = 2) -> Seen:
    return Seen(requests, requests, 5, tokens_out, cost_usd, 3.0)


def coverage(draw: Callable[[random.Random], float], population: int, *, are_included: bool) -> float:
    """How often the interval from 20 of them holds the total of the population."""
    trials = 200
    hits = 0
    for seed in range(trials):
        generator = random.Random(f"{population}-{seed}")
        values = [draw(generator) for _ in range(population + 20)]
        pilot = values[:20]
        total = sum(values[:population] if are_included else values[20:])
        interval = total_of(pilot, population, are_included=are_included)
        hits += interval.low <= total <= interval.high
    return hits / trials


@pytest.mark.parametrize("are_included", [True, False])
@pytest.mark.parametrize("population", [25, 60, 2000])
def test_the_interval_of_a_total_holds_it_at_its_rate(population: int, *, are_included: bool) -> None:
    def draw(generator: random.Random) -> float:
        return generator.lognormvariate(6.0, 0.7)  # about as heavy a tail as reasoning has

    assert coverage(draw, population, are_included=are_included) >= 0.9


@pytest.mark.long
def test_a_pilots_cost_interval_holds_what_the_run_costs_for_90_of_100_seeds() -> None:
    """The simulated teacher with its mistakes, in this process: its replies are those that it sends over HTTP."""
    hits = 0
    for seed in range(100):
        behaviour = Behaviour(seed, 0.5, {"slip": 1, "truncation": 2, "bad_format": 1})
        costs = [question_cost(behaviour, seed, i) for i in range(400)]
        pilot = [Seen(2, 2, 1, 1, cost, 1.0) for cost in random.Random(seed).sample(costs, 20)]
        found = estimate(SECTION, Observed("a pilot", pilot, are_included=True), len(costs))
        assert found.cost_usd is not None
        hits += found.cost_usd.low <= math.fsum(costs) <= found.cost_usd.high
    assert hits >= 90


def question_cost(behaviour: Behaviour, seed: int, number: int) -> float:
    """Problems of 2 to 9 steps, so that questions differ as real ones do."""
    generator = random.Random(f"{seed}-{number}")
    problem = FAMILIES["chain_sum"].make(generator, generator.randrange(2, 10), 2)
    replies = [simulate(behaviour, [Message("user", problem.prompt)], index) for index in range(2)]
    return sum(PRICE.cost_usd(reply.tokens_in, reply.tokens_out) or math.nan for reply in replies)


def test_a_pilot_of_every_question_leaves_nothing_to_chance() -> None:
    assert total_of([1.0, 2.0, 6.0], 3, are_included=True) == Range(9.0, 9.0, 9.0)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.integers(0, 1000))
def test_a_total_is_never_less_than_what_was_seen_of_it(values: list[float], more: int) -> None:
    found = total_of(values, len(values) + more, are_included=True)
    assert sum(values) <= found.low * (1 + 1e-9) + 1e-9
    assert found.low <= found.estimate * (1 + 1e-9) + 1e-9
    assert found.estimate <= found.high * (1 + 1e-9) + 1e-9


def test_three_questions_tell_no_upper_limit() -> None:
    assert total_of([2.0, 3.0, 4.0], 10, are_included=True).high == math.inf


def test_one_unknown_cost_makes_the_cost_unknown_and_never_zero() -> None:
    found = estimate(SECTION, Observed("x", [seen(), seen(cost_usd=None)] * 2, are_included=True), 10)
    assert (found.cost_usd, found.paid_usd, found.remaining_usd, found.most_usd) == (None, None, None, None)
    assert found.tokens_out is not None
    assert estimate(SECTION, Observed("x", [seen(tokens_out=None)]), 10).tokens_out is None


def test_what_is_paid_is_taken_off_the_total() -> None:
    found = estimate(SECTION, Observed("x", [seen()] * 4, are_included=True), 10, paid_share=0.5)
    assert found.cost_usd == Range(10.0, 10.0, 10.0)
    assert (found.paid_usd, found.paid_requests) == (7.0, 14.0)
    assert found.remaining_usd == Range(3.0, 3.0, 3.0)


def test_single_requests_of_unknown_questions_count_as_if_their_samples_were_alike() -> None:
    generator = random.Random(0)
    requests = [seen(generator.randrange(50, 500), requests=1) for _ in range(50)]
    four = estimate(SECTION, Observed("x", requests, per_request=True), 100, samples=4).tokens_out
    one = estimate(SECTION, Observed("x", requests, per_request=True), 100, samples=1).tokens_out
    assert four is not None
    assert one is not None
    assert four.estimate == pytest.approx(4 * one.estimate)
    assert four.high - four.low == pytest.approx(4 * (one.high - one.low))


def test_the_bound_of_an_adaptive_stage_is_its_most_samples() -> None:
    adaptive = SECTION.model_copy(update={"max_samples": 8})
    found = estimate(adaptive, Observed("x", [seen(), seen(requests=8, cost_usd=4.0)] * 2, are_included=True), 10)
    assert found.most_requests == 80
    assert found.most_usd is not None
    assert found.cost_usd is not None
    assert found.most_usd >= found.cost_usd.high
    assert estimate(SECTION, Observed("x", [seen()] * 4), 10).most_requests is None


def test_the_time_is_that_of_all_requests_over_those_in_flight() -> None:
    observed = Observed("x", [seen()] * 4, are_included=True, in_flight=3.0)
    assert estimate(SECTION, observed, 80).seconds == Range(30.0, 30.0, 30.0)
    auto = SECTION.model_copy(update={"concurrency": "auto"})
    assert estimate(auto, observed, 80).seconds == Range(80.0, 80.0, 80.0)
    unseen = estimate(auto, Observed("x", [seen()] * 4, are_included=True), 80)
    assert unseen.seconds is None
    assert unseen.request_seconds == Range(240.0, 240.0, 240.0)
    elapsed = Observed("x", [seen()] * 4, are_included=True, is_elapsed=True)
    assert estimate(SECTION, elapsed, 80).seconds == Range(240.0, 240.0, 240.0)
