"""Traces that go round: the same lines, sentences or stretches of text again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import Field

from reasonry.filters.repeats import Repeat, has_letters, loop, repeated_piece
from reasonry.registry import part
from reasonry.trace_filters.each import Fault, RowTraceFilterSection, each
from reasonry.types import Candidate, Drop

__all__ = ["RULES", "RepetitionSection", "repetition"]

RULES = {
    "loop": "a stretch of text comes four times or more without a gap, over more than `max_loop` characters or"
    " `max_share` of the text; or twenty times and more",
    "repeated_lines": "the same line or sentence comes more than `max_times`, and such lines make more than `max_share`"
    " of the text",
}


class RepetitionSection(RowTraceFilterSection):
    """How much of a trace may be said again. Rows of a grid, which have no letters, do not count."""

    max_times: Annotated[int, Field(ge=2)] = Field(default=9, description="how often a line or sentence may come")
    max_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.4, description="share of the reasoning, or of the response, that may repeat what was said in it"
    )
    max_loop: Annotated[int, Field(ge=200)] = Field(
        default=1_000, description="characters that a stretch may take which goes round without a gap"
    )


_ROUNDS, _MANY_ROUNDS = 4, 20
_SHORTEST_ROUND = 8  # characters, of those that make a loop by their number alone: "ha" and "--" do not
_SHORTEST_LOOP = 200  # characters


@part("trace_filter", "repetition", options=RepetitionSection, rules=RULES)
def repetition(candidates: Iterable[Candidate], options: RepetitionSection) -> Iterator[Candidate | Drop]:
    """Drop traces that say the same lines, sentences or stretches of text again and again."""

    def check(candidate: Candidate) -> Fault | None:
        for name, text in (("reasoning", candidate.trace.reasoning), ("response", candidate.trace.response)):
            if fault := _goes_round(text, options):
                return Fault(fault.rule, f"{name}: {fault.reason}")
        return None

    return each(candidates, options, check)


def _goes_round(text: str, options: RepetitionSection) -> Fault | None:
    if len(text) < _SHORTEST_LOOP:
        return None
    found = loop(text)
    if found is not None and _is_loop(found, len(text), options):
        return Fault("loop", f"{found}, without a gap")
    found = repeated_piece(text, options.max_times + 1, options.max_share)
    return Fault("repeated_lines", str(found)) if found is not None else None


def _is_loop(found: Repeat, length: int, options: RepetitionSection) -> bool:
    again = found.share * length
    if found.times < _ROUNDS or again < _SHORTEST_LOOP or not has_letters(found.text):
        return False
    has_many_rounds = found.times >= _MANY_ROUNDS and len(found.text) >= _SHORTEST_ROUND
    return again > options.max_loop or found.share > options.max_share or has_many_rounds
