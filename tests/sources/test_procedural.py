"""Made problems: the same for the same seed, others for another, and never in both splits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.arithmetic import FAMILIES, parse_problem, split_of
from reasonry.errors import InputError
from reasonry.sources.procedural import FamilyName
from tests.sources.parts import questions, run

HERE = Path()


def prompts(**values: Any) -> set[str]:
    return {question.prompt for question in questions(run("source", "procedural", HERE, **values))}


def test_the_recipe_offers_every_family() -> None:
    assert set(get_args(FamilyName)) == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_question_states_a_problem_whose_answer_it_has(family: str) -> None:
    for question in questions(run("source", "procedural", HERE, family=family, count=50, steps=3)):
        problem = parse_problem(question.prompt)
        assert problem is not None
        assert str(problem.answer) == question.answer
        assert (question.verifier, question.domain, question.spec) == ("steps", "arithmetic", {})


def test_questions_are_distinct_and_as_many_as_asked_for() -> None:
    rows = questions(run("source", "procedural", HERE, count=500, steps=1, digits=2))
    assert len({row.id for row in rows}) == len(rows) == 500


def test_train_and_test_never_overlap_whatever_the_seeds() -> None:
    train = set[str]().union(*(prompts(count=40, digits=1, steps=2, seed=seed) for seed in range(25)))
    test = set[str]().union(*(prompts(count=40, digits=1, steps=2, seed=seed, split="test") for seed in range(25)))
    assert len(train) > 400
    assert len(test) > 60
    assert not train & test


def test_neighbouring_seeds_share_nearly_nothing() -> None:
    one, other = prompts(count=1000, seed=7), prompts(count=1000, seed=8)
    assert len(one & other) < 5


@given(
    seed=st.integers(min_value=0, max_value=2**31),
    family=st.sampled_from(sorted(FAMILIES)),
    steps=st.integers(min_value=1, max_value=6),
    digits=st.integers(min_value=2, max_value=5),
    split=st.sampled_from(["train", "test"]),
)
@settings(max_examples=30)
def test_the_same_options_make_the_same_rows_of_their_split(
    seed: int, family: str, steps: int, digits: int, split: str
) -> None:
    values = {"seed": seed, "family": family, "steps": steps, "digits": digits, "split": split, "count": 8}
    first = run("source", "procedural", HERE, **values)
    assert first == run("source", "procedural", HERE, **values)
    for question in questions(first):
        problem = parse_problem(question.prompt)
        assert problem is not None
        assert split_of(problem) == split


def test_more_problems_of_a_seed_begin_with_the_same_ones() -> None:
    few = run("source", "procedural", HERE, count=20)
    assert run("source", "procedural", HERE, count=40)[:20] == few


def test_take_stops_early() -> None:
    assert len(run("source", "procedural", HERE, count=40, take=3)) == 3


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_family_that_has_too_few_problems_says_how_many_it_has(split: str) -> None:
    with pytest.raises(InputError) as error:
        run("source", "procedural", HERE, count=5000, steps=1, digits=1, split=split)
    possible = [f"Compute {a} + {b}." for a in range(1, 10) for b in range(1, 10)]
    found = [p for p in possible if (problem := parse_problem(p)) and split_of(problem) == split]
    assert f"only {len(found)} {split} problems" in error.value.message
    assert f"count = {len(found)}" in (error.value.hint or "")


def test_the_origin_tells_how_to_make_the_question_again() -> None:
    rows = questions(run("source", "procedural", HERE, count=3, seed=11, family="purchase"))
    assert rows[2].meta["origin"] == {"generator": "procedural", "family": "purchase", "seed": 11, "row": 3}
