"""Whether a question offers choices: what stands beside its letters are answers, not questions of their own."""

from __future__ import annotations

import re

from reasonry.types import Question

__all__ = ["has_choices"]

_A, _B = (re.compile(rf"(?:^|(?<![Pp]art)[\s.,;:?)}}$\]])\(?{letter}[).:．、]", re.MULTILINE) for letter in "AB")


def has_choices(question: Question) -> bool:
    """Whether its spec lists choices, or its text does: `(A) ... (B) ...`."""
    if question.spec.get("choices"):
        return True
    first = _A.search(question.prompt)
    return first is not None and _B.search(question.prompt, first.end()) is not None
