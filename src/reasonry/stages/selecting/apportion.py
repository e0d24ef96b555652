"""Whole numbers in proportion to shares: Webster's method, exactly.

The seats of a parliament are given out one by one, each to the group whose next seat is the cheapest: its k-th costs
(k - 1/2) / share. So a larger total never takes a seat from anyone (rounding by largest remainders may), and a group
that has no more to give is passed over: what it lacks goes to the others in proportion. Shares are fractions: the same
numbers on every machine. Ties go by name.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from fractions import Fraction

__all__ = ["apportion", "as_many_as_hold", "as_shares"]

Shares = Mapping[str, Fraction]
_HALF = Fraction(1, 2)


def as_shares(weights: Mapping[str, float]) -> dict[str, Fraction]:
    """Weights as exact fractions, those above 0: 0.1 is a tenth.

    Twelve digits, since the last ones of a power may differ from machine to machine.
    """
    return {name: Fraction(f"{weight:.12g}") for name, weight in weights.items() if weight > 0}


def apportion(shares: Shares, total: int, available: Mapping[str, int] | None = None) -> dict[str, int]:
    """`total` in proportion to the shares, to no group more than is available (None: as much as it takes)."""
    limits = {name: total if available is None else min(total, available.get(name, 0)) for name in shares}
    total = min(total, sum(limits.values()))
    given = _first_seats(shares, total, limits)
    prices = [((given[name] + _HALF) / shares[name], name) for name in shares if given[name] < limits[name]]
    heapq.heapify(prices)
    for _ in range(total - sum(given.values())):  # not more than there are groups
        price, name = heapq.heappop(prices)
        given[name] += 1
        if given[name] < limits[name]:
            heapq.heappush(prices, (price + 1 / shares[name], name))
    return given


def as_many_as_hold(shares: Shares, available: Mapping[str, int]) -> dict[str, int]:
    """The largest total for which every group has its share: the first group to run out ends it.

    Groups without anything available are left out.
    """
    there = {name: share for name, share in shares.items() if available.get(name, 0) > 0}
    end = min(((available[name] + _HALF) / share for name, share in there.items()), default=Fraction(0))
    return {name: _seats(shares[name], end) if name in there else 0 for name in shares}


def _first_seats(shares: Shares, total: int, limits: Mapping[str, int]) -> dict[str, int]:
    """All but the last seats, at once.

    At the price `(rest - n / 2) / sum of shares`, n open groups earn at most `rest` seats together. Closing those that
    are full can only raise the price, so there are not more rounds than groups.
    """
    given = dict.fromkeys(shares, 0)
    still_open = {name for name in shares if limits[name] > 0}
    rest = total
    while still_open:
        price = (rest - Fraction(len(still_open), 2)) / sum(shares[name] for name in still_open)
        given |= {name: min(limits[name], _seats(shares[name], price)) for name in still_open}
        full = {name for name in still_open if given[name] == limits[name]}
        if not full:
            break
        rest -= sum(limits[name] for name in full)
        still_open -= full
    return given


def _seats(share: Fraction, price: Fraction) -> int:
    """How many seats of a group cost less than the price."""
    return max(0, math.ceil(share * price - _HALF))
