"""Drawings: what folding would make one of, and what is written after all."""

from __future__ import annotations

import pytest

from reasonry.filters.drawings import drawing

MAZE = "Find the way.\n;;;;;;;;\n;$$;$$$;\n;;$;;$;;\n;;;;;;;;\nHow many steps?"
QUEENS = "Place queens.\n_ _ _ _ _\n_ _ Q _ _\n_ _ _ _ _\nNow you."
GO = "Black plays.\n3 . . X . . .\n2 . O X . . .\n1 . . . . . .\n"
PROGRAM = "What does it print?\n\n>++++[<++++++++>-]<+.>++[<+++>-]<.\n\nOnly the output."

WRITTEN = [
    "What is 2 + 2?\n(A) -1\n(B) (-1, 2)\n(C) {3, -4}\n(D) [0, 1)",
    "A) 5\nB) 6\nC) 7\nD) 8",
    "$$\nx^2 - (y + 1)^2 = 0\n$$\nFind x.",
    "\\[\n(x+1)(x-1) = \\frac{1}{2}\n\\]",
    "First line.\n\n---\n\nSecond line.",
    "def f(a):\n    for i in range(3):\n        print(a[i])\n",
    "3\n1 2 3\n4 5 6\n",
    "",
]


@pytest.mark.parametrize("text", [MAZE, QUEENS, GO, PROGRAM])
def test_a_picture_of_symbols_is_a_drawing(text: str) -> None:
    assert drawing(text)
    assert set(drawing(text).splitlines()) <= {line.rstrip() for line in text.splitlines()}


@pytest.mark.parametrize("text", WRITTEN)
def test_what_is_written_is_none(text: str) -> None:
    assert drawing(text) == ""


def test_where_a_symbol_stands_decides() -> None:
    assert drawing(MAZE) != drawing(MAZE.replace(";$$;$$$;", ";$$$;$$;"))
    assert drawing(QUEENS) != drawing(QUEENS.replace("_ _ Q _ _", "_ Q _ _ _"))
