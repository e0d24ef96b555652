"""The conditions of a score: all that decides it beside the model's skill, as plain values by name.

They are in the manifest's metrics, and their digest is part of the score's: two scores under different conditions are
two figures, not a difference. No path, no host with a key, no number of workers is among them. None: it does not apply,
or nobody knows it (how a recording was sampled).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from reasonry.identity import digest
from reasonry.registry import Input, find, inputs_of
from reasonry.sections import EvaluateSection, VerifySection
from reasonry.types import Message, Question

__all__ = ["Asked", "asked_conditions", "conditions_digest", "score_digest", "stated_sampling", "verifier_conditions"]

_SAMPLING = ("temperature", "top_p", "max_tokens")


class Asked:
    """What was asked, question by question, without keeping it: which questions, and in which words."""

    def __init__(self) -> None:
        self.origin: Mapping[str, Any] = {}
        self._ids: set[str] = set()
        self._conversations: list[str] = []

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, question_id: object) -> bool:
        return question_id in self._ids

    def add(self, question: Question, messages: tuple[Message, ...]) -> None:
        if not self._ids:
            self.origin = question.meta.get("origin") or {}
        self._ids.add(question.id)
        self._conversations.append(digest("conversation", messages))

    @property
    def questions_digest(self) -> str:
        """Of which questions there are; their order is no part of it."""
        return digest("questions", sorted(self._ids))

    @property
    def wording_digest(self) -> str:
        """Of every word that was sent: system prompt, template, choices and all."""
        return digest("asked", sorted(self._conversations))


def asked_conditions(section: EvaluateSection, asked: Asked, *, is_ours: bool) -> dict[str, Any]:
    """Benchmark and sampling. `is_ours` False: the answers were recorded by others, who asked in their own way.

    Then only what the section states counts: what it leaves to its defaults nobody knows.
    """
    stated = _SAMPLING if is_ours else stated_sampling(section)
    known = {name: getattr(section, name) if name in stated else None for name in _SAMPLING}
    return {
        "benchmark": section.benchmark,
        "questions": asked.questions_digest,
        "question_count": len(asked),
        "limit": section.limit,
        "samples": section.samples,
        "asked": asked.wording_digest if is_ours else None,
        **known,
    }


def stated_sampling(section: EvaluateSection) -> list[str]:
    """What of the sampling the section states itself: of recorded answers, that is all that is known."""
    return sorted(section.model_fields_set.intersection(_SAMPLING))


def verifier_conditions(section: EvaluateSection, limits: VerifySection) -> dict[str, Any]:
    """Who judges, within which limits, with which software."""
    name = getattr(section, "verifier", "exact")
    part = find("verifier", name)
    return {
        "verifier": part.label,
        "verifier_timeout_s": limits.timeout_s,
        "verifier_memory_mb": limits.memory_mb,
        "software.reasonry": version("reasonry"),
        **{f"software.{found.name}": _version_of(found) for found in inputs_of(part, None)},
    }


def _version_of(found: Input) -> str:
    """A library's version; of anything else a verifier depends on, the beginning of its digest."""
    try:
        return version(found.name)
    except PackageNotFoundError:
        return found.digest[:16]


def conditions_digest(conditions: Mapping[str, Any]) -> str:
    """One digest for all conditions."""
    return digest("conditions", dict(conditions))


def score_digest(conditions: str, table: str) -> str:
    """A score's digest: that of its conditions, and of the table with every completion and verdict."""
    return digest("score", conditions, table)
