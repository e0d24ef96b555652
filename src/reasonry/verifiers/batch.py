"""Verifying many responses through an executor: in order, within limits, one verdict for each, whatever happens.

Rows that are the same (verifier, answer, spec, prompt, response) are verified once: a row that equals one under way
waits for it, one that equals a row of not long ago gets its verdict. A repeated row took no time: its `seconds` are 0.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, NamedTuple

from reasonry.contracts import Executor, Limits, Outcome, Work
from reasonry.identity import canonical_json
from reasonry.registry import Part, find, run_verifier
from reasonry.types import Finish, JsonMap, Question, Status, Verdict
from reasonry.verifiers.extraction import EXPLICIT
from reasonry.verifiers.warm import warm_up

__all__ = ["CUT_OFF", "VerifyItem", "verify_all", "worker"]

REMEMBERED = 1 << 15  # verdicts kept for rows that come again
REMEMBERED_CHARACTERS = 2000  # a longer verdict is not kept
WAITING = 1 << 14  # rows in line before one that needs no worker waits for its turn at a worker all the same
CUT_OFF = "the response was cut off before a final answer"

_DECLARED = frozenset((*EXPLICIT, "fence"))  # a program in a block that was closed is one that the response gives

_TARGET = "reasonry.verifiers.batch:worker"


@dataclass(frozen=True, slots=True)
class VerifyItem:
    """One response to verify; the question names its verifier.

    Where `finish` is "length" the response was cut off: what its last words come to is then no answer, so only one
    that it declares (a box, an answer line) counts.
    """

    question: Question
    response: str
    finish: Finish = "stop"


def verify_all(
    items: Iterable[VerifyItem | Verdict], executor: Executor, limits: Limits, *, sandbox: str | None = None
) -> Iterator[Verdict]:
    """The verdict of each item, in order. Reads `items` lazily; an item that is a verdict already passes through.

    A row that hits its limits is a `timeout` of the model's; a worker that died or broke is an `error` of ours.
    `sandbox` is the tier in which programs run; None is the best that the machine has. Raises PartError for a verifier
    that does not exist, and WorkFailed where workers cannot start.
    """
    line = _Line()
    work = Work(_TARGET, {"sandbox": sandbox} if sandbox else {})
    for outcome in executor.map(work, line.rows(items), limits):
        yield from line.ready()
        yield from line.settle(outcome)
    yield from line.ready()


class _Slot:
    """A row that goes to a worker, and the verdict of all that are the same."""

    __slots__ = ("key", "label", "verdict")

    def __init__(self, label: str, key: bytes = b"", verdict: Verdict | None = None) -> None:
        self.label = label
        self.key = key
        self.verdict = verdict


class _Turn(NamedTuple):
    slot: _Slot
    finish: Finish = "stop"
    is_repeat: bool = False


_PAUSE = _Turn(_Slot(""))  # a row of the executor's that is none of ours


class _Line:
    """The rows under way, in order; the executor has those of them that nobody has verified."""

    def __init__(self) -> None:
        self._turns = deque[_Turn]()
        self._slots = OrderedDict[bytes, _Slot]()  # the one used last at the end
        self._labels: dict[str, str] = {}

    def rows(self, items: Iterable[VerifyItem | Verdict]) -> Iterator[JsonMap]:
        for item in items:
            turn = self._turn(item)
            self._turns.append(turn)
            if isinstance(item, VerifyItem) and not turn.is_repeat:
                yield _row(item)
            elif len(self._turns) >= WAITING:
                # The executor must not read on and on while nothing comes out.
                self._turns.append(_PAUSE)
                yield {}

    def ready(self) -> Iterator[Verdict]:
        """The verdicts that wait for nobody before the next one that a worker owes."""
        while self._turns and (verdict := self._turns[0].slot.verdict) is not None:
            yield _as_said(self._turns.popleft(), verdict)

    def settle(self, outcome: Outcome) -> Iterator[Verdict]:
        """The verdict that a worker owed."""
        turn = self._turns.popleft()
        if turn is _PAUSE:
            return
        verdict = turn.slot.verdict = _verdict(outcome, turn.slot.label)
        if not _is_short(verdict):
            self._slots.pop(turn.slot.key, None)
        yield _as_said(turn, verdict)

    def _turn(self, item: VerifyItem | Verdict) -> _Turn:
        if isinstance(item, Verdict):
            return _Turn(_Slot(item.verifier, verdict=item))
        key = _key(item)
        slot = self._slots.get(key)
        if slot is not None:
            self._slots.move_to_end(key)
            return _Turn(slot, item.finish, is_repeat=True)
        slot = self._slots[key] = _Slot(self._label(item.question.verifier), key)
        if len(self._slots) > REMEMBERED:
            self._slots.popitem(last=False)
        return _Turn(slot, item.finish)

    def _label(self, verifier: str) -> str:
        if verifier not in self._labels:
            self._labels[verifier] = find("verifier", verifier).label
        return self._labels[verifier]


def _key(item: VerifyItem) -> bytes:
    """What decides a verdict: all that a verifier is given. The lengths in front keep the texts apart."""
    question, answer = item.question, item.question.answer
    others = _others(question)
    rest = canonical_json(others) if others else ""
    lengths = f"{-1 if answer is None else len(answer)} {len(question.prompt)} {len(question.verifier)} {len(rest)}"
    text = f"{lengths} {answer or ''}{question.prompt}{question.verifier}{rest}{item.response}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _others(question: Question) -> dict[str, Any]:
    """The fields that most rows leave at their defaults, where they do not."""
    given: dict[str, Any] = {}
    if question.spec:
        given["spec"] = question.spec
    if question.domain != "unknown":
        given["domain"] = question.domain
    if question.source:
        given["source"] = question.source
    if question.license != "unknown":
        given["license"] = question.license
    if question.meta:
        given["meta"] = question.meta
    return given


def _row(item: VerifyItem) -> JsonMap:
    question = item.question
    fields = _others(question)
    fields |= {"prompt": question.prompt, "answer": question.answer, "verifier": question.verifier}
    return {"question": fields, "response": item.response}


def _as_said(turn: _Turn, verdict: Verdict) -> Verdict:
    """A slot's verdict as the one of this row."""
    if turn.is_repeat and verdict.seconds:
        verdict = turn.slot.verdict = replace(verdict, seconds=0.0)  # the first has had its own by now
    return _cut_off(verdict) if turn.finish == "length" else verdict


def _cut_off(verdict: Verdict) -> Verdict:
    """The verdict on a response that was cut off: what it did not declare as its answer is none."""
    rule = verdict.evidence.get("rule")
    if rule is None or rule in _DECLARED or verdict.status.score is None:
        return verdict
    return replace(verdict, status=Status.UNPARSED, extracted=None, detail=CUT_OFF)


def _is_short(verdict: Verdict) -> bool:
    length = len(verdict.extracted or "") + len(verdict.detail)
    return length + len(str(verdict.evidence)) <= REMEMBERED_CHARACTERS


_FAILURES = {"timeout": Status.TIMEOUT, "memory": Status.TIMEOUT, "died": Status.ERROR, "raised": Status.ERROR}


def _verdict(outcome: Outcome, label: str) -> Verdict:
    if outcome.failure is None:
        status, extracted, detail, evidence, seconds = outcome.value
        return Verdict(Status(status), label, extracted, detail, evidence, seconds)
    detail = f"memory limit: {outcome.detail}" if outcome.failure == "memory" else outcome.detail
    return Verdict(_FAILURES[outcome.failure], verifier=label, detail=detail, evidence={"failure": outcome.failure})


class _Worker:
    """Verifies one row. `prepare` is called before the row's clock starts, and loads what its verifier needs."""

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}

    def prepare(self, row: JsonMap) -> None:
        name = row["question"]["verifier"] if row else None
        if name is not None and name not in self._parts:
            found = find("verifier", name)
            warm_up(found.call)
            self._parts[name] = found

    def __call__(self, row: JsonMap) -> list[Any] | None:
        if not row:
            return None
        question = Question(**row["question"])
        part = self._parts.get(question.verifier) or find("verifier", question.verifier)
        verdict = run_verifier(part, question, row["response"])
        status = Status(verdict.status).value
        return [status, verdict.extracted, verdict.detail, dict(verdict.evidence), verdict.seconds]


def worker(options: JsonMap) -> Callable[[JsonMap], list[Any] | None]:
    """What worker processes import."""
    if tier := options.get("sandbox"):
        from reasonry.sandbox import use_tier

        use_tier(tier)
    return _Worker()
