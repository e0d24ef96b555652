"""The rows of the published configs, one definition for each: `default`, `metadata` and `rejected`."""

from __future__ import annotations

from dataclasses import dataclass, field

from reasonry.exporters.joined import QuestionFacts, TraceStory
from reasonry.types import Drop, JsonMap, Message

__all__ = ["DefaultRow", "MetadataRow", "RejectedRow", "metadata_row", "rejected_before_traces", "rejected_trace"]


@dataclass(frozen=True, slots=True)
class DefaultRow:
    """What a trainer reads: one conversation. `id` is the key into `metadata`."""

    id: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class MetadataRow:
    """All that is known of one example. `origin` is JSON; `cost_usd` null means that the price is unknown."""

    id: str
    question_id: str
    trace_id: str
    verdict_id: str
    prompt: str
    answer: str | None
    reasoning: str
    response: str
    extracted: str | None
    status: str | None
    verifier: str | None
    teacher: str
    finish: str
    domain: str
    source: str
    license: str
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None
    kept_because: str
    origin: JsonMap = field(metadata={"json": True})


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that did not make it, and why. `kind`: input, question, request or trace.

    `reason` is the rule's, `detail` the verifier's. `content` is what was read where no question came of it.
    """

    row_id: str
    kind: str
    stage: str
    rule: str
    reason: str
    other_id: str | None = None
    prompt: str | None = None
    answer: str | None = None
    reasoning: str | None = None
    response: str | None = None
    content: str | None = None
    extracted: str | None = None
    status: str | None = None
    verifier: str | None = None
    detail: str | None = None
    teacher: str | None = None
    domain: str | None = None
    source: str | None = None
    license: str | None = None


def metadata_row(story: TraceStory) -> MetadataRow:
    """An example with its question, trace and verdict beside it, without the trace's texts."""
    trace, question, verdict, example = story.trace, story.question, story.verdict, story.example
    assert example is not None
    return MetadataRow(
        id=example.id,
        question_id=example.question_id,
        trace_id=example.trace_id,
        verdict_id=example.verdict_id,
        prompt=question.prompt,
        answer=question.answer,
        reasoning="",
        response="",
        extracted=verdict.extracted if verdict else None,
        status=verdict.status if verdict else None,
        verifier=verdict.verifier if verdict else None,
        teacher=trace.teacher,
        finish=trace.finish,
        domain=question.domain,
        source=question.source,
        license=question.license,
        tokens_in=trace.tokens_in,
        tokens_out=trace.tokens_out,
        cost_usd=trace.cost_usd,
        kept_because=example.kept_because,
        origin=question.origin,
    )


def rejected_trace(story: TraceStory) -> RejectedRow:
    """A trace that did not become an example, with its verdict, without its texts."""
    trace, question, verdict, drop = story.trace, story.question, story.verdict, story.drop
    return RejectedRow(
        row_id=trace.id,
        kind="trace",
        stage=drop.stage if drop else "select",
        rule=drop.rule if drop else "unaccounted",
        reason=drop.reason if drop else "neither kept nor dropped by select",
        other_id=drop.other_id if drop else None,
        prompt=question.prompt,
        answer=question.answer,
        extracted=verdict.extracted if verdict else None,
        status=verdict.status if verdict else None,
        verifier=verdict.verifier if verdict else None,
        detail=verdict.detail if verdict else None,
        teacher=trace.teacher,
        domain=question.domain,
        source=question.source,
        license=question.license,
    )


def rejected_before_traces(drop: Drop, question: QuestionFacts | None) -> RejectedRow:
    """A drop of a row that never had a trace: input, a question, or a request without an answer (`q-...#2`)."""
    kind = "input" if question is None else "request" if "#" in drop.row_id else "question"
    return RejectedRow(
        row_id=drop.row_id,
        kind=kind,
        stage=drop.stage,
        rule=drop.rule,
        reason=drop.reason,
        other_id=drop.other_id,
        prompt=question.prompt if question else None,
        answer=question.answer if question else None,
        content=drop.content or None,
        domain=question.domain if question else None,
        source=question.source if question else None,
        license=question.license if question else None,
    )
