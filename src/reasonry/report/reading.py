"""Reads a run folder: what `run.json` and the manifests say, and a few rows of each table, in one pass over each."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from reasonry.errors import UsageError
from reasonry.joining import InStep
from reasonry.report.model import (
    CompletionSample,
    Contamination,
    DropGroup,
    DropSample,
    Duplicates,
    TeacherLine,
    TraceSample,
)
from reasonry.report.overlaps import Overlaps, prompt_in
from reasonry.report.sampling import Sample, clip
from reasonry.store import Manifest, Store
from reasonry.types import Completion, Drop, Question, Status, Trace, VerdictRow

__all__ = ["Rows", "RunOnDisk", "open_run", "read_rows"]

Number = TypeVar("Number", int, float)
Row = TypeVar("Row")
TRACES_PER_STATUS = 2
COMPLETIONS_PER_SIDE = 2
DROPS_PER_RULE = 5


@dataclass(frozen=True, slots=True)
class RunOnDisk:
    """A run folder: `facts` is `run.json`; manifests are of this run's tables only, in the order of work."""

    folder: Path
    facts: Mapping[str, Any]
    store: Store
    manifests: Sequence[Manifest]

    def of(self, stage: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest.stage == stage]

    def one(self, stage: str) -> Manifest | None:
        return next(iter(self.of(stage)), None)

    def text(self, name: str) -> str:
        """A file of the folder; empty where there is none."""
        try:
            return (self.folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""


@dataclass(slots=True)
class Rows:
    """What the passes over the rows found."""

    traces: list[TraceSample] = field(default_factory=list[TraceSample])
    teachers: list[TeacherLine] = field(default_factory=list[TeacherLine])
    completions: list[CompletionSample] = field(default_factory=list[CompletionSample])
    drops: list[DropGroup] = field(default_factory=list[DropGroup])
    contamination: Contamination | None = None
    duplicates: Duplicates | None = None


def open_run(folder: Path) -> RunOnDisk:
    """The run in a folder. Raises UsageError where there is none, StoreError for a damaged table."""
    try:
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        stages = [(str(stage["stage"]), str(stage["key"])) for stage in facts.get("stages", [])]
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as exc:
        raise UsageError("not the folder of a run", place=str(folder), hint="name the folder given to --out") from exc
    store = Store(folder / "tables")
    found = (store.sealed(stage, key) for stage, key in stages)
    return RunOnDisk(folder, facts, store, [manifest for manifest in found if manifest is not None])


def read_rows(run: RunOnDisk) -> Rows:
    """Sample every table. Drops first, since they say which traces and questions are needed beside the samples."""
    overlaps = Overlaps()
    groups = [group for manifest in run.manifests for group in _drop_groups(run, manifest, overlaps)]
    _add_kept(run, overlaps)
    wanted = {drop.row_id.partition("#")[0] for group in groups for drop in group.sample}
    pairs, wanted_traces, teachers = _read_traces(run, wanted)
    wanted |= {trace.question_id for trace, _ in pairs} | {trace.question_id for trace in wanted_traces.values()}
    questions = _questions(run, wanted)
    return Rows(
        traces=[_trace_sample(trace, verdict, questions.get(trace.question_id)) for trace, verdict in pairs],
        teachers=teachers,
        completions=[sample for manifest in run.of("evaluate") for sample in _completions(run, manifest)],
        drops=[group.finished(questions, wanted_traces) for group in groups],
        contamination=overlaps.contamination(),
        duplicates=overlaps.duplicates(run.store, run.one("collect")),
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """The drops of one rule while they are read."""

    manifest: Manifest
    rule: str
    sample: Sample[Drop]

    def finished(self, questions: Mapping[str, Question], traces: Mapping[str, Trace]) -> DropGroup:
        samples = [
            DropSample(
                drop.row_id,
                clip(drop.reason),
                drop.other_id,
                clip(prompt_in(drop.content) if drop.content else _content(drop, questions, traces)),
            )
            for drop in self.sample
        ]
        return DropGroup(self.manifest.stage, self.manifest.label, self.rule, self.sample.offered, samples)


def _drop_groups(run: RunOnDisk, manifest: Manifest, overlaps: Overlaps) -> Iterator[_Group]:
    samples: dict[str, Sample[Drop]] = {}
    for drop in run.store.drops(manifest):
        overlaps.add(manifest, drop)
        samples.setdefault(drop.rule, Sample(DROPS_PER_RULE)).offer(drop.row_id, drop)
    for rule in sorted(samples):
        yield _Group(manifest, rule, samples[rule])


def _add_kept(run: RunOnDisk, overlaps: Overlaps) -> None:
    """Rows that hold a benchmark's question with other numbers, where the recipe keeps them."""
    curated = run.one("curate")
    section = (curated.section.get("curate") or {}).get("decontaminate") if curated else None
    if curated and section and section.get("numbers_changed") == "keep":
        for question in run.store.rows(curated, Question):
            overlaps.add_kept(question)


def _content(drop: Drop, questions: Mapping[str, Question], traces: Mapping[str, Trace]) -> str:
    """What a dropped row says: a trace's end, where its answer is, or a question's prompt."""
    if (trace := traces.get(drop.row_id)) is not None:
        return trace.response or trace.reasoning
    question = questions.get(drop.row_id.partition("#")[0])
    return question.prompt if question is not None else ""


def _read_traces(
    run: RunOnDisk, wanted: set[str]
) -> tuple[list[tuple[Trace, VerdictRow]], dict[str, Trace], list[TeacherLine]]:
    """One pass over the figures of traces and verdicts, which stand in the same order; then the few that are shown."""
    samples: dict[str, Sample[str]] = {s.value: Sample(TRACES_PER_STATUS) for s in Status}
    dropped = set[str]()
    teachers: dict[str, _TeacherSum] = {}
    for trace, status in _with_status(run):
        teachers.setdefault(trace.teacher, _TeacherSum()).add(trace)
        if trace.id in wanted:
            dropped.add(trace.id)
        if status is not None:
            samples[status].offer(trace.id, trace.id)
    shown = [trace_id for sample in samples.values() for trace_id in sample]
    traces = {trace.id: trace for trace in _found(run, "distil", Trace, "id", {*shown, *dropped})}
    verdicts = {verdict.trace_id: verdict for verdict in _found(run, "verify", VerdictRow, "trace_id", shown)}
    pairs = [(traces[trace_id], verdicts[trace_id]) for trace_id in shown]
    found = {trace_id: traces[trace_id] for trace_id in dropped}
    return pairs, found, [teachers[name].line(name) for name in sorted(teachers)]


def _found(run: RunOnDisk, stage: str, row_type: type[Row], column: str, wanted: Collection[str]) -> Iterator[Row]:
    manifest = run.one(stage)
    return iter(()) if manifest is None else run.store.find(manifest, row_type, column, wanted)


@dataclass(frozen=True, slots=True)
class _Figures:
    """A trace without its texts."""

    id: str
    teacher: str
    finish: str
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None


def _with_status(run: RunOnDisk) -> Iterator[tuple[_Figures, str | None]]:
    distil, verify = run.one("distil"), run.one("verify")
    if distil is None:
        return
    verdicts = InStep(run.store.values(verify, ["trace_id", "status"]) if verify else iter(()), lambda row: row[0])
    for values in run.store.values(distil, tuple(_Figures.__slots__)):
        trace = _Figures(*values)
        verdict = verdicts.take(trace.id)
        yield trace, None if verdict is None else verdict[1]


@dataclass(slots=True)
class _TeacherSum:
    traces: int = 0
    truncated: int = 0
    tokens_in: int | None = 0
    tokens_out: int | None = 0
    cost_usd: float | None = 0.0

    def add(self, trace: _Figures) -> None:
        self.traces += 1
        self.truncated += trace.finish == "length"
        self.tokens_in = _plus(self.tokens_in, trace.tokens_in)
        self.tokens_out = _plus(self.tokens_out, trace.tokens_out)
        self.cost_usd = _plus(self.cost_usd, trace.cost_usd)

    def line(self, teacher: str) -> TeacherLine:
        return TeacherLine(teacher, self.traces, self.truncated, self.tokens_in, self.tokens_out, self.cost_usd)


def _plus(total: Number | None, value: Number | None) -> Number | None:
    """A sum with an unknown in it is unknown."""
    return None if total is None or value is None else total + value


def _questions(run: RunOnDisk, wanted: set[str]) -> dict[str, Question]:
    manifest = run.one("collect") or run.one("curate")
    if manifest is None:
        return {}
    return {question.id: question for question in run.store.find(manifest, Question, "id", wanted)}


def _trace_sample(trace: Trace, verdict: VerdictRow, question: Question | None) -> TraceSample:
    return TraceSample(
        trace_id=trace.id,
        question_id=trace.question_id,
        status=verdict.status.value,
        domain=question.domain if question else "",
        source=question.source if question else "",
        teacher=trace.teacher,
        finish=trace.finish,
        prompt=clip(question.prompt) if question else "",
        reference=None if question is None or question.answer is None else clip(question.answer),
        reasoning=clip(trace.reasoning),
        response=clip(trace.response),
        extracted=None if verdict.extracted is None else clip(verdict.extracted),
        verifier=verdict.verifier,
        detail=clip(verdict.detail),
    )


def _completions(run: RunOnDisk, manifest: Manifest) -> Iterator[CompletionSample]:
    """Some that are right and some that are not, of one student on one benchmark."""
    right: Sample[Completion] = Sample(COMPLETIONS_PER_SIDE)
    wrong: Sample[Completion] = Sample(COMPLETIONS_PER_SIDE)
    for row in run.store.rows(manifest, Completion):
        side = right if row.status is Status.CORRECT else wrong
        side.offer(f"{row.question_id}#{row.index}", row)
    for row in (*right, *wrong):
        yield CompletionSample(
            benchmark=row.benchmark,
            student=row.student,
            question_id=row.question_id,
            status=row.status.value,
            finish=row.finish,
            prompt=clip(row.prompt),
            reference=None if row.answer is None else clip(row.answer),
            response=clip(row.response),
            extracted=None if row.extracted is None else clip(row.extracted),
            verifier=row.verifier,
            detail=clip(row.detail),
        )
