"""From scores to words: on constructed scores, the rule decides and nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from reasonry.ablating.findings import Findings, Score, findings
from reasonry.sections import FactorOptions, LevelOptions


def factor(name: str, *levels: str, compare: bool = True) -> FactorOptions:
    return FactorOptions(name=name, levels=[LevelOptions(name=level) for level in levels], compare=compare)


def found(scores: Mapping[str, Sequence[float]], n: int = 1000) -> Findings:
    rows = [
        Score({"keep": level}, seed, "heldout", "student", accuracy, n)
        for level, values in scores.items()
        for seed, accuracy in enumerate(values, start=1)
    ]
    return findings(rows, [factor("keep", *scores)])


def test_a_clear_gain_is_better_and_a_clear_loss_is_worse() -> None:
    low, high = [0.50, 0.51, 0.52, 0.50, 0.51], [0.80, 0.81, 0.82, 0.81, 0.80]
    (gain,) = found({"all": low, "correct": high}).comparisons
    (loss,) = found({"correct": high, "all": low}).comparisons
    assert gain.verdict == "better"
    assert gain.words.startswith("correct is better than all by 30.0 points")
    assert loss.verdict == "worse"


def test_what_chance_explains_is_undecided_and_says_what_could_have_been_detected() -> None:
    (one,) = found({"all": [0.50, 0.60, 0.70], "correct": [0.52, 0.61, 0.68]}).comparisons
    assert one.verdict == "undecided"
    assert one.words.startswith("no effect detected")
    assert "you could have detected" in one.words


def test_one_seed_is_never_a_finding() -> None:
    one = found({"all": [0.1], "correct": [0.9]})
    assert [comparison.verdict for comparison in one.comparisons] == ["undecided"]
    assert "one seed each" in one.comparisons[0].words
    assert all(group.mean is None for group in one.groups)


def test_seeds_that_agree_by_chance_are_no_certainty() -> None:
    (one,) = found({"all": [0.50, 0.50], "correct": [0.54, 0.54]}, n=50).comparisons
    assert one.verdict == "undecided"
    (group, _) = found({"all": [0.50, 0.50], "correct": [0.54, 0.54]}, n=50).groups
    assert group.mean is not None
    assert group.mean.high - group.mean.low > 0.2


def test_many_comparisons_are_corrected_together() -> None:
    control, level = [0.50, 0.52, 0.54, 0.56], [0.56, 0.58, 0.60, 0.62]
    (alone,) = found({"control": control, "a": level}).comparisons
    several = found({"control": control, **dict.fromkeys("abcdefgh", level)}).comparisons
    assert alone.verdict == "better"
    assert {one.verdict for one in several} == {"undecided"}
    assert all(one.p == pytest.approx(min(1.0, 8 * alone.p)) for one in several)


def test_a_conclusion_names_the_conditions_under_which_it_holds() -> None:
    means = {("slips", "all"): 0.75, ("slips", "correct"): 0.95, ("bug", "all"): 0.54, ("bug", "correct"): 0.53}
    rows = [
        Score({"teacher": teacher, "keep": keep}, seed, "heldout", "student", mean + 0.005 * seed, 1000)
        for (teacher, keep), mean in means.items()
        for seed in range(1, 6)
    ]
    told = findings(rows, [factor("teacher", "slips", "bug", compare=False), factor("keep", "all", "correct")])
    assert [one.words for one in told.conclusions] == [
        "correct: better than all with slips; no effect detected with bug"
    ]


def test_a_wide_spread_between_seeds_is_told() -> None:
    (warning,) = found({"all": [0.2, 0.6, 0.99], "correct": [0.9, 0.91, 0.92]}).warnings
    assert warning.startswith("all: seeds from 20.0% to 99.0%")
