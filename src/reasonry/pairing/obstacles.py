"""What keeps two scores from being compared: conditions that differ, or that nobody knows.

What says which model answered (`model`, `model_revision`, `served_by`) is what is compared, so it is no obstacle.
Unknown is never the same as unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["WHO_ANSWERED", "Obstacle", "obstacles", "of_the_questions", "shown"]

WHO_ANSWERED = frozenset(("model", "model_revision", "served_by"))

_WHICH_QUESTIONS = frozenset(("benchmark", "questions", "question_count", "limit"))

_OF_OUR_RUNNING = frozenset(("software.torch", "software.transformers"))
"""They belong to how a checkpoint is served. An endpoint has none, which `served_by` says already."""

_TOLD_OF_RECORDINGS = frozenset(("temperature", "top_p", "max_tokens", "system_prompt", "prompt"))
"""None in a recording's conditions means that nobody said it. Elsewhere None means that there is none."""

_KNOWN_TO_THE_ASKER = frozenset(("asked", "chat_template"))
"""None: the words that reached the model are not known to us (a recording, an endpoint's own template)."""

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A condition with both values. `is_unknown`: on one side at least nobody knows it."""

    name: str
    a: Any
    b: Any
    is_unknown: bool

    def __str__(self) -> str:
        nothing = "unknown" if self.is_unknown else "none"
        return f"{self.name}: A {shown(self.a, nothing)}, B {shown(self.b, nothing)}"

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "a": self.a, "b": self.b, "unknown": self.is_unknown}


def obstacles(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Obstacle]:
    """The conditions in which two scores differ or may differ, by name."""
    if not a or not b:
        return [Obstacle("conditions", "stated" if a else None, "stated" if b else None, is_unknown=True)]
    return list(_obstacles(a, b))


def of_the_questions(found: Sequence[Obstacle]) -> list[Obstacle]:
    """Those which say that other questions were asked, not that they were asked otherwise.

    `asked` is of all words together, so it differs wherever the questions do; the words of one question follow from
    template, system prompt and chat template, which are conditions of their own.
    """
    named = _WHICH_QUESTIONS | ({"asked"} if any(one.name == "questions" for one in found) else set())
    return [one for one in found if one.name in named and not one.is_unknown]


def _obstacles(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Obstacle]:
    for name in sorted({*a, *b} - WHO_ANSWERED):
        one, other = a.get(name, _MISSING), b.get(name, _MISSING)
        is_missing = _MISSING in (one, other)
        if is_missing and name in _OF_OUR_RUNNING:
            continue
        is_unknown = is_missing or _is_unknown(name, a) or _is_unknown(name, b)
        if one != other or is_unknown:
            yield Obstacle(name, _plain(one), _plain(other), is_unknown or _is_half_known(name, one, other))


def _is_unknown(name: str, conditions: Mapping[str, Any]) -> bool:
    is_recorded = conditions.get("served_by") == "replay"
    return is_recorded and name in _TOLD_OF_RECORDINGS and conditions.get(name) is None


def _is_half_known(name: str, one: Any, other: Any) -> bool:
    return name in _KNOWN_TO_THE_ASKER and None in (one, other)


def _plain(value: Any) -> Any:
    return None if value is _MISSING else value


def shown(value: Any, nothing: str = "none") -> str:
    """A condition's value for people; long ones are cut."""
    if value is None:
        return nothing
    text = repr(value) if isinstance(value, str) and not value.isalnum() else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
