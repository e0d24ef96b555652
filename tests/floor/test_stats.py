"""Intervals against published figures, and by simulation."""

from __future__ import annotations

import math
import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.stats import bootstrap_mean, studentised_mean, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_limits(successes: int, n: int, low: float, high: float) -> None:
    interval = wilson(successes, n)
    assert interval.low == pytest.approx(low, abs=5e-5)
    assert interval.high == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 500), st.data())
def test_wilson_holds_its_estimate_and_is_symmetric(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    interval, mirrored = wilson(successes, n), wilson(n - successes, n)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    assert interval.low == pytest.approx(1 - mirrored.high)


def test_wilson_covers_at_its_rate() -> None:
    generator = random.Random(1)
    trials = 2000
    for share in (0.1, 0.5, 0.9):
        hits = 0
        for _ in range(trials):
            interval = wilson(sum(generator.random() < share for _ in range(60)), 60)
            hits += interval.low <= share <= interval.high
        assert 0.93 <= hits / trials <= 0.975


def test_bootstrap_covers_at_its_rate_for_clustered_values() -> None:
    generator = random.Random(2)
    trials = 200
    hits = 0
    for trial in range(trials):
        values, clusters = list[float](), list[int]()
        for cluster in range(40):
            share = generator.random()
            values += [float(generator.random() < share) for _ in range(8)]
            clusters += [cluster] * 8
        interval = bootstrap_mean(values, clusters, seed=trial, resamples=400)
        hits += interval.low <= 0.5 <= interval.high
    assert 0.89 <= hits / trials <= 0.99


def test_clusters_widen_the_interval() -> None:
    values = [float(i // 10 % 2) for i in range(200)]
    alone = bootstrap_mean(values, seed=0)
    clustered = bootstrap_mean(values, [i // 10 for i in range(200)], seed=0)
    assert clustered.high - clustered.low > 2 * (alone.high - alone.low)
    assert clustered.estimate == alone.estimate == fmean(values)


def test_the_studentised_interval_covers_few_values_with_a_heavy_tail_where_the_percentile_one_does_not() -> None:
    generator = random.Random(4)
    trials, true_mean = 300, math.exp(0.5)
    hits = {bootstrap_mean: 0, studentised_mean: 0}
    for trial in range(trials):
        values = [generator.lognormvariate(0, 1) for _ in range(20)]
        for method in hits:
            interval = method(values, seed=trial, resamples=400)
            hits[method] += interval.low <= true_mean <= interval.high
    assert hits[studentised_mean] / trials >= 0.9 > hits[bootstrap_mean] / trials


def test_equal_values_have_an_interval_without_width_and_three_values_have_none() -> None:
    interval = studentised_mean([3.0] * 4, seed=0)
    assert (interval.low, interval.estimate, interval.high) == (3.0, 3.0, 3.0)
    with pytest.raises(ValueError, match="4 values"):
        studentised_mean([3.0, 4.0, 5.0], seed=0)


def test_one_value_in_twenty_that_is_larger_has_about_the_limit_of_an_exact_binomial_interval() -> None:
    interval = studentised_mean([0.0] * 19 + [1.0], seed=0)
    assert 0.2 <= interval.high <= 0.35  # Clopper and Pearson: 0.249


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_no_proportion_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(successes, n)


def test_no_values_are_refused() -> None:
    with pytest.raises(ValueError, match="needs values"):
        bootstrap_mean([], seed=0)
    with pytest.raises(ValueError, match="one cluster for each"):
        bootstrap_mean([1.0, 2.0], ["a"], seed=0)
