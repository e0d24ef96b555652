"""Which teacher answers, how often, at what price, and how it is asked."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from reasonry.sections.base import OUT_OF_KEY, Section

__all__ = ["DistilSection", "PerQuestionOptions", "PriceOptions", "PromptRule"]

_MOST_IN_FLIGHT = 1024  # where the recipe leaves it open: below the files that a process may have open, as a rule


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
    further: list[Any] = Field(
        default_factory=list[Any],
        description="further teachers, each a whole table like this one: every question gets their samples too",
        json_schema_extra={"items": {"type": "object", "required": ["teacher"]}},
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

    def key_content(self) -> dict[str, Any]:
        """Without `further` where there are none, so that a table made before there could be any is still found."""
        content = super().key_content()
        return content if self.further else {name: value for name, value in content.items() if name != "further"}

    @property
    def responders(self) -> list[DistilSection]:
        """Everybody who answers each question, in the order of their samples: this teacher, then the further ones."""
        return [self.alone, *self.further]

    @property
    def alone(self) -> DistilSection:
        """This teacher without further ones."""
        return self.model_copy(update={"further": []}) if self.further else self

    @property
    def most_samples(self) -> int | None:
        """The most samples that a question gets of this teacher; None where recordings decide it."""
        return None if self.samples == "all" else max(self.samples, self.max_samples or 0)

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
