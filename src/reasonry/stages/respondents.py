"""Who answers the questions of an evaluation: a checkpoint on this machine, or a teacher (an endpoint, a recording)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from reasonry.console import Meter
from reasonry.identity import digest
from reasonry.prompts import asked_with, messages_of
from reasonry.registry import find, inputs_of
from reasonry.sections import DistilSection, EvaluateSection
from reasonry.stages.context import StageContext
from reasonry.stages.tally import AnswerTally, ask, spending, teacher_of, unanswered_drop
from reasonry.store import TableWriter
from reasonry.teachers.asking.outcomes import Answered
from reasonry.teachers.local.checkpoint import checkpoint_digest, load_student
from reasonry.teachers.replay import ReplayOptions
from reasonry.types import Message, Question, Reply, Request, Sampling

__all__ = ["Answer", "CheckpointRespondent", "Respondent", "TeacherRespondent"]

_WINDOW_BATCHES = 8  # answers made at once, so that batches hold prompts of like length and answers still stream


@dataclass(frozen=True, slots=True)
class Answer:
    """One sample: the question, which sample of it, and what was said."""

    question: Question
    index: int
    reply: Reply


class Respondent(Protocol):
    """Answers questions, lazily and in order, and says of itself what belongs to a score's conditions."""

    @property
    def is_ours(self) -> bool:
        """Whether we do the asking; False for answers that others recorded."""
        ...

    def messages(self, question: Question) -> tuple[Message, ...]: ...
    def answers(self, questions: Iterable[Question]) -> Iterator[Answer]: ...
    def conditions(self) -> dict[str, Any]: ...
    def facts(self) -> Mapping[str, Any]:
        """What the manifest says of the asking itself."""
        ...

    @property
    def cost_usd(self) -> float | None: ...


class CheckpointRespondent:
    """A checkpoint folder, through torch and transformers."""

    is_ours = True
    cost_usd = None

    def __init__(self, section: EvaluateSection, checkpoint: Path) -> None:
        self._section = section
        self._digest = checkpoint_digest(checkpoint)
        self._student = load_student(checkpoint, "auto")

    def messages(self, question: Question) -> tuple[Message, ...]:
        section = self._section
        return asked_with(section.prompt or "{prompt}", section.system, question)

    def answers(self, questions: Iterable[Question]) -> Iterator[Answer]:
        section = self._section
        asked = ((question, index) for question in questions for index in range(section.samples))
        while window := list(islice(asked, section.batch_size * _WINDOW_BATCHES)):
            replies = self._student.replies(
                [(self.messages(question), self._sampling(index)) for question, index in window],
                seed=section.seed or 0,
                batch_size=section.batch_size,
            )
            for (question, index), reply in zip(window, replies, strict=True):
                yield Answer(question, index, reply)

    def _sampling(self, index: int) -> Sampling:
        section = self._section
        return Sampling(section.temperature, section.top_p, section.max_tokens, index)

    def conditions(self) -> dict[str, Any]:
        """The checkpoint by its content: its folder's name and place say nothing."""
        section = self._section
        return {
            "model": f"checkpoint/{self._digest[:12]}",
            "model_revision": self._digest,
            "served_by": None,
            "system_prompt": section.system,
            "prompt": section.prompt or "{prompt}",
            "chat_template": digest("chat template", str(self._student.tokenizer.chat_template)),
            "seed": section.seed if section.temperature else None,  # where nothing is drawn it decides nothing
            "software.torch": version("torch"),
            "software.transformers": version("transformers"),
        }

    def facts(self) -> Mapping[str, Any]:
        return {}


class TeacherRespondent:
    """A teacher, through the ledger and within the budget; what found no answer becomes a drop."""

    def __init__(
        self,
        section: EvaluateSection,
        teacher: DistilSection,
        name: str,
        context: StageContext,
        writer: TableWriter,
        meter: Meter,
    ) -> None:
        self._section, self._options, self._name = section, teacher, name
        self._context, self._writer, self._meter = context, writer, meter
        self._teacher = teacher_of(teacher, context)
        self._tally = AnswerTally()

    @property
    def is_ours(self) -> bool:
        return not isinstance(self._options, ReplayOptions)

    @property
    def cost_usd(self) -> float | None:
        return self._tally.cost_usd

    @property
    def _is_asked_anew(self) -> bool:
        """Whether the evaluation has words of its own, in the place of the teacher's."""
        return self._section.prompt is not None or self._section.system is not None

    def messages(self, question: Question) -> tuple[Message, ...]:
        section = self._section
        if self._is_asked_anew:
            return asked_with(section.prompt or "{prompt}", section.system, question)
        return messages_of(self._options, question)

    def answers(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """Raises WorkFailed, at the end, where too many found no answer."""
        for outcome in ask(self._options, self._teacher, self._requests(questions), self._context, self._watch):
            self._tally.add(outcome)
            if isinstance(outcome, Answered):
                request = outcome.request
                yield Answer(request.question, request.sampling.index, outcome.reply)
            else:
                self._writer.drop(unanswered_drop(outcome, "evaluate"))
        self._tally.check(self._options, f"evaluate: {self._section.label}")

    def _requests(self, questions: Iterable[Question]) -> Iterator[Request]:
        section, top_p = self._section, self._section.top_p or self._options.top_p
        for question in questions:
            messages = self.messages(question)
            for index in range(section.samples):
                yield Request(messages, Sampling(section.temperature, top_p, section.max_tokens, index), question)

    @property
    def _watch(self) -> Callable[[Any], None]:
        return lambda now: self._meter.tell(replace(spending(now), done=None))

    def conditions(self) -> dict[str, Any]:
        section, options = self._section, self._options
        system, prompt = (section.system, section.prompt or "{prompt}")
        if not self._is_asked_anew:
            system, prompt = options.system, f"preset {options.preset}" if options.preset else options.prompt
        if not self.is_ours:
            system, prompt = section.system, section.prompt
        return {
            **self._identity(),
            "top_p": section.top_p or (options.top_p if self.is_ours else None),
            "system_prompt": system,
            "prompt": prompt,  # where rules choose among several, `asked` tells them apart
            "chat_template": None,
            "seed": getattr(options, "seed", None) if section.temperature else None,
        }

    def _identity(self) -> dict[str, Any]:
        """The model as ledger keys name it; a recording by the name it goes under and the digest of its files."""
        teacher: Any = self._teacher
        if self.is_ours:
            revision = getattr(self._options, "revision", None)
            return {"model": teacher.model, "model_revision": revision, "served_by": teacher.served_by}
        files = inputs_of(find("teacher", self._options.teacher), self._options)
        recorded = digest("recordings", [found.digest for found in files])
        return {"model": self._name, "model_revision": recorded, "served_by": "replay"}

    def facts(self) -> Mapping[str, Any]:
        asked, answered = self._tally.requests, self._tally.answered
        return {"teacher": self._tally.metrics(), "coverage": answered / asked if asked else 0.0}
