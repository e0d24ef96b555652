"""Tables of one order, read in step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.errors import StoreError
from reasonry.joining import InStep, with_questions
from reasonry.types import Question, Trace


def _question(n: int) -> Question:
    return Question(f"question {n}", str(n), "exact")


def _trace(n: int, index: int = 0) -> Trace:
    return Trace(_question(n).id, index, "", f"answer {n}.{index}", "teacher")


@given(st.lists(st.integers(0, 3), max_size=12))
def test_every_trace_finds_its_question_however_many_it_has(samples: list[int]) -> None:
    questions = [_question(n) for n in range(len(samples))]
    traces = [_trace(n, index) for n, count in enumerate(samples) for index in range(count)]
    pairs = list(with_questions(traces, iter(questions)))
    assert [trace for _, trace in pairs] == traces
    assert all(question.id == trace.question_id for question, trace in pairs)


def test_a_trace_of_another_run_is_refused() -> None:
    with pytest.raises(StoreError, match="do not belong together"):
        list(with_questions([_trace(7)], iter([_question(1)])))


def test_traces_in_another_order_than_the_questions_are_refused() -> None:
    with pytest.raises(StoreError, match="do not belong together"):
        list(with_questions([_trace(2), _trace(1)], iter([_question(1), _question(2)])))


def test_no_question_is_read_before_its_turn() -> None:
    read: list[int] = []

    def questions() -> Iterator[Question]:
        for n in range(1000):
            read.append(n)
            yield _question(n)

    pairs = with_questions((_trace(n) for n in range(1000)), questions())
    for _ in range(10):
        next(pairs)
    assert len(read) <= 11


def test_a_row_is_taken_only_when_its_turn_comes() -> None:
    steps = InStep(iter(["b", "d"]), str)
    assert [steps.take(name) for name in "abcd"] == [None, "b", None, "d"]
    assert not steps.is_left


def test_rows_whose_turn_never_came_show() -> None:
    steps = InStep(iter(["x"]), str)
    assert steps.take("a") is None
    assert steps.is_left
