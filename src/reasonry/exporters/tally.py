"""What the card counts, counted from the rows themselves while they pass."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from reasonry.exporters.joined import QuestionFacts, TraceStory

__all__ = ["SourceTally", "Tally", "TeacherTally"]


@dataclass(slots=True)
class TeacherTally:
    """One teacher's traces. A sum with an unknown in it is unknown (None), never smaller."""

    traces: int = 0
    examples: int = 0
    tokens_in: int | None = 0
    tokens_out: int | None = 0
    cost_usd: float | None = 0.0

    def add(self, story: TraceStory) -> None:
        trace = story.trace
        self.traces += 1
        self.examples += story.example is not None
        self.tokens_in = _sum(self.tokens_in, trace.tokens_in)
        self.tokens_out = _sum(self.tokens_out, trace.tokens_out)
        self.cost_usd = None if self.cost_usd is None or trace.cost_usd is None else self.cost_usd + trace.cost_usd


@dataclass(slots=True)
class SourceTally:
    """The questions of one source under one licence."""

    questions: int = 0
    examples: int = 0


@dataclass(slots=True)
class Tally:
    """Statuses by domain and verifier, traces by teacher, questions and examples by source and licence."""

    examples: int = 0
    traces: int = 0
    example_questions: int = 0
    by_domain: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    by_verifier: Counter[str] = field(default_factory=Counter[str])
    by_teacher: dict[str, TeacherTally] = field(default_factory=dict[str, TeacherTally])
    by_source: dict[tuple[str, str], SourceTally] = field(default_factory=dict[tuple[str, str], "SourceTally"])
    """By (source, licence): all questions that were read, since those that were rejected are published too."""

    _last_question: str = ""

    def read(self, question: QuestionFacts) -> None:
        self.by_source.setdefault((question.source, question.license), SourceTally()).questions += 1

    def add(self, story: TraceStory) -> None:
        self.traces += 1
        if story.verdict is not None:
            domain = self.by_domain.setdefault(story.question.domain, Counter())
            domain[story.verdict.status] += 1
            self.by_verifier[story.verdict.verifier] += 1
        self.by_teacher.setdefault(story.trace.teacher, TeacherTally()).add(story)
        if story.example is not None:
            self._add_example(story.question)

    @property
    def statuses(self) -> Counter[str]:
        return sum(self.by_domain.values(), Counter[str]())

    def _add_example(self, question: QuestionFacts) -> None:
        self.examples += 1
        self.example_questions += question.id != self._last_question  # the traces of a question follow each other
        self._last_question = question.id
        self.by_source[(question.source, question.license)].examples += 1


def _sum(total: int | None, value: int | None) -> int | None:
    return None if total is None or value is None else total + value
