"""reasoning-gym tasks: items seeded apart, and splits that cannot overlap."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from reasonry.errors import InputError, PartError
from reasonry.sources.gym import split_of_text
from tests.sources.parts import options, part, questions, run

pytest.importorskip("reasoning_gym", reason="the gym extra is not installed")

HERE = Path()


def prompts(**values: Any) -> set[str]:
    return {question.prompt for question in questions(run("source", "reasoning_gym", HERE, **values))}


def inputs(**values: Any) -> Any:
    chosen = part("source", "reasoning_gym")
    assert chosen.inputs is not None
    return chosen.inputs(options("source", "reasoning_gym", HERE, **values))


def test_neighbouring_seeds_share_nothing_though_the_package_shares_nearly_all() -> None:
    import reasoning_gym

    one, other = (
        {item["question"] for item in reasoning_gym.create_dataset("leg_counting", size=50, seed=seed)}
        for seed in (7, 8)
    )
    assert len(one & other) == 49, "the package seeds apart now: this source's care is no longer needed"
    assert not prompts(task="leg_counting", count=50, seed=7) & prompts(task="leg_counting", count=50, seed=8)


def test_train_and_test_never_overlap_whatever_the_seeds() -> None:
    values: dict[str, Any] = {"task": "chain_sum", "config": {"max_terms": 2, "max_digits": 1}, "count": 15}
    train = set[str]().union(*(prompts(**values, seed=seed) for seed in range(8)))
    test = set[str]().union(*(prompts(**{**values, "count": 5}, seed=seed, split="test") for seed in range(8)))
    assert len(train) > 60
    assert len(test) > 5
    assert not train & test
    assert {split_of_text(text) for text in test} == {"test"}


@pytest.mark.parametrize("task", ["leg_counting", "list_functions", "acre", "gsm_symbolic", "survo"])
def test_a_seed_makes_the_same_questions_again(task: str) -> None:
    rows = run("source", "reasoning_gym", HERE, task=task, count=6, seed=3)
    assert rows == run("source", "reasoning_gym", HERE, task=task, count=6, seed=3)
    assert len({row.prompt for row in questions(rows)}) == 6


def test_a_task_that_prints_leaves_our_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    run("source", "reasoning_gym", HERE, task="boxnet", count=3)
    assert capsys.readouterr().out == ""


def test_the_version_of_the_package_is_an_input_and_in_the_origin() -> None:
    from importlib.metadata import version

    (entry,) = inputs(task="leg_counting")
    assert entry.name == f"reasoning-gym {version('reasoning-gym')}"
    (row,) = questions(run("source", "reasoning_gym", HERE, task="leg_counting", count=1, seed=5))
    expected = {"generator": "reasoning_gym", "task": "leg_counting", "seed": 5, "row": 1}
    assert expected.items() <= row.meta["origin"].items()
    assert row.meta["origin"]["version"] == version("reasoning-gym")


def test_an_unknown_task_or_setting_is_named_with_the_nearest() -> None:
    with pytest.raises(PartError) as error:
        inputs(task="leg_countin")
    assert error.value.hint == "did you mean 'leg_counting'?"
    with pytest.raises(PartError) as error:
        run("source", "reasoning_gym", HERE, task="leg_counting", config={"max_animal": 3})
    assert error.value.hint == "did you mean 'max_animals'?"


@pytest.mark.parametrize("config", [{"max_animals": -5}, {"max_animals": "many"}, {"seed": 3}, {"size": 10}])
def test_a_config_the_task_refuses_is_an_error_of_the_recipe(config: dict[str, Any]) -> None:
    with pytest.raises(PartError):
        inputs(task="leg_counting", config=config)


def test_a_task_that_has_too_few_questions_says_so() -> None:
    config = {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1}
    with pytest.raises(InputError, match="only"):
        run("source", "reasoning_gym", HERE, task="chain_sum", config=config, count=3000, split="test")


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    monkeypatch.setitem(sys.modules, "reasoning_gym.factory", None)
    with pytest.raises(PartError) as error:
        run("source", "reasoning_gym", HERE, task="leg_counting")
    assert error.value.hint == "pip install 'reasonry[gym]'"
