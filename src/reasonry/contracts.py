"""What each kind of part promises, as types. A part is a callable; these are what it takes and returns.

| kind | contract |
|---|---|
| source, benchmark | `(options) -> Iterator[Question or Drop]` |
| teacher | `(options) -> async context manager of a Teacher` |
| verifier | `(Question, response) -> Verdict` |
| filter | `(questions, options) -> Iterator[Question or Drop]`, one for each row, in order |
| trace_filter | `(candidates, options) -> Iterator[Candidate or Drop]`, one for each row, in order |
| exporter | `(Publishing, target folder) -> Exported`, in `reasonry.exporters.contract` |
| trainer | `(conversations, options, out, on_step) -> None`; writes `out/checkpoint`, `out/untrained` |
| executor | `(workers, or None) -> context manager of an Executor`; None: one for each processor there is |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from reasonry.sections import TrainSection
from reasonry.types import Drop, JsonMap, Message, Question, Reply, Request, Sampling, TrainStep

__all__ = [
    "AtHand",
    "Endpoint",
    "Executor",
    "Headroom",
    "Limits",
    "Mapper",
    "Outcome",
    "RateLimits",
    "Recording",
    "Served",
    "Student",
    "Teacher",
    "Trainer",
    "Work",
]


class Teacher(Protocol):
    """Answers requests. `model` and `served_by` name who answers, and enter every ledger key.

    `paid` says whether its answers cost something and so belong in the ledger.
    """

    @property
    def model(self) -> str: ...
    @property
    def served_by(self) -> str: ...
    @property
    def paid(self) -> bool: ...

    async def __call__(self, request: Request) -> Reply:
        """One try. Raises TeacherError, which says whether another try may help."""
        ...

    def recorded(self, question: Question) -> int | None:
        """How many recorded answers there are; None for a teacher that makes new ones."""
        ...


@dataclass(frozen=True, slots=True)
class Headroom:
    """What an endpoint's rate-limit headers said last: what is left, and in how many seconds it is whole again."""

    requests: int | None = None
    requests_reset_s: float | None = None
    tokens: int | None = None
    tokens_reset_s: float | None = None


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What an endpoint allows by the minute, as far as it is declared."""

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


class Endpoint(Protocol):
    """One address at which a teacher is served. Calling it is one try there."""

    @property
    def name(self) -> str: ...
    @property
    def weight(self) -> float:
        """Its share of the requests, relative to the other endpoints' weights."""
        ...

    @property
    def limits(self) -> RateLimits: ...
    @property
    def headroom(self) -> Headroom | None:
        """From the last response; None where it said nothing."""
        ...

    async def __call__(self, request: Request) -> Reply: ...


@runtime_checkable
class Served(Protocol):
    """A teacher at one or more endpoints. Each gets its own number of requests in flight, found while asking."""

    @property
    def endpoints(self) -> Sequence[Endpoint]: ...


@runtime_checkable
class Recording(Protocol):
    """A teacher that reads answers others recorded."""

    @property
    def set_aside(self) -> Sequence[Drop]:
        """Recorded rows that could not be read, each with its reason."""
        ...

    def unmatched(self, questions: Iterable[Question]) -> int:
        """How many recorded answers belong to none of these questions."""
        ...


@runtime_checkable
class AtHand(Protocol):
    """A teacher that need not be waited for, since it has its answers already."""

    @property
    def paid(self) -> bool: ...

    def recall(self, request: Request) -> Reply:
        """As a call of the teacher, at once. Raises TeacherError where there is no answer."""
        ...


class Student(Protocol):
    """A model on this machine that answers batches."""

    def generate(
        self, conversations: Sequence[tuple[Message, ...]], sampling: Sampling, *, seed: int, batch_size: int
    ) -> Iterator[Reply]:
        """One reply for each conversation, in order; the same ones for the same seed on the same machine."""
        ...


class Trainer(Protocol):
    """Trains a student from conversations whose last message is the assistant's."""

    def __call__(
        self,
        conversations: Sequence[tuple[Message, ...]],
        options: TrainSection,
        out: Path,
        on_step: Callable[[TrainStep], None],
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Work:
    """A function that worker processes import by name: `package.module:factory`.

    `factory(options)` is called once in each worker and returns the function that is called for each row. Options, rows
    and results are JSON values, since they cross a process border.
    """

    target: str
    options: JsonMap = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Limits:
    """What one row may use."""

    cpu_s: float
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row. `failure` None: `value` is the result."""

    value: Any = None
    failure: Literal["timeout", "memory", "died", "raised"] | None = None
    detail: str = ""


class Executor(Protocol):
    """Spreads work over processes. Outcomes come back in the order of the rows, whatever the number of workers."""

    @property
    def workers(self) -> int: ...

    def map(self, work: Work, rows: Iterable[JsonMap], limits: Limits) -> Iterator[Outcome]: ...


class Mapper(Protocol):
    """Spreads a pure function over rows in batches, wherever the executor has processors.

    The function is named as `Work` names it, but called with a list of rows, and gives as many results. Results come
    back in order. Raises WorkFailed where a batch cannot be done: no row of ours may run wild.
    """

    def __call__(self, work: Work, rows: Iterable[JsonMap]) -> Iterator[Any]: ...
