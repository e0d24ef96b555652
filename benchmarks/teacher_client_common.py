"""What every measured client has in common: its input, its limits, its figures. Imports nothing but Python's own.

So the peers can import it in their own environments, and no client pays for what another one needs.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["MAX_TOKENS", "MODEL", "TEMPERATURE", "Clock", "Spent", "body_of", "prompts", "raise_open_files"]

MODEL = "gpt-4o-mini"  # a name that the peers' price tables know, so that none of them pays for not finding it
TEMPERATURE = 0.7
MAX_TOKENS = 1024


def prompts(count: int) -> Iterator[str]:
    """Different questions of about 230 characters."""
    for number in range(count):
        fields, sacks, years = number % 97 + 3, number % 31 + 2, number % 7 + 2
        yield (
            f"Question {number}. A farmer has {fields} fields, and each of them gives {sacks} sacks of wheat in a good "
            f"year, but only half of that in a dry one. How many sacks are there after {years} good years and one dry "
            "year? Please reason step by step."
        )


def body_of(prompt: str) -> dict[str, object]:
    """The request as the floor sends it."""
    messages = [{"role": "user", "content": prompt}]
    return {"model": MODEL, "messages": messages, "temperature": TEMPERATURE, "max_tokens": MAX_TOKENS}


@dataclass(frozen=True, slots=True)
class Spent:
    """Elapsed and CPU seconds; the CPU's are those of this process and of all children that have ended."""

    wall_s: float
    cpu_s: float


class Clock:
    """Measures from its making."""

    def __init__(self) -> None:
        self._cpu_s, self._at = _cpu_s(), time.perf_counter()

    def spent(self) -> Spent:
        return Spent(time.perf_counter() - self._at, _cpu_s() - self._cpu_s)


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def raise_open_files() -> None:
    """Let this process have as many open files as it may: a connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
