"""The lines of a text that are drawn rather than written: boards, mazes, grids, programs of mere symbols.

Folding takes most symbols for typing, and white space for nothing, and so it would take one maze for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["drawing"]

LEAST_LINES, LEAST_SYMBOLS, LEAST_SHARE = 3, 12, 0.5  # of several lines together
LONG_LINE, LONG_SHARE = 16, 0.7  # symbols of one line that is a drawing by itself, and their share
_WRITTEN = re.compile(r"[^\W_]{3}|^\s*[(\[]?[^\W_]{1,2}[).:\]]|\\|^\s*\$\$\s*$")  # a word, the label of a choice, LaTeX


def drawing(text: str) -> str:
    """The drawn lines of a text, as they are; empty where there are few."""
    return "\n\n".join("\n".join(block) for block in _blocks(text) if _is_drawn(block))


def _blocks(text: str) -> Iterator[list[str]]:
    """The lines without words, those that follow each other together, without blank lines around them."""
    block: list[str] = []
    for line in text.split("\n"):
        if _WRITTEN.search(line) is None:
            block.append(line.rstrip())
        elif block:
            yield _trimmed(block)
            block = []
    yield _trimmed(block)


def _trimmed(block: list[str]) -> list[str]:
    filled = [place for place, line in enumerate(block) if line]
    return block[filled[0] : filled[-1] + 1] if filled else []


def _is_drawn(block: list[str]) -> bool:
    lines = sum(map(bool, block))
    seen = "".join("".join(block).split())
    symbols = sum(not character.isalnum() for character in seen)
    if lines < LEAST_LINES:
        return symbols >= LONG_LINE and symbols >= LONG_SHARE * len(seen) and len(set(seen)) > 2
    return symbols >= LEAST_SYMBOLS and symbols >= LEAST_SHARE * len(seen)
