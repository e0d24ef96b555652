"""What the engine has on its way: requests, and the questions they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reasonry.ledger import LedgerEntry
from reasonry.teachers.asking.admission import Gate
from reasonry.teachers.asking.outcomes import Outcome, Series
from reasonry.types import Request

__all__ = ["Case", "Item", "Stored"]


@dataclass(frozen=True, slots=True)
class Stored:
    """An answered request whose reply is in the ledger. `entry` is there while memory has room for it."""

    request: Request
    key: str
    from_ledger: bool
    entry: LedgerEntry | None = None


class Case:
    """One series on its way: its outcomes so far, in order."""

    __slots__ = ("first", "is_done", "missing", "outcomes", "round_start", "series", "size")

    def __init__(self, series: Series) -> None:
        self.series = series
        self.first: Sequence[Request] = series.start()
        self.size = max(1, len(self.first))
        self.outcomes: list[Outcome | Stored] = []
        self.missing = 0
        self.round_start = 0
        self.is_done = False


class Item:
    """One request of a case, and where its outcome belongs."""

    __slots__ = (
        "case",
        "characters",
        "failed_at",
        "failures",
        "is_claimed",
        "is_fresh",
        "key",
        "place",
        "refusals",
        "request",
    )

    def __init__(self, request: Request, case: Case, place: int, key: str | None) -> None:
        self.request = request
        self.case = case
        self.place = place
        self.key = key
        self.characters = sum(len(message.content) for message in request.messages)
        self.failures = 0
        self.refusals = 0
        self.failed_at: Gate | None = None  # where it failed last
        self.is_claimed = key is None
        self.is_fresh = False  # nobody else can have answered it since it was looked up

    @property
    def tries(self) -> int:
        return self.failures + self.refusals
