"""What a stage says when a teacher was asked nothing."""

from __future__ import annotations

import pytest

from reasonry.errors import WorkFailed
from reasonry.sections import DistilSection
from reasonry.stages.tally import AnswerTally
from reasonry.types import Drop


def hint_of(*set_aside: Drop) -> str | None:
    with pytest.raises(WorkFailed, match="nothing was asked") as failed:
        AnswerTally().check(DistilSection(teacher="replay"), "distil", set_aside)
    return failed.value.hint


def test_recorded_rows_that_could_not_be_used_say_why() -> None:
    row = Drop("answers.jsonl:1", "distil", "recorded_row_unusable", "'question' is missing")
    assert hint_of(row, row) == "2 recorded rows could not be used; answers.jsonl:1: 'question' is missing"


def test_without_any_it_is_the_questions() -> None:
    assert hint_of() == "no question came through, or no recording matches"
