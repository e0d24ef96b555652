"""`reasonry eval` as a shell sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import assert_clear, reasonry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two questions, and two answers to each by one model and one by another."""
    (tmp_path / "q.jsonl").write_text(
        '{"prompt": "What is 1 + 1?", "answer": "2"}\n{"prompt": "What is 2 + 2?", "answer": "4"}\n'
    )
    rows = [
        {"question": f"What is {n} + {n}?", "response": f"\\boxed{{{said}}}", "model": model}
        for n, answers in ((1, ((2, "m"), (3, "m"), (9, "other"))), (2, ((4, "m"), (4, "m"), (9, "other"))))
        for said, model in answers
    ]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


REPLAY = ["--benchmark", "q.jsonl", "--set", "verifier=math", "--replay", "r.jsonl", "--workers", "1"]
COLUMNS = ["--ask", "fields.prompt=question", "--ask", "fields.model=model"]


def test_a_replay_is_scored_with_its_conditions_beside_it(folder: Path) -> None:
    done = reasonry("eval", "m", *REPLAY, *COLUMNS, "--set", "samples=2", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("m on jsonl: 75.0% [")
    assert "  pass@2: 100.0%" in done.stdout
    assert "cut off 0.0%, unparsed 0.0%, errors 0.0%" in done.stdout
    assert "samples 2, verifier math@" in lines[-1]


def test_json_is_one_object_with_score_conditions_and_digests(folder: Path) -> None:
    done = reasonry("eval", "other", *REPLAY, *COLUMNS, "--system", "Be brief.", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["schema"], shown["accuracy"], shown["n"], shown["coverage"]) == (1, 0.0, 2, 1.0)
    assert shown["conditions"]["system_prompt"] == "Be brief."
    assert len({shown["score_digest"], shown["conditions_digest"], shown["digest"]}) == 3


def test_a_part_of_the_answers_is_told_each_time(folder: Path) -> None:
    asked = [*REPLAY, *COLUMNS, "--set", "samples=3", "--ask", "max_refused=1"]
    for _ in range(2):
        done = reasonry("eval", "m", *asked, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert "33.3% of the answers asked for are missing" in done.stderr


def test_answers_that_cannot_be_verified_end_with_1(folder: Path) -> None:
    done = reasonry("eval", "m", *REPLAY, *COLUMNS, "--set", "spec.nonsense=true", cwd=folder)
    assert_clear(done, 1, "could not be verified")
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*REPLAY, "--base-url", "http://127.0.0.1:1/v1"], "give one of them"),
        (["--benchmark", "q.jsonl", "--ask", "fields.prompt=question"], "no endpoint or replay"),
        ([*REPLAY, "--set", "samples"], "cannot read 'samples'"),
        ([*REPLAY, "--set", "max_error_rate=2"], "max_error_rate"),
        ([*REPLAY, "--ask", "path=nowhere.jsonl"], "nowhere.jsonl"),
        (["--benchmark", "q.jsonl", "--provider", "opnai"], "openai"),
    ],
)
def test_a_wrong_command_is_one_clear_error(folder: Path, arguments: list[str], said: str) -> None:
    assert_clear(reasonry("eval", "m", *arguments, cwd=folder), 2, said)
