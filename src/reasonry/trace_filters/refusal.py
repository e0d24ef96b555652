"""Traces in which the teacher refuses to answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reasonry.registry import part
from reasonry.trace_filters.each import Fault, RowTraceFilterSection, each
from reasonry.types import Candidate, Drop

__all__ = ["RULES", "refusal"]

RULES = {
    "refusal_by_endpoint": "the endpoint says that the answer was refused or filtered",
    "refusal": "the response begins with a refusal: \"I'm sorry, but I can't help with that\"",
    "disclaimer": 'the response begins with what it is: "As an AI language model, ..."',
}

_READ = 400  # characters: whoever refuses does so at once
_HELP = (
    r"(?:help|assist|comply|provide|fulfill?|engage|continue|proceed|support|generate|create|produce|share|discuss"
    r"|(?:answer|complete)\s+(?:that|this|your)|do\s+that|participate|offer|give\s+(?:you|advice|instructions)|write)"
)
_CANNOT = (
    r"(?:can(?:no|['’])?t|cannot|can\s+not|won['’]t|will\s+not|must\s+decline\s+to"
    r"|(?:am|['’]m)\s+(?:not\s+able|unable)\s+to)"
)
_SORRY = (
    r"(?:(?:I['’]?m|I\s+am)\s+(?:very\s+|so\s+|really\s+)?sorry|(?:my\s+|I\s+)?apolog(?:ies|ize|ise)"
    r"|sorry|unfortunately)"
)
_REFUSES = re.compile(
    rf"^\W*(?:{_SORRY}[^.!?\n]{{0,80}}?(?:[,.;!—–-]|\bbut\b|\bthat\b)?\s*)?"
    rf"(?:but\s+)?I\s*{_CANNOT}\s+(?:\w+ly\s+)?(?:be\s+able\s+to\s+)?{_HELP}\b"
    r"|^\W*(?:对不起|抱歉|很抱歉)[^。\n]{0,40}?我[^。\n]{0,10}(?:不能|无法)[^。\n]{0,20}(?:提供|帮助|回答|协助|满足|完成)"
    r"|^\W*(?:es\s+tut\s+mir\s+leid|désolé|lo\s+siento|mi\s+dispiace|desculpe)[^.\n]{0,60}?"
    r"\b(?:kann|darf|peux|puis|puedo|posso)\b[^.\n]{0,40}?\b(?:helfen|unterstützen|aider|ayudar|aiutare|ajudar)",
    re.IGNORECASE,
)
_DISCLAIMS = re.compile(
    r"^\W*(?:I['’]?m\s+sorry,?\s+but\s+)?(?:as|being|since\s+I\s+am)\s+(?:an?\s+)?(?:AI|artificial\s+intelligence|(?:large\s+)?"
    r"language\s+model)\b|^\W*(?:I['’]?m|I\s+am)\s+(?:just\s+|only\s+)?an?\s+(?:AI|large\s+language\s+model|language\s+model)\b"
    r"|^\W*作为(?:一个|一名)?(?:人工智能|AI|语言模型)",
    re.IGNORECASE,
)


@part("trace_filter", "refusal", options=RowTraceFilterSection, rules=RULES)
def refusal(candidates: Iterable[Candidate], options: RowTraceFilterSection) -> Iterator[Candidate | Drop]:
    """Drop traces whose response begins with a refusal."""
    return each(candidates, options, _refused)


def _refused(candidate: Candidate) -> Fault | None:
    trace = candidate.trace
    if trace.finish == "refusal":
        return Fault("refusal_by_endpoint", "the endpoint refused or filtered the answer")
    start = trace.response[:_READ].lstrip()
    if _REFUSES.search(start):
        return Fault("refusal", f"'{_shown(start)}'")
    return Fault("disclaimer", f"'{_shown(start)}'") if _DISCLAIMS.search(start) else None


def _shown(text: str) -> str:
    return " ".join(text[:120].split())
