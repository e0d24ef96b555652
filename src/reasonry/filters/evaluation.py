"""Keep the recipe's own evaluation questions out of its training questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reasonry.filters.normal import place_of, question_key
from reasonry.types import Drop, Question

__all__ = ["in_evaluation"]

IN_EVALUATION = "in_evaluation"


def in_evaluation(rows: Iterable[Question], evaluation_questions: Iterable[Question]) -> Iterator[Question | Drop]:
    """Drop each question that is, after normalisation, one of the evaluation questions."""
    held_out = {question_key(question): (question.id, place_of(question)) for question in evaluation_questions}
    for question in rows:
        if (found := held_out.get(question_key(question))) is None:
            yield question
            continue
        other_id, place = found
        reason = f"the evaluation asks the same question ({place})"
        yield Drop(question.id, "curate", IN_EVALUATION, reason, other_id, question.prompt[:2000])
