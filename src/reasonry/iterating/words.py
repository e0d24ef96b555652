"""A round in words, by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reasonry.iterating.reading import RoundRead
from reasonry.recipe import Recipe
from reasonry.stats import Difference

__all__ = ["control_words", "gain_words", "recipe_warnings", "warnings_of"]

LEAST_ENTROPY = 0.8  # of the right answers' entropy
LENGTH_RATIO = 1.5  # of the round before's mean length, either way
MOST_UNPARSED = 0.05
MOST_REPEATED = 0.1


def gain_words(number: int, gain: Difference | None, accuracy: str) -> str:
    """What a round gained over the one before it."""
    if gain is None:
        return f"round {number}: accuracy {accuracy}"
    size = f"{abs(100 * gain.estimate):.1f} points"
    bounds = f"[{100 * gain.low:.1f}, {100 * gain.high:.1f}]"
    if gain.is_clear:
        return f"round {number} {'gained' if gain.estimate > 0 else 'lost'} {size} {bounds}"
    more = "more" if gain.estimate >= 0 else "less"
    return (
        f"round {number}: no gain detected ({size} {more} {bounds}); "
        f"{100 * gain.detectable:.0f} points could have been detected"
    )


def control_words(number: int, difference: Difference) -> str:
    """What aiming gained over spreading as many questions evenly."""
    size = f"{abs(100 * difference.estimate):.1f} points"
    bounds = f"[{100 * difference.low:.1f}, {100 * difference.high:.1f}]"
    even = "than as many questions spread evenly"
    if difference.is_clear:
        return f"round {number} is {size} {'better' if difference.estimate > 0 else 'worse'} {even} {bounds}"
    more = "better" if difference.estimate >= 0 else "worse"
    return (
        f"round {number}, aimed at weak slices, and as many questions spread evenly: no difference detected "
        f"({size} {more} {bounds}); {100 * difference.detectable:.0f} points could have been detected"
    )


def warnings_of(now: RoundRead, before: RoundRead | None, asked: Mapping[str, int]) -> Iterator[str]:
    """Signals of collapse. `asked`: how many questions more there are in this round, by slice."""
    signals = now.signals
    if signals.answer_entropy < LEAST_ENTROPY * signals.reference_entropy:
        yield (
            f"answers collapse: {signals.answer_entropy:.1f} bits of entropy, "
            f"and the right ones have {signals.reference_entropy:.1f}"
        )
    if signals.unparsed_rate > MOST_UNPARSED:
        yield f"no answer was found in {signals.unparsed_rate:.1%} of what the student wrote on the test"
    if signals.repeated_examples > MOST_REPEATED:
        yield f"{signals.repeated_examples:.1%} of the examples repeat another one"
    if before is not None:
        yield from _changes(now, before, asked)


def recipe_warnings(recipe: Recipe, now: RoundRead, fed: Sequence[str]) -> Iterator[str]:
    """What in the recipe keeps a round from having its effect. `fed`: the slices that can be asked for more."""
    without = [one.name for one in now.slices if one.error and one.name not in fed]
    if without:
        yield f"no source can be asked for more of {', '.join(without)}"
    student, examples = recipe.train[0], sum(one.examples for one in now.slices)
    if student.examples is not None and student.examples < examples:
        yield f"train.examples = {student.examples}: the student learns from no more, however many are asked for"


def _changes(now: RoundRead, before: RoundRead, asked: Mapping[str, int]) -> Iterator[str]:
    old, new = before.signals.mean_length, now.signals.mean_length
    if not old / LENGTH_RATIO <= new <= old * LENGTH_RATIO:
        yield f"answers are {new:.0f} characters long on average, after {old:.0f} in the round before"
    earlier = {one.name: one.examples for one in before.slices}
    for one in now.slices:
        if asked.get(one.name) and one.examples <= earlier.get(one.name, 0):
            yield f"{asked[one.name]:,} questions more of {one.name} were asked for, and no example more came of it"
