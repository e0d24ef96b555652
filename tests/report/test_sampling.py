"""Sampling: the same few rows whatever the order, and texts that say what was left out."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from reasonry.report.sampling import HEAD, TAIL, Sample, clip


def sampled(ids: list[str], size: int) -> list[str]:
    sample: Sample[str] = Sample(size)
    for row_id in ids:
        sample.offer(row_id, row_id)
    return list(sample)


@given(st.lists(st.text(), unique=True), st.integers(1, 8), st.randoms(use_true_random=False))
def test_a_sample_does_not_depend_on_the_order_of_the_rows(ids: list[str], size: int, rng: random.Random) -> None:
    shuffled = rng.sample(ids, len(ids))
    assert sampled(ids, size) == sampled(shuffled, size)


@given(st.lists(st.text()), st.integers(1, 8))
def test_a_sample_holds_as_many_rows_as_asked_for_or_all(ids: list[str], size: int) -> None:
    assert len(sampled(ids, size)) == min(size, len(ids))


def test_a_larger_sample_begins_with_the_smaller_one() -> None:
    ids = [f"t-{number}" for number in range(1_000)]
    assert sampled(ids, 7)[:3] == sampled(ids, 3)


def test_a_sample_is_not_the_first_rows() -> None:
    ids = [f"t-{number}" for number in range(1_000)]
    assert max(int(row_id[2:]) for row_id in sampled(ids, 5)) > 100


def test_all_offered_rows_are_counted() -> None:
    sample: Sample[int] = Sample(2)
    for number in range(9):
        sample.offer("the same id", number)
    assert (sample.offered, list(sample)) == (9, [0, 1])


@given(st.integers(0, 3 * (HEAD + TAIL)))
def test_a_clipped_text_says_how_much_is_missing(length: int) -> None:
    text = clip("x" * length)
    left_out = max(0, length - HEAD - TAIL)
    assert (f"[… {left_out:,} characters left out …]" in text) == (left_out > 0)
    assert text.count("x") + left_out == length
