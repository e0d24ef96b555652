"""The number in flight, found in virtual time: full endpoints, few refusals, and causes that are none of the load."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.teachers.asking.control import FIRST, Control, Sent
from tests.teachers.virtual_endpoint import VirtualEndpoint, play

Latency = Callable[[random.Random], float]


def fixed(draw: random.Random) -> float:
    return 1.0


def spread(draw: random.Random) -> float:
    return draw.uniform(0.5, 1.5)


def heavy(draw: random.Random) -> float:
    return draw.lognormvariate(0, 1) * 1.8


MEAN: dict[Latency, float] = {fixed: 1.0, spread: 1.0, heavy: 1.8 * 2.718281828**0.5}


@pytest.mark.parametrize("seeks_knee", [False, True])
@pytest.mark.parametrize("latency", [fixed, spread, heavy])
@pytest.mark.parametrize("at_once", [8, 64, 512])
def test_an_endpoint_that_refuses_is_kept_full_and_hardly_ever_refuses(
    at_once: int, latency: Latency, seeks_knee: bool
) -> None:
    control = Control(1024, seeks_knee=seeks_knee)
    seen = play(VirtualEndpoint(lambda _: at_once, "refuse", latency), control, 120)
    assert seen.rate(20) >= 0.93 * at_once / MEAN[latency]
    assert control.limit in range(int(0.97 * at_once), at_once + 2)
    assert seen.longest_over(0.01, 10) <= 10


@pytest.mark.parametrize("latency", [fixed, spread])
@pytest.mark.parametrize("at_once", [8, 64, 512])
def test_an_endpoint_that_queues_is_kept_full_without_a_long_queue(at_once: int, latency: Latency) -> None:
    control = Control(8192, seeks_knee=True)
    seen = play(VirtualEndpoint(lambda _: at_once, "queue", latency), control, 120)
    assert seen.rate(20) >= 0.95 * at_once / MEAN[latency]
    assert [limit for at, limit in seen.limits if at <= 60][-1] <= max(16 * at_once, 150)


def test_a_number_that_was_given_is_reached_though_the_endpoint_queues() -> None:
    control = Control(2000)
    play(VirtualEndpoint(lambda _: 64, "queue", spread), control, 60)
    assert control.limit == 2000


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_refusals_that_are_no_matter_of_load_do_not_end_in_a_trickle(share: float) -> None:
    seen = play(VirtualEndpoint(lambda _: 10**6, "refuse", spread, refused_share=share), Control(256), 240)
    assert seen.rate(60) >= 0.5 * 256


def test_failures_here_and_there_change_nothing() -> None:
    control = Control(256)
    play(VirtualEndpoint(lambda _: 10**6, "refuse", spread, failed_share=0.12), control, 60)
    assert control.limit > 200


def test_an_endpoint_that_fails_mostly_is_asked_less() -> None:
    control = Control(256)
    play(VirtualEndpoint(lambda _: 10**6, "refuse", spread, failed_share=0.8), control, 60)
    assert control.limit < 32


@pytest.mark.parametrize(("before", "after"), [(64, 16), (16, 128)])
def test_an_endpoint_that_changes_is_followed(before: int, after: int) -> None:
    control = Control(1000)
    seen = play(VirtualEndpoint(lambda at: before if at < 60 else after, "refuse", spread), control, 240)
    assert seen.rate(180) >= 0.9 * after
    assert seen.longest_over(0.01, 10) <= 11  # the window itself is ten seconds long


@given(st.lists(st.tuples(st.sampled_from(["answered", "refused", "failed"]), st.integers(1, 300)), max_size=400))
@settings(max_examples=200)
def test_the_number_stays_within_its_bounds_whatever_happens(results: list[tuple[str, int]]) -> None:
    for seeks_knee in (False, True):
        control = Control(100, seeks_knee=seeks_knee)
        for number, (kind, in_flight) in enumerate(results):
            sent = Sent(number, min(in_flight, 100))
            if kind == "answered":
                control.answered(sent, in_flight - 1, number / 10)
            elif kind == "refused":
                control.refused(sent, number + 1)
            else:
                control.failed(sent, number + 1)
            assert 1 <= control.limit <= 100


def test_growth_waits_for_demand() -> None:
    control = Control(1000)
    for number in range(500):
        control.answered(Sent(number, 2), 1, float(number))
    assert control.limit == FIRST
