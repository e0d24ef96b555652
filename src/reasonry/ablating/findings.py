"""From scores to effects and words, by rule: what is said follows from the intervals, never from a person.

The unit is a training: its score on a benchmark. Levels are compared by Welch's test over the seeds, in each
combination of the other factors; p values of one factor's comparisons are corrected together by Holm's method, those
under each condition (a factor that is not compared) apart: there each condition is an experiment of its own. Seeds that
happen to agree are not taken for certainty: a score is no more exact than its number of questions.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from reasonry.sections import FactorOptions
from reasonry.stats import Difference, Interval, difference_of_runs, holm, mean_of_runs

__all__ = ["Comparison", "Conclusion", "Group", "Score", "findings", "noise_of", "sentence"]

LEVEL = 0.05
WIDE = 0.2  # a spread between seeds of so much is told


@dataclass(frozen=True, slots=True)
class Score:
    """What one training reached."""

    levels: Mapping[str, str]
    seed: int
    benchmark: str
    student: str
    accuracy: float
    n: int


@dataclass(frozen=True, slots=True)
class Group:
    """The trainings of one combination of levels; `scores` in the order of seeds. `mean` None: there is one alone.

    `noise` is the variance that a score has because it was measured on so many questions.
    """

    levels: Mapping[str, str]
    benchmark: str
    student: str
    scores: Sequence[float]
    noise: float
    mean: Interval | None

    @property
    def average(self) -> float:
        return fmean(self.scores)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A level of a factor against another, under given levels of the other factors. `p` is corrected.

    `verdict` is `better`, `worse` or `undecided`; `difference` None: one seed tells nothing of chance.
    """

    factor: str
    level: str
    control: str
    others: Mapping[str, str]
    benchmark: str
    student: str
    difference: Difference | None
    p: float
    verdict: str
    words: str


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One comparison over all conditions: where it pays, where it costs, and where nothing can be said."""

    factor: str
    level: str
    control: str
    benchmark: str
    student: str
    better: Sequence[str]
    worse: Sequence[str]
    undecided: Sequence[str]
    words: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a matrix of scores says."""

    groups: Sequence[Group]
    comparisons: Sequence[Comparison]
    conclusions: Sequence[Conclusion]
    warnings: Sequence[str]


def findings(scores: Sequence[Score], factors: Sequence[FactorOptions]) -> Findings:
    """Groups, comparisons and conclusions, in the order of factors and levels."""
    groups = list(_groups(scores))
    comparisons = [
        comparison
        for benchmark, student in dict.fromkeys((group.benchmark, group.student) for group in groups)
        for factor in factors
        for comparison in _compared(
            factor, factors, [group for group in groups if (group.benchmark, group.student) == (benchmark, student)]
        )
    ]
    return Findings(groups, comparisons, list(_conclusions(comparisons)), list(_warnings(groups)))


def _groups(scores: Sequence[Score]) -> Iterator[Group]:
    found: dict[tuple[str, str, tuple[tuple[str, str], ...]], list[Score]] = {}
    for score in scores:
        found.setdefault((score.benchmark, score.student, tuple(score.levels.items())), []).append(score)
    for (benchmark, student, levels), several in found.items():
        values = [score.accuracy for score in sorted(several, key=lambda score: score.seed)]
        noise = noise_of(fmean(values), several[0].n)
        mean = mean_of_runs(values, least_variance=noise) if len(values) > 1 else None
        if mean is not None:
            mean = replace(mean, low=max(0.0, mean.low), high=min(1.0, mean.high))
        yield Group(dict(levels), benchmark, student, values, noise, mean)


def noise_of(share: float, n: int) -> float:
    """The variance of a share of n questions, two right and two wrong ones added (Agresti and Coull 1998)."""
    moved = (share * n + 2) / (n + 4)
    return moved * (1 - moved) / (n + 4)


def _compared(factor: FactorOptions, factors: Sequence[FactorOptions], groups: Sequence[Group]) -> Iterator[Comparison]:
    by_levels = {tuple(sorted(group.levels.items())): group for group in groups}
    others = [[(other.name, level.name) for level in other.levels] for other in factors if other is not factor]
    pairs = [
        (level, control, dict(chosen)) for chosen in itertools.product(*others) for level, control in factor.comparisons
    ]
    found = [
        (level, control, chosen, one, other)
        for level, control, chosen in pairs
        if (one := by_levels.get(tuple(sorted({**chosen, factor.name: level}.items())))) is not None
        and (other := by_levels.get(tuple(sorted({**chosen, factor.name: control}.items())))) is not None
    ]
    differences = [_difference(other, one) for *_, one, other in found]
    conditions = [other.name for other in factors if other is not factor and not other.compare]
    corrected = _corrected(differences, [tuple(chosen[name] for name in conditions) for _, _, chosen, *_ in found])
    for (level, control, chosen, one, _), difference, p in zip(found, differences, corrected, strict=True):
        verdict = "undecided"
        if difference is not None and p < LEVEL:
            verdict = "better" if difference.estimate > 0 else "worse"
        words = sentence(level, control, difference, verdict)
        yield Comparison(factor.name, level, control, chosen, one.benchmark, one.student, difference, p, verdict, words)


def _corrected(differences: Sequence[Difference | None], families: Sequence[Hashable]) -> list[float]:
    """Holm's p values, those of each family corrected together."""
    corrected = [1.0] * len(differences)
    for family in dict.fromkeys(families):
        members = [i for i, one in enumerate(families) if one == family]
        alone = [1.0 if (difference := differences[i]) is None else difference.p for i in members]
        for i, p in zip(members, holm(alone), strict=True):
            corrected[i] = p
    return corrected


def _difference(control: Group, level: Group) -> Difference | None:
    if min(len(control.scores), len(level.scores)) < 2:
        return None
    return difference_of_runs(control.scores, level.scores, least_variances=(control.noise, level.noise))


def sentence(level: str, control: str, difference: Difference | None, verdict: str) -> str:
    """A comparison in plain language."""
    if difference is None:
        return f"{level} and {control} were trained with one seed each: what another seed would do is unknown"
    points = f"{abs(100 * difference.estimate):.1f} points [{_points(difference.low)}, {_points(difference.high)}]"
    if verdict != "undecided":
        return f"{level} is {verdict} than {control} by {points}"
    more = "more" if difference.estimate >= 0 else "less"
    alone = ", clear if it stood alone, but not among so many comparisons" if difference.is_clear else ""
    return (
        f"no effect detected of {level} against {control} ({points.replace(' points', f' points {more}', 1)}{alone}); "
        f"you could have detected {100 * difference.detectable:.0f} points"
    )


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _conclusions(comparisons: Sequence[Comparison]) -> Iterator[Conclusion]:
    found: dict[tuple[str, str, str, str, str], list[Comparison]] = {}
    for one in comparisons:
        found.setdefault((one.factor, one.level, one.control, one.benchmark, one.student), []).append(one)
    for (factor, level, control, benchmark, student), several in found.items():
        where = {
            verdict: [_condition(one.others) for one in several if one.verdict == verdict]
            for verdict in ("better", "worse", "undecided")
        }
        parts = [
            f"{what}{f' with {_listed(where[verdict])}' if any(where[verdict]) else ''}"
            for verdict, what in (
                ("better", "better"),
                ("worse", "worse"),
                ("undecided", "no effect detected"),
            )
            if where[verdict]
        ]
        alone = several[0] if len(several) == 1 and not several[0].others else None
        words = alone.words if alone is not None else f"{level} against {control}: {'; '.join(parts)}"
        yield Conclusion(
            factor, level, control, benchmark, student, where["better"], where["worse"], where["undecided"], words
        )


def _condition(others: Mapping[str, str]) -> str:
    return ", ".join(others.values())


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _warnings(groups: Sequence[Group]) -> Iterator[str]:
    wide = [group for group in groups if max(group.scores) - min(group.scores) >= WIDE]
    for group in wide:
        low, high = 100 * min(group.scores), 100 * max(group.scores)
        named = ", ".join(group.levels.values())
        yield f"{named}: seeds from {low:.1f}% to {high:.1f}%; {len(group.scores)} seeds are few for so wide a spread"
