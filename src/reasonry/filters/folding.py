"""A text without its spelling: what is left of a question when typing, LaTeX and layout are taken away.

`folded` forgives far more than `normal_text`: two ways of writing the same formula (`\\dfrac{1}{2}`, `\\frac12`,
`1/2`), dollar signs, brackets of LaTeX, white space, case, accents of quotes and dashes, markdown. It forgives nothing
that says what is asked: letters, digits and operators stay, in their order. `numbers` gives the numbers of a text in
one spelling each (`1,000` and `1000`, `2.50` and `2.5`, `three` and `3`).
"""

from __future__ import annotations

__all__ = ["folded", "numbers"]


def folded(text: str) -> str:
    """The text without its spelling: lower case words, numbers and operators with single spaces between them."""
    raise NotImplementedError


def numbers(folded_text: str) -> tuple[str, ...]:
    """The numbers in a folded text, each in one spelling, sorted."""
    raise NotImplementedError
