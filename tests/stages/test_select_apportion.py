"""Whole numbers in proportion to shares: exact, never above what is there, and never less for more."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reasonry.stages.selecting.apportion import apportion, as_many_as_hold, as_shares

NAMES = st.sampled_from("abcdef")
SHARES = st.dictionaries(NAMES, st.sampled_from([0.1, 0.2, 0.3, 1, 2, 3, 7.5, 40]), min_size=1).map(as_shares)
AVAILABLE = st.dictionaries(NAMES, st.integers(0, 40))


def one_by_one(shares: dict[str, Fraction], total: int, available: dict[str, int]) -> dict[str, int]:
    """Webster's method as it is told: seat after seat."""
    given = dict.fromkeys(shares, 0)
    for _ in range(total):
        takers = [name for name in shares if given[name] < available.get(name, 0)]
        if not takers:
            break
        given[min(takers, key=lambda name: (Fraction(2 * given[name] + 1) / shares[name], name))] += 1
    return given


@given(SHARES, st.integers(0, 60), AVAILABLE)
def test_it_is_what_giving_seat_after_seat_gives(
    shares: dict[str, Fraction], total: int, available: dict[str, int]
) -> None:
    assert apportion(shares, total, available) == one_by_one(shares, total, available)


@given(SHARES, st.integers(0, 60))
def test_without_limits_all_is_given(shares: dict[str, Fraction], total: int) -> None:
    given = apportion(shares, total)
    assert sum(given.values()) == total
    assert given == one_by_one(shares, total, dict.fromkeys(shares, total))


@given(SHARES, AVAILABLE)
def test_more_in_all_is_less_for_nobody(shares: dict[str, Fraction], available: dict[str, int]) -> None:
    series = [apportion(shares, total, available) for total in range(0, 90, 3)]
    for fewer, more in pairwise(series):
        assert all(fewer[name] <= more[name] for name in shares)


@given(SHARES, st.integers(0, 60), AVAILABLE)
def test_what_a_short_group_leaves_goes_to_the_others(
    shares: dict[str, Fraction], total: int, available: dict[str, int]
) -> None:
    limited, free = apportion(shares, total, available), apportion(shares, total)
    there = sum(available.get(name, 0) for name in shares)
    assert sum(limited.values()) == min(total, there)
    assert all(limited[name] >= min(free[name], available.get(name, 0)) for name in shares)


@given(SHARES, AVAILABLE)
def test_as_many_as_hold_is_the_last_total_before_a_group_runs_out(
    shares: dict[str, Fraction], available: dict[str, int]
) -> None:
    held = as_many_as_hold(shares, available)
    there = {name: share for name, share in shares.items() if available.get(name, 0)}
    total = sum(held.values())
    assert held == {**dict.fromkeys(shares, 0), **apportion(there, total)} or _is_tied(there, held, total)
    assert all(held[name] <= available.get(name, 0) for name in shares)
    assert not there or any(held[name] == available[name] for name in there)


def _is_tied(shares: dict[str, Fraction], held: dict[str, int], total: int) -> bool:
    """Seats that cost the same are given to all of them or to none, not by name."""
    more = apportion(shares, total + len(shares))
    return all(held[name] <= more[name] for name in shares)


@given(st.dictionaries(NAMES, st.integers(1, 1_000), min_size=1))
def test_shares_as_they_are_hold_for_all(available: dict[str, int]) -> None:
    shares = as_shares({name: float(number) for name, number in available.items()})
    assert as_many_as_hold(shares, available) == available
    assert apportion(shares, sum(available.values()), available) == available


def test_a_total_beyond_all_bounds_takes_no_time() -> None:
    assert apportion(as_shares({"a": 1, "b": 2}), 3 * 10**15) == {"a": 10**15, "b": 2 * 10**15}


def test_weights_are_exact_and_nothing_has_no_share() -> None:
    assert as_shares({"a": 0.1, "b": 0, "c": 2}) == {"a": Fraction(1, 10), "c": Fraction(2)}
