"""Limits on how long a trace is: its reasoning, its response, its tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reasonry.registry import part
from reasonry.trace_filters.each import Fault, RowTraceFilterSection, each
from reasonry.types import Candidate, Drop, Trace

__all__ = ["RULES", "LengthSection", "length"]

RULES = {
    "reasoning_too_short": "the reasoning has fewer characters than `min_reasoning`",
    "reasoning_too_long": "the reasoning has more characters than `max_reasoning`",
    "response_too_short": "the response has fewer characters than `min_response`",
    "response_too_long": "the response has more characters than `max_response`",
    "too_few_tokens": "the teacher counted fewer tokens than `min_tokens`, reasoning included",
    "too_many_tokens": "the teacher counted more tokens than `max_tokens`, reasoning included",
    "tokens_unknown": 'the teacher counted none (with `unknown = "drop"`)',
}

Count = Annotated[int, Field(ge=1)]


class LengthSection(RowTraceFilterSection):
    """How long a trace may be: in characters (Unicode code points), or in tokens as the teacher counted them."""

    min_reasoning: Count | None = Field(default=None, description="characters of reasoning, at least")
    max_reasoning: Count | None = Field(default=None, description="characters of reasoning, at most")
    min_response: Count | None = Field(default=None, description="characters of the response, at least")
    max_response: Count | None = Field(default=None, description="characters of the response, at most")
    min_tokens: Count | None = Field(default=None, description="tokens of reasoning and response, at least")
    max_tokens: Count | None = Field(default=None, description="tokens of reasoning and response, at most")
    unknown: Literal["keep", "drop"] = Field(
        default="keep", description="traces without a count of tokens, where tokens are limited"
    )

    @model_validator(mode="after")
    def _in_order(self) -> LengthSection:
        for name in ("reasoning", "response", "tokens"):
            low, high = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if low is not None and high is not None and low > high:
                raise PydanticCustomError("no_length", f"min_{name} is above max_{name}: nothing would be kept")
        return self


@part("trace_filter", "length", options=LengthSection, rules=RULES)
def length(candidates: Iterable[Candidate], options: LengthSection) -> Iterator[Candidate | Drop]:
    """Drop traces that are shorter or longer than allowed: reasoning, response, tokens."""

    def check(candidate: Candidate) -> Fault | None:
        trace = candidate.trace
        return (
            _outside("reasoning", len(trace.reasoning), options.min_reasoning, options.max_reasoning)
            or _outside("response", len(trace.response), options.min_response, options.max_response)
            or _tokens(trace, options)
        )

    return each(candidates, options, check)


def _outside(what: str, characters: int, low: int | None, high: int | None) -> Fault | None:
    if low is not None and characters < low:
        return Fault(f"{what}_too_short", f"{characters} characters of {what}, fewer than {low}")
    if high is not None and characters > high:
        return Fault(f"{what}_too_long", f"{characters} characters of {what}, more than {high}")
    return None


def _tokens(trace: Trace, options: LengthSection) -> Fault | None:
    low, high, tokens = options.min_tokens, options.max_tokens, trace.tokens_out
    if low is None and high is None:
        return None
    if tokens is None:
        return Fault("tokens_unknown", "the teacher counted no tokens") if options.unknown == "drop" else None
    if low is not None and tokens < low:
        return Fault("too_few_tokens", f"{tokens} tokens, fewer than {low}")
    if high is not None and tokens > high:
        return Fault("too_many_tokens", f"{tokens} tokens, more than {high}")
    return None
