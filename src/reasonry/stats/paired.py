"""Two models on the same questions: the difference, its interval, and whether chance explains it."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

__all__ = ["POWER", "Difference", "holm", "mcnemar_exact", "paired_difference"]

POWER = 0.8  # of the smallest difference that is called detectable
_FLIPS = 4_000
_FEWEST_FLIPS = 14  # with fewer questions, all ways to flip signs are tried


@dataclass(frozen=True, slots=True)
class Difference:
    """Second less first, with its interval and the two-sided p value of no difference.

    `detectable` is the smallest true difference that a comparison like this one would have found at the 5% level in
    four of five cases. `n` counts what is independent: questions, or runs.
    """

    estimate: float
    low: float
    high: float
    p: float
    n: int
    detectable: float
    method: str
    confidence: float = 0.95

    @property
    def is_clear(self) -> bool:
        """The interval leaves zero out."""
        return self.low > 0.0 or self.high < 0.0


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """McNemar's exact test: the two-sided p value of so unequal a split of the questions that one model alone solved.

    (Q. McNemar, Psychometrika 12, 1947; the binomial form.) Raises ValueError for a negative count.
    """
    if min(only_first, only_second) < 0:
        raise ValueError("counts are not negative")
    n, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(n, i) for i in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << n))


def paired_difference(
    first: Sequence[float], second: Sequence[float], *, seed: int = 0, confidence: float = 0.95
) -> Difference:
    """The mean difference of two scores of each question (shares of right samples, 0 to 1).

    The interval is Wald's after half a question was added to each of the four outcomes (Agresti and Min, Statistics
    in Medicine 24, 2005), which holds its level also where the models hardly ever disagree; for shares of several
    samples the same is done to the differences. The p value is McNemar's exact one where scores are 0 or 1, else that
    of a randomisation test which flips the signs of the questions' differences. Raises ValueError for no questions, or
    for lists of unequal length.
    """
    if not first or len(first) != len(second):
        raise ValueError("a paired difference needs two scores for each question")
    differences = [b - a for a, b in zip(first, second, strict=True)]
    n = len(differences)
    # Half a question each with +1 and -1, and one with 0.
    centre = sum(differences) / (n + 2)
    variance = (sum(d * d for d in differences) + 1.0) / (n + 2) - centre * centre
    error = math.sqrt(variance / (n + 2))
    normal = NormalDist()
    half = normal.inv_cdf((1 + confidence) / 2) * error
    is_binary = all(value in (0.0, 1.0) for value in (*first, *second))
    p = mcnemar_exact(differences.count(-1.0), differences.count(1.0)) if is_binary else _flipped(differences, seed)
    return Difference(
        estimate=fmean(differences),
        low=max(-1.0, centre - half),
        high=min(1.0, centre + half),
        p=p,
        n=n,
        detectable=min(1.0, (normal.inv_cdf(0.975) + normal.inv_cdf(POWER)) * error),
        method="McNemar exact, Agresti-Min" if is_binary else "sign flips, Agresti-Min by question",
        confidence=confidence,
    )


def _flipped(differences: Sequence[float], seed: int) -> float:
    """How often differences with signs by chance have a mean as far from zero."""
    sizes = [abs(d) for d in differences if d]
    seen = abs(sum(differences)) - 1e-9
    if len(sizes) < _FEWEST_FLIPS:
        sums = [0.0]
        for size in sizes:
            sums = [total + step for total in sums for step in (size, -size)]
        return sum(abs(total) >= seen for total in sums) / len(sums)
    generator = random.Random(seed)
    whole, hits = math.fsum(sizes), 1
    for _ in range(_FLIPS):
        bits = generator.getrandbits(len(sizes))
        up = sum(size for i, size in enumerate(sizes) if bits >> i & 1)
        hits += abs(2 * up - whole) >= seen
    return hits / (_FLIPS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """P values corrected for being several, in the given order.

    (S. Holm, Scandinavian Journal of Statistics 6, 1979.)
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[i]))
        corrected[i] = highest
    return corrected
