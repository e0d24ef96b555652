"""Builds the facts of a report from a run folder. A stage that is not there leaves its facts empty."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from reasonry.exporters.contract import PublishedFile
from reasonry.report.economy import economy_of
from reasonry.report.model import (
    Curve,
    Facts,
    FunnelStep,
    GateLine,
    Headline,
    Rate,
    Score,
    StageLine,
    StatusLine,
    TeacherLine,
)
from reasonry.report.reading import RunOnDisk, open_run, read_rows
from reasonry.stats import wilson
from reasonry.store import Manifest
from reasonry.types import Status, TrainStep

__all__ = ["SCHEMA", "gather"]

SCHEMA = 1
CURVE_POINTS = 240  # more than a screen can tell apart
_NOUNS = {
    "collect": "questions",
    "curate": "questions",
    "distil": "traces",
    "verify": "verdicts",
    "select": "examples",
    "train": "steps",
    "evaluate": "completions",
}
_LINE = ("collect", "curate", "distil", "verify", "select")


def gather(folder: Path) -> Facts:
    """All facts of the run in `folder`. Raises UsageError where it is no run, StoreError for a damaged table."""
    run = open_run(folder)
    rows = read_rows(run)
    facts, recipe = run.facts, run.text("recipe.toml")
    return Facts(
        schema=SCHEMA,
        run=str(facts.get("run", folder.name)),
        name=str(facts.get("name", "")),
        title=_title(recipe) or str(facts.get("name") or facts.get("run") or folder.name),
        status=str(facts.get("status", "unknown")),
        digest=str(facts.get("digest", "")),
        recipe_digest=str(facts.get("recipe_digest", "")),
        started_at=_finite(facts.get("started_at")),
        seconds=_finite(facts.get("seconds")),
        headline=_headline(run, rows.teachers),
        gates=[_gate(gate) for gate in facts.get("gates", [])],
        funnel=[_funnel_step(manifest) for manifest in run.manifests if manifest.stage in _LINE],
        by_domain=_status_lines(run, "by_domain"),
        by_teacher=sorted(_status_lines(run, "by_teacher"), key=_best_first),
        teachers=rows.teachers,
        economy=economy_of(run),
        training=[_curve(run, manifest) for manifest in run.of("train")],
        scores=_scores(run),
        traces=rows.traces,
        completions=rows.completions,
        drops=rows.drops,
        contamination=rows.contamination,
        duplicates=rows.duplicates,
        published=[asdict(file) for m in run.of("publish") for file in run.store.rows(m, PublishedFile)],
        stages=[_stage_line(run, manifest) for manifest in run.manifests],
        sources=list(_sources(run.manifests)),
        environment=run.manifests[-1].environment if run.manifests else {},
        recipe=recipe,
    )


def _title(recipe: str) -> str:
    """What the recipe calls the dataset, for the heading."""
    try:
        publish = tomllib.loads(recipe).get("publish", {})
    except tomllib.TOMLDecodeError:
        return ""
    title = publish.get("title") if isinstance(publish, dict) else None
    return title if isinstance(title, str) else ""


def _headline(run: RunOnDisk, teachers: Sequence[TeacherLine]) -> Headline:
    questions, traces, examples = run.one("collect"), run.one("distil"), run.one("select")
    verify = run.one("verify")
    return Headline(
        questions=questions.rows_out if questions else None,
        traces=traces.rows_out if traces else None,
        examples=examples.rows_out if examples else None,
        correct=_rate(verify.metrics) if verify else None,
        tokens_in=_total([teacher.tokens_in for teacher in teachers]),
        tokens_out=_total([teacher.tokens_out for teacher in teachers]),
        cost_usd=_total([teacher.cost_usd for teacher in teachers]),
    )


def _total(values: Sequence[Any]) -> Any:
    """Their sum; None where one of them is unknown, or where there is none."""
    return None if not values or None in values else sum(values)


def _rate(counts: Mapping[str, Any]) -> Rate | None:
    """The share of correct ones among those with a score, with Wilson's interval."""
    scored = sum(int(counts.get(status.value, 0)) for status in Status if status.score is not None)
    if not scored:
        return None
    share = wilson(int(counts.get(Status.CORRECT.value, 0)), scored)
    return Rate(share.estimate, share.low, share.high, share.n)


def _gate(gate: Mapping[str, Any]) -> GateLine:
    return GateLine(
        metric=str(gate.get("metric", "")),
        value=_finite(gate.get("value")),
        min=_finite(gate.get("min")),
        max=_finite(gate.get("max")),
        passed=gate.get("passed") is True,
        detail=str(gate.get("detail", "")),
    )


def _funnel_step(manifest: Manifest) -> FunnelStep:
    noun = _NOUNS[manifest.stage]
    dropped = dict(sorted(manifest.dropped.items(), key=lambda item: (-item[1], item[0])))
    return FunnelStep(manifest.stage, manifest.label, noun, manifest.rows_in, manifest.rows_out, dropped)


def _status_lines(run: RunOnDisk, metric: str) -> list[StatusLine]:
    verify = run.one("verify")
    groups: Mapping[str, Mapping[str, int]] = verify.metrics.get(metric, {}) if verify else {}
    return [_status_line(name, groups[name]) for name in sorted(groups)]


def _status_line(name: str, counts: Mapping[str, int]) -> StatusLine:
    statuses = _statuses(counts)
    return StatusLine(name, statuses, sum(statuses.values()), _rate(counts))


def _best_first(line: StatusLine) -> tuple[float, str]:
    return (1.0 if line.rate is None else -line.rate.estimate, line.name)


def _statuses(counts: Mapping[str, Any]) -> dict[str, int]:
    return {status.value: int(counts.get(status.value, 0)) for status in Status}


def _curve(run: RunOnDisk, manifest: Manifest) -> Curve:
    metrics = manifest.metrics
    return Curve(
        student=str(metrics.get("student", manifest.label)),
        target=metrics.get("target"),
        parameters=metrics.get("parameters"),
        examples=metrics.get("examples"),
        steps=manifest.rows_out,
        final_loss=_finite(metrics.get("final_loss")),
        seconds=_finite(metrics.get("seconds", manifest.seconds)),
        points=list(_points(run.store.rows(manifest, TrainStep), manifest.rows_out)),
    )


def _points(steps: Iterator[TrainStep], count: int) -> Iterator[tuple[int, float | None]]:
    """The mean loss of neighbouring steps, so that there are at most CURVE_POINTS points."""
    width = max(1, math.ceil(count / CURVE_POINTS))
    while near := list(islice(steps, width)):
        yield near[-1].step, _finite(sum(step.loss for step in near) / len(near))


def _scores(run: RunOnDisk) -> list[Score]:
    """By benchmark and student in the order of the run, before training first."""
    scores = [_score(manifest) for manifest in run.of("evaluate")]
    benchmarks = list(dict.fromkeys(score.benchmark for score in scores))
    students = list(dict.fromkeys(score.student for score in scores))
    return sorted(scores, key=lambda s: (benchmarks.index(s.benchmark), students.index(s.student), not s.untrained))


def _score(manifest: Manifest) -> Score:
    metrics = manifest.metrics
    return Score(
        benchmark=str(metrics.get("benchmark", manifest.label)),
        student=str(metrics.get("student", "")),
        untrained=metrics.get("untrained") is True,
        n=int(metrics.get("n", 0)),
        accuracy=_finite(metrics.get("accuracy")),
        low=_finite(metrics.get("low")),
        high=_finite(metrics.get("high")),
        interval=str(metrics.get("interval", "wilson")),
        statuses=_statuses(metrics.get("statuses", {})),
        truncated_rate=_finite(metrics.get("truncated_rate")),
        conditions={name: _plain(value) for name, value in metrics.get("conditions", {}).items()},
        unparsed_rate=_finite(metrics.get("unparsed_rate")),
        error_rate=_finite(metrics.get("error_rate")),
        at_k=_at_k(metrics),
        conditions_digest=str(metrics.get("conditions_digest", "")),
    )


def _at_k(metrics: Mapping[str, Any]) -> dict[str, Rate]:
    """pass@k and majority@k, in the order in which they were sealed."""
    names = [name for name in metrics if name.startswith(("pass@", "majority@")) and f"{name}_low" in metrics]
    names.sort(key=lambda name: (name.partition("@")[0] != "pass", int(name.partition("@")[2])))
    count = int(metrics.get("questions", 0))
    return {name: Rate(metrics[name], metrics[f"{name}_low"], metrics[f"{name}_high"], count) for name in names}


def _stage_line(run: RunOnDisk, manifest: Manifest) -> StageLine:
    outcome = next((s for s in run.facts["stages"] if s["key"] == manifest.key and s["stage"] == manifest.stage), {})
    return StageLine(
        stage=manifest.stage,
        label=manifest.label,
        key=manifest.key,
        digest=manifest.digest,
        cached=outcome.get("cached") is True,
        rows_out=manifest.rows_out,
        seconds=_finite(manifest.seconds),
        parts=manifest.parts,
        inputs=manifest.inputs,
    )


def _sources(manifests: Sequence[Manifest]) -> Iterator[Mapping[str, Any]]:
    """The files that were read, each once, with the first stage that read them."""
    seen: set[tuple[Any, Any]] = set()
    for manifest in manifests:
        for source in manifest.sources:
            identity = (source.get("name"), source.get("digest"))
            if identity not in seen:
                seen.add(identity)
                yield {"stage": manifest.stage, **source}


def _plain(value: Any) -> Any:
    return _finite(value) if isinstance(value, float) else value


def _finite(value: Any) -> float | None:
    """A number that JSON can hold; None for NaN, infinities, and what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value
