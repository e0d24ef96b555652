"""Finding the answer in a response, by rules in a declared order.

The first rule that finds something decides; there is no second guess. Every rule has a name, which the verdict records:

| rule | what it reads |
|---|---|
| `answer_tag` | the last `<answer>...</answer>` (the form of R1-Zero), or the box in it |
| `json` | the last value of a key `"answer"`, also where the JSON around it is broken; not where a box follows |
| `boxed` | the last `\\boxed{...}` (or `\\fbox`) that is not empty; boxes side by side are one list |
| `hashes` | the last line `#### ...` (GSM8K) |
| `line` | the last line `A: ...`, `Answer: ...`, `【答案】...`, `Antwort: ...`, or what stands below such a heading |
| `phrase` | the last "the answer is ...", "答案是...", "die Antwort ist ...", "la réponse est ..." |
| `bare` | a response that is nothing but an answer |
| `emphasis` | the only bold words in the last statement, where they hold a number |
| `conclusion` | what the last line concludes: "therefore it must be ..." |
| `last_math` | the formula that the last statement comes to: displayed, the only one, or after its only "is" |
| `last_number` | the only number in the last statement; two different ones are no answer |
| `sentence` | a response that is one sentence, whole |

The first six are what a response says itself (`EXPLICIT`), the others are read from how it ends (`FALLBACK`). A "final
answer" that is declared after the last box counts instead of it. What stands in `<think>` is never read; reasoning that
was not closed is not followed by an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasonry.verifiers.extraction_boxes import boxes_of
from reasonry.verifiers.extraction_declared import boxed, hashes, json_reply, line, phrase, tagged
from reasonry.verifiers.extraction_fallback import bare, conclusion, emphasis, last_math, last_number, sentence
from reasonry.verifiers.extraction_sentences import stated_number
from reasonry.verifiers.extraction_text import Parts, split_thinking, strip_markup

__all__ = [
    "EXPLICIT", "FALLBACK", "RULES", "Found", "Parts", "extract", "split_thinking", "stated_number", "strip_markup",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """An answer as it stands in the response.

    `different` counts the different answers the rule saw. `beside` is the unit or the percent sign that stands
    directly after a box, and is not part of `text`.
    """

    text: str
    rule: str
    different: int = 1
    beside: str = ""

    @property
    def evidence(self) -> dict[str, Any]:
        return {"rule": self.rule, "candidates": self.different}


def extract(text: str, rules: Sequence[str]) -> Found | None:
    """The answer in `text` by the first of `rules` that finds one."""
    for rule in rules:
        if candidates := [c for c in map(strip_markup, RULES[rule](text)) if c]:
            beside = boxes_of(text)[-1].beside if rule == "boxed" else ""
            return Found(candidates[-1], rule, len(set(candidates)), beside)
    return None


RULES: Mapping[str, Callable[[str], list[str]]] = {
    "answer_tag": tagged,
    "json": json_reply,
    "boxed": boxed,
    "hashes": hashes,
    "line": line,
    "phrase": phrase,
    "bare": bare,
    "emphasis": emphasis,
    "conclusion": conclusion,
    "last_math": last_math,
    "last_number": last_number,
    "sentence": sentence,
}

EXPLICIT = ("answer_tag", "json", "boxed", "hashes", "line", "phrase")
"""The rules by which a response says itself what its answer is."""

FALLBACK = ("bare", "emphasis", "conclusion", "last_math", "last_number", "sentence")
"""The rules that read the answer from how a response ends."""
