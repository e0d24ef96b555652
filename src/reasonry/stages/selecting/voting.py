"""The answer on which most samples of a question agree, where no reference says which one is right.

A vote is the answer that the verifier found, without its spelling; for the maths verifiers also `1/2`, `0.5` and
`\\frac12` are one. Samples whose verdict is our failure have no vote and do not count; samples without an answer count,
as votes for nothing. The answer with most votes wins; of several with as many, the one that was given first.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from reasonry.types import Candidate, Status
from reasonry.verifiers.extraction import EXPLICIT
from reasonry.verifiers.maths.cascade import read_number
from reasonry.verifiers.maths.spelling import spell

__all__ = ["Election", "vote_of"]

_AS_MATHS = frozenset({"math", "steps"})
LONGEST_NUMBER = 100  # characters that are read as a number
SHOWN = 60


@dataclass(frozen=True, slots=True)
class Election:
    """The votes of one question's samples."""

    votes: Sequence[str | None]
    voters: int

    @classmethod
    def among(cls, candidates: Sequence[Candidate]) -> Election:
        """Ask every sample."""
        voters = sum(candidate.verdict.status is not Status.ERROR for candidate in candidates)
        return cls([vote_of(candidate) for candidate in candidates], voters)

    @property
    def winner(self) -> str | None:
        """The answer with most votes, the first of those with as many; None where there is no vote."""
        counts = Counter(vote for vote in self.votes if vote is not None)
        return max(counts, key=lambda vote: counts[vote], default=None)  # max gives the first, and votes are in order

    def count(self, vote: str | None) -> int:
        return sum(other == vote for other in self.votes)


def vote_of(candidate: Candidate) -> str | None:
    """The answer of a sample without its spelling; None where it has none."""
    verdict = candidate.verdict
    if verdict.extracted is None or verdict.status is Status.ERROR:
        return None
    rule = verdict.evidence.get("rule")
    if candidate.trace.finish == "length" and rule is not None and rule not in EXPLICIT:
        return None  # what an unfinished text happens to end with is no answer
    return _folded(verdict.extracted, as_maths=verdict.verifier.partition("@")[0] in _AS_MATHS)


@lru_cache(4096)
def _folded(text: str, *, as_maths: bool) -> str | None:
    if as_maths:
        number = read_number(text) if len(text) <= LONGEST_NUMBER else None
        return "".join(spell(text).split()) or None if number is None else str(number)
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(".") or None
