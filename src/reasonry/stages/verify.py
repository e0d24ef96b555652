"""verify: one verdict for every trace, by the verifier that its question names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from reasonry.contracts import Limits
from reasonry.registry import find
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
    questions = context.questions()
    traces = context.upstream["distil"]
    tally = _Tally()
    limits = Limits(section.timeout_s, section.memory_mb)
    with (
        find("executor", "local").call(context.workers) as executor,
        context.console.meter("verify", traces.rows_out) as meter,
    ):
        verdicts = verify_all(_items(context, questions), executor, limits, sandbox=section.tier)
        for trace, verdict in zip(context.store.rows(traces, Trace), verdicts, strict=True):
            writer.append(VerdictRow.of(trace, verdict))
            tally.add(verdict.status, questions[trace.question_id].domain, trace.teacher)
            meter.advance()
    return StageResult(traces.rows_out, tally.metrics())


def _items(context: StageContext, questions: dict[str, Question]) -> Iterator[VerifyItem]:
    for trace in context.store.rows(context.upstream["distil"], Trace):
        text = whole_text(trace.reasoning, trace.response, trace.finish)
        yield VerifyItem(questions[trace.question_id], text, trace.finish)


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
