"""What every stage is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reasonry.console import Console
from reasonry.ledger import Ledger
from reasonry.sections import VerifySection
from reasonry.store import Manifest, Store
from reasonry.teachers.asking.spending import Budget
from reasonry.types import Question

__all__ = ["StageContext", "StageResult"]


@dataclass(frozen=True, slots=True)
class StageContext:
    """The world around a stage. `upstream` holds the manifests it may read, by stage name."""

    store: Store
    upstream: Mapping[str, Manifest]
    console: Console
    open_ledger: Callable[[], Ledger]
    workers: int
    budget: Budget | None
    verify: VerifySection
    name: str
    run_id: str
    recipe_text: str
    overrides: Sequence[str]
    folder: Path

    def questions(self) -> dict[str, Question]:
        """The curated questions by id."""
        return {q.id: q for q in self.store.rows(self.upstream["curate"], Question)}


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage says of its work, beside the rows it wrote. `cost_usd` None = the price is unknown."""

    rows_in: int
    metrics: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cost_usd: float | None = None
