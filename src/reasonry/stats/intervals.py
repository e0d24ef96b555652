"""Intervals: what a figure could have been.

`wilson` for a share of independent trials; `bootstrap_mean` for the mean of values that come in clusters (several
samples of one question are not independent); `studentised_mean` for the mean of few values with a heavy tail.
"""

from __future__ import annotations

import math
import random
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

__all__ = ["Interval", "bootstrap_mean", "studentised_mean", "wilson"]

_FEWEST_VALUES = 4
_LEAST_SPREAD = 0.25


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval, all as shares (0 to 1) or in the unit of the values."""

    estimate: float
    low: float
    high: float
    n: int
    confidence: float = 0.95
    method: str = "wilson"

    def __str__(self) -> str:
        return f"{self.estimate:.1%} [{self.low:.1%}, {self.high:.1%}] (n = {self.n})"


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval for a proportion (E. B. Wilson, JASA 22, 1927).

    Raises ValueError unless 0 <= successes <= n and n > 0.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"no proportion: {successes} of {n}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / scale
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(share, low, high, n, confidence)


def bootstrap_mean(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """The percentile bootstrap interval of a mean, resampling whole clusters.

    (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.) Raises ValueError for
    no values or for clusters of another length.
    """
    if not values or (clusters is not None and len(clusters) != len(values)):
        raise ValueError("bootstrap_mean needs values, and one cluster for each")
    grouped: dict[Hashable, tuple[float, int]] = {}
    for name, value in zip(clusters if clusters is not None else range(len(values)), values, strict=True):
        total, count = grouped.get(name, (0.0, 0))
        grouped[name] = (total + value, count + 1)
    groups = list(grouped.values())
    generator = random.Random(seed)
    means: list[float] = []
    for _ in range(resamples):
        drawn = generator.choices(groups, k=len(groups))
        means.append(sum(total for total, _ in drawn) / sum(count for _, count in drawn))
    means.sort()
    tail = (1 - confidence) / 2
    low, high = means[int(tail * resamples)], means[min(resamples - 1, int((1 - tail) * resamples))]
    return Interval(fmean(values), low, high, len(values), confidence, "cluster bootstrap")


def studentised_mean(
    values: Sequence[float], *, seed: int, confidence: float = 0.95, resamples: int = 2000
) -> Interval:
    """The bootstrap-t interval of the mean of independent values.

    (Efron and Tibshirani, chapter 12.) Where values are few and have a heavy tail to the right, as token counts do, the
    percentile interval is too short above: with 20 lognormal values (sigma 1) it covers 86% of the time, this one 92%.
    Where a resample happens to miss what is rare, its spread says too little: it counts as a quarter of the values' own
    at least, so that 19 equal values and another one have a limit, and about that of an exact binomial interval. Raises
    ValueError for fewer than four values, of which resamples tell next to nothing.
    """
    n = len(values)
    if n < _FEWEST_VALUES:
        raise ValueError(f"an interval needs {_FEWEST_VALUES} values")
    mean, spread = fmean(values), stdev(values)
    if spread == 0.0:
        return Interval(mean, mean, mean, n, confidence, "bootstrap-t")
    generator = random.Random(seed)
    scaled = [(value - mean) / spread for value in values]
    ratios: list[float] = []
    for _ in range(resamples):
        drawn = generator.choices(scaled, k=n)
        shift = sum(drawn) / n
        variance = (sum(value * value for value in drawn) - n * shift * shift) / (n - 1)
        ratios.append(shift / math.sqrt(max(variance, _LEAST_SPREAD**2)))
    ratios.sort()
    tail = (1 - confidence) / 2
    lowest, highest = ratios[int(tail * resamples)], ratios[min(resamples - 1, int((1 - tail) * resamples))]
    return Interval(mean, mean - highest * spread, mean - lowest * spread, n, confidence, "bootstrap-t")
