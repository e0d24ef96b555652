"""Keep the recipe's own evaluation questions out of its training questions.

The same comparison as decontamination, without its class of other numbers: where training and evaluation are drawn from
one family of problems, other numbers are what makes them two questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reasonry.contracts import Mapper
from reasonry.executors.spread import in_process
from reasonry.filters.contamination_benchmarks import Listed, choices_of
from reasonry.filters.decontaminate import Hit, hits
from reasonry.filters.normal import place_of, question_key
from reasonry.sections import DecontaminateOptions
from reasonry.types import Drop, Question

__all__ = ["IN_EVALUATION", "in_evaluation"]

IN_EVALUATION = "in_evaluation"
NGRAM: int = DecontaminateOptions.model_fields["ngram"].default


def in_evaluation(
    rows: Iterable[Question], evaluation_questions: Iterable[Question], *, mapper: Mapper = in_process
) -> Iterator[Question | Drop]:
    """Drop each question that the evaluation asks too, in whatever spelling."""
    held_out = list(evaluation_questions)
    same = {question_key(question): question for question in held_out}
    asked = [_named(question) for question in held_out]
    for question, found in hits(rows, asked, NGRAM, mapper):
        identical = same.get(question_key(question))
        hit = found if identical is None else Hit(_named(identical), "same text", 1.0, (0, len(question.prompt)))
        if hit is None or hit.is_other_numbers:
            yield question
        else:
            yield hit.drop(question, IN_EVALUATION)


def _named(question: Question) -> Listed:
    place, _, row = place_of(question).rpartition(":")
    return Listed(place or "evaluation", row, question.id, question.prompt, choices_of(question))
