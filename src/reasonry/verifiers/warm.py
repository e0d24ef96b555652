"""Verifiers with something large to load say so, and a worker loads it once, on no row's account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["warm_up", "warmed_by"]

Call = TypeVar("Call", bound=Callable[..., Any])
_ATTRIBUTE = "__reasonry_warm_up__"


def warmed_by(load: Callable[[], object]) -> Callable[[Call], Call]:
    """Name the function that loads what a verifier needs. It must be safe to call twice."""

    def mark(call: Call) -> Call:
        setattr(call, _ATTRIBUTE, load)
        return call

    return mark


def warm_up(call: Callable[..., Any]) -> None:
    """Load what a verifier needs, if it named something."""
    load = getattr(call, _ATTRIBUTE, None)
    if load is not None:
        load()
