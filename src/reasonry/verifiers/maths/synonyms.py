"""Two texts that are the same LaTeX in another spelling: for what our reader cannot read."""

from __future__ import annotations

import re

from reasonry.verifiers.maths.tokens import Token, tokenize
from reasonry.verifiers.maths.trees import TooLarge
from reasonry.verifiers.maths.words import RELATIONS

__all__ = ["have_same_tokens"]

_SHORT_FRACTION = re.compile(r"\\[dtc]?frac\s*(\d)\s*(\d)")
_SAME = {
    "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\cfrac": "\\frac", "\\cdot": "*", "\\times": "*", "\\lbrace": "\\{",
    "\\rbrace": "\\}", "\\ldots": "\\dots", "\\cdots": "\\dots", "\\dotsc": "\\dots",
}  # fmt: skip
_MATRIX = re.compile(r"[bBpvV]?matrix")


def have_same_tokens(one: str, other: str) -> bool:
    """Whether two spelled texts differ only in synonyms of commands, spaces, and braces around single tokens."""
    try:
        return _tokens(one) == _tokens(other)
    except TooLarge:
        return False


def _tokens(text: str) -> list[str]:
    kept: list[str] = []
    for token in tokenize(_MATRIX.sub("matrix", _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)))[:-1]:
        kept.append(_plain(token))
        if len(kept) > 2 and kept[-1] == "}" and kept[-3] == "{":
            kept[-3:] = [kept[-2]]
    return kept


def _plain(token: Token) -> str:
    if token.kind == "text":
        return " ".join(token.text.replace("~", " ").split())
    return _SAME.get(token.text) or RELATIONS.get(token.text, token.text)
