"""The filters: what counts as the same question, and that every row leaves with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

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


def test_lengths_are_counted_in_characters(tmp_path: Path) -> None:
    chosen = options("filter", "length", tmp_path, min_characters=2, max_characters=4)
    rules = outcome("length", [question(text) for text in ("a", "ab", "\U0001d54f" * 4, "abcde")], chosen)
    assert rules == ["too_short", "kept", "kept", "too_long"]


@pytest.mark.parametrize("values", [{"min_characters": 5, "max_characters": 4}, {"min_characters": 0}])
def test_limits_that_keep_nothing_or_mean_nothing_are_refused(tmp_path: Path, values: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        options("filter", "length", tmp_path, **values)
