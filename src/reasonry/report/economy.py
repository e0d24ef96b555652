"""What a correct trace cost, and how often questions were asked: from manifests, and one column of the traces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from math import ceil

from reasonry.errors import StoreError
from reasonry.report.model import Economy, SamplesPerQuestion
from reasonry.report.reading import RunOnDisk
from reasonry.store import Manifest

__all__ = ["economy_of"]


def economy_of(run: RunOnDisk) -> Economy | None:
    """None for a run that distils nothing."""
    distil, verify = run.one("distil"), run.one("verify")
    if distil is None:
        return None
    correct = None if verify is None else int(verify.metrics.get("correct", 0))
    tokens_out = distil.metrics.get("tokens_out")
    return Economy(
        cost_usd=distil.cost_usd,
        tokens_out=tokens_out,
        correct=correct,
        cost_per_correct_usd=_per(distil.cost_usd, correct),
        tokens_per_correct=_per(tokens_out, correct),
        samples=_samples(run, distil),
        stopped=dict(distil.metrics.get("stopped", {})),
    )


def _per(total: float | None, count: int | None) -> float | None:
    return total / count if total is not None and count else None


def _samples(run: RunOnDisk, distil: Manifest) -> SamplesPerQuestion | None:
    """How many traces each question has. One without any (refused, or not recorded) counts with none."""
    by_question: Counter[str] = Counter(_question_ids(run, distil))
    without = distil.rows_in - len(by_question)
    counts: Mapping[int, int] = Counter(by_question.values()) + Counter({0: max(0, without)})
    questions = sum(counts.values())
    if not questions:
        return None
    return SamplesPerQuestion(
        questions=questions,
        mean=sum(samples * n for samples, n in counts.items()) / questions,
        p10=_percentile(counts, 0.1),
        median=_percentile(counts, 0.5),
        p90=_percentile(counts, 0.9),
        most=max(counts),
        histogram=sorted(counts.items()),
    )


def _percentile(counts: Mapping[int, int], share: float) -> int:
    """The smallest number of samples that at least this share of the questions do not exceed (nearest rank)."""
    rank = ceil(share * sum(counts.values()))
    below = 0
    for samples, questions in sorted(counts.items()):
        below += questions
        if below >= rank:
            return samples
    return max(counts)


def _question_ids(run: RunOnDisk, manifest: Manifest) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for shard in manifest.shards:
        if shard.contents == "rows":
            path = run.store.folder(manifest.stage, manifest.key) / shard.path
            try:
                yield from pq.read_table(path, columns=["question_id"]).column(0).to_pylist()
            except (OSError, pa.ArrowException) as exc:
                hint = "remove its folder: the stage will be done again from the ledger"
                raise StoreError(f"the shard cannot be read: {exc}", place=str(path), hint=hint) from exc
