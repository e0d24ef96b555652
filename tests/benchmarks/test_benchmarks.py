"""Benchmarks are sources with an evaluation's options."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from reasonry.arithmetic import parse_problem, split_of
from reasonry.errors import InputError
from tests.sources.parts import drops, options, part, questions, run


def test_a_file_gives_its_questions_and_sets_bad_rows_aside(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"q": "1+1?", "a": 2}\n{"q": ""}\n')
    rows = run(
        "benchmark",
        "jsonl",
        tmp_path,
        path="b.jsonl",
        fields={"prompt": "q", "answer": "a"},
        verifier="math",
        domain="sums",
        spec={"rel_tol": 0.1},
    )
    (question,) = questions(rows)
    assert (question.prompt, question.answer, question.verifier, question.domain) == ("1+1?", "2", "math", "sums")
    assert question.spec == {"rel_tol": 0.1}
    assert question.meta["origin"]["row"] == 1
    assert [(drop.row_id, drop.stage, drop.rule) for drop in drops(rows)] == [("b.jsonl:2", "evaluate", "empty_prompt")]


def test_its_file_is_an_input(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"prompt": "a", "answer": "1"}\n')
    inputs = part("benchmark", "jsonl").inputs
    assert inputs is not None
    assert [entry.name for entry in inputs(options("benchmark", "jsonl", tmp_path, path="b.jsonl"))] == ["b.jsonl"]


def test_an_empty_benchmark_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(b"")
    with pytest.raises(InputError, match="no rows"):
        run("benchmark", "jsonl", tmp_path, path="b.jsonl")


@pytest.mark.parametrize("family", ["chain_sum", "chain_signed", "purchase"])
def test_made_problems_are_all_of_the_test_split(tmp_path: Path, family: str) -> None:
    rows = questions(run("benchmark", "procedural", tmp_path, family=family, count=60, seed=5))
    assert len({row.prompt for row in rows}) == 60
    problems = [parse_problem(row.prompt) for row in rows]
    assert {split_of(problem) for problem in problems if problem} == {"test"}


def test_no_recipe_can_evaluate_on_training_problems(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        options("benchmark", "procedural", tmp_path, split="train")


def test_another_seed_asks_other_questions(tmp_path: Path) -> None:
    one, other = (
        {row.prompt for row in questions(run("benchmark", "procedural", tmp_path, count=200, seed=seed))}
        for seed in (1, 2)
    )
    assert len(one & other) < 4
