"""Exact deduplication on normalised text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reasonry.filters.normal import normal_text, place_of, question_key
from reasonry.registry import part
from reasonry.sections import DeduplicateOptions
from reasonry.types import Drop, Question

__all__ = ["deduplicate"]

DUPLICATE = "duplicate"
CONFLICTING_ANSWER = "duplicate_conflicting_answer"


@dataclass(frozen=True, slots=True)
class _Kept:
    id: str
    place: str
    answer: str | None


@part("filter", "deduplicate", options=DeduplicateOptions)
def deduplicate(
    rows: Iterable[Question],
    options: DeduplicateOptions,  # noqa: ARG001 - `exact` is the only method so far
) -> Iterator[Question | Drop]:
    """Keep the first of the questions that are the same after normalisation.

    A duplicate whose answer differs from the kept one's has a rule of its own: one of the two is wrong.
    """
    kept: dict[str, _Kept] = {}
    for question in rows:
        key = question_key(question)
        if (first := kept.get(key)) is not None:
            yield _dropped(question, first)
            continue
        kept[key] = _Kept(question.id, place_of(question), question.answer)
        yield question


def _dropped(question: Question, first: _Kept) -> Drop:
    rule, reason = DUPLICATE, f"the same question as {first.place}"
    if _conflict(question.answer, first.answer):
        rule = CONFLICTING_ANSWER
        reason += f", but its answer is {_short(question.answer)} and not {_short(first.answer)}"
    return Drop(question.id, "curate", rule, reason, first.id, question.prompt[:2000])


def _conflict(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and normal_text(one) != normal_text(other)


def _short(answer: str | None) -> str:
    text = str(answer)
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"
