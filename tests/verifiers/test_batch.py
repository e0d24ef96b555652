"""Verifying in batches: in order, within limits, whatever the workers do."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import pytest

from reasonry.contracts import Limits, Outcome, Work
from reasonry.errors import PartError
from reasonry.executors.local import LocalExecutor
from reasonry.types import JsonMap, Question, Status
from reasonry.verifiers.batch import VerifyItem, verify_all

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
    assert {verdict.verifier for verdict in verdicts[0]} == {"math@1", "exact@1", "choice@1", "steps@1"}


def test_an_answer_that_takes_for_ever_is_a_timeout_and_its_neighbours_are_verified() -> None:
    slow = VerifyItem(Question("?", "1", "math"), r"(a+b+c+d+e)^{40}")
    with LocalExecutor(1) as executor:
        verdicts = list(verify_all([ITEMS[0], slow, ITEMS[1]], executor, Limits(0.5, 1024)))
    assert [verdict.status for verdict in verdicts] == [Status.CORRECT, Status.TIMEOUT, Status.INCORRECT]
    assert verdicts[1].verifier == "math@1"
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
    assert (verdict.status.value, verdict.verifier) == (status, "math@1")
    assert "because" in verdict.detail
    assert ("memory limit" in verdict.detail) == (failure == "memory")


def test_an_unknown_verifier_is_named_with_its_neighbour() -> None:
    item = VerifyItem(Question("?", "5", "maths"), "5")
    with LocalExecutor(1) as executor, pytest.raises(PartError, match="unknown verifier 'maths'"):
        list(verify_all([item], executor, LIMITS))


def test_items_are_read_lazily() -> None:
    with LocalExecutor(1) as executor:
        verdicts = verify_all(itertools.repeat(ITEMS[0]), executor, LIMITS)
        assert {verdict.status for verdict in itertools.islice(verdicts, 500)} == {Status.CORRECT}
