"""The questions that one model solves and the other does not, with an answer of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from reasonry.pairing.answers import Asked
from reasonry.pairing.comparison import Flip
from reasonry.pairing.finding import Sealed
from reasonry.types import Completion, Status

__all__ = ["Flips", "flips"]

_SOLVED = 0.5
"""Solved: more than this share of the samples are right."""


class Flips(NamedTuple):
    """Gained: B solves them and A does not; lost: the other way round. In the order of the ids."""

    gained: list[Flip]
    lost: list[Flip]


def flips(a: Sealed, b: Sealed, scored: Mapping[str, tuple[Asked, Asked]]) -> Flips:
    """Find them, and read their answers from both tables."""
    gains = {name: _is_solved(pair[1]) for name, pair in scored.items() if _is_solved(pair[0]) != _is_solved(pair[1])}
    shown_a = _shown(a, {name: not is_gain for name, is_gain in gains.items()})
    shown_b = _shown(b, gains)
    found: dict[bool, list[Flip]] = {True: [], False: []}
    for name in sorted(gains):
        found[gains[name]].append(_flip(scored[name], shown_a[name], shown_b[name]))
    return Flips(found[True], found[False])


def _is_solved(asked: Asked) -> bool:
    return asked.mean is not None and asked.mean > _SOLVED


def _shown(sealed: Sealed, is_solved: Mapping[str, bool]) -> dict[str, Completion]:
    """For each question the first sample that is right where the question is solved, wrong where it is not."""
    chosen: dict[str, Completion] = {}
    for row in sealed.store.find(sealed.manifest, Completion, "question_id", is_solved.keys()):
        if row.status.score is None or (row.status is Status.CORRECT) != is_solved[row.question_id]:
            continue
        kept = chosen.get(row.question_id)
        if kept is None or row.index < kept.index:
            chosen[row.question_id] = row
    return chosen


def _flip(pair: tuple[Asked, Asked], a: Completion, b: Completion) -> Flip:
    return Flip(
        question_id=a.question_id,
        prompt=a.prompt,
        answer=a.answer,
        mean_a=pair[0].mean or 0.0,
        mean_b=pair[1].mean or 0.0,
        response_a=a.response,
        response_b=b.response,
        extracted_a=a.extracted,
        extracted_b=b.extracted,
        status_a=a.status.value,
        status_b=b.status.value,
    )
