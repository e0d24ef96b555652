"""A row's story as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from reasonry.console import visible
from reasonry.explain import Asked, Story, TraceStory
from reasonry.types import Drop, Question

__all__ = ["story_lines"]

_WIDTH = 2_000  # characters of a text that are shown


def story_lines(story: Story) -> Iterator[str]:
    """Question, decisions about it, then every trace with its verdict and fate."""
    yield from map(visible, _lines(story))


def _lines(story: Story) -> Iterator[str]:
    yield f"the story of {story.asked_for}"
    if story.question is not None:
        yield from _question_lines(story.question)
    for drop in story.question_drops:
        yield from _drop_lines(drop)
    if story.is_curated:
        yield "curate   kept"
    for trace in story.traces:
        yield from _trace_lines(trace, is_asked_for=story.asked_for)
    for completion in story.completions:
        yield ""
        yield f"evaluate {completion.benchmark} / {completion.student}: {completion.status}"
        yield f"  prompt     {_short(completion.prompt)}"
        yield f"  response   {_short(completion.response)}"
        yield f"  extracted  {_short(str(completion.extracted))}   reference  {completion.answer}   {completion.detail}"
    yield ""
    yield "tables"
    for stage, table in story.tables.items():
        yield f"  {stage:<9} {table}"


def _question_lines(question: Question) -> Iterator[str]:
    origin = question.meta.get("origin", {})
    yield f"question {question.id}"
    yield "  origin     " + ", ".join(f"{name} {value}" for name, value in sorted(origin.items()))
    yield f"  source     {question.source}   licence  {question.license}   domain  {question.domain}"
    yield f"  prompt     {_short(question.prompt)}"
    yield f"  answer     {question.answer}   verifier  {question.verifier}"


def _trace_lines(story: TraceStory, *, is_asked_for: str) -> Iterator[str]:
    trace = story.trace
    ids = {trace.id, story.verdict.id if story.verdict else "", story.example.id if story.example else ""}
    yield ""
    yield f"trace    {trace.id}{'   <- asked for' if is_asked_for in ids else ''}"
    cost = "unknown price" if trace.cost_usd is None else f"${trace.cost_usd:.6f}"
    yield f"  teacher    {trace.teacher}, sample {trace.index}, finish {trace.finish}"
    yield f"  tokens     {trace.tokens_in} in, {trace.tokens_out} out, {cost}"
    for number, asked in enumerate(story.asked):
        yield from _asked_lines(asked, is_first=number == 0)
    if trace.ledger_key and not story.asked:
        yield f"  ledger     {trace.ledger_key}"
    if trace.reasoning:
        yield f"  reasoning  {_short(trace.reasoning)}"
    yield f"  response   {_short(trace.response)}"
    if story.verdict is not None:
        verdict = story.verdict
        yield f"verdict  {verdict.id}: {verdict.status} by {verdict.verifier}"
        extracted = _short(str(verdict.extracted))
        between = "\n  detail     " if "\n" in extracted else "   "  # a program ends where it ends
        yield f"  extracted  {extracted}{between}{verdict.detail}"
        yield "  evidence   " + ", ".join(f"{name} {value}" for name, value in sorted(verdict.evidence.items()))
    if story.example is not None:
        yield f"example  {story.example.id}: kept because {story.example.kept_because}"
    for drop in story.drops:
        yield from _drop_lines(drop)


def _asked_lines(asked: Asked, *, is_first: bool) -> Iterator[str]:
    tries = "" if asked.attempts == 1 else f", at try {asked.attempts}"
    yield f"  ledger     {asked.key}{tries}"
    if not is_first:
        yield "  went on    the answer was cut, and was asked to go on from there"
        return
    given = ", ".join(f"{name} {value}" for name, value in asked.sampling.items() if value is not None)
    yield f"  sampling   {given}"
    for message in asked.messages:
        yield f"  {message['role']:<10} {_short(message['content'])}"


def _drop_lines(drop: Drop) -> Iterator[str]:
    other = f" ({drop.other_id})" if drop.other_id else ""
    yield f"dropped  at {drop.stage} by {drop.rule}: {drop.reason}{other}"
    if drop.content:
        yield f"  content    {_short(drop.content)}"


def _short(text: str) -> str:
    shown = text if len(text) <= _WIDTH else f"{text[:_WIDTH]} ... ({len(text):,} characters)"
    return shown.replace("\n", "\n             ")
