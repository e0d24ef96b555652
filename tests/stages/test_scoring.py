"""The figures of an evaluation: what counts, what stands outside, and what k samples come to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pytest

from reasonry.errors import WorkFailed
from reasonry.sections import EvaluateSection
from reasonry.stages.scoring import ScoreTally, majority_at_k, sizes_of
from reasonry.stats import pass_at_k
from reasonry.types import Finish, Status, Verdict

LETTERS = {
    "c": Status.CORRECT,
    "i": Status.INCORRECT,
    "u": Status.UNPARSED,
    "t": Status.TIMEOUT,
    "e": Status.ERROR,
    "s": Status.SKIPPED,
}


def section(**values: Any) -> EvaluateSection:
    return EvaluateSection(benchmark="jsonl", seed=3, **values)


def figures(
    statuses: Sequence[str], finish: Finish = "stop", verifier: str = "math@3", **values: Any
) -> dict[str, Any]:
    """The metrics of questions whose samples have these statuses, a letter each; wrong answers are all the same."""
    tally = ScoreTally()
    for number, letters in enumerate(statuses):
        for letter in letters:
            extracted = "7" if letter == "i" else "8" if letter == "c" else None
            tally.add(f"q-{number}", finish, Verdict(LETTERS[letter], verifier, extracted))
    return tally.metrics(section(samples=max(len(letters) for letters in statuses)))


def test_errors_and_skipped_are_in_no_denominator_and_everything_else_is() -> None:
    found = figures(["c", "i", "u", "t", "e", "s"])
    assert (found["n"], found["rows"], found["accuracy"], found["interval"]) == (4, 6, 0.25, "wilson")
    assert found["error_rate"] == pytest.approx(1 / 6)
    assert found["unparsed_rate"] == pytest.approx(1 / 6)
    assert found["statuses"] == {status.value: 1 for status in Status}


def test_nothing_scored_is_no_score() -> None:
    found = figures(["e", "s"])
    assert found["n"] == 0
    assert not {"accuracy", "low", "high"} & found.keys()


def test_cut_off_answers_are_counted() -> None:
    assert figures(["c", "i"], finish="length")["truncated_rate"] == 1.0


@pytest.mark.parametrize(
    ("samples", "sizes"), [(1, [1]), (2, [1, 2]), (5, [1, 2, 4, 5]), (8, [1, 2, 4, 8]), (12, [1, 2, 4, 8, 12])]
)
def test_figures_are_given_for_powers_of_two_and_all_samples(samples: int, sizes: list[int]) -> None:
    assert sizes_of(samples) == sizes


def test_pass_and_majority_at_k() -> None:
    found = figures(["ccii", "iiii", "cccc", "ciii"])
    assert found["accuracy"] == found["pass@1"] == pytest.approx(7 / 16)
    assert found["pass@4"] == 0.75
    assert found["pass@2"] == pytest.approx((5 / 6 + 0 + 1 + 1 / 2) / 4)
    assert found["majority@4"] == pytest.approx((0.5 + 0 + 1 + 0) / 4)
    assert found["pass@2_low"] <= found["pass@2"] <= found["pass@2_high"]
    assert "majority@1" not in found


def test_a_question_counts_for_k_only_with_so_many_scored_samples() -> None:
    found = figures(["cccc", "ceee"])
    assert found["pass@4"] == 1.0
    assert found["pass@1"] == 1.0
    assert figures(["iiii", "ceee"])["pass@4"] == 0.0


def test_all_alike_still_leaves_room_for_chance() -> None:
    found = figures(["cc"] * 20)
    assert (found["accuracy"], found["high"]) == (1.0, 1.0)
    assert 0.8 < found["low"] < 0.9, "of 20 questions, not of 40 samples"
    assert found["pass@2_low"] == pytest.approx(found["low"])


def test_programs_have_no_majority() -> None:
    assert not any(name.startswith("majority") for name in figures(["ccii", "iiii"], verifier="code@1"))


@pytest.mark.parametrize(
    ("votes", "k", "won"),
    [
        ("aab", 3, 1.0),
        ("abb", 3, 0.0),
        ("ab", 2, 0.5),  # level
        ("abc", 3, 1 / 3),
        ("a--", 3, 1.0),  # the others name no answer
        ("---", 3, 0.0),
        ("aabb", 2, 0.5),  # two blocks
        ("aab", 2, 1.0),  # the third sample fills no block
    ],
)
def test_the_answer_that_most_samples_name_wins(votes: str, k: int, won: float) -> None:
    assert majority_at_k([None if vote == "-" else vote for vote in votes], "a", k) == pytest.approx(won)


def test_a_majority_of_more_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="majority of 3"):
        majority_at_k(["a", "b"], "a", 3)


@pytest.mark.parametrize("n", range(1, 10))
def test_pass_at_k_is_the_share_of_all_choices_of_k_that_hold_a_right_one(n: int) -> None:
    for right in range(n + 1):
        for k in range(1, n + 1):
            chosen = list(combinations(range(n), k))
            expected = sum(min(picked) < right for picked in chosen) / len(chosen)
            assert pass_at_k(n, right, k) == pytest.approx(expected, abs=1e-12)


def test_too_many_errors_are_a_failure_that_shows_the_first_ones() -> None:
    tally = ScoreTally()
    for number in range(50):
        status = Status.ERROR if number < 5 else Status.CORRECT
        tally.add(f"q-{number}", "stop", Verdict(status, "math@3", detail=f"broken {number}"))
    tally.check_errors(section(max_error_rate=0.1))
    with pytest.raises(WorkFailed) as failed:
        tally.check_errors(section())
    assert "5 of 50 answers could not be verified (10.00%): q-0: broken 0; q-1: broken 1; q-2" in failed.value.message
    assert failed.value.exit_code == 1
    assert "max_error_rate" in str(failed.value.hint)
