"""Multi-step arithmetic made on the spot, with reference steps (see `reasonry.arithmetic`).

The split of a problem follows from its text, so that no seed can put a test problem into training. Each draw is
seeded from a digest of the seed and the draw's index: neighbouring seeds share no more problems than any two.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Annotated, Literal, Protocol

from pydantic import Field

from reasonry.arithmetic import FAMILIES, Problem, Split, split_of
from reasonry.errors import UsedUp
from reasonry.identity import digest
from reasonry.registry import part
from reasonry.sections import QuestionsSection
from reasonry.types import Drop, Question, with_origin

__all__ = ["Count", "Digits", "FamilyName", "ProceduralSection", "Steps", "make_questions", "problems"]

FamilyName = Literal["chain_sum", "chain_signed", "purchase"]
Steps = Annotated[int, Field(ge=1, le=64, description="operations in a problem")]
Digits = Annotated[int, Field(ge=1, le=9, description="digits of each number")]
Count = Annotated[int, Field(ge=1, description="distinct problems")]

_PATIENCE = 1000  # draws without a new problem, and 100 more for each found, before a family counts as used up


class ProceduralSection(QuestionsSection):
    """Problems drawn from a family."""

    verifier: str = "steps"
    domain: str = "arithmetic"
    license: str = "CC0-1.0"
    family: FamilyName = Field(default="chain_sum", description="the kind of problem")
    steps: Steps = 4
    digits: Digits = 2
    count: Count = 1000
    seed: int | None = Field(default=None, description="default: derived from the recipe's seed")
    split: Split = Field(default="train", description="one problem in ten, by its text, belongs to test")


class HasFamily(Protocol):
    """Options that describe a family of problems."""

    @property
    def family(self) -> FamilyName: ...
    @property
    def steps(self) -> int: ...
    @property
    def digits(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def seed(self) -> int | None: ...


@part("source", "procedural", options=ProceduralSection)
def make_questions(options: ProceduralSection) -> Iterator[Question | Drop]:
    """Multi-step arithmetic with known steps, drawn from a family."""
    for row, problem in enumerate(problems(options, options.split), start=1):
        origin = {"generator": "procedural", "family": options.family, "seed": options.seed or 0, "row": row}
        yield Question(
            prompt=problem.prompt,
            answer=str(problem.answer),
            verifier=options.verifier,
            spec=options.spec,
            domain=options.domain,
            source=options.name or "procedural",
            license=options.license,
            meta=with_origin({}, origin),
        )
        if row == options.take:
            return


def problems(options: HasFamily, split: Split) -> Iterator[Problem]:
    """`count` distinct problems of one split. Raises UsedUp where the family has fewer."""
    seen: set[str] = set()
    misses, index = 0, 0
    while len(seen) < options.count:
        problem = _draw(options, index)
        index += 1
        if problem.prompt in seen or split_of(problem) != split:
            misses += 1
            if misses > _PATIENCE + 100 * len(seen):
                raise _used_up(options, split, len(seen))
            continue
        misses = 0
        seen.add(problem.prompt)
        yield problem


def _draw(options: HasFamily, index: int) -> Problem:
    seed = digest("procedural", options.seed or 0, options.family, options.steps, options.digits, index)
    return FAMILIES[options.family].make(random.Random(int(seed, 16)), options.steps, options.digits)


def _used_up(options: HasFamily, split: Split, found: int) -> UsedUp:
    return UsedUp(
        f"count = {options.count}, but '{options.family}' with steps = {options.steps} and digits = {options.digits} "
        f"has only {found} {split} problems",
        hint=f"count = {found}, or more steps or digits" if found else "more steps or digits",
    )
