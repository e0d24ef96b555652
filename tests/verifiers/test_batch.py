"""Verifying in batches: in order, within limits, whatever the workers do."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reasonry.contracts import Limits, Outcome, Work
from reasonry.errors import PartError
from reasonry.executors.local import LocalExecutor
from reasonry.executors.mapping import WINDOW_ROWS
from reasonry.registry import BUILTIN
from reasonry.types import JsonMap, Question, Status, Verdict
from reasonry.verifiers import batch
from reasonry.verifiers.batch import CUT_OFF, VerifyItem, verify_all, worker

LIMITS = Limits(cpu_s=5.0, memory_mb=1024)
ITEMS = [
    VerifyItem(Question("?", "5", "math"), r"\boxed{5}"),
    VerifyItem(Question("?", "5", "math"), r"\boxed{6}"),
    VerifyItem(Question("?", "x+1", "math"), "1+x"),
    VerifyItem(Question("?", "Paris", "exact"), "Paris"),
    VerifyItem(Question("?", "B", "choice", spec={"choices": ["x", "y"]}), "(B)"),
    VerifyItem(Question("Compute 1 + 2.", "3", "steps"), "1 + 2 = 3"),
    VerifyItem(Question("?", None, "math"), "a\ud800\0é"),
    VerifyItem(Question("?", "5", "math"), ""),
]


def test_verdicts_come_in_order_and_are_the_same_at_one_and_two_workers() -> None:
    items = ITEMS * 8
    verdicts = []
    for workers in (1, 2):
        with LocalExecutor(workers) as executor:
            verdicts.append(list(verify_all(items, executor, LIMITS)))
    assert verdicts[0] == verdicts[1]
    expected = ["correct", "incorrect", "correct", "correct", "correct", "correct", "skipped", "unparsed"]
    assert [verdict.status.value for verdict in verdicts[0]] == expected * 8
    assert {verdict.verifier for verdict in verdicts[0]} == {"math@3", "exact@2", "choice@2", "steps@1"}


ENDLESS = """
from reasonry.registry import BUILTIN, part
from reasonry.verifiers.batch import worker

BUILTIN["verifier"]["endless"] = "endless"

@part("verifier", "endless")
def endless(question, response):
    while True:
        pass
"""


def test_an_answer_that_takes_for_ever_is_a_timeout_and_its_neighbours_are_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(BUILTIN["verifier"], "endless", "endless")
    monkeypatch.setattr(batch, "_TARGET", "endless:worker")
    slow = VerifyItem(Question("?", "1", "endless"), "1")
    with LocalExecutor(1) as executor:
        verdicts = list(verify_all([ITEMS[0], slow, ITEMS[1]], executor, Limits(0.5, 1024)))
    assert [verdict.status for verdict in verdicts] == [Status.CORRECT, Status.TIMEOUT, Status.INCORRECT]
    assert verdicts[1].verifier == "endless@1"
    assert "0.5 s of processor time" in verdicts[1].detail


class Scripted:
    """An executor whose outcomes are given."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.workers = 1
        self._outcomes = outcomes

    def map(self, work: Work, rows: Iterable[JsonMap], limits: Limits) -> Iterator[Outcome]:
        for _, outcome in zip(rows, self._outcomes, strict=True):
            yield outcome


@pytest.mark.parametrize(
    ("failure", "status"),
    [("timeout", "timeout"), ("memory", "timeout"), ("died", "error"), ("raised", "error")],
)
def test_each_failure_of_a_row_has_its_status_and_keeps_its_reason(failure: str, status: str) -> None:
    executor = Scripted(Outcome(failure=failure, detail="because"))  # pyright: ignore[reportArgumentType]
    (verdict,) = verify_all(ITEMS[:1], executor, LIMITS)
    assert (verdict.status.value, verdict.verifier) == (status, "math@3")
    assert "because" in verdict.detail
    assert ("memory limit" in verdict.detail) == (failure == "memory")


class InProcess:
    """An executor without processes, which keeps the rows it was given."""

    def __init__(self) -> None:
        self.workers = 1
        self.rows: list[JsonMap] = []

    def map(self, work: Work, rows: Iterable[JsonMap], limits: Limits) -> Iterator[Outcome]:
        call = worker({})
        for row in rows:
            self.rows.append(row)
            yield Outcome(json.loads(json.dumps(call(json.loads(json.dumps(row))))))


def test_rows_that_are_the_same_are_verified_once_and_only_their_seconds_differ() -> None:
    executor = InProcess()
    items = ITEMS * 3
    verdicts = list(verify_all(items, executor, LIMITS))
    assert len(executor.rows) == len(ITEMS)
    assert verdicts == [next(verify_all([item], InProcess(), LIMITS)) for item in items]
    assert all(verdict.seconds > 0 for verdict in verdicts[: len(ITEMS)])
    assert {verdict.seconds for verdict in verdicts[len(ITEMS) :]} == {0.0}


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_equal_to_one_under_way_or_long_gone_have_its_verdict(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "REMEMBERED", 5)
    monkeypatch.setattr(batch, "WAITING", 20)
    expected = [next(verify_all([item], InProcess(), LIMITS)) for item in ITEMS]
    generator = random.Random(3)
    drawn = [generator.randrange(len(ITEMS)) for _ in range(2_000)]
    with LocalExecutor(workers) as executor:
        verdicts = list(verify_all([ITEMS[n] for n in drawn], executor, LIMITS))
    assert verdicts == [expected[n] for n in drawn]


def test_a_failure_is_shared_by_the_rows_that_are_the_same() -> None:
    executor = Scripted(Outcome(failure="timeout", detail="because"))
    verdicts = list(verify_all(ITEMS[:1] * 3, executor, LIMITS))
    assert [verdict.status for verdict in verdicts] == [Status.TIMEOUT] * 3


def test_rows_that_differ_in_anything_a_verifier_is_given_are_not_the_same() -> None:
    question = Question("?", "5", "math", spec={"a": 1})
    others = [
        replace(question, prompt="??"),
        replace(question, answer="6"),
        replace(question, answer=None),
        replace(question, verifier="exact"),
        replace(question, spec={"a": 1.0}),
        replace(question, domain="algebra"),
        replace(question, source="a source"),
        replace(question, license="mit"),
        replace(question, meta={"level": 1}),
    ]
    items = [VerifyItem(q, "5") for q in (question, *others)] + [VerifyItem(question, "5\n")]
    executor = InProcess()
    assert len(list(verify_all(items, executor, LIMITS))) == len(executor.rows) == len(items)


def test_long_verdicts_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "REMEMBERED_CHARACTERS", 10)
    executor = InProcess()
    verdicts = list(verify_all(ITEMS[:1] * 3, executor, LIMITS))
    assert len(executor.rows) == 3
    assert verdicts[0] == verdicts[1] == verdicts[2]


@pytest.mark.parametrize("item", [ITEMS[0], Verdict(Status.ERROR, "math@1", detail="unusable")])
def test_what_needs_no_worker_is_read_no_further_ahead(
    item: VerifyItem | Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "WAITING", 100)
    taken = 0

    def endless() -> Iterator[VerifyItem | Verdict]:
        nonlocal taken
        for number in itertools.count(1):
            taken = number
            yield item

    with LocalExecutor(1) as executor:
        verdicts = verify_all(endless(), executor, LIMITS)
        for yielded, _ in enumerate(itertools.islice(verdicts, 20_000), start=1):
            assert taken - yielded <= 100 + WINDOW_ROWS


def test_a_verdict_among_the_items_passes_through_in_its_place() -> None:
    given = Verdict(Status.ERROR, "math@1", detail="unusable", seconds=0.5)
    verdicts = list(verify_all([given, ITEMS[0], given, ITEMS[1], given], InProcess(), LIMITS))
    assert [verdicts[n] is given for n in range(5)] == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("response", "whole", "cut"),
    [
        ("We get 3 + 2 = 5", "correct", "unparsed"),
        ("So we try 6", "incorrect", "unparsed"),
        (r"\boxed{5} which I check", "correct", "correct"),
        ("The answer is 6. But wait", "incorrect", "incorrect"),
        ("", "unparsed", "unparsed"),
    ],
)
def test_a_response_that_was_cut_off_counts_only_with_an_answer_it_declares(
    response: str, whole: str, cut: str
) -> None:
    question = Question("?", "5", "math")
    items = [VerifyItem(question, response), VerifyItem(question, response, "length")]
    first, second = verify_all(items, InProcess(), LIMITS)
    assert [first.status.value, second.status.value] == [whole, cut]
    if cut != whole:
        assert (second.detail, second.extracted) == (CUT_OFF, None)
    alone = next(verify_all(items[1:], InProcess(), LIMITS))
    assert alone == second


def test_a_cut_off_response_that_we_could_not_decide_stays_an_error() -> None:
    executor = Scripted(Outcome(["error", None, "broke", {"rule": "last_number"}, 0.1]))
    item = replace(ITEMS[0], finish="length")
    (verdict,) = verify_all([item], executor, LIMITS)
    assert (verdict.status, verdict.detail) == (Status.ERROR, "broke")


def test_an_unknown_verifier_is_named_with_its_neighbour() -> None:
    item = VerifyItem(Question("?", "5", "maths"), "5")
    with LocalExecutor(1) as executor, pytest.raises(PartError, match="unknown verifier 'maths'"):
        list(verify_all([item], executor, LIMITS))


def test_items_are_read_lazily() -> None:
    with LocalExecutor(1) as executor:
        verdicts = verify_all(itertools.repeat(ITEMS[0]), executor, LIMITS)
        assert {verdict.status for verdict in itertools.islice(verdicts, 500)} == {Status.CORRECT}
