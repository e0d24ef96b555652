"""What the examples are made of: the table of the mix, and what became of whole questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from reasonry.stages.selecting.fates import Fate, by_question
from reasonry.stages.selecting.sharing import Division, Path

__all__ = ["Composition"]


@dataclass(slots=True)
class _Part:
    """The examples of one group. Tokens are None where the count of one of them is not known."""

    kept: int = 0
    questions: int = 0
    characters: int = 0
    tokens: int | None = 0
    last_question: str = ""

    def add(self, fate: Fate) -> None:
        trace = fate.candidate.trace
        self.kept += 1
        self.questions += trace.question_id != self.last_question  # those of one question follow each other
        self.last_question = trace.question_id
        self.characters += len(trace.reasoning) + len(trace.response)
        self.tokens = None if self.tokens is None or trace.tokens_out is None else self.tokens + trace.tokens_out

    def figures(self) -> dict[str, Any]:
        return {
            "kept": self.kept,
            "questions": self.questions,
            "mean_tokens": None if self.tokens is None or not self.kept else self.tokens / self.kept,
            "mean_characters": self.characters / self.kept if self.kept else None,
        }


@dataclass(slots=True)
class Composition:
    """Counted while the fates of all traces pass, in order."""

    traces: int = 0
    questions_seen: int = 0
    total: _Part = field(default_factory=_Part)
    parts: dict[Path, _Part] = field(default_factory=dict[Path, _Part])
    lost: Counter[str] = field(default_factory=Counter[str])

    def counting(self, fates: Iterable[Fate]) -> Iterator[Fate]:
        """The same fates, each counted."""
        for group in by_question(fates):
            self.traces += len(group)
            self.questions_seen += 1
            if not any(fate.is_standing for fate in group):
                self.lost[_last_rule(group)] += 1
            for fate in group:
                if fate.is_standing:
                    self._add(fate)
                yield fate

    def _add(self, fate: Fate) -> None:
        self.total.add(fate)
        path = fate.group or (fate.candidate.question.domain,)
        for depth in range(1, len(path) + 1):
            self.parts.setdefault(path[:depth], _Part()).add(fate)

    def metrics(self, questions: int) -> dict[str, Any]:
        """Figures of the stage; `questions` were asked, those without any trace too."""
        lost = Counter(self.lost)
        if silent := questions - self.questions_seen:
            lost["no_trace"] = silent
        return {
            "examples": self.total.kept,
            "questions": self.total.questions,
            "traces": self.traces,
            "mean_tokens": self.total.figures()["mean_tokens"],
            "mean_characters": self.total.figures()["mean_characters"],
            "questions_lost": dict(sorted(lost.items())),
        }

    def table(self, division: Division | None) -> list[dict[str, Any]]:
        """One line for each group: of the mix, or by domain where there is none (then nothing is wanted)."""
        if division is None:
            return [
                {"group": list(path), "by": "domain", "available": part.kept, "capped": 0, "wanted": None}
                | part.figures()
                for path, part in sorted(self.parts.items())
            ]
        return [
            {"group": list(path), "by": group.by, "available": group.available, "capped": group.capped}
            | {"wanted": group.wanted, **self.parts.get(path, _Part()).figures()}
            for path, group in division.groups.items()
        ]


def _last_rule(group: Sequence[Fate]) -> str:
    """The rule that took the last trace of a question: the one that its traces got furthest to, the first of those."""
    furthest = max(group, key=lambda fate: fate.step)
    return furthest.drop.rule if furthest.drop is not None else ""
