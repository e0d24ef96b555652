"""The `math` verifier: is the answer equal to the reference, as mathematics?

The answer is found by our own rules (`extraction`), then compared by a cascade (`maths.cascade`), cheapest first. What
is forgiven is named (`maths.policy`), recorded in the verdict, and can be switched off by the question's spec:
`{"decimals": "rounded", "digits": 4, "off": ["percent_as_number"], "fallback": false}`.
"""

from __future__ import annotations

from functools import lru_cache

from reasonry.registry import Input, library_input, part
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.extraction import EXPLICIT, RULES, Found, extract, split_thinking, strip_markup
from reasonry.verifiers.extraction_boxes import BoxGroup, boxes_of
from reasonry.verifiers.maths import cascade
from reasonry.verifiers.maths.balls import many_digits
from reasonry.verifiers.maths.cascade import Judgement, compare, is_readable
from reasonry.verifiers.maths.policy import DEFAULT, Policy, policy_from
from reasonry.verifiers.maths.scalars import BITS
from reasonry.verifiers.warm import warmed_by

__all__ = ["Judgement", "clear_caches", "judge", "math"]

MAX_RESPONSE = 1_000_000  # characters
MAX_ANSWER = 100_000
LONGEST_REFERENCE = 50_000  # characters
MOST_WORDS_BETWEEN = 4  # boxes of a reference that belong together
LONGEST_ANSWER = 100  # characters of a reference that is nothing but an answer; a longer one may be a solution
SHOWN = 1_000  # characters of the answer that the verdict keeps
_ALL_RULES = tuple(RULES)


def _libraries(_: object) -> list[Input]:
    return [library_input(name) for name in ("mpmath", "math-verify", "latex2sympy2-extended", "sympy")]


def _load() -> None:
    """Import mpmath now, so that no row is charged for it."""
    many_digits(BITS, is_complex=False)


@part("verifier", "math", version=3, inputs=_libraries)
@warmed_by(_load)
def math(question: Question, response: str) -> Verdict:
    """Equality with the reference as mathematics: exact, by a cascade; nothing is forgiven that has no name."""
    try:
        policy = policy_from(question.spec)
    except ValueError as exc:
        return Verdict(Status.ERROR, detail=str(exc))
    if question.answer is None:
        return _without_reference(response, policy)
    if len(response) > MAX_RESPONSE:
        return Verdict(Status.UNPARSED, detail=f"the response has {len(response)} characters")
    parts = split_thinking(response)
    found = extract(parts.said, _rules(policy))
    if found is None:
        return Verdict(Status.UNPARSED, detail=parts.no_answer)
    if len(found.text) > MAX_ANSWER:
        detail = f"the answer has {len(found.text)} characters"
        return Verdict(Status.UNPARSED, extracted=found.text[:SHOWN], detail=detail, evidence=found.evidence)
    return _verdict(found, _judged(question.answer, found, policy))


def _without_reference(response: str, policy: Policy) -> Verdict:
    """No score. The answer is told, so that samples of one question can be held against each other."""
    said = split_thinking(response).said if len(response) <= MAX_RESPONSE else ""
    found, detail = extract(said, _rules(policy)), "the question has no reference answer"
    if found is None:
        return Verdict(Status.SKIPPED, detail=detail)
    return Verdict(Status.SKIPPED, extracted=found.text[:SHOWN], detail=detail, evidence=found.evidence)


def _rules(policy: Policy) -> tuple[str, ...]:
    return _ALL_RULES if policy.fallback else EXPLICIT


def _judged(reference: str, found: Found, policy: Policy) -> Judgement:
    """A unit or a percent sign beside the box belongs to the answer."""
    with_beside = f"{found.text} {found.beside}"
    return judge(reference, with_beside if found.beside and is_readable(with_beside) else found.text, policy)


def _verdict(found: Found, judgement: Judgement) -> Verdict:
    evidence = found.evidence | {"compared": judgement.compared}
    if judgement.relaxed:
        evidence["relaxed"] = list(judgement.relaxed)
    return Verdict(judgement.status, extracted=found.text[:SHOWN], detail=judgement.detail, evidence=evidence)


def judge(reference: str, answer: str, policy: Policy = DEFAULT) -> Judgement:
    """Compare an answer with the reference. Both may be LaTeX or plain text; neither is ever evaluated as code."""
    return compare(_bare_reference(reference), answer, policy)


@lru_cache(4096)
def _bare_reference(reference: str) -> str:
    """References come as answers, and sometimes as whole solutions that declare one."""
    if len(reference) > LONGEST_REFERENCE:
        return reference
    if "boxed" in reference and (boxes := boxes_of(reference)):
        return _last_boxes(reference, boxes)
    is_long = len(reference) > LONGEST_ANSWER or "\n" in reference
    is_solution = "####" in reference or (is_long and "answer" in reference.lower())
    found = extract(reference, EXPLICIT) if is_solution else None
    return found.text if found else strip_markup(reference)


def _last_boxes(reference: str, boxes: list[BoxGroup]) -> str:
    """References are trusted: their last boxes are one answer, a list, where only a few words stand between them."""
    texts = [boxes[-1].text]
    for one, other in zip(boxes[-2::-1], boxes[:0:-1], strict=True):
        between = reference[one.end : other.start]
        if "\n" in between or len(between.split()) > MOST_WORDS_BETWEEN:
            break
        texts.append(one.text)
    return ", ".join(dict.fromkeys(reversed(texts)))


def clear_caches() -> None:
    """Forget every text that was read, for measurements."""
    _bare_reference.cache_clear()
    cascade.clear_caches()
