"""Traces that speak of what the student will not have: a reference answer, an earlier turn, the teacher's name.

A teacher that was shown the reference (to rationalise it) may let it slip into its reasoning; one that was not may
make one up. Either way a student learns to lean on an answer that is not there. Phrases that the question itself uses
do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from reasonry.registry import part
from reasonry.trace_filters.each import Fault, RowTraceFilterSection, each
from reasonry.types import Candidate, Drop
from reasonry.verifiers.extraction_text import places_of

__all__ = ["RULES", "SelfReferenceSection", "self_reference"]

RULES = {
    "reference_answer": "the trace speaks of a reference, a given or a ground-truth answer that it was not to see",
    "model_identity": "the trace says which model or whose it is: `I am DeepSeek-R1`, `trained by OpenAI`",
    "earlier_turn": "the response begins by speaking of a turn that is not there: `my previous response`",
}

Kind = Literal["reference_answer", "model_identity", "earlier_turn"]
_KINDS: tuple[Kind, ...] = ("reference_answer", "model_identity", "earlier_turn")


class SelfReferenceSection(RowTraceFilterSection):
    """What a trace may not speak of."""

    drop: list[Kind] = Field(default_factory=lambda: list(_KINDS), min_length=1, description="rules that are applied")


@part("trace_filter", "self_reference", options=SelfReferenceSection, rules=RULES)
def self_reference(candidates: Iterable[Candidate], options: SelfReferenceSection) -> Iterator[Candidate | Drop]:
    """Drop traces that speak of a reference answer, of an earlier turn, or of the model they come from."""
    drop = frozenset(options.drop)

    def check(candidate: Candidate) -> Fault | None:
        trace, prompt = candidate.trace, candidate.question.prompt
        if "reference_answer" in drop:
            for name, text in (("reasoning", trace.reasoning), ("response", trace.response)):
                if found := _REFERENCE.find(text, prompt):
                    return Fault("reference_answer", f"{name}: '{found}'")
        if "model_identity" in drop and (found := _IDENTITY.find(trace.response, prompt)):
            return Fault("model_identity", f"response: '{found}'")
        if "earlier_turn" in drop and (turn := _EARLIER.search(trace.response[:_BEGINNING])):
            return Fault("earlier_turn", f"response: '{turn[0]}'")
        return None

    return each(candidates, options, check)


@dataclass(frozen=True, slots=True)
class _Phrases:
    """What is looked for: fixed parts, since a find is ten times faster than a pattern; then the phrase around them."""

    parts: tuple[str, ...]
    pattern: re.Pattern[str]

    def find(self, text: str, prompt: str) -> str | None:
        """The first such phrase that the prompt does not hold itself."""
        for part_ in self.parts:
            for place in places_of(part_, text):
                found = self.pattern.search(text, max(0, place - _AROUND), place + _AROUND)
                if found and found[0].lower() not in prompt.lower():
                    return found[0]
        return None


_AROUND = 40
_REFERENCE = _Phrases(
    ("eference ", "truth", "nswer key", "provided "),
    re.compile(
        r"\b(?:the|a|this|their)\s+(?:reference|ground[- ]truth|provided)\s+(?:answer|solution)s?\b"
        r"|\b(?:the|official)\s+answer\s+key\b|\bthe\s+ground[- ]truth\s+(?:is|says|states)\b",
        re.IGNORECASE,
    ),
)
_NAMES = "ChatGPT|GPT-?[345o]|Claude|DeepSeek|Qwen|QwQ|Gemini|Bard|Llama|Mistral|Kimi|Grok|GLM|Ernie|Yi"
_MAKERS = "OpenAI|Anthropic|DeepSeek|Alibaba|Google|Meta|Mistral|Moonshot|xAI|Zhipu|Baidu"
_IDENTITY = _Phrases(
    ("I am ", "I'm ", "I’m ", "trained by", "developed by", "created by", "made by"),
    re.compile(
        r"\bI(?:['’]m|\s+am)\s+(?:an?\s+|the\s+)?(?:AI\s+)?(?:assistant\s+|(?:large\s+)?language\s+model\s+)?"
        rf"(?:named\s+|called\s+)?(?:{_NAMES})\b"
        rf"|\b(?:I\s+was|model|assistant|AI)\s+(?:trained|developed|created|made)\s+by\s+(?:{_MAKERS})\b"
    ),
)
_BEGINNING = 200
_EARLIER = re.compile(
    r"\b(?:my|our)\s+(?:previous|earlier|last)\s+(?:response|answer|message|reply|attempt)s?\b"
    r"|\bthe\s+(?:previous|earlier|last)\s+(?:response|message|reply)s?\b"
    r"|\b(?:confusion|mistake|error)\s+(?:earlier|in\s+my\s+previous)\b",
    re.IGNORECASE,
)
