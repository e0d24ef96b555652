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


def test_the_folder_of_a_run_is_no_checkpoint_but_names_its_own(folder: Path) -> None:
    checkpoint = folder / "run" / "tables" / "train" / "0a1b" / "checkpoint"
    checkpoint.mkdir(parents=True)
    done = reasonry("eval", "run", "--benchmark", "q.jsonl", cwd=folder)
    assert_clear(done, 2, "hint: run/tables/train/0a1b/checkpoint")


def test_a_recording_of_others_says_what_to_look_at(folder: Path) -> None:
    assert_clear(reasonry("eval", "nobody", *REPLAY, *COLUMNS, cwd=folder), 1, "look at `fields` and `model`")


def test_a_part_of_the_answers_is_told_each_time(folder: Path) -> None:
    asked = [*REPLAY, *COLUMNS, "--set", "samples=3", "--ask", "max_refused=1"]
    for _ in range(2):
        done = reasonry("eval", "m", *asked, cwd=folder)
        assert done.returncode == 0, done.stderr
        assert "33.3% of the answers asked for are missing" in done.stderr


def test_rows_of_the_benchmark_that_are_no_question_are_told_with_where_the_score_is(folder: Path) -> None:
    with (folder / "q.jsonl").open("a") as file:
        file.write('{"prompt": "What is 1 + 1?", "answer": "2"}\nnot json\n')
    done = reasonry("eval", "m", *REPLAY, *COLUMNS, "--set", "samples=2", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "warning: rows of the benchmark that are no question of it: not_json 1, same_question 1" in done.stderr
    handle = done.stderr.split("for `reasonry compare`: ")[1].strip()
    beside = reasonry("compare", handle, "--published", cwd=folder)
    assert beside.stdout.startswith("jsonl/m: 75.0% [")


def test_no_score_at_all_is_a_failure_that_says_why(folder: Path) -> None:
    code = ["--benchmark", "q.jsonl", "--set", "verifier=code", "--replay", "r.jsonl", "--workers", "1", *COLUMNS]
    done = reasonry("eval", "m", *code, cwd=folder)
    assert_clear(done, 1, "nothing could be scored; the first: skipped: ")
    assert done.stdout == "m on jsonl: no score (2 skipped)\n"


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
        (["--benchmark", "q.jsonl", "--set", "smples=2"], "did you mean 'samples'?"),
        (["--benchmark", "nowhere.jsonl"], "no such file: nowhere.jsonl"),
        (["--benchmark", "q.jsonl"], "of a model that is served give --base-url"),
    ],
)
def test_a_wrong_command_is_one_clear_error(folder: Path, arguments: list[str], said: str) -> None:
    assert_clear(reasonry("eval", "m", *arguments, cwd=folder), 2, said)
