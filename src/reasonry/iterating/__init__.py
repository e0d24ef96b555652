"""Iterating: evaluate, ask for more questions where the student is weak, train from base again; until no gain is seen.

A round is a run that anybody can make again: the recipe with a few settings, which follow by rule from the evaluation
of the round before.
"""

from reasonry.iterating.reading import RoundRead, Signals, Slice, read_round
from reasonry.iterating.rounds import Iteration, iterate
from reasonry.iterating.spending import Source, sources_of, spend

__all__ = [
    "Iteration",
    "RoundRead",
    "Signals",
    "Slice",
    "Source",
    "iterate",
    "read_round",
    "sources_of",
    "spend",
]
