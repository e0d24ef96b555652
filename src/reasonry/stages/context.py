"""What every stage is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reasonry.console import Console
from reasonry.contracts import Executor
from reasonry.ledger import Ledger
from reasonry.registry import find
from reasonry.sections import VerifySection
from reasonry.store import Manifest, Store
from reasonry.teachers.asking.spending import Budget

__all__ = ["StageContext", "StageResult"]


@dataclass(frozen=True, slots=True)
class StageContext:
    """The world around a stage. `upstream` holds the manifests it may read, by stage name.

    `workers` None: as many as the executor finds processors.
    """

    store: Store
    upstream: Mapping[str, Manifest]
    console: Console
    open_ledger: Callable[[], Ledger]
    workers: int | None
    budget: Budget | None
    verify: VerifySection
    name: str
    run_id: str
    recipe_text: str
    overrides: Sequence[str]
    folder: Path
    executor: str = "local"

    def open_executor(self) -> AbstractContextManager[Executor]:
        """The recipe's executor, for the time of a `with` block."""
        return find("executor", self.executor).call(self.workers)


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage says of its work, beside the rows it wrote. `cost_usd` None = the price is unknown."""

    rows_in: int
    metrics: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cost_usd: float | None = None
