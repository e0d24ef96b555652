"""What the simulated endpoint counts, so that a test can prove what was paid for, how often, and when."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Served"]


@dataclass(slots=True)
class Served:
    """A running endpoint. `answers` counts the complete answers sent, by digest of the request's body.

    Seconds are counted from the endpoint's start. `refusals` counts responses of status 429 and 5xx by status and
    second, those of faults included; `abandoned` requests lost their client before they were answered.
    """

    base_url: str = ""
    received: int = 0
    abandoned: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    attempts: Counter[str] = field(default_factory=Counter[str])
    answers: Counter[str] = field(default_factory=Counter[str])
    faults: Counter[str] = field(default_factory=Counter[str])
    answers_by_second: Counter[int] = field(default_factory=Counter[int])
    refusals: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    started_at: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started_at

    @contextmanager
    def under_way(self) -> Generator[None]:
        """One request, from its receipt to its end."""
        self.received += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1

    def answered(self, asked: str) -> None:
        self.answers[asked] += 1
        self.answers_by_second[int(self.seconds)] += 1

    def refused(self, status: int) -> None:
        self.refusals[status, int(self.seconds)] += 1

    def stats(self, *, brief: bool = False) -> dict[str, Any]:
        """Everything, or all but the count of each request, as JSON values."""
        counts: dict[str, Any] = {
            "served": self.answers.total(),
            "distinct": len(self.answers),
            "received": self.received,
            "abandoned": self.abandoned,
            "in_flight": {"now": self.in_flight, "most": self.most_in_flight},
            "seconds": self.seconds,
            "faults": dict(self.faults),
            "served_by_second": {str(second): count for second, count in sorted(self.answers_by_second.items())},
            "refused_by_second": self._refused_by_second(),
        }
        return counts if brief else {**counts, "requests": dict(self.answers)}

    def _refused_by_second(self) -> dict[str, dict[str, int]]:
        by_status: dict[str, dict[str, int]] = {}
        for (status, second), count in sorted(self.refusals.items()):
            by_status.setdefault(str(status), {})[str(second)] = count
        return by_status
