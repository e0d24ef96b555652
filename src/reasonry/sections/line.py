"""The sections after distilling: verify, publish, train, evaluate; and where a run stops or fails."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from reasonry.sections.base import Section

__all__ = ["BudgetSection", "EvaluateSection", "GateSection", "PublishSection", "TrainSection", "VerifySection"]


class VerifySection(Section):
    """Limits for verifying one response, whatever the verifier."""

    timeout_s: Annotated[float, Field(gt=0)] = Field(default=5.0, description="CPU seconds per response")
    memory_mb: Annotated[int, Field(ge=256)] = Field(default=2048, description="address space per worker")
    sandbox: Literal["best", "namespaces", "landlock", "unsafe"] = Field(
        default="best", description="what confines programs; unsafe: nothing, and every verdict says so"
    )

    @property
    def tier(self) -> str | None:
        """The sandbox's tier, None for the best there is."""
        return None if self.sandbox == "best" else self.sandbox


class PublishSection(Section):
    """What the dataset folder holds. The Hub layout is always written; `formats` come beside it."""

    title: str | None = None
    license: str | None = Field(default=None, description="licence of the dataset; default: the questions' own")
    formats: list[str] = Field(default_factory=lambda: ["sharegpt", "alpaca"], description="exporters, by name")

    @property
    def exporters(self) -> list[str]:
        """Every exporter, in the order of work."""
        return list(dict.fromkeys(["hub", *self.formats]))


class TrainSection(Section):
    """How a student is trained."""

    part_field: ClassVar[str | None] = "trainer"

    trainer: str
    name: str = Field(default="student", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    target: Literal["trace", "answer"] = Field(
        default="trace", description="train on the whole trace, or on the final answer alone"
    )
    examples: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="learn from so many examples, chosen by their digests; default: all"
    )
    seed: int | None = Field(default=None, description="default: derived from the recipe's seed")


class EvaluateSection(Section):
    """On which questions, and how, students are scored."""

    part_field: ClassVar[str | None] = "benchmark"

    benchmark: str
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    of: list[str] | None = Field(default=None, description='students by name, or "teacher"; default: every student')
    samples: Annotated[int, Field(ge=1)] = 1
    temperature: Annotated[float, Field(ge=0)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] = 256
    system: str | None = Field(default=None, description="the system prompt; default: none, or the teacher's own")
    prompt: str | None = Field(
        default=None, description="the user's message, with placeholders; default: the question, or the teacher's own"
    )
    limit: Annotated[int, Field(ge=1)] | None = Field(default=None, description="only the first questions")
    untrained: bool = Field(default=True, description="score each student before training too")
    batch_size: Annotated[int, Field(ge=1)] = 128
    max_error_rate: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.01, description="share of answers that may fail to be verified; above it there is no score"
    )
    seed: int | None = Field(default=None, description="default: derived from the recipe's seed")

    @field_validator("prompt")
    @classmethod
    def _has_prompt(cls, prompt: str | None) -> str | None:
        if prompt is not None and "{prompt}" not in prompt:
            raise PydanticCustomError("no_prompt", "the template has no {{prompt}} in it", {})
        return prompt

    @property
    def label(self) -> str:
        return self.name or self.benchmark


class BudgetSection(Section):
    """Where the run stops. It can be resumed with a larger one."""

    usd: Annotated[float, Field(ge=0)]


class GateSection(Section):
    """A figure that must hold, or the run ends with exit code 3."""

    metric: str = Field(pattern=r"^[A-Za-z0-9_.@/-]+$")
    min: float | None = None
    max: float | None = None
