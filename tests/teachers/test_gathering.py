"""Requests gathered into batches: nobody waits for ever, and nobody pays for another's failure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.errors import TeacherError
from reasonry.teachers.local.gathering import Gatherer

WAIT_S = 30.0


class Engine:
    """Answers numbers with their doubles. `bad` ones fail the batch they are in; it runs while `gate` is open."""

    def __init__(self, bad: Sequence[int] = ()) -> None:
        self.bad = set(bad)
        self.batches: list[list[int]] = []
        self.running = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.at_once = 0

    def __call__(self, asked: Sequence[int]) -> list[int | TeacherError]:
        self.at_once += 1
        assert self.at_once == 1, "two batches at once"
        self.batches.append(list(asked))
        self.running.set()
        try:
            assert self.gate.wait(WAIT_S)
            if self.bad & set(asked):
                raise RuntimeError(f"cannot do {sorted(self.bad & set(asked))}")
            return [2 * number for number in asked]
        finally:
            self.at_once -= 1


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    async def limited() -> Any:
        async with asyncio.timeout(WAIT_S):
            return await coroutine

    return asyncio.run(limited())


async def all_of(gatherer: Gatherer[int, int], numbers: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*(gatherer.asked(number) for number in numbers), return_exceptions=True)


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, WAIT_S)


def test_requests_that_come_together_are_one_batch() -> None:
    engine = Engine()

    async def ask() -> list[int | BaseException]:
        async with Gatherer[int, int](engine, 8) as gatherer:
            return await all_of(gatherer, range(8))

    assert run(ask()) == [2 * number for number in range(8)]
    assert engine.batches == [list(range(8))]


def test_requests_that_trickle_in_are_gathered_too() -> None:
    engine = Engine()

    async def later(gatherer: Gatherer[int, int], number: int) -> int:
        await asyncio.sleep(0.005 * number)
        return await gatherer.asked(number)

    async def ask() -> list[int]:
        async with Gatherer[int, int](engine, 100, quiet_s=0.5) as gatherer:
            return await asyncio.gather(*(later(gatherer, number) for number in range(6)))

    assert run(ask()) == [0, 2, 4, 6, 8, 10]
    assert engine.batches == [list(range(6))]


def test_one_request_alone_does_not_wait_for_a_batch() -> None:
    engine = Engine()

    async def ask() -> int:
        async with Gatherer[int, int](engine, 1000) as gatherer:
            return await gatherer.asked(7)

    assert run(ask()) == 14


def test_the_longest_waiting_are_answered_first_and_no_batch_is_too_large() -> None:
    engine = Engine()

    async def ask() -> None:
        async with Gatherer[int, int](engine, 3) as gatherer:
            assert await all_of(gatherer, range(11)) == [2 * number for number in range(11)]

    run(ask())
    assert engine.batches == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]


def test_what_comes_while_a_batch_runs_is_the_next_batch() -> None:
    engine = Engine()

    async def ask() -> None:
        async with Gatherer[int, int](engine, 4) as gatherer:
            engine.gate.clear()
            first = asyncio.create_task(all_of(gatherer, [0]))
            await until(engine.running)
            rest = asyncio.create_task(all_of(gatherer, [1, 2, 3]))
            await asyncio.sleep(0.05)
            engine.gate.set()
            assert await first == [0]
            assert await rest == [2, 4, 6]

    run(ask())
    assert engine.batches == [[0], [1, 2, 3]]


def test_a_request_cancelled_while_it_waits_is_not_computed_and_harms_no_other() -> None:
    engine = Engine()

    async def ask() -> None:
        async with Gatherer[int, int](engine, 2) as gatherer:
            engine.gate.clear()
            first = asyncio.create_task(all_of(gatherer, [0, 1]))
            await until(engine.running)
            others = [asyncio.create_task(gatherer.asked(number)) for number in (2, 3, 4)]
            await asyncio.sleep(0)
            others[0].cancel()
            engine.gate.set()
            assert await first == [0, 2]
            assert await asyncio.gather(*others[1:]) == [6, 8]
            assert others[0].cancelled()

    run(ask())
    assert engine.batches == [[0, 1], [3, 4]]


def test_a_request_cancelled_while_its_batch_runs_harms_no_other() -> None:
    engine = Engine()

    async def ask() -> None:
        async with Gatherer[int, int](engine, 3) as gatherer:
            engine.gate.clear()
            tasks = [asyncio.create_task(gatherer.asked(number)) for number in range(3)]
            await until(engine.running)
            tasks[1].cancel()
            await asyncio.sleep(0)
            engine.gate.set()
            assert [await tasks[0], await tasks[2], await gatherer.asked(9)] == [0, 4, 18]

    run(ask())


@given(bad=st.sets(st.integers(0, 19)), size=st.integers(1, 20))
def test_only_the_requests_that_fail_the_batch_fail(bad: set[int], size: int) -> None:
    engine = Engine(sorted(bad))

    async def ask() -> list[int | BaseException]:
        async with Gatherer[int, int](engine, size, quiet_s=0.001) as gatherer:
            return await all_of(gatherer, range(20))

    for number, answer in enumerate(run(ask())):
        if number in bad:
            assert isinstance(answer, TeacherError)
            assert answer.message == f"the engine failed: RuntimeError: cannot do [{number}]"
            assert not answer.retryable
        else:
            assert answer == 2 * number


def test_a_teacher_error_meets_the_whole_batch_and_is_not_tried_in_halves() -> None:
    calls: list[int] = []

    def work(asked: Sequence[int]) -> list[int | TeacherError]:
        calls.append(len(asked))
        raise TeacherError("the engine died", fatal=True)

    async def ask() -> list[int | BaseException]:
        async with Gatherer[int, int](work, 4) as gatherer:
            return await all_of(gatherer, range(4))

    errors = run(ask())
    assert calls == [4]
    assert all(isinstance(error, TeacherError) and error.fatal for error in errors)
    assert len({id(error) for error in errors}) == 4  # whoever marks one of them marks no other


def test_an_error_for_one_row_is_that_rows() -> None:
    def work(asked: Sequence[int]) -> list[int | TeacherError]:
        return [TeacherError("odd") if number % 2 else number for number in asked]

    async def ask() -> list[int | BaseException]:
        async with Gatherer[int, int](work, 4) as gatherer:
            return await all_of(gatherer, range(4))

    answers = run(ask())
    assert [answers[0], answers[2]] == [0, 2]
    assert [str(answers[1]), str(answers[3])] == ["odd", "odd"]


def test_what_is_no_exception_leaves_nobody_waiting() -> None:
    """A panic of a tokenizer written in Rust derives from BaseException."""

    class Panic(BaseException):
        pass

    def work(asked: Sequence[int]) -> list[int | TeacherError]:
        if 1 in asked:
            raise Panic("at the disco")
        return list(asked)

    async def ask() -> list[int | BaseException]:
        async with Gatherer[int, int](work, 4) as gatherer:
            answers = await all_of(gatherer, range(3))
            assert await gatherer.asked(5) == 5
            return answers

    answers = run(ask())
    assert [answers[0], answers[2]] == [0, 2]
    assert str(answers[1]) == "the engine failed: Panic: at the disco"


def test_too_few_answers_are_an_error_not_a_shift() -> None:
    def work(asked: Sequence[int]) -> list[int | TeacherError]:
        return [number for number in asked if number != 2]

    async def ask() -> list[int | BaseException]:
        async with Gatherer[int, int](work, 4) as gatherer:
            return await all_of(gatherer, range(4))

    answers = run(ask())
    assert [answers[0], answers[1], answers[3]] == [0, 1, 3]
    assert str(answers[2]) == "the engine failed: ValueError: 0 answers to 1 requests"


def test_leaving_waits_for_the_batch_under_way_and_fails_what_waits() -> None:
    engine = Engine()

    async def ask() -> None:
        gatherer = Gatherer[int, int](engine, 1)
        await gatherer.__aenter__()
        engine.gate.clear()
        running = asyncio.create_task(gatherer.asked(0))
        await until(engine.running)
        waiting = asyncio.create_task(gatherer.asked(1))
        await asyncio.sleep(0)
        leaving = asyncio.create_task(gatherer.__aexit__(None, None, None))
        await asyncio.sleep(0.05)
        assert not leaving.done()
        engine.gate.set()
        await leaving
        assert await running == 0
        with pytest.raises(TeacherError, match="not open"):
            await waiting
        with pytest.raises(TeacherError, match="not open"):
            await gatherer.asked(2)

    run(ask())
    assert engine.batches == [[0]]


def test_where_the_loop_is_torn_down_nobody_is_left_waiting() -> None:
    engine = Engine()

    async def ask() -> None:
        gatherer = Gatherer[int, int](engine, 1)
        await gatherer.__aenter__()
        engine.gate.clear()
        tasks = [asyncio.create_task(gatherer.asked(number)) for number in range(2)]
        await until(engine.running)
        others = asyncio.all_tasks() - {asyncio.current_task(), *tasks}
        for task in others:
            task.cancel()
        for answer in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(answer, TeacherError)
        engine.gate.set()

    run(ask())


def test_it_can_be_entered_again() -> None:
    async def ask() -> list[int]:
        gatherer, answers = Gatherer[int, int](Engine(), 2), list[int]()
        for number in range(3):
            async with gatherer:
                answers.append(await gatherer.asked(number))
        return answers

    assert run(ask()) == [0, 2, 4]


def test_many_callers_over_many_batches_are_all_answered() -> None:
    """No wake-up is lost, however arrivals and ends of batches fall together."""
    engine = Engine()

    async def caller(gatherer: Gatherer[int, int], first: int) -> list[int]:
        return [await gatherer.asked(number) for number in range(first, first + 20)]

    async def ask() -> list[list[int]]:
        async with Gatherer[int, int](engine, 7, quiet_s=0.001) as gatherer:
            return await asyncio.gather(*(caller(gatherer, 100 * number) for number in range(40)))

    answers = run(ask())
    assert answers == [[2 * number for number in range(100 * i, 100 * i + 20)] for i in range(40)]
    assert sum(len(batch) for batch in engine.batches) == 800
