"""Text around a question that decides nothing: scenes before a story, passages, introductions."""

from __future__ import annotations

from benchmarks.corpus.draw import Draw, Stream
from benchmarks.corpus.grammar.lists import words
from benchmarks.corpus.grammar.vocabulary import (
    ANIMALS,
    COLOURS,
    CRAFTS,
    DAYS,
    FOODS,
    GROUPS,
    JOBS,
    MONTHS,
    NAMES,
    PLACES,
    SHOPS,
    TOWNS,
    VEHICLES,
)

__all__ = ["scene", "scenery"]

_WEATHER = words("foggy windy rainy sunny stormy frosty cloudy mild chilly humid snowy bright dull breezy")
_MOODS = words("proud curious tired cheerful impatient careful quiet restless patient hopeful nervous busy")
_BUILT = words("stone wooden brick glass concrete timber thatched whitewashed narrow abandoned restored crooked")
_FAULTS = (
    "arrives late",
    "forgets the key",
    "laughs first",
    "loses a bet",
    "breaks a cup",
    "sings out of tune",
    "leaves early",
    "asks twice",
)
_SIGHTS = (
    "nothing at all",
    "the snow on the peaks",
    "three more towns",
    "the smoke of the factory",
    "a strip of the sea",
    "the next valley",
)
_SPOTS = ("in front of it", "behind it", "next to its door", "across the street", "under its awning", "on its roof")
_SPANS = (
    "for many years",
    "since childhood",
    "for a few months",
    "since last winter",
    "for as long as anyone remembers",
    "since the flood",
    "ever since the move",
    "for two generations",
)


def scene(draw: Draw) -> str:
    """One to seven sentences before a story."""
    w = draw.words
    return scenery(w, w.weighted(((1, 4), (2, 4), (3, 2), (5, 1), (7, 1))))


def scenery(w: Stream, count: int) -> str:
    """`count` sentences of a setting, of kinds that differ."""
    return " ".join(kind(w) for kind in w.sample(_SENTENCES, count))


def _weather(w: Stream) -> str:
    return f"It is {w.pick(('an early', 'a late', 'a long', 'an ordinary'))} {w.pick(_WEATHER)} {w.pick(DAYS)} in {w.pick(MONTHS)}, and {w.pick(TOWNS)} is {w.pick(('almost empty', 'full of visitors', 'getting ready for a festival', 'waiting for the rain to end', 'busier than usual'))}."


def _person(w: Stream) -> str:
    return f"{w.pick(NAMES)}, {w.pick(('a retired', 'a young', 'a well-known', 'a self-taught'))} {w.pick(JOBS)} from {w.pick(TOWNS)}, has been {w.pick(_MOODS)} {w.pick(_SPANS)}."


def _building(w: Stream) -> str:
    return f"Next to {w.pick(PLACES)} stands a {w.pick(_BUILT)} house with {w.pick(COLOURS)} shutters, where the {w.pick(GROUPS)} meets every {w.pick(DAYS)}."


def _habit(w: Stream) -> str:
    return f"Whenever there is time, {w.pick(NAMES)} likes to {w.pick(CRAFTS)} or to watch the {w.pick(ANIMALS)[1]} near {w.pick(PLACES)}."


def _market(w: Stream) -> str:
    return f"The {w.pick(SHOPS)} in {w.pick(TOWNS)} is famous for its {w.pick(FOODS)[1]} and for the {w.pick(COLOURS)} {w.pick(VEHICLES)} that is parked {w.pick(_SPOTS)}."


def _memory(w: Stream) -> str:
    return f"People in {w.pick(TOWNS)} still remember the {w.pick(_WEATHER)} {w.pick(MONTHS)} when the {w.pick(ANIMALS)[1]} walked into {w.pick(PLACES)}."


def _letter(w: Stream) -> str:
    return f"In a letter to {w.pick(NAMES)}, {w.pick(NAMES)} described how to {w.pick(CRAFTS)} without help from the {w.pick(JOBS)}."


def _rule(w: Stream) -> str:
    return f"An old rule of the {w.pick(GROUPS)} says that whoever {w.pick(_FAULTS)} brings {w.pick(FOODS)[1]} for everyone, even on {w.pick(DAYS)}s."


def _plan(w: Stream) -> str:
    return f"{w.pick(NAMES)} and {w.pick(NAMES)} plan to {w.pick(CRAFTS)} before the {w.pick(VEHICLES)} to {w.pick(TOWNS)} leaves."


def _view(w: Stream) -> str:
    return f"From the hill above {w.pick(TOWNS)} one sees {w.pick(PLACES)}, a {w.pick(_BUILT)} bridge, and on {w.pick(_WEATHER)} days {w.pick(_SIGHTS)}."


_SENTENCES = (_weather, _person, _building, _habit, _market, _memory, _letter, _rule, _plan, _view)
