"""What is said of scores follows from the intervals by rule."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from reasonry.ablating.findings import Findings, Score, findings
from reasonry.sections import FactorOptions, LevelOptions

N = 400


def factor(name: str, *levels: str, **more: object) -> FactorOptions:
    return FactorOptions.model_validate({"name": name, "levels": [LevelOptions(name=one) for one in levels], **more})


def scores(levels: dict[str, str], values: Sequence[float]) -> list[Score]:
    return [Score(levels, seed, "heldout", "student", value, N) for seed, value in enumerate(values, start=1)]


def found(**arms: Sequence[float]) -> Findings:
    given = [score for name, values in arms.items() for score in scores({"data": name}, values)]
    return findings(given, [factor("data", *arms)])


def test_a_clear_difference_is_named_with_its_interval() -> None:
    (one,) = found(all=[0.61, 0.63, 0.60, 0.62, 0.64], verified=[0.91, 0.93, 0.92, 0.90, 0.94]).comparisons
    assert one.verdict == "better"
    assert one.words.startswith("verified is better than all by 30.0 points [+26.9, +33.1]")
    (other,) = found(verified=[0.91, 0.93, 0.92, 0.90, 0.94], all=[0.61, 0.63, 0.60, 0.62, 0.64]).comparisons
    assert other.verdict == "worse"


def test_no_effect_is_told_with_what_could_have_been_seen() -> None:
    (one,) = found(all=[0.2, 0.9, 0.5, 0.7, 0.4], verified=[0.3, 0.8, 0.6, 0.75, 0.45]).comparisons
    assert one.verdict == "undecided"
    assert one.difference is not None
    points = round(100 * one.difference.detectable)
    assert "no effect detected of verified against all (4.0 points more" in one.words
    assert one.words.endswith(f"you could have detected {points} points")
    assert points > 30


def test_seeds_that_agree_by_chance_are_no_proof() -> None:
    (one,) = found(all=[0.95, 0.95], verified=[0.955, 0.955]).comparisons
    assert one.verdict == "undecided"
    assert one.difference is not None
    assert one.difference.low < 0 < one.difference.high


def test_one_seed_tells_nothing_of_chance() -> None:
    (one,) = found(all=[0.2], verified=[0.9]).comparisons
    assert (one.verdict, one.difference, one.p) == ("undecided", None, 1.0)
    assert "one seed each" in one.words


def test_several_comparisons_are_corrected_together() -> None:
    control, level = [0.50, 0.52, 0.48, 0.51, 0.49], [0.53, 0.55, 0.50, 0.54, 0.52]
    alone = found(all=control, a=level).comparisons[0]
    among = found(all=control, a=level, b=control, c=control, d=control).comparisons[0]
    assert among.p == pytest.approx(4 * alone.p)


def test_a_condition_is_a_family_of_its_own() -> None:
    control, level = [0.60, 0.62, 0.64, 0.66], [0.65, 0.67, 0.69, 0.71]
    given = [
        score
        for teacher in ("good", "bad")
        for name, values in (("all", control), ("verified", level))
        for score in scores({"teacher": teacher, "data": name}, values)
    ]
    data = factor("data", "all", "verified")
    apart = findings(given, [factor("teacher", "good", "bad", compare=False), data]).comparisons
    together = findings(given, [factor("teacher", "good", "bad"), data]).comparisons
    assert [one.verdict for one in apart] == ["better", "better"]
    assert [one.p for one in apart] == pytest.approx([0.5 * one.p for one in together if one.factor == "data"])


def test_an_interval_that_is_clear_alone_says_so() -> None:
    control, level = [0.50, 0.52, 0.48, 0.51, 0.49], [0.545, 0.56, 0.52, 0.55, 0.53]
    one = found(all=control, a=level, b=control, c=control, d=control, e=control, f=control).comparisons[0]
    assert one.difference is not None
    assert one.difference.is_clear == (one.verdict != "undecided" or "clear if it stood alone" in one.words)


def test_where_nothing_differs_few_comparisons_say_otherwise() -> None:
    draws = random.Random(5)
    false = 0
    for _ in range(200):
        arms = {name: [draws.gauss(0.7, 0.05) for _ in range(5)] for name in ("all", "a", "b", "c")}
        false += any(one.verdict != "undecided" for one in found(**arms).comparisons)
    assert false <= (0.05 + 3 * 0.0154) * 200


def test_a_conclusion_says_under_which_conditions_it_holds() -> None:
    teacher, data = factor("teacher", "slips", "bug", compare=False), factor("data", "all", "verified")
    low, high = [0.50, 0.52, 0.48, 0.51], [0.90, 0.92, 0.88, 0.91]
    given = [
        *scores({"teacher": "slips", "data": "all"}, high),
        *scores({"teacher": "slips", "data": "verified"}, [score - 0.001 for score in high]),
        *scores({"teacher": "bug", "data": "all"}, low),
        *scores({"teacher": "bug", "data": "verified"}, high),
    ]
    told = findings(given, [teacher, data])
    assert [one.factor for one in told.comparisons] == ["data", "data"]
    (conclusion,) = told.conclusions
    assert conclusion.words == "verified against all: better with bug; no effect detected with slips"
    assert (conclusion.better, conclusion.undecided) == (["bug"], ["slips"])


def test_a_conclusion_without_conditions_says_how_much() -> None:
    told = found(all=[0.50, 0.52, 0.48, 0.51], verified=[0.90, 0.92, 0.88, 0.91])
    (conclusion,) = told.conclusions
    assert conclusion.words == told.comparisons[0].words
    assert "points [" in conclusion.words


def test_a_wide_spread_between_seeds_is_told() -> None:
    told = found(all=[0.21, 0.99, 0.7], verified=[0.9, 0.91, 0.92])
    assert len(told.warnings) == 1
    assert told.warnings[0].startswith("all: seeds from 21.0% to 99.0%")
