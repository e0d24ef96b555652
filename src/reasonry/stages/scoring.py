"""What an evaluation counts, and the figures that come of it: avg@k, pass@k, majority@k, and the rates beside them.

`error` and `skipped` are our side's: they are in no denominator. A question counts for a k where it has so many samples
with a score. Intervals are by questions, since the samples of one question are not independent: Wilson's for one sample
each, else the bootstrap over whole questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from reasonry.errors import WorkFailed
from reasonry.sections import EvaluateSection
from reasonry.stats import Interval, bootstrap_mean, pass_at_k, wilson
from reasonry.types import Finish, Status, Verdict

__all__ = ["ScoreTally", "majority_at_k", "sizes_of"]

_EXAMPLES = 3
_DETAIL_CHARACTERS = 160
_WITHOUT_VOTES = frozenset(("code",))  # no two programs are the same answer


@dataclass(frozen=True, slots=True)
class _Sample:
    """One scored sample: whether it is right, and what it votes for; None: it names no answer."""

    score: float
    vote: Hashable | None


@dataclass(slots=True)
class _Question:
    samples: list[_Sample] = field(default_factory=list[_Sample])

    @property
    def right(self) -> int:
        return sum(sample.score == 1.0 for sample in self.samples)


class ScoreTally:
    """Verdicts as they come, by question. Of a response it keeps no more than the answer that was found in it."""

    def __init__(self) -> None:
        self._statuses: Counter[str] = Counter()
        self._questions: dict[str, _Question] = {}
        self._truncated = 0
        self._errors: list[str] = []

    def add(self, question_id: str, finish: Finish, verdict: Verdict) -> None:
        self._statuses[verdict.status.value] += 1
        self._truncated += finish == "length"
        if verdict.status is Status.ERROR and len(self._errors) < _EXAMPLES:
            self._errors.append(f"{question_id}: {verdict.detail[:_DETAIL_CHARACTERS]}")
        question = self._questions.setdefault(question_id, _Question())
        if verdict.status.score is not None:
            question.samples.append(_Sample(verdict.status.score, _vote_of(verdict)))

    @property
    def errors(self) -> int:
        return self._statuses[Status.ERROR.value]

    @property
    def error_rate(self) -> float:
        """The share of all answers that our side failed to verify."""
        return self._rate(self.errors)

    def check_errors(self, section: EvaluateSection) -> None:
        """Raises WorkFailed where more answers than the section allows could not be verified."""
        if self.error_rate > section.max_error_rate:
            raise WorkFailed(
                f"{self.errors:,} of {self._statuses.total():,} answers could not be verified ({self.error_rate:.2%}): "
                + "; ".join(self._errors),
                place=f"evaluate: {section.label}",
                hint="no score is given: mend the questions, or raise max_error_rate"
                f" (it is {section.max_error_rate:g})",
            )

    def metrics(self, section: EvaluateSection) -> dict[str, Any]:
        """The figures as the manifest holds them. Without a single scored answer there is no accuracy."""
        scored = [question for question in self._questions.values() if question.samples]
        scores = [sample.score for question in scored for sample in question.samples]
        metrics: dict[str, Any] = {
            "n": len(scores),
            "rows": self._statuses.total(),
            "questions": len(self._questions),
            "statuses": {status.value: self._statuses[status.value] for status in Status},
            "truncated_rate": self._rate(self._truncated),
            "unparsed_rate": self._rate(self._statuses[Status.UNPARSED.value]),
            "error_rate": self.error_rate,
        }
        if not scores:
            return metrics
        mean = _mean(scored, section)
        metrics |= {"accuracy": mean.estimate, "low": mean.low, "high": mean.high, "interval": mean.method}
        for name, share in _at_k(scored, section):
            metrics |= {name: share.estimate, f"{name}_low": share.low, f"{name}_high": share.high}
        return metrics

    def _rate(self, count: int) -> float:
        rows = self._statuses.total()
        return count / rows if rows else 0.0


def sizes_of(samples: int) -> list[int]:
    """The k for which figures are given: 1, 2, 4, ... and all samples."""
    powers = [1 << i for i in range(samples.bit_length())]
    return [*powers, samples] if powers[-1] != samples else powers


def majority_at_k(votes: Sequence[Hashable | None], right: Hashable, k: int) -> float:
    """How often the answer that most of k samples name is `right`: the mean over the blocks of k samples there are.

    The blocks share no sample, so the mean is unbiased. None is no vote; answers that are level share the block; where
    nobody votes the block is lost. Raises ValueError for fewer than k votes.
    """
    if not 1 <= k <= len(votes):
        raise ValueError(f"majority of {k} needs as many votes, not {len(votes)}")
    blocks = [votes[start : start + k] for start in range(0, len(votes) - k + 1, k)]
    return sum(_won(block, right) for block in blocks) / len(blocks)


def _won(block: Sequence[Hashable | None], right: Hashable) -> float:
    counts = Counter(vote for vote in block if vote is not None)
    most = max(counts.values(), default=0)
    leaders = [vote for vote, count in counts.items() if count == most]
    return (right in leaders) / len(leaders) if leaders else 0.0


_RIGHT: Hashable = Status.CORRECT.value


def _vote_of(verdict: Verdict) -> Hashable | None:
    """Right answers are one answer, however they are written; others are told apart by their text."""
    if verdict.verifier.partition("@")[0] in _WITHOUT_VOTES:
        return None
    if verdict.status is Status.CORRECT:
        return _RIGHT
    return None if verdict.extracted is None else ("wrong", " ".join(verdict.extracted.split()).casefold())


def _mean(scored: Sequence[_Question], section: EvaluateSection) -> Interval:
    """avg@k: the mean over all samples."""
    if section.samples == 1:
        return wilson(sum(question.right for question in scored), len(scored))
    values = [sample.score for question in scored for sample in question.samples]
    clusters = [number for number, question in enumerate(scored) for _ in question.samples]
    return _interval(values, clusters, section.seed or 0)


def _at_k(scored: Sequence[_Question], section: EvaluateSection) -> Iterator[tuple[str, Interval]]:
    if section.samples == 1:
        return
    seed = section.seed or 0
    for k in sizes_of(section.samples):
        enough = [question for question in scored if len(question.samples) >= k]
        if not enough:
            return
        solved = [pass_at_k(len(question.samples), question.right, k) for question in enough]
        yield f"pass@{k}", _interval(solved, range(len(solved)), seed)
        votes = [[sample.vote for sample in question.samples] for question in enough]
        if k > 1 and any(vote is not None for one in votes for vote in one):
            won = [majority_at_k(one, _RIGHT, k) for one in votes]
            yield f"majority@{k}", _interval(won, range(len(won)), seed)


def _interval(values: Sequence[float], clusters: Sequence[int], seed: int) -> Interval:
    if len(set(values)) > 1:
        return bootstrap_mean(values, clusters, seed=seed)
    # Resampling equal values shows no spread; so many questions, all alike, still leave room for chance.
    questions = len(set(clusters))
    share = wilson(round(values[0] * questions), questions)
    return Interval(values[0], share.low, share.high, len(values))
