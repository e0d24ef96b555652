"""verify: one verdict for every trace, by the verifier that its question names."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from reasonry.contracts import Limits
from reasonry.joining import with_questions
from reasonry.sections import VerifySection
from reasonry.stages.context import StageContext, StageResult
from reasonry.stats import wilson
from reasonry.store import TableWriter
from reasonry.types import Question, Status, Trace, VerdictRow, whole_text
from reasonry.verifiers.batch import VerifyItem, verify_all

VERSION = 2
ROWS = VerdictRow


def verify(section: VerifySection, context: StageContext, writer: TableWriter) -> StageResult:
    """Verify every trace in order. Limits and failures of ours never count against the model."""
    traces = context.upstream["distil"]
    tally = _Tally()
    limits = Limits(section.timeout_s, section.memory_mb)
    with (
        context.open_executor() as executor,
        context.console.meter("verify", traces.rows_out) as meter,
    ):
        line = _Line(context)
        for verdict in verify_all(line.items(), executor, limits, sandbox=section.tier):
            of = line.next()
            writer.append(VerdictRow.of(of.trace_id, of.question_id, verdict))
            tally.add(verdict.status, of.domain, of.teacher)
            meter.advance()
    return StageResult(traces.rows_out, tally.metrics())


class _Verified(NamedTuple):
    """What is kept of a trace until its verdict comes: no text."""

    trace_id: str
    question_id: str
    domain: str
    teacher: str


class _Line:
    """The traces under way, in order."""

    def __init__(self, context: StageContext) -> None:
        self._context = context
        self._under_way = deque[_Verified]()

    def items(self) -> Iterator[VerifyItem]:
        """What is to be verified, each trace with its question beside it."""
        store, upstream = self._context.store, self._context.upstream
        traces = store.rows(upstream["distil"], Trace)
        for question, trace in with_questions(traces, store.rows(upstream["curate"], Question)):
            self._under_way.append(_Verified(trace.id, question.id, question.domain, trace.teacher))
            yield VerifyItem(question, whole_text(trace.reasoning, trace.response, trace.finish), trace.finish)

    def next(self) -> _Verified:
        """What the next verdict is about."""
        return self._under_way.popleft()


class _Tally:
    """Counts verdicts whole, by domain and by teacher."""

    def __init__(self) -> None:
        self._all: Counter[str] = Counter()
        self._by_domain: dict[str, Counter[str]] = {}
        self._by_teacher: dict[str, Counter[str]] = {}

    def add(self, status: Status, domain: str, teacher: str) -> None:
        self._all[status.value] += 1
        self._by_domain.setdefault(domain, Counter())[status.value] += 1
        self._by_teacher.setdefault(teacher, Counter())[status.value] += 1

    def metrics(self) -> dict[str, Any]:
        counts = {status.value: self._all[status.value] for status in Status}
        scored = sum(counts[status.value] for status in Status if status.score is not None)
        metrics: dict[str, Any] = {"rows": sum(counts.values()), **counts, "scored": scored}
        if scored:
            share = wilson(counts["correct"], scored)
            metrics |= {
                "correct_rate": share.estimate,
                "correct_rate_low": share.low,
                "correct_rate_high": share.high,
            }
        metrics["by_domain"] = {name: dict(sorted(c.items())) for name, c in sorted(self._by_domain.items())}
        metrics["by_teacher"] = {name: dict(sorted(c.items())) for name, c in sorted(self._by_teacher.items())}
        return metrics
