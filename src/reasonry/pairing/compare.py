"""The comparison itself: the same questions, paired, and only under the same conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from reasonry.errors import UsageError
from reasonry.pairing.answers import Answers, Asked, read_answers
from reasonry.pairing.banding import bands_of
from reasonry.pairing.comparison import Comparison, Side, Slice
from reasonry.pairing.finding import Sealed, found_pair
from reasonry.pairing.flips import flips
from reasonry.pairing.obstacles import Obstacle, obstacles, of_the_questions
from reasonry.stats import Difference, holm, paired_difference

__all__ = ["compare_scores"]

Pair = tuple[Asked, Asked]
Pairs = Mapping[str, Pair]


def compare_scores(a: str, b: str, *, despite_conditions: bool = False, shared_questions: bool = False) -> Comparison:
    """Compare the score that FOLDER or FOLDER:NAME means with another, question by question.

    Raises UsageError where a condition differs or is unknown, unless `despite_conditions`; where the two were asked
    different questions, unless `shared_questions` leaves it at those that both have; where it is not clear which score
    is meant; and where no question has a score on both sides.
    """
    first, second = found_pair(a, b)
    answers_a, answers_b = read_answers(first), read_answers(second)
    common = [question for question in answers_a.questions if question in answers_b.questions]
    found = obstacles(first.conditions, second.conditions)
    if shared_questions:
        found = [obstacle for obstacle in found if obstacle not in of_the_questions(found)]
    if found and not despite_conditions:
        raise _refused(first, second, found, _Overlap(len(answers_a.questions), len(answers_b.questions), len(common)))
    pairs = {question: (answers_a.questions[question], answers_b.questions[question]) for question in common}
    scored = {name: pair for name, pair in pairs.items() if pair[0].scores and pair[1].scores}
    if not scored:
        raise UsageError(
            f"no question has a score on both sides ({len(common):,} are on both)",
            place=f"{first.label} and {second.label}",
            hint="compare two models on the same benchmark",
        )
    gained, lost = flips(first, second, scored)
    return Comparison(
        a=_side(first, answers_a, pairs, scored, 0),
        b=_side(second, answers_b, pairs, scored, 1),
        obstacles=found,
        difference=_difference(list(scored.values())),
        slices=_slices(scored),
        gained=gained,
        lost=lost,
    )


class _Overlap(NamedTuple):
    """How many questions each side was asked, and how many both were."""

    a: int
    b: int
    both: int


def _refused(a: Sealed, b: Sealed, found: Sequence[Obstacle], asked: _Overlap) -> UsageError:
    differing = [obstacle for obstacle in found if not obstacle.is_unknown]
    unknown = [obstacle for obstacle in found if obstacle.is_unknown]
    told = [f"differs: {obstacle}" for obstacle in differing] + [f"unknown: {obstacle}" for obstacle in unknown]
    hint = (
        "evaluate both in the same way (of a recording, --set says how it was made),"
        " or see the figures with --despite-conditions"
    )
    if of_questions := of_the_questions(found):
        told.append(f"questions that both were asked: {asked.both:,}, of A's {asked.a:,} and B's {asked.b:,}")
        if asked.both and len(of_questions) == len(found):
            hint = f"--shared-questions compares them on the {asked.both:,} that both were asked"
    return UsageError(
        "two scores under different conditions are not compared:\n" + "\n".join(f"  {line}" for line in told),
        place=f"{a.label} and {b.label}",
        hint=hint,
    )


def _mean(asked: Asked) -> float:
    assert asked.mean is not None
    return asked.mean


def _difference(pairs: Sequence[Pair]) -> Difference:
    return paired_difference([_mean(a) for a, _ in pairs], [_mean(b) for _, b in pairs])


def _side(sealed: Sealed, answers: Answers, pairs: Pairs, scored: Pairs, which: int) -> Side:
    return Side(
        sealed=sealed,
        mean=fmean(_mean(pair[which]) for pair in scored.values()),
        rows=answers.rows,
        questions=len(answers.questions),
        unscored_rows=answers.unscored,
        only_here=len(answers.questions) - len(pairs),
        unscored_questions=sum(not pair[which].scores for pair in pairs.values()),
    )


def _slices(scored: Pairs) -> list[Slice]:
    """The difference by domain, source and difficulty, where there are several of each; p values as of one family."""
    grouped = list(_groups(scored))
    found = [_difference(pairs) for _, _, pairs in grouped]
    corrected = holm([difference.p for difference in found])
    return [
        Slice(by, value, fmean(_mean(a) for a, _ in pairs), fmean(_mean(b) for _, b in pairs), difference, p)
        for (by, value, pairs), difference, p in zip(grouped, found, corrected, strict=True)
    ]


def _groups(scored: Pairs) -> Iterator[tuple[str, str, list[Pair]]]:
    band_of = bands_of([a.difficulty for a, _ in scored.values() if a.difficulty is not None])
    named: Mapping[str, Callable[[Asked], str | None]] = {
        "domain": lambda asked: asked.domain or None,
        "source": lambda asked: asked.source or None,
        "difficulty": lambda asked: band_of(asked.difficulty),
    }
    for by, value_of in named.items():
        groups: dict[str, list[Pair]] = {}
        for a, b in scored.values():
            if (value := value_of(a) or value_of(b)) is not None:
                groups.setdefault(value, []).append((a, b))
        if len(groups) > 1:
            yield from ((by, value, groups[value]) for value in sorted(groups))
