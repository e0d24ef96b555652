"""Our own functions over an executor, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.contracts import Work
from reasonry.errors import WorkFailed
from reasonry.executors.local import LocalExecutor
from reasonry.executors.spread import BATCH_CHARACTERS, BATCH_ROWS, in_process, spread
from reasonry.types import JsonMap


def doubling(options: JsonMap) -> Callable[[Sequence[JsonMap]], list[Any]]:
    """What workers import: twice the number, with the size of the batch it came in."""
    return lambda batch: [[2 * row["n"] + options["plus"], len(batch)] for row in batch]


def failing(options: JsonMap) -> Callable[[Sequence[JsonMap]], list[Any]]:
    """What workers import: a function with a fault in it."""
    return lambda batch: [row["absent"] for row in batch]


DOUBLING = Work(f"{__name__}:doubling", {"plus": 1})


@given(st.integers(0, 3 * BATCH_ROWS))
def test_there_is_one_result_for_each_row_in_order(rows: int) -> None:
    found = list(in_process(DOUBLING, ({"n": n} for n in range(rows))))
    assert [value for value, _ in found] == [2 * n + 1 for n in range(rows)]


def test_workers_give_what_the_process_itself_gives() -> None:
    rows = [{"n": n} for n in range(3 * BATCH_ROWS + 7)]
    with LocalExecutor(2) as executor:
        assert list(spread(executor)(DOUBLING, rows)) == list(in_process(DOUBLING, rows))


def test_a_batch_is_bounded_in_text_too() -> None:
    long = "x" * (BATCH_CHARACTERS // 2)
    sizes = [size for _, size in in_process(DOUBLING, ({"n": n, "text": long} for n in range(6)))]
    assert sizes == [2] * 6


def test_rows_are_read_as_results_are_taken() -> None:
    read: list[int] = []

    def rows() -> Iterator[JsonMap]:
        for n in range(10 * BATCH_ROWS):
            read.append(n)
            yield {"n": n}

    next(in_process(DOUBLING, rows()))
    assert len(read) == BATCH_ROWS


def test_a_fault_of_ours_ends_the_work_and_says_where() -> None:
    with LocalExecutor(1) as executor, pytest.raises(WorkFailed, match=r"KeyError.*absent") as caught:
        list(spread(executor)(Work(f"{__name__}:failing"), [{"n": 1}]))
    assert caught.value.place == f"{__name__}:failing"
