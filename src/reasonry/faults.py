"""What is wrong with the values that someone gave a section, said in our words instead of pydantic's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from reasonry.errors import nearest_hint

__all__ = ["Fault", "fault_of"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What to say. `is_of_a_key`: the key itself is unknown or lacks; else it is the value that is wrong."""

    message: str
    hint: str
    is_of_a_key: bool


def fault_of(error: ErrorDetails, model: type[BaseModel], home: str) -> Fault:
    """One of pydantic's errors on values of `model`, in our words; `home` is what paths are relative to."""
    key = str(error["loc"][-1]) if error["loc"] else ""
    if error["type"] == "missing":
        return Fault("is required", f"add {key} = ...", is_of_a_key=True)
    if error["type"] == "extra_forbidden":
        known = _known_keys(model, error["loc"][:-1])
        return Fault(f"unknown key '{key}'", nearest_hint(key, known), is_of_a_key=True)
    message = f"{error['msg'][:1].lower()}{error['msg'][1:]}"
    if error["type"] == "no_such_file":
        return Fault(message, f"paths are relative to {home}", is_of_a_key=False)
    hint = error.get("ctx", {}).get("hint") or f"given: {error['input']!r:.80}"
    return Fault(message, hint, is_of_a_key=False)


def _known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys a table knows, following `loc` into nested models."""
    for step in loc:
        if isinstance(step, int) or step not in model.model_fields:
            continue
        inner = list(_models_in(model.model_fields[step].annotation))
        if inner:
            model = inner[0]
    return list(model.model_fields)


def _models_in(annotation: object) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
