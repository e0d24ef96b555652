"""The rules that look at one question: its majority, its difficulty, its best traces."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.sections import SelectSection
from reasonry.types import Status
from tests.stages.selecting import FAILED, RIGHT, UNPARSED, WRONG, Asked, Sample, selected


def answers(*texts: str | None, **facts: Any) -> list[Sample]:
    return [Sample(Status.SKIPPED, text, **facts) for text in texts]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (("7", "8", "7"), [0, 2]),
        (("7", "8", "9"), [0]),
        (("8", "7", "7", "8"), [0, 3]),
        (("1/2", r"\frac{1}{2}", "2", "0.5"), [0, 1, 3]),
        (("x + 1", "x+1", "1"), [0, 1]),
        (("1,000", "1000", "10"), [0, 1]),
        ((None, None, "7"), [2]),
        ((None, None), []),
    ],
)
def test_the_answer_most_samples_gave_stays_the_first_of_as_many(given: tuple[str | None], kept: list[int]) -> None:
    assert [sample for _, sample in selected([Asked(answers(*given))], keep="majority").kept] == kept


def test_the_others_say_how_the_vote_went() -> None:
    done = selected([Asked([*answers("7", "8", "7", None), FAILED])], keep="majority")
    assert done.because == ["majority: 2 of 4 agree, skipped by math@3"] * 2
    assert [(drop.rule, drop.reason) for drop in done.drops] == [
        ("not_majority", "1 of 4 answer 8, but 2 of 4 7"),
        ("no_answer", "no answer was found; verdict: skipped"),
        ("verdict_error", "no answer was found; verdict: error"),
    ]


def test_text_is_one_answer_whatever_its_case_and_spaces() -> None:
    done = selected([Asked(answers("New  York", "new york.", "Boston", verifier="exact@2"))], keep="majority")
    assert [sample for _, sample in done.kept] == [0, 1]


def test_mathematics_keeps_its_case() -> None:
    assert len(selected([Asked(answers("x", "X", "x"))], keep="majority").kept) == 2


def test_too_little_agreement_is_none() -> None:
    asked = [Asked(answers("7", "8", "7", "9"))]
    assert selected(asked, keep="majority", agreement=0.6).rules.count("no_agreement") == 2
    assert selected(asked, keep="majority", agreement=0.5).kept == [(0, 0), (0, 2)]


def test_how_an_unfinished_text_ends_is_no_vote() -> None:
    cut = Sample(Status.SKIPPED, "7", finish="length", evidence={"rule": "last_number"})
    boxed = Sample(Status.SKIPPED, "7", finish="length", evidence={"rule": "boxed"})
    assert selected([Asked([cut, boxed])], keep="majority").rules == ["no_answer"]


def test_votes_of_single_samples_are_warned_of() -> None:
    (remark,) = selected([Asked(answers("7")), Asked(answers("8"))], keep="majority").remarks
    assert "no question has more than one trace" in remark


RATES: list[tuple[dict[str, Any], list[Sample], str]] = [
    ({"max": 0.7}, [RIGHT, RIGHT, RIGHT, WRONG], "too_easy"),
    ({"max": 0.75}, [RIGHT, RIGHT, RIGHT, WRONG], ""),
    ({"min": 0.3}, [RIGHT, WRONG, UNPARSED, WRONG], "too_hard"),
    ({"min": 0.5}, [RIGHT, WRONG, FAILED, Sample(Status.SKIPPED, None)], ""),
    ({"min": 0.5, "max": 0.5}, [RIGHT, FAILED], "too_easy"),
    ({"min_samples": 3, "unknown": "drop"}, [RIGHT, WRONG, FAILED], "difficulty_unknown"),
    ({"min_samples": 3, "min": 0.9}, [RIGHT, WRONG, FAILED], ""),
]


@pytest.mark.parametrize(("options", "samples", "rule"), RATES)
def test_the_pass_rate_is_over_scored_samples(options: dict[str, Any], samples: list[Sample], rule: str) -> None:
    done = selected([Asked(samples)], difficulty=options)
    of_correct = [drop.rule for drop in done.drops if not drop.rule.startswith("not_correct")]
    assert set(of_correct) == ({rule} if rule else set())
    assert bool(done.kept) != bool(rule)


def test_a_drop_by_difficulty_says_on_how_many_samples_it_rests() -> None:
    done = selected([Asked([RIGHT, RIGHT, FAILED])], difficulty={"max": 0.9})
    assert done.drops[0].reason == "pass rate 2 of 2, above 0.9 (select.difficulty.max)"
    assert done.metrics["difficulty"]["questions_by_samples"] == {"2": 1}


@pytest.mark.parametrize(("number", "rule"), [(1, "too_easy"), (3, ""), (9.5, "too_hard"), ("9", ""), (True, "")])
def test_a_judges_number_grows_with_difficulty(number: Any, rule: str) -> None:
    done = selected([Asked(difficulty=number)], difficulty={"measure": "judge", "min": 2, "max": 8})
    assert done.rules == ([rule] if rule else [])


def test_levels_hold_up_to_their_bound_and_the_last_all_above() -> None:
    levels = {"measure": "judge", "levels": {"easy": 3, "medium": 6, "hard": 8}}
    asked = [Asked(difficulty=number) for number in (1, 3, 3.5, 6, 8, 99)] + [Asked()]
    done = selected(asked, difficulty=levels, mix={"by": "difficulty", "total": 99})
    assert [fate.level for fate in done.fates] == ["easy", "easy", "medium", "medium", "hard", "hard", "unknown"]
    assert done.metrics["difficulty"]["questions_by_level"] == {"easy": 2, "medium": 2, "hard": 2, "unknown": 1}


LONG, SHORT, MIDDLE = Sample(tokens=90), Sample(tokens=30), Sample(tokens=60)


@pytest.mark.parametrize(("best", "kept"), [("first", [0, 1]), ("shortest", [1, 2]), ("longest", [0, 2])])
def test_the_best_of_a_question_are_kept(best: str, kept: list[int]) -> None:
    done = selected([Asked([LONG, SHORT, MIDDLE])], per_question=2, best=best)
    assert [sample for _, sample in done.kept] == kept
    assert done.because == [f"correct by math@3, the 2 {best} of 3 correct"] * 2


def test_a_trace_that_lost_names_the_one_that_won() -> None:
    done = selected([Asked([LONG, SHORT, WRONG])], per_question=1, best="shortest")
    drop = done.drops[0]
    assert (drop.rule, drop.other_id) == ("per_question", done.standing[0].candidate.trace.id)
    assert drop.reason == "shortest of 2 correct kept; 90 tokens, the first has 30 (select.per_question)"


def test_one_unknown_count_of_tokens_and_characters_decide() -> None:
    samples = [Sample(tokens=1, characters=50), Sample(tokens=None, characters=20), Sample(tokens=9, characters=30)]
    assert selected([Asked(samples)], per_question=1, best="shortest").kept == [(0, 1)]


def test_traces_that_were_dropped_before_have_no_say_in_how_lengths_are_measured() -> None:
    samples = [Sample(tokens=1, characters=50), Sample(Status.INCORRECT, tokens=None), Sample(tokens=9, characters=30)]
    assert selected([Asked(samples)], per_question=1, best="shortest").kept == [(0, 0)]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(0, 9))
def test_equal_lengths_are_drawn_by_lot_and_always_the_same(lengths: list[int], seed: int) -> None:
    asked = [Asked([Sample(tokens=length, characters=n) for n, length in enumerate(lengths, 1)])]
    draws = [selected(asked, per_question=1, best="shortest", seed=seed).standing for _ in range(2)]
    assert draws[0] == draws[1]
    assert draws[0][0].candidate.trace.tokens_out == min(lengths)


def test_a_random_draw_is_one_of_all_and_hangs_on_the_seed() -> None:
    asked = [Asked([Sample(characters=n) for n in range(1, 9)])]
    drawn = {selected(asked, per_question=1, best="random", seed=seed).kept[0][1] for seed in range(40)}
    assert len(drawn) > 4


def test_nothing_is_said_of_a_choice_that_was_none() -> None:
    assert selected([Asked([RIGHT, WRONG])], per_question=1, best="shortest").because == ["correct by math@3"]


def test_of_traces_that_say_the_same_the_first_right_one_stays() -> None:
    short, long = Sample(characters=5), Sample(characters=9)
    samples = [Sample(Status.INCORRECT, "8", characters=5), short, long, short, Sample(characters=5, teacher="other")]
    done = selected([Asked(samples), Asked([short])], distinct=True)
    assert done.kept == [(0, 1), (0, 2), (1, 0)]
    assert done.rules == ["not_correct_incorrect", "repeated", "repeated"]
    assert {drop.other_id for drop in done.drops[1:]} == {done.candidates[1].trace.id}
    assert selected([Asked(samples)]).kept == [(0, 1), (0, 2), (0, 3), (0, 4)]


def test_what_says_the_same_takes_no_place_among_the_best() -> None:
    done = selected([Asked([Sample(characters=5)] * 2 + [Sample(characters=9)])], distinct=True, per_question=2)
    assert [sample for _, sample in done.kept] == [0, 2]


def test_a_section_without_the_rule_has_the_key_it_had() -> None:
    assert "distinct" not in SelectSection().key_content()
    assert SelectSection(distinct=True).key_content()["distinct"] is True
