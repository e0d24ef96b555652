"""Several seeds of the training: the spread between them is in a gain's interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from reasonry.console import Console
from reasonry.iterating import RoundRead, Signals, iterate
from reasonry.iterating.round import gain_between
from reasonry.recipe import Recipe, load_recipe
from reasonry.report import write_iteration
from reasonry.stats import difference_of_runs, wilson

Recipes = Callable[..., Recipe]
SIGNALS = Signals(1.0, 1.0, 1.0, 0.0, 0.0, 0.0)


def read_of(right: int, by_seed: Sequence[float]) -> RoundRead:
    """So many of a thousand questions right, by each of the trainings together."""
    scores = {str(i): float(i < right) for i in range(1000)}
    return RoundRead(scores, by_seed, [], [], wilson(right, 1000), SIGNALS, "test")


def test_one_training_is_compared_question_by_question() -> None:
    gain = gain_between(read_of(400, [0.4]), read_of(500, [0.5]))
    assert gain.n == 1000
    assert 0.05 < gain.low < 0.1 < gain.high < 0.15


def test_seeds_that_disagree_make_the_interval_wide() -> None:
    before, now = [0.2, 0.4, 0.6], [0.3, 0.5, 0.7]
    gain, expected = gain_between(read_of(400, before), read_of(500, now)), difference_of_runs(before, now)
    assert gain.method == "Welch's t"
    assert (gain.low, gain.high) == pytest.approx((expected.low, expected.high))
    assert not gain.is_clear


def test_seeds_that_agree_are_no_more_exact_than_the_test_is_long() -> None:
    gain = gain_between(read_of(400, [0.4] * 3), read_of(500, [0.5] * 3))
    assert 0.5 * (gain.high - gain.low) > 0.02
    assert gain.is_clear


@pytest.mark.long
def test_each_run_is_trained_with_every_seed_and_shares_the_rest(rounds_recipe: Recipes, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    recipe, folder = rounds_recipe(), tmp_path / "out"
    facts: Any = iterate(recipe, folder, rounds=0, seeds=2, workers=1, console=Console(quiet=True)).facts
    (first,) = facts["rounds"]
    (again,) = first["again"]
    assert len(first["by_seed"]) == 2
    assert again["digest"] != first["digest"]
    made, other = (load_recipe(recipe.path, settings) for settings in (first["settings"], again["settings"]))
    assert [one.key_content() for one in (made.questions[0], made.select)] == [
        one.key_content() for one in (other.questions[0], other.select)
    ]
    assert made.train[0].key_content() != other.train[0].key_content()
    assert len(list((folder / "tables" / "distil").glob("*/manifest.json"))) == 1
    assert len(list((folder / "tables" / "train").glob("*/manifest.json"))) == 2
    assert "with each seed" in write_iteration(folder).read_text(encoding="utf-8")
