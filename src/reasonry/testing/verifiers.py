"""The conformance kit for verifiers: one line in a test shows that a verifier keeps its promises.

```python
check_verifier(roman, question, right="It is XIV", wrong=["XVI", "14"])
```
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from reasonry.registry import Part, part_of, run_verifier
from reasonry.types import Question, Status, Verdict

__all__ = ["JUNK", "check_verifier"]

JUNK: dict[str, str] = {
    "an empty response": "",
    "white space": " \n\t",
    "a NUL": "\0",
    "a lone surrogate": "\ud800",
    "100 kB of one letter": "x" * 100_000,
    "100 kB of brackets": "({[" * 33_334,
    "reasoning that does not end": "<think>" + "hm " * 100,
}
"""Responses that no verifier may accept, and none may break on."""

_NOT_ALLOWED = (Status.CORRECT, Status.ERROR, Status.SKIPPED)


def check_verifier(
    verifier: Part | Callable[..., Any], question: Question, right: str | Sequence[str], wrong: Sequence[str]
) -> None:
    """Assert that a verifier accepts what is right, and neither accepts nor breaks on anything else.

    `verifier` is a part or the decorated function. `right` and `wrong` are responses to `question`. Also asserted: a
    verdict repeats, and its evidence can be written as JSON. Raises AssertionError that says which response got what.
    """
    part = verifier if isinstance(verifier, Part) else part_of(verifier)
    assert part.kind == "verifier", f"{part.label} is a {part.kind}, not a verifier"
    for response in [right] if isinstance(right, str) else right:
        verdict = _verdict(part, question, response)
        assert verdict.status is Status.CORRECT, _complaint(part, response, verdict, "is right, so must be correct")
    for response in wrong:
        verdict = _verdict(part, question, response)
        assert verdict.status not in _NOT_ALLOWED, _complaint(part, response, verdict, "is wrong, and must be so")
    for name, response in JUNK.items():
        verdict = _verdict(part, question, response)
        assert verdict.status not in _NOT_ALLOWED, _complaint(part, response, verdict, f"is {name}, so must fail")


def _verdict(part: Part, question: Question, response: str) -> Verdict:
    """A verdict that repeats and is made of plain values."""
    first = run_verifier(part, question, response)
    again = run_verifier(part, question, response)
    assert first == again, f"{part.label} changed its mind about {_shown(response)}: {first} and then {again}"
    try:
        json.dumps(dict(first.evidence))
    except (TypeError, ValueError) as exc:
        raise AssertionError(f"{part.label}: the evidence for {_shown(response)} is no JSON: {exc}") from exc
    return first


def _complaint(part: Part, response: str, verdict: Verdict, expectation: str) -> str:
    found = f"extracted {verdict.extracted!r}" if verdict.extracted is not None else "extracted nothing"
    detail = f", {verdict.detail}" if verdict.detail else ""
    return f"{part.label}: {_shown(response)} {expectation}; the verdict is {verdict.status.value} ({found}{detail})"


def _shown(response: str) -> str:
    text = repr(response)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(response)} characters)"
