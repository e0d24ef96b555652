"""Estimates: what a stage that asks a teacher will take, from what some of its questions took.

Everything here is arithmetic on figures seen elsewhere: `reasonry.history` finds them, `reasonry.piloting` makes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from reasonry.sections import DistilSection
from reasonry.stats import studentised_mean

__all__ = ["FEWEST", "Estimate", "Observed", "Range", "Seen", "Unknown", "estimate", "total_of"]

Number = TypeVar("Number", int, float)

FEWEST = 4
"""Questions without which there is no interval."""

_DRAWS = 400_000  # of the bootstrap, so that an estimate from thousands of questions still takes about a second
_FEWEST_RESAMPLES, _MOST_RESAMPLES = 400, 2000
_SEED = 7


@dataclass(frozen=True, slots=True)
class Seen:
    """What one question took, all its samples together. None: not counted, or the price is unknown.

    `seconds` are those of its requests, added up: with several in flight less time passes.
    """

    requests: int
    rows: int
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of a stage, and where.

    `are_included`: these questions are some of the stage's own, and their answers are the very ones it will use.
    `per_request`: each `Seen` is one request of a question that is not known, so that it stands for part of one.
    `is_elapsed`: the seconds are those that passed, however many requests were in flight.
    """

    basis: str
    seen: Sequence[Seen]
    are_included: bool = False
    per_request: bool = False
    is_elapsed: bool = False
    in_flight: float | None = None
    bytes_per_row: float | None = None
    own: frozenset[str] = frozenset()
    """The ids of the questions seen, where they are included."""


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with its 95% interval."""

    estimate: float
    low: float
    high: float

    def over(self, divisor: float) -> Range:
        return Range(self.estimate / divisor, self.low / divisor, self.high / divisor)

    def less(self, known: float) -> Range:
        """What is left of it once `known` is taken off; never less than nothing."""
        return Range(*(max(0.0, value - known) for value in (self.estimate, self.low, self.high)))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a stage will take in all. None: unknown, which is never 0.

    `paid_*` is what is in the ledger already, `remaining_usd` what is still to be paid. `most_*` is the bound where
    verdicts decide how often a question is asked. `request_seconds` are those of all requests one after the other,
    `seconds` those that pass with `in_flight` of them at once: a rough figure, since an endpoint's speed changes.
    `bytes` is the text of the rows. `is_rough`: seen on other questions, so the intervals say less than they seem to.
    """

    basis: str
    questions: int
    seen: int
    requests: Range
    most_requests: int | None
    rows: Range
    tokens_in: Range | None
    tokens_out: Range | None
    cost_usd: Range | None
    most_usd: float | None
    paid_requests: float
    paid_usd: float | None
    remaining_usd: Range | None
    request_seconds: Range | None
    in_flight: float | None
    seconds: Range | None
    bytes: float | None
    is_rough: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why nothing can be said of a stage, and what would tell."""

    reason: str


def total_of(values: Sequence[float], population: int, *, are_included: bool) -> Range:
    """The total over `population` questions, of which `values` are a sample drawn by chance, with its 95% interval.

    The interval is one for the total itself and not for its expectation: it holds the chance of which questions were
    seen and the chance of what all the others will come to. With mean m and deviation s of the n values seen, the total
    over N questions that include these n differs from N m by s N sqrt(1/n - 1/N); where they are not included (other
    questions, or other answers), by s N sqrt(1/n + 1/N). So the half widths of the interval of the mean are scaled by
    sqrt(1 - n/N) or sqrt(1 + n/N), and by N.
    """
    n = len(values)
    mean = fmean(values)
    if are_included and n >= population:
        return Range(*[math.fsum(values)] * 3)
    least = math.fsum(values) if are_included else 0.0  # what was seen is part of the total
    if n < FEWEST:
        return Range(population * mean, least, math.inf)
    resamples = max(_FEWEST_RESAMPLES, min(_MOST_RESAMPLES, _DRAWS // n))
    interval = studentised_mean(values, seed=_SEED, resamples=resamples)
    share = n / population if population else 0.0
    factor = math.sqrt(max(0.0, 1 - share) if are_included else 1 + share)
    low, high = (mean + (end - mean) * factor for end in (interval.low, interval.high))
    return Range(population * mean, max(least, population * low), population * high)


def estimate(
    section: DistilSection,
    observed: Observed,
    questions: int,
    *,
    samples: int | None = None,
    paid_share: float = 0.0,
    is_rough: bool = False,
) -> Estimate:
    """What asking `questions` will take.

    `samples` is how often each is asked, where the questions seen were single requests; None: as often as those were.
    `paid_share` is the share of the requests not seen whose answers are in the ledger already.
    """
    total = _Total(observed, questions, samples)
    requests = total.of(lambda seen: seen.requests)
    rows = total.of(lambda seen: seen.rows)
    assert requests is not None
    assert rows is not None
    cost = total.of(lambda seen: seen.cost_usd)
    own = list(observed.seen) if observed.are_included else []
    own_cost = _sum([seen.cost_usd for seen in own])
    own_requests = sum(seen.requests for seen in own)
    paid = None if cost is None or own_cost is None else own_cost + paid_share * (cost.estimate - own_cost)
    request_seconds = total.of(lambda seen: seen.seconds)
    in_flight = _in_flight(section, observed, requests)
    most = _most_samples(section)
    return Estimate(
        basis=observed.basis,
        questions=questions,
        seen=len(observed.seen),
        requests=requests,
        most_requests=None if most is None else questions * most,
        rows=rows,
        tokens_in=total.of(lambda seen: seen.tokens_in),
        tokens_out=total.of(lambda seen: seen.tokens_out),
        cost_usd=cost,
        most_usd=_most_usd(cost, requests, None if most is None else questions * most),
        paid_requests=own_requests + paid_share * (requests.estimate - own_requests),
        paid_usd=paid,
        remaining_usd=None if cost is None or paid is None else cost.less(paid),
        request_seconds=request_seconds,
        in_flight=in_flight,
        seconds=request_seconds.over(in_flight) if request_seconds and in_flight else None,
        bytes=None if observed.bytes_per_row is None else rows.estimate * observed.bytes_per_row,
        is_rough=is_rough,
    )


@dataclass(frozen=True, slots=True)
class _Total:
    """Scales what was seen to the whole stage."""

    observed: Observed
    questions: int
    samples: int | None

    def of(self, figure: Callable[[Seen], float | None]) -> Range | None:
        """None where one of the values is unknown: a sum with an unknown in it is unknown."""
        values = [value for seen in self.observed.seen if (value := figure(seen)) is not None]
        if not values or len(values) < len(self.observed.seen):
            return None
        if not self.observed.per_request:
            return total_of(values, self.questions, are_included=self.observed.are_included)
        # Which requests shared a question is not known. As if the samples of a question were all alike, which is the
        # worst case, a total over its samples spreads like `samples` times one of them.
        scaled = [value * (self.samples or 1) for value in values]
        return total_of(scaled, self.questions, are_included=False)


def _most_samples(section: DistilSection) -> int | None:
    """The bound of samples per question, of all teachers, where there is one above what is asked anyway."""
    most = [one.most_samples for one in section.responders]
    known = [count for count in most if count is not None]
    has_bound = any(one.max_samples is not None for one in section.responders)
    return sum(known) if has_bound and len(known) == len(most) else None


def _most_usd(cost: Range | None, requests: Range, most_requests: int | None) -> float | None:
    if cost is None or most_requests is None or not requests.estimate:
        return None
    return cost.high / requests.estimate * most_requests


def _in_flight(section: DistilSection, observed: Observed, requests: Range) -> float | None:
    """How many requests are under way at a time: what the recipe says, else what was seen."""
    if observed.is_elapsed:
        return 1.0
    limits = [one.concurrency for one in section.responders]
    if observed.in_flight is not None and "auto" in limits:
        return observed.in_flight
    known = [limit for limit in limits if isinstance(limit, int)]
    return max(1.0, min(float(sum(known)), requests.estimate)) if len(known) == len(limits) else None


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return None if len(known) < len(values) else math.fsum(known)
