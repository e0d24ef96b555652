"""`reasonry compare` as a shell sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import assert_clear, reasonry
from tests.pairing.tables import CONDITIONS, OURS, answers, row, seal


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scores: a and b under the same conditions, c under others."""
    home = tmp_path_factory.mktemp("compare")
    seal(home / "a", answers(range(8)))
    seal(home / "b", [*answers(range(2, 28), questions=29), row(29, OURS)])
    seal(home / "c", answers(range(8)), conditions={**CONDITIONS, "max_tokens": 512})
    return home


def test_people_get_the_finding_the_flips_and_what_was_left_out(home: Path) -> None:
    done = reasonry("compare", "a", "b", "--show", "1", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "B is better by " in done.stdout
    assert "left out: 1 of which B has no scored answer" in done.stdout
    assert "flipped: 20 that only B solves, 2 that only A solves" in done.stdout
    assert done.stdout.count("  only B: ") == 1
    assert "B: 1 error of 30 answers are outside the score" in done.stderr


def test_programs_get_one_object_with_every_flip(home: Path) -> None:
    done = reasonry("compare", "a", "b", "--json", "--show", "0", cwd=home)
    shown = json.loads(done.stdout)
    assert (shown["schema"], shown["questions"], shown["conditions_match"]) == (1, 29, True)
    assert {name: len(found) for name, found in shown["flips"].items()} == {"gained": 20, "lost": 2}
    assert all(flip["response_a"] and flip["response_b"] for flip in shown["flips"]["gained"])
    assert shown["difference"]["clear"]
    assert shown["b"]["unscored_rows"] == {"error": 1, "skipped": 0}


def test_other_conditions_end_with_2_or_are_said(home: Path) -> None:
    assert_clear(reasonry("compare", "a", "c", cwd=home), 2, "differs: max_tokens: A 32768, B 512")
    done = reasonry("compare", "a", "c", "--despite-conditions", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "no difference detected" in done.stdout
    assert "max_tokens: A 32768, B 512" in done.stdout
    assert "conditions that differ or are unknown: 1;" in done.stderr


def test_a_run_beside_published_scores(home: Path) -> None:
    done = reasonry("compare", "a", "--published", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "0 of " in done.stdout
    assert "    not comparable; differs: harness Evalchemy (here 'reasonry math@3')" in done.stdout
    assert "    66.0%  OpenThinker-32B\n" in done.stdout
    sources = [line for line in done.stdout.splitlines() if "https://" in line]
    assert len(sources) == len(set(sources))
    shown = json.loads(reasonry("compare", "a", "--published", "--json", cwd=home).stdout)
    (score,) = shown["scores"]
    assert {one["benchmark"] for one in score["published"]} == {"aime24"}
    assert not any(one["comparable"] for one in score["published"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a"], "compare with what?"),
        (["a", "nowhere"], "no such folder"),
        (["a", "b:aime24/x"], "did you mean 'aime24/s'?"),
        (["a", "b", "--published"], "leave B out"),
        (["a", "--published-from", "none.toml"], "cannot be read"),
        (["a", "b", "--show", "-1"], "--show"),
    ],
)
def test_a_wrong_command_is_one_clear_error(home: Path, arguments: list[str], said: str) -> None:
    assert_clear(reasonry("compare", *arguments, cwd=home), 2, said)
