"""Every error that Reasonry raises on purpose.

```
ReasonryError            what is wrong, where, and one thing to do       exit 1
├── UsageError           the command line, the recipe, or the input      exit 2
│   ├── RecipeError      a recipe that cannot be in force
│   ├── PartError        an unknown or unusable part
│   └── InputError       a data file that cannot be read
│       └── UsedUp       a source that has fewer questions than are asked for
├── WorkFailed           the outside world: teacher, disk, worker        exit 1
│   ├── TeacherError     one request that found no answer
│   ├── LedgerError      the ledger cannot be read or written
│   └── StoreError       a table cannot be read or written
├── GateMissed           a gate of the recipe was missed                 exit 3
└── BudgetReached        stopped at the budget; the run can be resumed   exit 4
```

An error carries its text in three parts, so that the command line, the JSON output and a caller in
Python show the same: `message` (what), `place` (where: `recipe.toml:12: verify.timeout_s`) and `hint`
(one thing to do).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BudgetReached",
    "GateMissed",
    "InputError",
    "LedgerError",
    "PartError",
    "ReasonryError",
    "RecipeError",
    "StoreError",
    "TeacherError",
    "UsageError",
    "UsedUp",
    "WorkFailed",
    "nearest_hint",
]


class ReasonryError(Exception):
    """The root of the tree. `exit_code` is what the command line ends with."""

    exit_code = 1

    def __init__(self, message: str, *, place: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class UsageError(ReasonryError):
    """The user's command line, recipe or input cannot be used."""

    exit_code = 2


class RecipeError(UsageError):
    """A recipe that cannot be in force."""


class PartError(UsageError):
    """A part that is unknown, cannot be imported, or breaks its contract."""


class InputError(UsageError):
    """A data file that cannot be read as a whole. (A bad row is set aside instead.)"""


class UsedUp(InputError):
    """A source that has fewer questions than the recipe asks it for."""


class WorkFailed(ReasonryError):
    """The outside world did not do its share: a teacher, a disk, a worker process."""


class TeacherError(WorkFailed):
    """One request found no answer.

    `retryable` says whether asking again may help; `fatal` that no other request will be answered
    either (a refused key), so the stage should stop.
    """

    def __init__(
        self,
        message: str,
        *,
        place: str | None = None,
        hint: str | None = None,
        retryable: bool = False,
        fatal: bool = False,
        retry_after_s: float | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message, place=place, hint=hint)
        self.retryable = retryable
        self.fatal = fatal
        self.retry_after_s = retry_after_s
        self.http_status = http_status


class LedgerError(WorkFailed):
    """The ledger cannot be read or written."""


class StoreError(WorkFailed):
    """A table cannot be read or written."""


class GateMissed(ReasonryError):
    """A gate of the recipe was missed. The run itself is whole."""

    exit_code = 3


class BudgetReached(ReasonryError):
    """The run stopped at its budget. What was paid for is in the ledger; run again to resume."""

    exit_code = 4


def nearest_hint(given: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or lists all of them when none is near."""
    names = sorted(set(known))
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    if not names:
        return "nothing is known here"
    return "known: " + ", ".join(names)
