"""The nouns: what flows through the line, from question to score.

All are frozen and slotted. Ids are digests of content, never positions, and start with a letter that
names the noun (`q-`, `t-`, `v-`, `e-`). A field marked `volatile` (a duration) is stored but is no part of a
table's digest; a field marked `json` is free-form and stored as canonical JSON text. Arrow schemas are
derived from these classes in `reasonry.tables`, so there is one definition of each row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from reasonry.identity import digest

__all__ = [
    "Candidate",
    "Completion",
    "Drop",
    "Example",
    "Finish",
    "JsonMap",
    "Message",
    "Question",
    "Reply",
    "Request",
    "Sampling",
    "Status",
    "Trace",
    "TrainStep",
    "Verdict",
    "VerdictRow",
    "conversation",
    "whole_text",
    "with_origin",
]

JsonMap = Mapping[str, Any]
Finish = Literal["stop", "length", "refusal", "error"]


def _json_field() -> Any:
    return field(default_factory=dict[str, Any], metadata={"json": True})


def _volatile(default: float) -> Any:
    return field(default=default, compare=False, metadata={"volatile": True})


class Status(StrEnum):
    """What verification found.

    `correct`, `incorrect`, `unparsed` (no answer found) and `timeout` (the model's answer used up its limits)
    speak of the model. `error` and `skipped` speak of us: they have no score and stay out of every
    denominator. There is no truth value: `if status:` raises, because a non-empty "incorrect" is true.
    """

    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNPARSED = "unparsed"
    TIMEOUT = "timeout"
    ERROR = "error"
    SKIPPED = "skipped"

    @property
    def score(self) -> float | None:
        """1.0 for correct, 0.0 for what the model got wrong, None for what we failed to decide."""
        if self in (Status.ERROR, Status.SKIPPED):
            return None
        return 1.0 if self is Status.CORRECT else 0.0

    def __bool__(self) -> NoReturn:
        raise TypeError("a Status has no truth value: compare it, for example status is Status.CORRECT")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation in the chat format: role is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something to be answered, with all that is needed to verify an answer.

    `spec` is what the verifier needs beyond the answer (choices, tests, units). `meta["origin"]` says where
    the row came from: file, row number, sha256.
    """

    prompt: str
    answer: str | None
    verifier: str
    spec: JsonMap = _json_field()
    domain: str = "unknown"
    source: str = ""
    license: str = "unknown"
    meta: JsonMap = _json_field()
    id: str = field(init=False)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Python asks here for a slot that is empty: the id is made when it is first wanted, then kept.

            Verifying needs none, and a digest costs more than a short row's verdict may.
            """
            if name != "id":
                raise AttributeError(f"a Question has no '{name}'")
            content = digest("question", self.prompt, self.answer, self.verifier, self.spec)
            object.__setattr__(self, "id", f"q-{content}")
            return self.id


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a response is sampled. `index` tells the samples of one question apart.

    None means: left to the endpoint. `max_tokens` counts generated tokens.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    index: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What a teacher is asked. `question` is for teachers that look recorded answers up (replay)."""

    messages: tuple[Message, ...]
    sampling: Sampling
    question: Question

    def key(self, model: str, served_by: str) -> str:
        """The ledger's key: everything that decides which response comes back, and nothing else."""
        sampling = self.sampling
        named = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
        }
        return "r-" + digest("request", model, served_by, self.messages, named, sampling.index)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a teacher answered. `reasoning` is kept apart from `response`; None = the teacher gave no count."""

    response: str
    reasoning: str = ""
    finish: Finish = "stop"
    model: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """One sampled response to a question. `cost_usd` None = the price is unknown, which is not 0."""

    question_id: str
    index: int
    reasoning: str
    response: str
    teacher: str
    finish: Finish = "stop"
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    ledger_key: str | None = None
    id: str = field(init=False)

    def __post_init__(self) -> None:
        content = digest(
            "trace", self.question_id, self.index, self.teacher, self.reasoning, self.response, self.finish
        )
        object.__setattr__(self, "id", f"t-{content}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier found, and on what evidence. Never a bool, never a number alone.

    `verifier` is `name@version`, stamped by the registry; `extracted` the answer found in the response.
    """

    status: Status
    verifier: str = ""
    extracted: str | None = None
    detail: str = ""
    evidence: JsonMap = _json_field()
    seconds: float = _volatile(0.0)


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict as a row of the verify table, tied to its trace."""

    trace_id: str
    question_id: str
    status: Status
    verifier: str
    extracted: str | None = None
    detail: str = ""
    evidence: JsonMap = _json_field()
    seconds: float = _volatile(0.0)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", "v-" + digest("verdict", self.trace_id, self.verifier))

    @classmethod
    def of(cls, trace_id: str, question_id: str, verdict: Verdict) -> VerdictRow:
        return cls(
            trace_id=trace_id,
            question_id=question_id,
            status=verdict.status,
            verifier=verdict.verifier,
            extracted=verdict.extracted,
            detail=verdict.detail,
            evidence=verdict.evidence,
            seconds=verdict.seconds,
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A verified trace with its question: what may become an example."""

    question: Question
    trace: Trace
    verdict: VerdictRow


@dataclass(frozen=True, slots=True)
class Example:
    """One row of the fine-tuning set, traceable to its question, trace and verdict."""

    messages: tuple[Message, ...]
    question_id: str
    trace_id: str
    verdict_id: str
    kept_because: str
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", "e-" + digest("example", self.messages, self.trace_id))


@dataclass(frozen=True, slots=True)
class Drop:
    """A row that left the line: which, where, by which rule, and why.

    `row_id` is the id of the row, or `file:row` for input that never became a question; `content` then keeps
    the beginning of what was read. `other_id` names the row that decided (the duplicate that was kept, the
    benchmark question that was hit).
    """

    row_id: str
    stage: str
    rule: str
    reason: str
    other_id: str | None = None
    content: str = ""


@dataclass(frozen=True, slots=True)
class TrainStep:
    """One optimiser step. `loss` is the mean over the assistant's tokens of the step, in nats per token."""

    step: int
    loss: float
    learning_rate: float
    tokens: int
    seconds: float = _volatile(0.0)


@dataclass(frozen=True, slots=True)
class Completion:
    """One evaluated answer of a student: the question, what it wrote, and the verdict.

    `difficulty` is the number that came with the question, None where none did.
    """

    student: str
    benchmark: str
    question_id: str
    index: int
    prompt: str
    answer: str | None
    domain: str
    response: str
    finish: Finish
    status: Status
    verifier: str
    extracted: str | None = None
    detail: str = ""
    evidence: JsonMap = _json_field()
    seconds: float = _volatile(0.0)
    source: str = ""
    difficulty: float | None = None


def with_origin(meta: JsonMap, origin: JsonMap) -> JsonMap:
    """`meta` with the place the row came from."""
    return {**meta, "origin": dict(origin)}


def conversation(prompt: str, system: str | None = None) -> tuple[Message, ...]:
    """The messages that ask a prompt."""
    user = Message("user", prompt)
    return (user,) if system is None else (Message("system", system), user)


def whole_text(reasoning: str, response: str, finish: Finish = "stop") -> str:
    """Reasoning and response as one text, in the `<think>` form: what a student learns and a verifier reads.

    Reasoning that was cut off before any response stays unclosed, so that nobody takes it for an answer.
    """
    if not reasoning:
        return response
    if finish == "length" and not response:
        return f"<think>\n{reasoning}"
    return f"<think>\n{reasoning}\n</think>\n\n{response}"
