"""Words that decontamination treats apart: those that say little, those that only ask, and those that are opposites.

English, as most benchmarks are. Of a question in another language more has to agree.
"""

from __future__ import annotations

__all__ = ["ASKING", "GENERIC", "are_opposed"]

_GENERIC = """
a an the this that these those it its they them their he she his her him you your we us our i me my one ones
of to in on at by for from with without into onto over under between among about as per than then so if else when
while where which who whom whose what how why is are was were be been being am do does did done has have had having
can could will would shall should may might must let lets given suppose assume consider such each every any some all
both either neither no not only also and or but nor there here out up down off many much few
find determine compute calculate evaluate solve simplify express write give state show prove answer question problem
following value values number numbers form terms result expression please true false correct best describes likely
option options choice choices statement statements s t now still just very same other another
class def self none return function code python program test tests assert import solution list int str
"""
_ASKING = """
what is are the a an of value please find determine compute calculate evaluate work out s following expression
"""
_OPPOSITES = """
most / least
more / less fewer
maximum / minimum
maximize / minimize
largest greatest biggest highest / smallest least lowest
larger greater / smaller less
longest / shortest
odd / even
increase increases increasing increased / decrease decreases decreasing decreased
rises / falls
before / after
first / last
earliest / latest
above / below
inside / outside
positive / negative
with / without
true / false
correct / incorrect
sum / difference / product / quotient
add / subtract
numerator / denominator
"""

GENERIC = frozenset(_GENERIC.split())
"""Words of grammar, of instructions and of code around a task: they say little, whatever their number."""
ASKING = frozenset(_ASKING.split())
"""Words with which alone a question is asked: with others of them it is the same question."""


def _sides() -> dict[str, list[tuple[int, int]]]:
    """For each word the lines that it stands in, and on which side."""
    sides: dict[str, list[tuple[int, int]]] = {}
    for number, line in enumerate(_OPPOSITES.strip().splitlines()):
        for side, words in enumerate(line.split(" / ")):
            for word in words.split():
                sides.setdefault(word, []).append((number, side))
    return sides


_SIDES = _sides()


def are_opposed(word: str, other: str) -> bool:
    """Two words of which one in the place of the other makes another question: most and least, sum and product."""
    return any(
        line == other_line and side != other_side
        for line, side in _SIDES.get(word, ())
        for other_line, other_side in _SIDES.get(other, ())
    )
