"""The facts of a report, as they stand in `report.json`. The page shows these and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "CompletionSample",
    "Contamination",
    "Curve",
    "DropGroup",
    "DropSample",
    "DuplicateCluster",
    "DuplicateMember",
    "Duplicates",
    "Economy",
    "Facts",
    "FunnelStep",
    "GateLine",
    "Headline",
    "HitCount",
    "HitSample",
    "Rate",
    "SamplesPerQuestion",
    "Score",
    "StageLine",
    "StatusLine",
    "TeacherLine",
    "TraceSample",
]

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share (0 to 1) of n, with its 95% interval."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Headline:
    """The run in a few figures. None: that stage is not part of the run, or for `cost_usd`, the price is unknown."""

    questions: int | None
    traces: int | None
    examples: int | None
    correct: Rate | None
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One table of the line: what came in, what came out (as `noun`), and what was dropped by which rule."""

    stage: str
    label: str
    noun: str
    rows_in: int
    rows_out: int
    dropped: Counts


@dataclass(frozen=True, slots=True)
class StatusLine:
    """Verdicts of one domain or teacher, by status. `rate` None: none of them has a score."""

    name: str
    statuses: Counts
    n: int
    rate: Rate | None


@dataclass(frozen=True, slots=True)
class TeacherLine:
    """What one teacher wrote. A sum with an unknown in it is None."""

    teacher: str
    traces: int
    truncated: int
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class SamplesPerQuestion:
    """How many traces a question has: percentiles by nearest rank, and pairs (samples, questions)."""

    questions: int
    mean: float
    p10: int
    median: int
    p90: int
    most: int
    histogram: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Economy:
    """What distilling cost, whatever it found, by the correct traces that it found.

    None: the price is unknown, tokens were not counted, or no trace is correct. `stopped` is why questions were asked
    no further, where verdicts decide that.
    """

    cost_usd: float | None
    tokens_out: int | None
    correct: int | None
    cost_per_correct_usd: float | None
    tokens_per_correct: float | None
    samples: SamplesPerQuestion | None
    stopped: Counts


@dataclass(frozen=True, slots=True)
class Curve:
    """The training of one student. `points` are (step, mean loss around it, nats per token); None: not a number."""

    student: str
    target: str | None
    parameters: int | None
    examples: int | None
    steps: int
    final_loss: float | None
    seconds: float | None
    points: Sequence[tuple[int, float | None]]


@dataclass(frozen=True, slots=True)
class Score:
    """One student on one benchmark. Shares are 0 to 1; None: nothing had a score."""

    benchmark: str
    student: str
    untrained: bool
    n: int
    accuracy: float | None
    low: float | None
    high: float | None
    interval: str
    statuses: Counts
    truncated_rate: float | None
    conditions: Mapping[str, Any]
    unparsed_rate: float | None = None
    error_rate: float | None = None
    at_k: Mapping[str, Rate] = field(default_factory=dict[str, Rate])
    conditions_digest: str = ""


@dataclass(frozen=True, slots=True)
class GateLine:
    """A gate of the recipe and what it found. `value` None: there is no such figure in the run."""

    metric: str
    value: float | None
    min: float | None
    max: float | None
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class TraceSample:
    """One trace with its question and verdict. Long texts are clipped, and say so."""

    trace_id: str
    question_id: str
    status: str
    domain: str
    source: str
    teacher: str
    finish: str
    prompt: str
    reference: str | None
    reasoning: str
    response: str
    extracted: str | None
    verifier: str
    detail: str


@dataclass(frozen=True, slots=True)
class CompletionSample:
    """One evaluated answer of a student."""

    benchmark: str
    student: str
    question_id: str
    status: str
    finish: str
    prompt: str
    reference: str | None
    response: str
    extracted: str | None
    verifier: str
    detail: str


@dataclass(frozen=True, slots=True)
class DropSample:
    """One dropped row, and what it said."""

    row_id: str
    reason: str
    other_id: str | None
    content: str


@dataclass(frozen=True, slots=True)
class DropGroup:
    """All drops of one rule at one stage, with a few of them."""

    stage: str
    label: str
    rule: str
    count: int
    samples: Sequence[DropSample]


@dataclass(frozen=True, slots=True)
class HitCount:
    """How many rows hold a question of one benchmark, found in one way."""

    benchmark: str
    rule: str
    how: str
    is_kept: bool
    count: int


@dataclass(frozen=True, slots=True)
class HitSample:
    """A row that holds a question of a benchmark: `text`, with the rest of the prompt `before` and `after` it.

    `benchmark_text` None: the row was kept, and its note names the question alone.
    """

    row_id: str
    rule: str
    how: str
    is_kept: bool
    score: float
    benchmark: str
    row: str
    before: str
    text: str
    after: str
    benchmark_text: str | None


@dataclass(frozen=True, slots=True)
class Contamination:
    """Rows that hold a benchmark's question. `hits` are some of them: of each way those with the lowest score."""

    rows: int
    counts: Sequence[HitCount]
    hits: Sequence[HitSample]


@dataclass(frozen=True, slots=True)
class DuplicateMember:
    """A row that was dropped for another. `similarity` None: the text is the same."""

    row_id: str
    rule: str
    similarity: float | None
    reason: str
    prompt: str


@dataclass(frozen=True, slots=True)
class DuplicateCluster:
    """A row that stayed, and rows that were dropped for it: some, the least alike first. `size` counts them all."""

    survivor_id: str
    source: str
    prompt: str
    size: int
    members: Sequence[DuplicateMember]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Rows that were dropped for others that ask the same. `shown` are the largest clusters and the loosest."""

    rows: int
    clusters: int
    shown: Sequence[DuplicateCluster]


@dataclass(frozen=True, slots=True)
class StageLine:
    """One table's lineage. `inputs` are the keys of the tables it was made from."""

    stage: str
    label: str
    key: str
    digest: str
    cached: bool
    rows_out: int
    seconds: float | None
    parts: Sequence[str]
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the report says."""

    schema: int
    run: str
    name: str
    title: str
    status: str
    digest: str
    recipe_digest: str
    started_at: float | None
    seconds: float | None
    headline: Headline
    gates: Sequence[GateLine]
    funnel: Sequence[FunnelStep]
    by_domain: Sequence[StatusLine]
    by_teacher: Sequence[StatusLine]
    teachers: Sequence[TeacherLine]
    economy: Economy | None
    training: Sequence[Curve]
    scores: Sequence[Score]
    traces: Sequence[TraceSample]
    completions: Sequence[CompletionSample]
    drops: Sequence[DropGroup]
    contamination: Contamination | None
    duplicates: Duplicates | None
    published: Sequence[Mapping[str, Any]]
    stages: Sequence[StageLine]
    sources: Sequence[Mapping[str, Any]]
    environment: Mapping[str, str]
    recipe: str
