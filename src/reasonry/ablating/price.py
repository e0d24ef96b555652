"""What a matrix will cost, before any of it is paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from reasonry.console import dollars
from reasonry.errors import BudgetReached, UsageError
from reasonry.estimating import Estimate
from reasonry.history import estimates
from reasonry.ledger import Ledger
from reasonry.plan import Step, make_plan
from reasonry.recipe import Recipe
from reasonry.store import Store
from reasonry.teachers.asking.spending import Budget

__all__ = ["hold_budget"]


@dataclass(frozen=True, slots=True)
class _Priced:
    """One stage that asks a paid teacher. None: nothing is known of its price."""

    step: Step
    usd: float | None


def hold_budget(recipes: Sequence[Recipe], store: Store, ledger: Path, budget_usd: float | None) -> Budget | None:
    """Refuse a matrix that would cost more than the budget (given, or the recipe's), with its price.

    Every table counts once, however many cells share it, and what is sealed or in the ledger is paid. Raises
    BudgetReached where it is too much, UsageError where nobody can tell. The price is an estimate, so the budget is
    given back for all that is then paid; None: there is no budget, or nobody to pay.
    """
    own = recipes[0].budget.usd if recipes[0].budget else None
    budget = budget_usd if budget_usd is not None else own
    if budget is None:
        return None
    priced = list(_priced(recipes, store, ledger))
    unknown = [one for one in priced if one.usd is None]
    if unknown:
        raise UsageError(
            f"what {len(unknown)} of the matrix's {len(priced)} tables of traces cost is not known",
            place="budget",
            hint="`reasonry plan RECIPE --pilot 20` with the same ledger finds it out",
        )
    total = sum(one.usd or 0.0 for one in priced)
    if total > budget:
        raise BudgetReached(
            f"the matrix would cost {dollars(total)} for {len(priced)} tables of traces, and the budget is"
            f" {dollars(budget)}",
            place="ablate",
            hint="nothing was paid: vary less, ask for fewer samples, or allow more by --budget",
        )
    return Budget(budget, counts_paid=False) if priced else None


def _priced(recipes: Sequence[Recipe], store: Store, ledger: Path) -> Iterator[_Priced]:
    seen: set[str] = set()
    with ExitStack() as stack:
        opened = stack.enter_context(Ledger(ledger)) if ledger.is_file() else None
        for recipe in recipes:
            steps = make_plan(recipe)
            known = estimates(steps, store, opened)
            for step in steps:
                if step.key in seen or not _is_paid(step, recipe) or store.sealed(step.stage, step.key):
                    continue
                seen.add(step.key)
                found = known.get(step.name)
                remaining = found.remaining_usd if isinstance(found, Estimate) else None
                yield _Priced(step, remaining.estimate if remaining else None)


def _is_paid(step: Step, recipe: Recipe) -> bool:
    asks = step.stage == "distil" or (step.stage == "evaluate" and getattr(step.options, "teacher", None) is not None)
    if not asks or recipe.distil is None:
        return False
    responders = recipe.distil.responders if step.stage == "distil" else [recipe.distil]
    return any(getattr(one, "paid", False) for one in responders)
