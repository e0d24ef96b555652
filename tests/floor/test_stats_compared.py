"""Tests and intervals of differences: against scipy and statsmodels, against brute force, and by simulation."""

from __future__ import annotations

import itertools
import random
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.stats import (
    difference_of_runs,
    holm,
    mcnemar_exact,
    mean_of_runs,
    paired_difference,
    pass_at_k,
    student_cdf,
    student_quantile,
)


def test_pass_at_k_is_the_mean_over_all_ways_to_draw_for_all_n_to_20() -> None:
    for n in range(1, 21):
        for c, k in itertools.product(range(n + 1), range(1, n + 1)):
            if n <= 9:
                drawn = list(itertools.combinations(range(n), k))
                brute = sum(any(i < c for i in chosen) for chosen in drawn) / len(drawn)
            else:  # drawing without putting back, one after the other
                missed = 1.0
                for i in range(k):
                    missed *= max(0, n - c - i) / (n - i)
                brute = 1.0 - missed
            assert pass_at_k(n, c, k) == pytest.approx(brute, abs=1e-12)


@pytest.mark.parametrize(("n", "c", "k"), [(0, 0, 1), (4, 5, 1), (4, -1, 1), (4, 2, 5), (4, 2, 0)])
def test_pass_at_k_refuses_what_cannot_be(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="no pass@"):
        pass_at_k(n, c, k)


@pytest.mark.parametrize("degrees", [1, 2, 3.7, 10, 200, 1e5])
def test_student_s_t_is_that_of_scipy(degrees: float) -> None:
    from scipy import stats

    for t in (-30.0, -2.0, -0.1, 0.0, 0.3, 1.5, 4.0, 80.0):
        assert student_cdf(t, degrees) == pytest.approx(float(stats.t.cdf(t, degrees)), abs=1e-10)
    for share in (0.001, 0.2, 0.8, 0.975, 0.9999):
        assert student_quantile(share, degrees) == pytest.approx(float(stats.t.ppf(share, degrees)), rel=1e-9)


@pytest.mark.long  # to import statsmodels takes longer than all else here
@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (3, 12), (10, 10), (86, 150), (0, 25)])
def test_mcnemar_is_that_of_statsmodels(b: int, c: int) -> None:
    from statsmodels.stats.contingency_tables import mcnemar

    tested: Any = mcnemar([[40, b], [c, 30]], exact=True)
    assert mcnemar_exact(b, c) == pytest.approx(float(tested.pvalue), abs=1e-12)
    assert mcnemar_exact(b, c) == mcnemar_exact(c, b)


def test_the_paired_interval_is_the_published_one() -> None:
    # Agresti and Min 2005, the crossover study of section 1 (8, 10; 3, 65 of 86): 95% of p2 - p1, -0.163 to 0.003.
    first = [1.0] * 18 + [0.0] * 68
    second = [1.0] * 8 + [0.0] * 10 + [1.0] * 3 + [0.0] * 65
    n, b, c = 88, 10.5, 3.5
    error = (((b + c) - (c - b) ** 2 / n) ** 0.5) / n
    found = paired_difference(first, second)
    assert found.estimate == pytest.approx(-7 / 86)
    assert found.low == pytest.approx((c - b) / n - 1.959964 * error, abs=1e-6)
    assert found.high == pytest.approx((c - b) / n + 1.959964 * error, abs=1e-6)
    assert found.p == mcnemar_exact(10, 3)


@pytest.mark.long
@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    tested: Any = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(list(map(float, tested)), abs=1e-12)


def test_few_differences_are_flipped_in_all_ways() -> None:
    first, second = [0.25, 0.5, 0.0], [0.5, 0.75, 0.75]
    signs = list(itertools.product((1, -1), repeat=3))
    sums = [abs(a * 0.25 + b * 0.25 + c * 0.75) for a, b, c in signs]
    assert paired_difference(first, second).p == sum(one >= 1.25 - 1e-9 for one in sums) / len(signs)


@pytest.mark.parametrize("paired", [False, True])
def test_runs_are_compared_as_scipy_does(paired: bool) -> None:
    from scipy import stats

    first, second = [0.61, 0.72, 0.55, 0.80, 0.66], [0.75, 0.81, 0.60, 0.97, 0.70]
    tested: Any = stats.ttest_rel(second, first) if paired else stats.ttest_ind(second, first, equal_var=False)
    interval: Any = tested.confidence_interval(0.95)
    found = difference_of_runs(first, second, paired=paired)
    assert found.p == pytest.approx(float(tested.pvalue), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((float(interval.low), float(interval.high)), rel=1e-9)


def test_the_mean_of_runs_has_student_s_interval() -> None:
    from scipy import stats

    values = [0.22, 0.74, 0.99, 0.61]
    low, high = stats.t.interval(0.95, 3, loc=fmean(values), scale=float(stats.sem(values)))
    assert (mean_of_runs(values).low, mean_of_runs(values).high) == pytest.approx((float(low), float(high)))


@pytest.mark.parametrize("values", [[], [0.5]])
def test_one_run_has_no_interval(values: list[float]) -> None:
    with pytest.raises(ValueError, match="two of them"):
        mean_of_runs(values)
    with pytest.raises(ValueError, match="two runs"):
        difference_of_runs(values, [0.1, 0.2])


@pytest.mark.parametrize("spread", [[0.5, 0.5, 0.5], [0.0, 0.0, 0.0]])
def test_equal_runs_make_no_difference_and_no_division_by_zero(spread: list[float]) -> None:
    assert difference_of_runs(spread, spread).p == 1.0
    assert difference_of_runs(spread, [value + 0.25 for value in spread]).p == 0.0


def _pairs(draws: random.Random, n: int, gain: float, samples: int) -> tuple[list[float], list[float]]:
    """Two models on n questions of differing difficulty; the second solves `gain` more of each."""
    first: list[float] = []
    second: list[float] = []
    for _ in range(n):
        chance = draws.uniform(0.05, 0.85)
        first.append(sum(draws.random() < chance for _ in range(samples)) / samples)
        second.append(sum(draws.random() < chance + gain for _ in range(samples)) / samples)
    return first, second


@pytest.mark.parametrize(("n", "samples", "trials"), [(40, 1, 1000), (150, 1, 600), (12, 4, 300)])
def test_paired_intervals_cover_and_the_test_s_false_positive_rate_holds(n: int, samples: int, trials: int) -> None:
    draws, gain = random.Random(7 * n + samples), 0.1
    found = [paired_difference(*_pairs(draws, n, gain, samples)) for _ in range(trials)]
    covered = sum(one.low <= gain <= one.high for one in found)
    # A twentieth lies outside, give or take three standard errors; the added questions make the interval a little wide.
    assert 0.95 - 3 * (0.0475 / trials) ** 0.5 <= covered / trials <= 0.985
    none = [paired_difference(*_pairs(draws, n, 0.0, samples)) for _ in range(trials)]
    assert sum(one.p < 0.05 for one in none) <= (0.05 + 3 * (0.0475 / trials) ** 0.5) * trials


@pytest.mark.parametrize("paired", [False, True])
def test_intervals_of_five_runs_cover_and_their_test_holds(paired: bool) -> None:
    draws, trials = random.Random(11), 800
    covered = false = 0
    for _ in range(trials):
        first = [draws.gauss(0.6, 0.1) for _ in range(5)]
        second = [draws.gauss(0.7, 0.1) for _ in range(5)]
        found = difference_of_runs(first, second, paired=paired)
        covered += found.low <= 0.1 <= found.high
        false += difference_of_runs(first, [value - 0.1 for value in second], paired=paired).p < 0.05
    assert 0.927 * trials <= covered <= 0.973 * trials
    assert 0.022 * trials <= false <= 0.073 * trials


def test_what_is_called_detectable_is_found_in_four_of_five_cases() -> None:
    draws = random.Random(3)
    found = 0
    for trial in range(400):
        first, second = _pairs(draws, 200, 0.0, 1)
        size = paired_difference(first, second).detectable
        first, second = _pairs(draws, 200, size, 1)
        found += paired_difference(first, second, seed=trial).p < 0.05
    assert 0.68 * 400 <= found <= 0.9 * 400


def test_no_two_lists_of_unequal_length() -> None:
    with pytest.raises(ValueError, match="two scores"):
        paired_difference([1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="two scores"):
        paired_difference([], [])
    with pytest.raises(ValueError, match="negative"):
        mcnemar_exact(-1, 2)
