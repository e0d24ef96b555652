"""Anthropic's messages API as a teacher: the same client, with Anthropic as the provider that is meant."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from reasonry.registry import part
from reasonry.teachers.openai import OpenAIOptions, OpenAITeacher, teacher_of

__all__ = ["AnthropicOptions", "anthropic"]


class AnthropicOptions(OpenAIOptions):
    """A model behind Anthropic's messages API. Thinking is asked for in `extra`."""

    default_provider: ClassVar[str | None] = "anthropic"

    extra: dict[str, Any] = Field(
        default_factory=dict[str, Any],
        description="further fields of the request's body: thinking = { type = ..., budget_tokens = ... }",
    )


@part("teacher", "anthropic", version=1, options=AnthropicOptions)
def anthropic(options: AnthropicOptions) -> OpenAITeacher:
    """Anthropic's messages API.

    As `openai` with `provider = "anthropic"`. Raises UsageError where the key is missing.
    """
    return teacher_of(options)
