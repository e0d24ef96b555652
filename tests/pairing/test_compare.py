"""Two models on the same questions: what is paired, what is left out, what is said, and what is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reasonry.errors import StoreError, UsageError
from reasonry.pairing import compare_scores, in_words, obstacles
from reasonry.stats import holm, mcnemar_exact, paired_difference
from reasonry.types import Completion, Status
from tests.pairing.tables import CONDITIONS, OURS, RIGHT, WRONG, answers, row, seal


def test_the_difference_is_that_of_the_paired_test(tmp_path: Path) -> None:
    a = seal(tmp_path / "a", answers(range(10)))
    b = seal(tmp_path / "b", answers(range(2, 28)))
    found = compare_scores(a, b)
    assert found.difference.p == mcnemar_exact(2, 18)
    assert found.difference.estimate == pytest.approx(16 / 30)
    assert (len(found.gained), len(found.lost)) == (18, 2)
    assert found.is_clear
    assert in_words(found.difference).startswith("B is better by 53.3 points [")
    assert not found.obstacles


def test_turned_round_it_says_the_same_of_the_other(tmp_path: Path) -> None:
    a = seal(tmp_path / "a", answers(range(10)))
    b = seal(tmp_path / "b", answers(range(2, 28)))
    there, back = compare_scores(a, b), compare_scores(b, a)
    assert in_words(back.difference) == in_words(there.difference).replace("B is", "A is")
    assert [flip.question_id for flip in back.lost] == [flip.question_id for flip in there.gained]


def test_where_nothing_is_detected_it_says_what_would_have_been(tmp_path: Path) -> None:
    a = seal(tmp_path / "a", answers(range(10)))
    b = seal(tmp_path / "b", answers(range(1, 11)))
    found = compare_scores(a, b)
    assert not found.is_clear
    said = in_words(found.difference)
    assert said.startswith("no difference detected")
    assert f"one of {found.difference.detectable * 100:.1f} points would have been, in four of five cases" in said


def test_an_interval_without_zero_is_no_finding_where_the_exact_test_finds_none() -> None:
    found = paired_difference([0.0] * 5 + [1.0] * 30, [1.0] * 35)
    assert found.is_clear
    assert found.p > 0.05
    assert in_words(found).startswith("no difference detected")


def test_samples_are_one_score_of_their_question(tmp_path: Path) -> None:
    conditions = {**CONDITIONS, "samples": 2}
    rows_a = [row(n, WRONG, index=i) for n in range(8) for i in range(2)]
    rows_b = [row(n, RIGHT if i or n else WRONG, index=i) for n in range(8) for i in range(2)]
    a = seal(tmp_path / "a", rows_a, conditions=conditions)
    b = seal(tmp_path / "b", rows_b, conditions=conditions)
    found = compare_scores(a, b)
    assert found.difference.n == 8
    assert found.difference.estimate == pytest.approx((7 + 0.5) / 8)
    assert [flip.question_id for flip in found.gained] == [f"q-{n}" for n in range(1, 8)]  # half is not solved


def test_a_flip_shows_an_answer_of_each_that_proves_it(tmp_path: Path) -> None:
    conditions = {**CONDITIONS, "samples": 3}
    rows_a = [row(0, status, index=i) for i, status in enumerate((RIGHT, WRONG, WRONG))]
    rows_b = [row(0, status, index=i) for i, status in enumerate((WRONG, RIGHT, RIGHT))]
    a = seal(tmp_path / "a", [*rows_a, row(1, RIGHT)], conditions=conditions)
    b = seal(tmp_path / "b", [*reversed(rows_b), row(1, RIGHT)], conditions=conditions)
    (flip,) = compare_scores(a, b).gained
    assert (flip.response_a, flip.response_b) == ("incorrect 0 1", "correct 0 1")
    assert (flip.status_a, flip.status_b) == ("incorrect", "correct")


def test_what_we_failed_to_verify_is_outside_and_counted(tmp_path: Path) -> None:
    rows_b = answers(range(20))
    rows_b[0] = replace(rows_b[0], status=OURS)
    rows_b[1] = replace(rows_b[1], status=Status.SKIPPED)
    found = compare_scores(seal(tmp_path / "a", answers(range(20))), seal(tmp_path / "b", rows_b))
    assert found.difference.n == 28
    assert found.difference.estimate == 0.0
    assert found.b.unscored_rows == {"error": 1, "skipped": 1}
    assert (found.a.unscored_questions, found.b.unscored_questions) == (0, 2)
    assert not found.gained
    assert not found.lost


def test_questions_of_one_side_alone_are_left_out_and_counted(tmp_path: Path) -> None:
    a = seal(tmp_path / "a", answers(range(20), questions=22))
    b = seal(tmp_path / "b", answers(range(20), questions=30))
    found = compare_scores(a, b)
    assert (found.difference.n, found.a.only_here, found.b.only_here) == (22, 0, 8)


def test_no_common_question_is_refused(tmp_path: Path) -> None:
    a = seal(tmp_path / "a", [row("x", RIGHT)])
    b = seal(tmp_path / "b", [row("y", RIGHT)])
    with pytest.raises(UsageError, match="no question has a score on both sides"):
        compare_scores(a, b)


def test_slices_are_corrected_as_one_family(tmp_path: Path) -> None:
    def told(rows: list[Completion]) -> list[Completion]:
        return [
            replace(one, domain="even" if n % 2 else "odd", source="one.jsonl", difficulty=float(n % 3))
            for n, one in enumerate(rows)
        ]

    a, b = seal(tmp_path / "a", told(answers(range(5)))), seal(tmp_path / "b", told(answers(range(25))))
    slices = compare_scores(a, b).slices
    assert [(one.by, one.value) for one in slices] == [
        ("domain", "even"),
        ("domain", "odd"),
        ("difficulty", "0"),
        ("difficulty", "1"),
        ("difficulty", "2"),
    ]
    assert [one.p_corrected for one in slices] == holm([one.difference.p for one in slices])
    assert sum(one.difference.n for one in slices if one.by == "domain") == 30


def test_many_difficulties_become_quarters(tmp_path: Path) -> None:
    rows = [replace(one, difficulty=n / 10) for n, one in enumerate(answers(range(5), questions=40))]
    slices = compare_scores(seal(tmp_path / "a", rows), seal(tmp_path / "b", rows)).slices
    assert [one.difference.n for one in slices] == [10, 10, 10, 10]
    assert slices[0].value == "1 of 4: 0 to 1"


@dataclass(frozen=True, slots=True)
class _OlderRow:
    """A completion as version 3 of evaluate wrote it: without source and difficulty."""

    question_id: str
    index: int
    prompt: str
    answer: str | None
    domain: str
    response: str
    status: Status
    student: str = "s"
    benchmark: str = "aime24"
    finish: str = "stop"
    verifier: str = "math@3"


def test_tables_of_an_older_version_are_read(tmp_path: Path) -> None:
    rows = [
        _OlderRow(one.question_id, 0, one.prompt, one.answer, one.domain, one.response, one.status)
        for one in answers(range(30))
    ]
    found = compare_scores(
        seal(tmp_path / "a", answers([])), seal(tmp_path / "b", rows, row_type=_OlderRow, conditions=CONDITIONS)
    )
    assert len(found.gained) == 30


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"max_tokens": 512}, "differs: max_tokens: A 32768, B 512"),
        ({"system_prompt": "Be brief."}, "differs: system_prompt: A none, B 'Be brief.'"),
        ({"verifier": "math@4"}, "differs: verifier: A 'math@3', B 'math@4'"),
        ({"asked": None}, "unknown: asked: A words, B unknown"),
        ({"served_by": "replay", "temperature": None}, "unknown: temperature: A 0.6, B unknown"),
        ({"software.reasonry": "9"}, "unknown: software.reasonry: A unknown, B 9"),
    ],
)
def test_each_condition_that_differs_is_named_with_both_values(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    a = seal(tmp_path / "a", answers(range(9)))
    b = seal(tmp_path / "b", answers(range(9)), conditions={**CONDITIONS, **changed})
    with pytest.raises(UsageError) as caught:
        compare_scores(a, b)
    assert said in caught.value.message
    found = compare_scores(a, b, despite_conditions=True)
    assert next(iter(changed)) in {one["name"] for one in found.as_json()["conditions_that_differ"]} | {"served_by"}


def test_who_answered_is_no_obstacle() -> None:
    other = {**CONDITIONS, "model": "other", "model_revision": "1", "served_by": "us", "software.torch": "2"}
    assert obstacles(CONDITIONS, other) == []
    assert [one.name for one in obstacles({**other, "software.torch": "1"}, other)] == ["software.torch"]


def test_two_unknowns_are_not_the_same() -> None:
    recorded = {**CONDITIONS, "served_by": "replay", "temperature": None, "system_prompt": ""}
    assert [one.name for one in obstacles(recorded, recorded)] == ["temperature"]


def test_a_score_without_conditions_is_refused(tmp_path: Path) -> None:
    a = seal(tmp_path / "a", answers(range(9)))
    b = seal(tmp_path / "b", answers(range(9)), conditions=None)
    with pytest.raises(UsageError, match="unknown: conditions"):
        compare_scores(a, b)
    assert compare_scores(a, b, despite_conditions=True).obstacles


OTHER_QUESTIONS: dict[str, object] = {"questions": "others", "asked": "other words", "question_count": 22, "limit": 22}


def test_other_questions_are_compared_on_those_that_both_were_asked(tmp_path: Path) -> None:
    a = seal(tmp_path / "a", answers(range(9)))
    b = seal(tmp_path / "b", answers(range(20), questions=22), conditions={**CONDITIONS, **OTHER_QUESTIONS})
    with pytest.raises(UsageError, match="both were asked: 22, of A's 30 and B's 22") as caught:
        compare_scores(a, b)
    assert "--shared-questions" in str(caught.value.hint)
    found = compare_scores(a, b, shared_questions=True)
    assert (found.difference.n, found.a.only_here, found.b.only_here) == (22, 8, 0)
    assert (found.a.mean, found.b.mean) == (9 / 22, 20 / 22)
    assert found.as_json()["conditions_match"]


@pytest.mark.parametrize("changed", [{"prompt": "Think. {prompt}"}, {"max_tokens": 1}, {"asked": None}])
def test_other_questions_asked_otherwise_are_still_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    a = seal(tmp_path / "a", answers(range(9)))
    b = seal(tmp_path / "b", answers(range(9)), conditions={**CONDITIONS, **OTHER_QUESTIONS, **changed})
    with pytest.raises(UsageError, match=next(iter(changed))):
        compare_scores(a, b, shared_questions=True)


def test_the_same_questions_in_other_words_are_no_other_questions(tmp_path: Path) -> None:
    a = seal(tmp_path / "a", answers(range(9)))
    b = seal(tmp_path / "b", answers(range(9)), conditions={**CONDITIONS, "asked": "other words"})
    with pytest.raises(UsageError, match="differs: asked"):
        compare_scores(a, b, shared_questions=True)


def test_a_student_before_training_is_meant_only_where_it_is_named(tmp_path: Path) -> None:
    for name, right in (("a", 3), ("b", 9)):
        seal(tmp_path / name, answers(range(right)), label="aime24/s")
        seal(tmp_path / name, answers([]), label="aime24/s/untrained", untrained=True)
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    assert len(compare_scores(a, b).gained) == 6
    named = compare_scores(f"{a}:aime24/s/untrained", b)
    assert (named.a.sealed.label, named.b.sealed.label) == ("aime24/s/untrained", "aime24/s/untrained")


@pytest.mark.parametrize(
    "wrong", [{"accuracy": float("nan")}, {"accuracy": "all"}, {"low": None}, {"coverage": -1}, {"conditions": [1]}]
)
def test_figures_that_were_never_sealed_are_damage(tmp_path: Path, wrong: dict[str, object]) -> None:
    good, bad = seal(tmp_path / "good", answers(range(9))), seal(tmp_path / "bad", answers(range(9)))
    manifest = next((tmp_path / "bad").glob("tables/evaluate/*/manifest.json"))
    plain = json.loads(manifest.read_text())
    plain["metrics"].update(wrong)
    manifest.write_text(json.dumps(plain))
    with pytest.raises(StoreError, match=next(iter(wrong))):
        compare_scores(good, bad)


def test_one_of_several_scores_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "with:colon"
    seal(folder, answers(range(3)), label="aime24/one")
    seal(folder, answers(range(9)), label="aime24/two")
    found = compare_scores(f"{folder}:aime24/one", f"{folder}:aime24/two")
    assert len(found.gained) == 6
    key = found.b.sealed.manifest.key
    assert compare_scores(f"{folder}:aime24/one", f"{folder}:{key[:10]}").b.sealed.label == "aime24/two"
    other = seal(tmp_path / "other", answers(range(9)), label="aime24/two")
    assert compare_scores(str(folder), other).a.sealed.label == "aime24/two"
    with pytest.raises(UsageError, match="2 scores could be meant, the newest first:\n") as caught:
        compare_scores(str(folder), str(folder))
    assert str(caught.value.hint).startswith(f"{folder}:aime24/")
    with pytest.raises(UsageError, match="no score 'aime24/tow'") as caught:
        compare_scores(f"{folder}:aime24/tow", other)
    assert caught.value.hint == "did you mean 'aime24/two'?"


def test_garbage_is_refused_and_damage_is_named(tmp_path: Path) -> None:
    good = seal(tmp_path / "good", answers(range(9)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    for given, said in (("nowhere", "no such folder"), ("empty", "no score in it"), ("broken", "not the folder")):
        with pytest.raises(UsageError, match=said):
            compare_scores(good, str(tmp_path / given))
    damaged = seal(tmp_path / "damaged", answers(range(9)))
    shard = next((tmp_path / "damaged").glob("tables/evaluate/*/part-00000.parquet"))
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(StoreError, match="cannot be read"):
        compare_scores(good, damaged)
