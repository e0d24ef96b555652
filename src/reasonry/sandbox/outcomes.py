"""What a sandbox takes and gives: limits, and how a program ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from reasonry.errors import WorkFailed

__all__ = ["Ended", "Limits", "Outcome", "SandboxUnavailable", "Tier"]

Tier = Literal["namespaces", "landlock", "unsafe"]
WALL_FACTOR = 5.0


class SandboxUnavailable(WorkFailed):
    """This machine cannot confine programs as asked; the hint names the one thing to change."""


class Ended(StrEnum):
    """How a program ended. All but `failed` speak of the program; `failed` speaks of us."""

    OK = "ok"  # exit code 0
    RUNTIME_ERROR = "runtime_error"  # another exit code, or a signal
    TIME_LIMIT = "time_limit"
    OUTPUT_LIMIT = "output_limit"
    COMPILE_ERROR = "compile_error"
    FAILED = "failed"  # the box broke, twice


@dataclass(frozen=True, slots=True)
class Limits:
    """What one test may use.

    `cpu_s`: processor seconds of all threads. `wall_s`: seconds on the clock, by default five times that, since a busy
    machine must not fail a right program. `memory_mb`: address space (for runtimes that reserve more than they use,
    data). `output_mb`: each of stdout, stderr, and any file it writes. `threads`: at one time. `stack_mb`: of the main
    thread; compiled programs get as much as judges give them, 256 MB within `memory_mb`.
    """

    cpu_s: float = 10.0
    wall_s: float | None = None
    memory_mb: int = 1024
    output_mb: float = 16.0
    threads: int = 64
    stack_mb: int = 16

    def __post_init__(self) -> None:
        for name in ("cpu_s", "wall_s", "memory_mb", "output_mb", "threads", "stack_mb"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be more than 0, not {value}")

    @property
    def wall_limit_s(self) -> float:
        return WALL_FACTOR * self.cpu_s if self.wall_s is None else self.wall_s


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a program.

    `limit`: which clock ended it, where one did. A program that was ended by the wall clock having used little of the
    processor waited for something: itself (it sleeps) or a machine that is too busy. `value`: what a call returned.
    """

    ended: Ended
    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int | None = None
    signal: int | None = None
    limit: Literal["cpu", "wall"] | None = None
    cpu_s: float = 0.0
    wall_s: float = 0.0
    detail: str = ""
    tier: Tier = "namespaces"
    value: object = None
    cannot_judge: bool = False  # a harness that hands over what cannot leave its process

    @property
    def is_starved(self) -> bool:
        """Ended by the wall clock while it had hardly run: no fault that can be laid at its door."""
        return self.limit == "wall" and self.cpu_s < self.wall_s / (2 * WALL_FACTOR)
