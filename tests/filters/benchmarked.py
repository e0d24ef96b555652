"""A benchmark of our own, and what `decontaminate` says of rows beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reasonry.types import Drop, Question, with_origin
from tests.sources.parts import options, part

__all__ = ["BAKER", "BENCHMARK", "CACTUS", "FORMULA", "LENS", "PASSAGE", "SHORT", "Asked", "decided", "drops_of", "row"]

BAKER = (
    "Every morning Odalys bakes 48 rye rolls and 36 poppy rolls. She sells two thirds of the rye rolls before noon"
    " and gives 9 poppy rolls to the fire station. How many rolls are left for the afternoon?"
)
FORMULA = r"Let $f(x) = \frac{3x^2 - 7}{x + 4}$ for $x \neq -4$. What is the sum of all real $x$ with $f(x) = 5$?"
LENS = (
    "A botanist looks at a pollen grain of 0.04 mm through a microscope that enlarges 250 times. How wide does it seem"
    " to her, in centimetres?"
)
CACTUS = (
    "Which property lets the saguaro cactus survive months without rain?\n"
    "(A) A waxy skin that slows evaporation\n(B) Leaves that follow the sun\n"
    "(C) Roots that reach the ground water\n(D) Seeds that float on water"
)
SHORT = "Compute 17 * 23."
PASSAGE = (
    "The lighthouse keeper of Varnholm noted the wind in a blue book for forty years. When the steamers came, nobody"
    " asked for the book any more, and his daughter used it to press flowers. In the end a museum bought it for the"
    " flowers, not for the wind. Why did the museum buy the book?"
)
BENCHMARK = (BAKER, FORMULA, LENS, CACTUS, SHORT, PASSAGE)
# Enough others that common words count as common.
_FILLING = tuple(
    f"{first} {second}"
    for first in (
        "A train leaves the northern harbour at dawn.",
        "The committee of the village has to paint its bridge.",
        "Three friends share a bag of walnuts after school.",
        "A gardener plants tulips in a long row along the wall.",
        "An orchestra rehearses in the old town hall each week.",
        "The clerk of the library counts the books that came back.",
    )
    for second in (
        "How many hours does the journey take?",
        "What is the total cost of the work in euros?",
        "Find the number of ways in which this can be done.",
        "How much is left for the last of them?",
    )
)


Asked = str | Question


def row(prompt: str, choices: Sequence[str] | None = None, answer: str | None = "1", number: int = 1) -> Question:
    spec = {} if choices is None else {"choices": list(choices)}
    return Question(prompt, answer, "exact", spec, source="a.jsonl", meta=with_origin({}, {"file": "a", "row": number}))


def decided(folder: Path, rows: Sequence[Asked], *more: str, **values: Any) -> list[Question | Drop]:
    """What becomes of each row beside the benchmark (and more questions)."""
    lines = [json.dumps({"prompt": prompt, "id": f"b{i}"}) for i, prompt in enumerate((*BENCHMARK, *more, *_FILLING))]
    (folder / "bench.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    given = {"against": ["bench.jsonl"], "fields": {"id": "id"}, **values}
    asked = [row(one, number=i) if isinstance(one, str) else one for i, one in enumerate(rows, 1)]
    return list(part("filter", "decontaminate").call(asked, options("filter", "decontaminate", folder, **given)))


def drops_of(folder: Path, *rows: Asked, **values: Any) -> list[Drop | None]:
    """The drop of each row; None where it is kept."""
    return [result if isinstance(result, Drop) else None for result in decided(folder, rows, **values)]
