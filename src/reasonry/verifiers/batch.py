"""Verifying many responses through an executor: in order, within limits, one verdict for each, whatever happens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reasonry.contracts import Executor, Limits, Outcome, Work
from reasonry.registry import find, run_verifier
from reasonry.tables import from_plain, to_plain
from reasonry.types import JsonMap, Question, Status, Verdict
from reasonry.verifiers.warm import warm_up

__all__ = ["VerifyItem", "verify_all", "worker"]

_WORK = Work("reasonry.verifiers.batch:worker")


@dataclass(frozen=True, slots=True)
class VerifyItem:
    """One response to verify; the question names its verifier."""

    question: Question
    response: str


def verify_all(items: Iterable[VerifyItem], executor: Executor, limits: Limits) -> Iterator[Verdict]:
    """The verdict of each item, in order. Reads `items` lazily.

    A row that hits its limits is a `timeout` of the model's; a worker that died or broke is an `error` of ours.
    Raises PartError for a verifier that does not exist, and WorkFailed where workers cannot start.
    """
    labels = deque[str]()  # of the rows under way, in order

    def rows() -> Iterator[JsonMap]:
        for item in items:
            labels.append(find("verifier", item.question.verifier).label)
            yield {"question": to_plain(item.question), "response": item.response}

    for outcome in executor.map(_WORK, rows(), limits):
        yield _verdict(outcome, labels.popleft())


_FAILURES = {"timeout": Status.TIMEOUT, "memory": Status.TIMEOUT, "died": Status.ERROR, "raised": Status.ERROR}


def _verdict(outcome: Outcome, label: str) -> Verdict:
    if outcome.failure is None:
        return from_plain(Verdict, outcome.value)
    detail = f"memory limit: {outcome.detail}" if outcome.failure == "memory" else outcome.detail
    return Verdict(_FAILURES[outcome.failure], verifier=label, detail=detail, evidence={"failure": outcome.failure})


class _Worker:
    """Verifies one row. `prepare` is called before the row's clock starts, and loads what its verifier needs."""

    def __init__(self) -> None:
        self._warm: set[str] = set()

    def prepare(self, row: JsonMap) -> None:
        name = row["question"]["verifier"]
        if name not in self._warm:
            warm_up(find("verifier", name).call)
            self._warm.add(name)

    def __call__(self, row: JsonMap) -> JsonMap:
        question = from_plain(Question, row["question"])
        verdict = run_verifier(find("verifier", question.verifier), question, row["response"])
        return to_plain(verdict)


def worker(options: JsonMap) -> Callable[[JsonMap], JsonMap]:
    """What worker processes import."""
    del options
    return _Worker()
