"""Iterating: evaluate, ask for more questions where the student is weak, train from base again; until no gain is seen.

A round is a run that anybody can make again: the recipe with a few settings, which follow by rule from the evaluation
of the round before.
"""

from reasonry.iterating.reading import Author, RoundRead, Signals, Slice, read_round
from reasonry.iterating.resampling import SAMPLES, TEMPERATURE, StudentSampling
from reasonry.iterating.rounds import Iteration, iterate
from reasonry.iterating.slicing import Slicing, slicing_of
from reasonry.iterating.spending import Source, sources_of, spend

__all__ = [
    "SAMPLES",
    "TEMPERATURE",
    "Author",
    "Iteration",
    "RoundRead",
    "Signals",
    "Slice",
    "Slicing",
    "Source",
    "StudentSampling",
    "iterate",
    "read_round",
    "slicing_of",
    "sources_of",
    "spend",
]
