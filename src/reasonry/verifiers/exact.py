"""The `exact` verifier: the same text as the reference.

Compared is the answer that the response declares (a box, `#### ...`, `Answer: ...`, "the answer is ..."), or the whole
response where it declares none. White space around is dropped and inside collapsed; case counts, unless the spec says
`{"ignore_case": true}`. Nothing else is forgiven.
"""

from __future__ import annotations

from reasonry.registry import part
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.extraction import EXPLICIT, Found, Parts, extract, split_thinking

__all__ = ["exact"]

MAX_ANSWER = 100_000  # characters
SHOWN = 1_000


@part("verifier", "exact", version=2)
def exact(question: Question, response: str) -> Verdict:
    """The same text as the reference, but for white space (and case, where the spec says so)."""
    if question.answer is None:
        return _without_reference(split_thinking(response))
    ignore_case = question.spec.get("ignore_case", False)
    if not isinstance(ignore_case, bool):
        return Verdict(Status.ERROR, detail="spec: ignore_case must be true or false")
    parts = split_thinking(response)
    whole = _normal(parts.said, ignore_case)
    if not whole:
        return Verdict(Status.UNPARSED, detail=parts.no_answer)
    reference = _normal(question.answer, ignore_case)
    found = Found(parts.said, "whole") if whole == reference else _declared(parts.said)
    if len(found.text) > MAX_ANSWER:
        detail = f"the answer has {len(found.text)} characters"
        return Verdict(Status.UNPARSED, extracted=found.text[:SHOWN], detail=detail, evidence=found.evidence)
    status = Status.CORRECT if _normal(found.text, ignore_case) == reference else Status.INCORRECT
    return Verdict(status, extracted=found.text.strip()[:SHOWN], evidence=found.evidence | {"ignore_case": ignore_case})


def _without_reference(parts: Parts) -> Verdict:
    """No score. The answer is told, so that samples of one question can be held against each other."""
    found, detail = _declared(parts.said), "the question has no reference answer"
    return Verdict(Status.SKIPPED, extracted=found.text.strip()[:SHOWN] or None, detail=detail, evidence=found.evidence)


def _declared(said: str) -> Found:
    return extract(said, EXPLICIT) or Found(said, "whole")


def _normal(text: str, ignore_case: bool) -> str:
    collapsed = " ".join(text.split())
    return collapsed.casefold() if ignore_case else collapsed
