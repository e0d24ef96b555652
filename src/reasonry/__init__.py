"""Reasonry: questions in, a verified reasoning dataset, a student and a report out.

Names are loaded on first use, so that `import reasonry` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reasonry.errors import ReasonryError
    from reasonry.recipe import Recipe, load_recipe
    from reasonry.registry import part
    from reasonry.types import Drop, Example, Message, Question, Reply, Request, Sampling, Status, Trace, Verdict

__version__ = "0.1.0"

_HOMES = {
    "Drop": "reasonry.types",
    "Example": "reasonry.types",
    "Message": "reasonry.types",
    "Question": "reasonry.types",
    "ReasonryError": "reasonry.errors",
    "Recipe": "reasonry.recipe",
    "Reply": "reasonry.types",
    "Request": "reasonry.types",
    "Sampling": "reasonry.types",
    "Status": "reasonry.types",
    "Trace": "reasonry.types",
    "Verdict": "reasonry.types",
    "load_recipe": "reasonry.recipe",
    "part": "reasonry.registry",
}

__all__ = [
    "Drop",
    "Example",
    "Message",
    "Question",
    "ReasonryError",
    "Recipe",
    "Reply",
    "Request",
    "Sampling",
    "Status",
    "Trace",
    "Verdict",
    "load_recipe",
    "part",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reasonry' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
