"""The filters: what counts as the same question, and that every row leaves with its reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reasonry.errors import InputError
from reasonry.filters.evaluation import in_evaluation
from reasonry.filters.normal import normal_text, words
from reasonry.testing import check_filter
from reasonry.types import Drop, Question, with_origin
from tests.sources.parts import options, part


def question(prompt: str, answer: str | None = "1", row: int = 1, **values: Any) -> Question:
    meta = with_origin({}, {"file": "a.jsonl", "row": row})
    return Question(prompt, answer, "exact", meta=meta, source="a.jsonl", **values)


def outcome(name: str, rows: Sequence[Question], chosen: Any) -> list[str]:
    """`kept`, or the rule of the drop, for each row; the filter's contract is checked on the way."""
    check_filter(part("filter", name), rows, chosen)
    results = part("filter", name).call(rows, chosen)
    return [result.rule if isinstance(result, Drop) else "kept" for result in results]


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normal_text(text)
    assert normal_text(once) == once


def test_each_ideograph_is_a_word() -> None:
    assert words("求 x 的值, 123") == ["求", "x", "的", "值", "123"]


TEN = "Alpha beta gamma delta epsilon zeta eta theta iota kappa"


def contaminated(tmp_path: Path, prompts: Sequence[str], *benchmark: Any, **values: Any) -> list[Question | Drop]:
    rows = [row if isinstance(row, dict) else {"prompt": row} for row in benchmark]
    (tmp_path / "bench.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    chosen = options("filter", "decontaminate", tmp_path, against=["bench.jsonl"], **values)
    asked = [question(prompt) for prompt in prompts]
    check_filter(part("filter", "decontaminate"), asked, chosen)
    return list(part("filter", "decontaminate").call(asked, chosen))


def test_a_shared_run_of_words_contaminates_and_a_shorter_one_does_not(tmp_path: Path) -> None:
    benchmark = f"{TEN} lambda mu nu xi omicron"
    hit = f"Once upon a time: {TEN.upper()}, lambda -- mu; nu? And so on."
    miss = f"{TEN} lambda mu, but then something else"
    dropped, kept = contaminated(tmp_path, [hit, miss], "another", benchmark)
    assert isinstance(dropped, Drop)
    assert dropped.rule == "contaminated"
    assert dropped.other_id == "bench.jsonl:2"
    assert "bench.jsonl:2: 'alpha beta gamma" in dropped.reason
    assert isinstance(kept, Question)


def test_the_run_may_be_shorter_by_option(tmp_path: Path) -> None:
    (dropped,) = contaminated(tmp_path, ["x alpha beta gamma y"], TEN, ngram=3)
    assert isinstance(dropped, Drop)


def test_a_short_benchmark_question_is_compared_as_a_whole(tmp_path: Path) -> None:
    dropped, sign, longer = contaminated(
        tmp_path, ["compute 1 + 2.", "Compute 1 - 2", "Compute 1 + 2 and then 3"], "Compute 1 + 2"
    )
    assert isinstance(dropped, Drop)
    assert "the same question" in dropped.reason
    assert isinstance(sign, Question)
    assert isinstance(longer, Question)


def test_the_benchmark_question_is_named_by_its_id_where_it_has_one(tmp_path: Path) -> None:
    fields = {"prompt": "problem", "id": "number"}
    (dropped,) = contaminated(tmp_path, [TEN], {"problem": TEN, "number": "aime-3"}, fields=fields)
    assert isinstance(dropped, Drop)
    assert dropped.other_id == "aime-3"


def test_a_benchmark_row_without_a_question_stops_the_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no field 'prompt'") as error:
        contaminated(tmp_path, ["a"], "fine", {"question": "hidden from the filter"})
    assert error.value.place == f"{tmp_path / 'bench.jsonl'}:2"


def test_benchmark_files_are_inputs(tmp_path: Path) -> None:
    (tmp_path / "bench.jsonl").write_text('{"prompt": "a"}\n')
    inputs = part("filter", "decontaminate").inputs
    assert inputs is not None
    (entry,) = inputs(options("filter", "decontaminate", tmp_path, against=["bench.jsonl"]))
    assert entry.name == "bench.jsonl"


def test_evaluation_questions_are_kept_out_of_training() -> None:
    rows = [question("What is 1 + 1?"), question("what is 1+1?"), question("WHAT is 1 + 1")]
    held_out = [question("What is 1 + 1?", "2", row=7)]
    results = list(in_evaluation(rows, held_out))
    assert [type(result) for result in results] == [Drop, Question, Drop]
    assert isinstance(results[0], Drop)
    assert (results[0].rule, results[0].other_id) == ("in_evaluation", held_out[0].id)
    assert "a.jsonl:7" in results[0].reason


def test_lengths_are_counted_in_characters(tmp_path: Path) -> None:
    chosen = options("filter", "length", tmp_path, min_characters=2, max_characters=4)
    rules = outcome("length", [question(text) for text in ("a", "ab", "\U0001d54f" * 4, "abcde")], chosen)
    assert rules == ["too_short", "kept", "kept", "too_long"]


@pytest.mark.parametrize("values", [{"min_characters": 5, "max_characters": 4}, {"min_characters": 0}])
def test_limits_that_keep_nothing_or_mean_nothing_are_refused(tmp_path: Path, values: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        options("filter", "length", tmp_path, **values)
