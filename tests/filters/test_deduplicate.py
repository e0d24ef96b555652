"""Deduplication: which questions are one, which of them survives, and that every row leaves with its reason."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.errors import WorkFailed
from reasonry.executors.local import LocalExecutor
from reasonry.executors.spread import spread
from reasonry.filters.deduplicate import deduplicate
from reasonry.filters.duplicates.spill import Spill
from reasonry.filters.folding import folded
from reasonry.registry import inputs_of, part_of
from reasonry.sections import DeduplicateOptions
from reasonry.testing import check_filter
from reasonry.types import Drop, Question, with_origin

EXACT = DeduplicateOptions()
NEAR = DeduplicateOptions(method="minhash")


def question(prompt: str, answer: str | None = "1", row: int = 1, **values: Any) -> Question:
    meta = with_origin(values.pop("meta", {}), {"file": "a.jsonl", "row": row})
    values.setdefault("source", "a.jsonl")
    return Question(prompt, answer, "exact", meta=meta, **values)


def outcome(rows: Sequence[Question], options: DeduplicateOptions = NEAR) -> list[str]:
    """`kept`, or the rule of the drop, for each row; the filter's contract is checked on the way."""
    check_filter(part_of(deduplicate), rows, options)
    return [result.rule if isinstance(result, Drop) else "kept" for result in deduplicate(rows, options)]


def survivors(rows: Sequence[Question], options: DeduplicateOptions = NEAR) -> list[str]:
    return [result.prompt for result in deduplicate(rows, options) if isinstance(result, Question)]


SHOP = "Tom buys 12 apples for $3.50 each and 7 pears for $2.25 each at the market. How much does Tom pay in all?"
SHOP_AGAIN = (
    "At the market Tom purchases 12 apples for $3.50 each and 7 pears for $2.25 each. How much does he pay in total?"
)

TYPED = [
    ("What is 2 + 2?", "what  is\n2 + 2 ?"),
    ("Find $x$.", "\tFind $x$ . "),
    ("Ｗｈａｔ is ２?", "What is 2?"),
    ("STRASSE", "stra\u00dfe"),
    (r"Compute $\dfrac{1}{2} \cdot x^{2}$.", r"Compute \(\frac12 × x²\)"),
]

NOT_TYPED = [
    ("What is 2 + 2?", "What is 2 + 3?"),
    ("What is 2 + 2?", "What is 2 - 2?"),
    ("Compute 2\u00b2.", "Compute 22."),
    ("Compute 5!", "Compute 5"),
    ("Is a < b?", "Is a > b?"),
    ("Solve (a)", "Solve (b)"),
    ("?!", "!!"),
    ("Next?\n. . X . .\n. . . . .\n. O . . .", "Next?\n. . . X .\n. . . . .\n. O . . ."),
]


@pytest.mark.parametrize("options", [EXACT, NEAR])
@pytest.mark.parametrize(("one", "other"), TYPED)
def test_typing_alone_makes_no_other_question(one: str, other: str, options: DeduplicateOptions) -> None:
    assert outcome([question(one), question(other)], options) == ["kept", "duplicate"]


@pytest.mark.parametrize("options", [EXACT, NEAR])
@pytest.mark.parametrize(("one", "other"), NOT_TYPED)
def test_what_changes_the_question_is_kept(one: str, other: str, options: DeduplicateOptions) -> None:
    assert outcome([question(one), question(other)], options) == ["kept", "kept"]


def test_exact_leaves_other_words_alone() -> None:
    rows = [question(SHOP, "57.75"), question(SHOP_AGAIN, "57.75")]
    assert outcome(rows, EXACT) == ["kept", "kept"]
    assert outcome(rows, NEAR) == ["kept", "near_duplicate"]


def test_a_drop_names_its_survivor_how_like_it_is_and_by_which_method() -> None:
    rows = [question("a", row=1), question(SHOP, "57.75", row=2), question("A.", row=3), question(SHOP_AGAIN, "57.75")]
    exact, near = (result for result in deduplicate(rows, NEAR) if isinstance(result, Drop))
    assert (exact.other_id, exact.reason) == (rows[0].id, "the same question as a.jsonl:1 (exact)")
    assert (near.row_id, near.other_id, near.stage) == (rows[3].id, rows[1].id, "curate")
    assert near.reason.startswith("nearly the same question as a.jsonl:2 (minhash, similarity 0.")
    assert near.content == SHOP_AGAIN


def test_a_duplicate_with_another_answer_has_its_own_rule() -> None:
    rows = [question("a", "1"), question("A", "2"), question("a.", "1"), question("a?", None), question("a", "1.0")]
    rules = ["kept", "duplicate_conflicting_answer", "duplicate", "duplicate", "duplicate"]
    assert outcome(rows, EXACT) == outcome(rows) == rules


def test_the_letter_of_a_choice_is_that_choice() -> None:
    asked = [("A", ["5", "6"]), ("B", ["6", "5"]), ("B", ["5", "6"]), ("6", ["5", "6"])]
    rows = [question("How many?", answer, spec={"choices": choices}) for answer, choices in asked]
    conflicting = "duplicate_conflicting_answer"
    assert outcome(rows, EXACT) == ["kept", "duplicate", conflicting, conflicting]


def test_other_choices_or_another_schema_make_another_question() -> None:
    choices = [question("Which is true?", spec={"choices": c}) for c in (["a", "b"], ["a", "c"], ["B.", "a"])]
    assert outcome(choices) == ["kept", "kept", "duplicate"]
    schemas = [question("How many rows?", spec={"schema": s}) for s in ("CREATE TABLE a", "CREATE TABLE b")]
    assert outcome(schemas) == ["kept", "kept"]


PREFERRED = [
    ({"answer": None}, {}),
    ({}, {"meta": {"verified": True}}),
    ({"license": "unknown"}, {"license": "MIT"}),
    ({"source": "web"}, {"source": "book"}),
]


@pytest.mark.parametrize(("worse", "better"), PREFERRED)
@pytest.mark.parametrize("options", [EXACT, NEAR])
def test_the_preferred_survives_though_it_comes_later(
    worse: dict[str, Any], better: dict[str, Any], options: DeduplicateOptions
) -> None:
    chosen = options.model_copy(update={"sources": ["book", "web"]})
    rows = [question("first", **worse), question("First.", **better)]
    assert survivors(rows, chosen) == ["First."]
    dropped = next(iter(deduplicate(rows, chosen)))
    assert isinstance(dropped, Drop)
    assert dropped.other_id == rows[1].id


def test_of_equals_the_first_survives_and_criteria_count_in_their_order() -> None:
    rows = [question("x", None, license="MIT"), question("X", "1"), question("x.", "1", license="MIT")]
    assert survivors(rows) == ["x."]
    assert survivors(rows, NEAR.model_copy(update={"prefer": ["license"]})) == ["x"]
    assert survivors(rows, NEAR.model_copy(update={"prefer": []})) == ["x"]


def test_duplicates_of_a_row_that_goes_go_with_it() -> None:
    rows = [question(SHOP_AGAIN, None), question(SHOP_AGAIN.upper(), None), question(SHOP, "57.75")]
    rows[0] = question(SHOP_AGAIN, "57.75", license="unknown")
    rows[2] = question(SHOP, "57.75", license="MIT")
    results = list(deduplicate(rows, NEAR))
    assert [result.other_id for result in results if isinstance(result, Drop)] == [rows[2].id, rows[2].id]


def test_rows_may_come_once_or_again_and_nothing_depends_on_it() -> None:
    rows = [question(SHOP, "57.75"), question("b"), question(SHOP_AGAIN, "57.75"), question("B")]
    assert list(deduplicate(iter(rows), NEAR)) == list(deduplicate(rows, NEAR))


def test_the_workers_make_no_difference() -> None:
    rows = [question(f"{SHOP} And {n % 40}?", str(n % 7), row=n) for n in range(1200)]
    alone = list(deduplicate(rows, NEAR))
    with LocalExecutor(workers=2) as executor:
        assert list(deduplicate(rows, NEAR, mapper=spread(executor))) == alone


def test_nothing_in_nothing_out() -> None:
    assert list(deduplicate([], NEAR)) == list(deduplicate(iter(()), EXACT)) == []


def test_a_lone_surrogate_is_a_text_too() -> None:
    assert survivors([question("a \ud800"), question("A \ud800")]) == ["a \ud800"]


PROMPTS = st.sampled_from(
    ["a", "A.", "b", SHOP, SHOP_AGAIN, SHOP.upper(), "What is 2 + 3?", "what is 2+3", "求 x", "求x。"]
)
ROWS = st.lists(st.tuples(PROMPTS, st.sampled_from([None, "1", "57.75"]), st.booleans()), max_size=10)


@settings(deadline=None)
@given(ROWS, st.sampled_from(["exact", "minhash"]))
def test_each_row_stays_or_goes_for_one_that_stays(rows: list[tuple[str, str | None, bool]], method: Any) -> None:
    asked = [question(p, a, row, license="MIT" if known else "unknown") for row, (p, a, known) in enumerate(rows)]
    results = list(deduplicate(asked, DeduplicateOptions(method=method)))
    assert [r.row_id if isinstance(r, Drop) else r.id for r in results] == [q.id for q in asked]
    kept = {result.id for result in results if isinstance(result, Question)}
    assert {result.other_id for result in results if isinstance(result, Drop)} <= kept


@settings(deadline=None)
@given(ROWS)
def test_no_two_survivors_have_one_text(rows: list[tuple[str, str | None, bool]]) -> None:
    kept = [folded(prompt) for prompt in survivors([question(prompt, answer) for prompt, answer, _ in rows], EXACT)]
    assert len(kept) == len(set(kept))


@settings(deadline=None)
@given(ROWS, st.randoms())
def test_the_order_of_rows_decides_among_equals_alone(rows: list[tuple[str, str | None, bool]], random: Any) -> None:
    asked = [question(prompt, answer) for prompt, answer, _ in rows]
    before = sorted(folded(prompt) for prompt in survivors(asked, EXACT))
    random.shuffle(asked)
    assert sorted(folded(prompt) for prompt in survivors(asked, EXACT)) == before


def test_the_libraries_that_decide_are_inputs() -> None:
    named = {given.name for given in inputs_of(part_of(deduplicate), NEAR)}
    assert {"rensa", "rapidfuzz"} <= named
    assert inputs_of(part_of(deduplicate), EXACT) == []


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    spill = Spill()

    class Full:
        def write(self, _: bytes) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None: ...

    spill.close()
    monkeypatch.setattr(spill, "_file", Full())
    with pytest.raises(WorkFailed, match="No space left"):
        spill.append(b"x")


def test_memory_holds_no_questions() -> None:
    class Table:
        def __iter__(self) -> Iterator[Question]:
            for n in range(600):
                yield question(f"What follows {n}? " + "x" * 20_000, "7", row=n)

    tracemalloc.start()
    kept = sum(isinstance(result, Question) for result in deduplicate(Table(), EXACT))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept == 600
    assert peak < 8_000_000  # of 12 MB of prompts
