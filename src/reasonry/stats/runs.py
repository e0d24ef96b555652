"""A handful of runs that differ in their seed: the mean, and the difference between two such groups.

Runs are few (three to ten), so Student's t, not the normal distribution; and the spread between seeds is the noise, not
that between questions: a thousand questions say nothing of what another seed would have learned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev, variance

from reasonry.stats.intervals import Interval
from reasonry.stats.paired import POWER, Difference

__all__ = ["difference_of_runs", "mean_of_runs", "student_cdf", "student_quantile"]

_TINY = 1e-300


def student_cdf(t: float, degrees: float) -> float:
    """The distribution function of Student's t. Raises ValueError unless degrees > 0."""
    if degrees <= 0:
        raise ValueError("degrees of freedom are above 0")
    tail = 0.5 * _beta_share(degrees / (degrees + t * t), degrees / 2, 0.5)
    return 1.0 - tail if t > 0 else tail


def student_quantile(share: float, degrees: float) -> float:
    """The t below which this share lies. Raises ValueError unless 0 < share < 1."""
    if not 0.0 < share < 1.0:
        raise ValueError("a share is between 0 and 1")
    if share < 0.5:
        return -student_quantile(1.0 - share, degrees)
    low, high = 0.0, 2.0
    while student_cdf(high, degrees) < share:
        high *= 2.0
    while high - low > 1e-12 * max(1.0, high):
        middle = (low + high) / 2
        low, high = (middle, high) if student_cdf(middle, degrees) < share else (low, middle)
    return (low + high) / 2


def _beta_share(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8)."""
    if x <= 0.0 or x >= 1.0:
        return min(1.0, max(0.0, x))
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _beta_share(1.0 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    return front * _continued(x, a, b)


def _continued(x: float, a: float, b: float) -> float:
    """The fraction, by Lentz's method (Thompson and Barnett, Journal of Computational Physics 64, 1986)."""
    value, c, d = 1.0, 1.0, 0.0
    for i in range(1000):
        m = i // 2
        if i == 0:
            term = 1.0
        elif i % 2 == 0:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1.0 / (1.0 + term * d or _TINY)
        c = 1.0 + term / c or _TINY
        step = c * d
        value *= step
        if i and abs(step - 1.0) < 1e-15:
            break
    return value - 1.0


def mean_of_runs(values: Sequence[float], confidence: float = 0.95, *, least_variance: float = 0.0) -> Interval:
    """The mean of runs with Student's interval. Raises ValueError for fewer than two.

    `least_variance` is what each value has by how it was measured alone: two runs that came out equal by chance are no
    proof that there is no spread.
    """
    n = len(values)
    if n < 2:
        raise ValueError("the spread between runs needs two of them")
    mean = fmean(values)
    spread = math.sqrt(max(variance(values), least_variance))
    half = student_quantile((1 + confidence) / 2, n - 1) * spread / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n, confidence, "Student's t over runs")


def difference_of_runs(
    first: Sequence[float],
    second: Sequence[float],
    *,
    paired: bool = False,
    confidence: float = 0.95,
    least_variances: Sequence[float] = (0.0, 0.0),
) -> Difference:
    """The mean of the second runs less that of the first: Welch's interval, or that of differences by seed.

    (B. L. Welch, Biometrika 34, 1947, with Satterthwaite's degrees of freedom.) `paired`: the runs stand in the order
    of their seeds, and a seed shares something with its partner. `least_variances`: of a value on each side, by how it
    was measured alone (not for pairs). Raises ValueError for fewer than two runs on a side, or for pairs of unequal
    number.
    """
    if min(len(first), len(second)) < 2 or (paired and len(first) != len(second)):
        raise ValueError("a difference needs two runs on each side, and for pairs as many on both")
    if paired:
        differences = [b - a for a, b in zip(first, second, strict=True)]
        n, error, degrees = len(differences), stdev(differences) / math.sqrt(len(differences)), len(differences) - 1.0
    else:
        one, other = (
            max(variance(values), least) / len(values)
            for values, least in zip((first, second), least_variances, strict=True)
        )
        n, error = len(first) + len(second), math.sqrt(one + other)
        spread = one**2 / (len(first) - 1) + other**2 / (len(second) - 1)
        degrees = (one + other) ** 2 / spread if spread else float(n - 2)
    estimate = fmean(second) - fmean(first)
    half = student_quantile((1 + confidence) / 2, degrees) * error
    return Difference(
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        p=_p_value(estimate, error, degrees),
        n=n,
        detectable=(student_quantile(0.975, degrees) + student_quantile(POWER, degrees)) * error,
        method="t of pairs" if paired else "Welch's t",
        confidence=confidence,
    )


def _p_value(estimate: float, error: float, degrees: float) -> float:
    if not error:
        return 1.0 if not estimate else 0.0
    return 2.0 * student_cdf(-abs(estimate) / error, degrees)
