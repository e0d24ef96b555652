"""The sections of a recipe: one strict, frozen model each.

A part's options are its section: the model of a source extends `QuestionsSection`, that of a teacher
`DistilSection`, and so on, so that a recipe stays flat and every key is checked in one place. What is marked
`OUT_OF_KEY` changes how the work is done, never what comes out, and is no part of a stage's key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, core_schema

__all__ = [
    "OUT_OF_KEY",
    "BudgetSection",
    "CurateSection",
    "DecontaminateOptions",
    "DeduplicateOptions",
    "DistilSection",
    "EvaluateSection",
    "FieldMap",
    "FilterSection",
    "GateSection",
    "PerQuestionOptions",
    "PriceOptions",
    "PromptRule",
    "PublishSection",
    "QuestionsSection",
    "RecipePath",
    "Section",
    "SelectSection",
    "TrainSection",
    "VerifySection",
]


class _OutOfKey:
    """Marks a field that does not change the result."""


OUT_OF_KEY = _OutOfKey()

_MOST_IN_FLIGHT = 1024  # where the recipe leaves it open: below the files that a process may have open, as a rule


class Section(BaseModel):
    """A strict table of the recipe: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    part_field: ClassVar[str | None] = None
    """The field that names the part whose options this section holds."""

    def key_content(self) -> dict[str, Any]:
        """What enters the stage's key: every field that can change the result, as plain values."""
        fields = type(self).model_fields
        return {name: _plain(getattr(self, name)) for name, field in fields.items() if OUT_OF_KEY not in field.metadata}

    def content(self) -> dict[str, Any]:
        """Every field in force, as plain values (for the lock file)."""
        return {name: _plain(getattr(self, name), whole=True) for name in type(self).model_fields}


def _plain(value: Any, *, whole: bool = False) -> Any:
    if isinstance(value, Section):
        return value.content() if whole else value.key_content()
    if isinstance(value, RecipePath):
        return value.given if whole else Path(value.given).name
    if isinstance(value, Mapping):
        return {str(name): _plain(item, whole=whole) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list | tuple):
        return [_plain(item, whole=whole) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


@dataclass(frozen=True, slots=True)
class RecipePath:
    """A path as the recipe gives it, relative to the recipe's folder. It must exist.

    Only the file's name is part of a key: its content is (see `registry.Input`), its folder is not.
    """

    given: str
    resolved: Path

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(cls._from)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "path"}

    @classmethod
    def _from(cls, given: Any, info: ValidationInfo) -> RecipePath:
        if isinstance(given, RecipePath):
            return given
        if not isinstance(given, str) or not given or "\0" in given:
            raise PydanticCustomError("no_path", "not a path: {given}", {"given": repr(given)})
        folder = Path((info.context or {}).get("folder", "."))
        try:
            resolved = (folder / Path(given).expanduser()).resolve()
            exists = resolved.exists()
        except (OSError, RuntimeError) as exc:  # a name too long, a loop of links, a user who is not there
            raise PydanticCustomError("no_path", "not a path: {why}", {"why": str(exc)}) from exc
        if not exists:
            raise PydanticCustomError("no_such_file", "no such file: {given}", {"given": given})
        return cls(given, resolved)


class FieldMap(Section):
    """Which column of the file holds what. A name with dots reaches into nested objects."""

    prompt: str = "prompt"
    answer: str | None = "answer"
    choices: str | None = None
    spec: str | None = None
    domain: str | None = None
    license: str | None = None
    id: str | None = None


class QuestionsSection(Section):
    """Where questions come from, and how their answers are verified."""

    part_field: ClassVar[str | None] = "source"

    source: str
    verifier: str = "exact"
    domain: str = "unknown"
    license: str = "unknown"
    name: str | None = Field(default=None, description="what lineage calls this source; default: the file's name")
    spec: dict[str, Any] = Field(default_factory=dict, description="what the verifier needs beyond the answer")
    take: Annotated[int, Field(ge=1)] | None = Field(default=None, description="only the first rows")

    @field_validator("spec")
    @classmethod
    def _is_json(cls, spec: dict[str, Any]) -> dict[str, Any]:
        try:
            json.dumps(spec, allow_nan=False)
        except (TypeError, ValueError) as exc:
            raise PydanticCustomError("no_json", "a spec holds what JSON can: {why}", {"why": str(exc)}) from exc
        return spec


class DeduplicateOptions(Section):
    """Keep one question of each group that is the same after normalisation."""

    method: Literal["exact"] = "exact"


class DecontaminateOptions(Section):
    """Drop questions that share an n-gram of words with a benchmark's questions."""

    against: list[RecipePath] = Field(min_length=1, description="files of benchmark questions")
    fields: FieldMap = Field(default_factory=lambda: FieldMap(answer=None))
    ngram: Annotated[int, Field(ge=3, le=50)] = Field(default=13, description="words")


class FilterSection(Section):
    """One filter over the questions, by name."""

    part_field: ClassVar[str | None] = "filter"

    filter: str


class CurateSection(Section):
    """What happens to questions before money is spent on them."""

    deduplicate: DeduplicateOptions | Literal[False] = Field(
        default_factory=DeduplicateOptions, description="false: keep near-equal questions apart"
    )
    decontaminate: DecontaminateOptions | None = None
    filters: list[Any] = Field(default_factory=list[Any], description="further filters, in order")


class PriceOptions(Section):
    """US dollars per million tokens. Without it a cost is unknown, never 0."""

    input_per_million: Annotated[float, Field(ge=0)]
    output_per_million: Annotated[float, Field(ge=0)]

    def cost_usd(self, tokens_in: int | None, tokens_out: int | None) -> float | None:
        if tokens_in is None or tokens_out is None:
            return None
        return (tokens_in * self.input_per_million + tokens_out * self.output_per_million) / 1e6


class PromptRule(Section):
    """How questions of one kind are put to the teacher. A rule without a condition meets every one."""

    domain: str | None = None
    verifier: str | None = None
    spec_has: str | None = Field(default=None, description="a key of the question's spec, such as fn_name")
    system: str | None = None
    prompt: str = Field(default="{prompt}", description="the user's message, with placeholders")

    @field_validator("prompt")
    @classmethod
    def _has_prompt(cls, prompt: str) -> str:
        return _with_prompt(prompt)


class PerQuestionOptions(Section):
    """What one question may use. Once it has, no further sample of it is asked for."""

    tokens: Annotated[int, Field(ge=1)] | None = Field(default=None, description="generated tokens, all samples")
    usd: Annotated[float, Field(ge=0)] | None = Field(default=None, description="US dollars; needs a price")


class DistilSection(Section):
    """Which teacher answers, how often, and how it is asked."""

    part_field: ClassVar[str | None] = "teacher"

    teacher: str
    samples: Annotated[int, Field(ge=1)] | Literal["all"] = Field(
        default=1, description='responses per question; "all" takes every recorded one (replay)'
    )
    max_samples: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="ask again, up to so many, where fewer than min_correct are correct so far"
    )
    min_correct: Annotated[int, Field(ge=1)] = Field(
        default=1, description="correct responses wanted, with max_samples"
    )
    agree: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="ask no more once so many responses are there and all have the same answer"
    )
    per_question: PerQuestionOptions = Field(default_factory=PerQuestionOptions)
    continuations: Annotated[int, Field(ge=0)] = Field(
        default=0, description="how often a response cut by max_tokens is asked to go on"
    )
    preset: str | None = Field(default=None, description="prompts by name: `reasonry parts prompt` lists them")
    system: str | None = None
    prompt: str = Field(default="{prompt}", description="the user's message; {prompt} is the question")
    prompts: list[PromptRule] = Field(
        default_factory=list[PromptRule], description="by domain and verifier: the first rule that fits is used"
    )
    temperature: (
        Annotated[float, Field(ge=0)] | Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=1)] | None
    ) = Field(default=None, description="one, or a ladder: samples take its rungs in turn")
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    price: PriceOptions | None = None
    concurrency: Annotated[Annotated[int, Field(ge=1)] | Literal["auto"], OUT_OF_KEY] = Field(
        default="auto", description="the most requests in flight; auto: as many as the endpoint serves well"
    )
    attempts: Annotated[int, Field(ge=1), OUT_OF_KEY] = Field(default=8, description="tries per request")
    max_failed: Annotated[float, Field(ge=0, le=1), OUT_OF_KEY] = Field(
        default=0.0, description="share of requests that may find a failing endpoint; above it nothing is sealed"
    )
    max_refused: Annotated[float, Field(ge=0, le=1), OUT_OF_KEY] = Field(
        default=0.1, description="share of requests that the endpoint may refuse; above it nothing is sealed"
    )

    @field_validator("prompt")
    @classmethod
    def _has_prompt(cls, prompt: str) -> str:
        return _with_prompt(prompt)

    @model_validator(mode="after")
    def _is_feasible(self) -> DistilSection:
        if self.is_adaptive and self.samples == "all":
            raise PydanticCustomError("adaptive_all", 'samples = "all" leaves nothing for max_samples or agree', {})
        if self.max_samples is not None and isinstance(self.samples, int) and self.max_samples < self.samples:
            raise PydanticCustomError("few_samples", "max_samples is less than samples", {})
        if self.preset is not None and self.prompt != "{prompt}":
            raise PydanticCustomError(
                "two_prompts", "prompt and preset: give one; prompts has rules before a preset", {}
            )
        if self.min_correct > 1 and self.max_samples is None:
            raise PydanticCustomError("no_max_samples", "min_correct needs max_samples: how often to ask at most", {})
        most = max(self.samples if isinstance(self.samples, int) else 0, self.max_samples or 0)
        if self.agree is not None and self.agree > most:
            raise PydanticCustomError("few_samples", "agree is more than the samples of a question", {})
        if self.max_samples is not None and self.max_samples < self.min_correct:
            raise PydanticCustomError("few_samples", "max_samples is less than min_correct", {})
        return self

    @property
    def tariff(self) -> PriceOptions | None:
        """The price in force; None where it is unknown."""
        return self.price

    @property
    def most_in_flight(self) -> int:
        """The most requests under way at any moment."""
        return _MOST_IN_FLIGHT if self.concurrency == "auto" else self.concurrency

    @property
    def is_adaptive(self) -> bool:
        """Whether verdicts decide how many samples a question gets."""
        return self.max_samples is not None or self.agree is not None

    def temperature_of(self, index: int) -> float | None:
        """The temperature of a question's sample: the ladder's rungs in turn."""
        return (
            self.temperature[index % len(self.temperature)] if isinstance(self.temperature, list) else self.temperature
        )


def _with_prompt(prompt: str) -> str:
    if "{prompt}" not in prompt:
        raise PydanticCustomError("no_prompt", "the template has no {{prompt}} in it", {})
    return prompt


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


class SelectSection(Section):
    """Which verified traces become examples."""

    keep: Literal["correct", "all"] = "correct"
    per_question: Annotated[int, Field(ge=1)] | None = Field(default=None, description="at most; default: no limit")
    system: str | None = Field(default=None, description="system prompt of the examples")


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
    seed: int | None = Field(default=None, description="default: derived from the recipe's seed")


class EvaluateSection(Section):
    """On which questions, and how, students are scored."""

    part_field: ClassVar[str | None] = "benchmark"

    benchmark: str
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    of: list[str] | None = Field(default=None, description='students by name, or "teacher"; default: every student')
    samples: Annotated[int, Field(ge=1)] = 1
    temperature: Annotated[float, Field(ge=0)] = 0.0
    max_tokens: Annotated[int, Field(ge=1)] = 256
    limit: Annotated[int, Field(ge=1)] | None = Field(default=None, description="only the first questions")
    untrained: bool = Field(default=True, description="score each student before training too")
    batch_size: Annotated[int, Field(ge=1)] = 128
    seed: int | None = Field(default=None, description="default: derived from the recipe's seed")

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
