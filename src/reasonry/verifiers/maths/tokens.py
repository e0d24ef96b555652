"""Cutting spelled text into tokens, in one pass."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reasonry.verifiers.maths.trees import TooLarge

__all__ = ["MAX_LENGTH", "Token", "tokenize"]

MAX_LENGTH = 10_000  # characters
MAX_TOKENS = 2_500


@dataclass(slots=True)
class Token:
    """`kind` is `num`, `word` (a run of letters), `cmd` (`\\frac`), `text` (`\\text{...}`), `sym` or `end`.

    `text` of a `text` token is its content; `name` then says which command held it. `start` and `end` are places in the
    spelled text: whether two tokens touch can matter.
    """

    kind: str
    text: str
    start: int
    end: int
    name: str = ""


_SKIPPED = (
    r"(?:\s|~|\\(?:left|right|middle)(?![A-Za-z])\.?|\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|hfill|"
    r"bigl|bigr|Bigl|Bigr|biggl|biggr|Biggl|Biggr|big|Big|bigg|Bigg|quad|qquad|space|thinspace|,|;|:|!|>|\s))+"
)
_TOKEN = re.compile(
    rf"(?P<skip>{_SKIPPED})"
    r"|(?P<num>\d+(?:\.\d+)?|\.\d+)"
    r"|\\(?P<holder>text|textbf|textit|textrm|textnormal|textsf|texttt|mathrm|mbox|hbox|operatorname|mathbf|mathit|mathsf|"
    r"mathcal|mathbb|boldsymbol|bm|emph)\*?(?:\s*\{(?P<content>[^{}]*)\}|\s+(?P<single>[A-Za-z])(?![A-Za-z]))"
    r"|(?P<cmd>\\(?:[A-Za-z]+|.))"
    r"|(?P<word>(?:[A-Za-z]|[^\x00-\x7f])+)"
    r"|(?P<sym><=|>=|=<|=>|!=|<>|:=|==|\*\*|.)",
    re.DOTALL,
)


_CONNECTED = re.compile(r"(?:^|(?<=\s))(and|or)(?=\s|$)")


def tokenize(text: str) -> list[Token]:
    """The tokens of a text, with an `end` token behind them. Raises TooLarge."""
    if len(text) > MAX_LENGTH:
        raise TooLarge(f"{len(text)} characters")
    tokens: list[Token] = []
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        if kind == "skip":
            continue
        if kind in ("content", "single"):
            content = found["content"] if kind == "content" else found["single"]
            parts = _CONNECTED.split(content) if "and" in content or "or" in content else [content]
            tokens.extend(Token("text", part, found.start(), found.end(), found["holder"]) for part in parts if part)
        else:
            assert kind is not None
            tokens.append(Token(kind, found[kind], found.start(), found.end()))
        if len(tokens) > MAX_TOKENS:
            raise TooLarge(f"more than {MAX_TOKENS} tokens")
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens
