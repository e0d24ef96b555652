"""Planted rows: near-duplicates, hard negatives, contaminations, and what looks like a contamination."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from benchmarks.corpus.bases import Base, right_answer
from benchmarks.corpus.draw import Stream
from benchmarks.corpus.grammar.phrases import INSTRUCTIONS, INTRODUCTIONS, STOCK
from benchmarks.corpus.grammar.scenes import scenery
from benchmarks.corpus.latex import relatexed
from benchmarks.corpus.rewording import reworded
from benchmarks.corpus.spelling import CHOICE_LINE, edited, formatted, has_maths
from benchmarks.corpus.template import Made, respelled

__all__ = ["CONTAMINATIONS", "DUPLICATES", "Plant", "boilerplate", "contamination", "duplicate"]

DUPLICATES = (("exact", 20), ("format", 26), ("latex", 14), ("edit", 20), ("reword", 18))
CONTAMINATIONS = (
    ("verbatim", 12),
    ("latex", 12),
    ("whitespace", 12),
    ("embedded", 16),
    ("shuffled", 12),
    ("light_edit", 14),
    ("reword", 12),
    ("numbers_changed", 14),
)
_LETTERS = "ABCDEFGHIJ"


@dataclass(frozen=True, slots=True)
class Plant:
    """A planted question: its kind, what was done to the original, and how its answer relates (of duplicates)."""

    made: Made
    kind: str
    detail: str
    answer: str = "same"


def _formatted(base: Base, s: Stream) -> tuple[str, str] | None:
    text, names = formatted(s, base.made.text)
    return (text, "+".join(names)) if names else None


def _relatexed(base: Base, s: Stream) -> tuple[str, str] | None:
    done = relatexed(s, base.made.text)
    return (done[0], "+".join(done[1])) if done else None


def _edited(base: Base, s: Stream) -> tuple[str, str] | None:
    text, names = edited(s, base.made.text)
    return (text, "+".join(names)) if names else None


def _reworded(base: Base, s: Stream) -> tuple[str, str] | None:
    """Synonyms and order; one in four in the grammar's other phrases."""
    text, how = base.made.text, list[str]()
    if s.chance(0.25) and (other := base.reworded(1 + s.below(1 << 30))) is not None:
        text, how = other.text, ["rephrased"]
    if not how or s.chance(0.3):
        text, names = reworded(s, text)
        how += names
    return (text, "+".join(how)) if how else None


_WAYS = {"format": _formatted, "latex": _relatexed, "edit": _edited, "reword": _reworded}


def _fit(kinds: tuple[tuple[str, int], ...], made: Made) -> list[tuple[str, int]]:
    """The kinds that can be made of a question, those that few questions allow more often where they do."""
    lacking = {"latex": not (has_maths(made.text) and "$" in made.text), "shuffled": not made.choices}
    return [(kind, weight * 3 if kind in lacking else weight) for kind, weight in kinds if not lacking.get(kind)]


def duplicate(base: Base, s: Stream) -> Plant:
    """A near-duplicate of a base. Verbatim where the kind drawn cannot be made of it."""
    kind = s.weighted(_fit(DUPLICATES, base.made))
    done = _WAYS[kind](base, s) if kind in _WAYS else None
    if done is None or done[0] == base.made.text:  # nothing to change, or two changes that cancel out
        kind, done = "exact", (base.made.text, "")
    answer, how = _answer(base.made, kind, s)
    return Plant(replace(base.made, text=done[0], answer=answer), kind, done[1], how)


def _answer(made: Made, kind: str, s: Stream) -> tuple[str | None, str]:
    """Mostly the same; some respelled, some lacking; of duplicates that differ in typing alone, some in conflict."""
    if made.answer is None:
        return None, "same"
    how = s.weighted((("same", 78), ("respelled", 11), ("missing", 8), ("conflict", 3)))
    if how == "respelled" and (forms := respelled(made.answer)):
        return s.pick(forms), how
    if how == "missing":
        return None, how
    if how == "conflict" and kind in ("exact", "format", "latex") and (wrong := _conflicting(made, s)) is not None:
        return wrong, how
    return made.answer, "same"


def _conflicting(made: Made, s: Stream) -> str | None:
    if made.choices:
        right = right_answer(made)
        return s.pick([_LETTERS[i] for i, text in enumerate(made.choices) if text != right])
    return str(int(made.answer) + s.between(1, 9)) if made.answer and made.answer.lstrip("-").isdigit() else None


# -- contamination -----------------------------------------------------------------------------------------------


def contamination(base: Base, s: Stream) -> Plant:
    """A benchmark's question as it gets into training data. Verbatim where the kind drawn cannot be made."""
    kind = s.weighted(_fit(CONTAMINATIONS, base.made))
    if kind == "shuffled" and (made := _shuffled(base.made, s)) is not None:
        return Plant(made, kind, "choices")
    if kind == "numbers_changed" and (made := base.negative("numbers", s)) is not None:
        return Plant(made, kind, "numbers", "other")
    done: tuple[str, str] | None = None
    if kind == "latex":
        done = _relatexed(base, s)
    elif kind in ("whitespace", "shuffled"):
        kind, done = "whitespace", (_spaced(s, base.made.text), "spaces")
    elif kind == "embedded":
        done = _embedded(s, base.made.text)
    elif kind == "light_edit":
        text, names = edited(s, base.made.text, 2)
        done = (text, "+".join(names)) if names else None
    elif kind == "reword":
        done = _reworded(base, s)
    if done is None or done[0] == base.made.text:
        kind, done = "verbatim", (base.made.text, "")
    return Plant(replace(base.made, text=done[0]), kind, done[1])


def _spaced(s: Stream, text: str) -> str:
    """Other white space, other case, other final punctuation."""
    gap = s.pick(("  ", "\n", "\t", "\u00a0", " \n "))
    share = s.pick((0.1, 0.3, 1.0))
    if "```" not in text:
        text = re.sub(" ", lambda _: gap if s.chance(share) else " ", text)
    text = s.pick((text, text, f"\n{text}\n\n", f"  {text}  ", text.rstrip(" .?")))
    return text.replace("$", " $ ") if "\\" in text and s.chance(0.1) else text


def _embedded(s: Stream, text: str) -> tuple[str, str]:
    """Inside a longer text."""
    where = s.pick(("before", "after", "both"))
    gap = s.pick((" ", "\n", "\n\n"))
    opening = s.pick(
        (*INTRODUCTIONS, scenery(s, s.between(1, 5)), f"{scenery(s, s.between(1, 3))} {s.pick(INTRODUCTIONS)}")
    )
    closing = s.pick(
        (*INSTRUCTIONS, scenery(s, s.between(1, 4)), f"{s.pick(INSTRUCTIONS)} {scenery(s, s.between(1, 3))}")
    )
    before = opening + gap if where != "after" else ""
    after = gap + closing if where != "before" else ""
    return before + text + after, where


def _shuffled(made: Made, s: Stream) -> Made | None:
    """The choices in another order and lettered anew, in the text as in the list."""
    if not made.choices or made.answer is None:
        return None
    choices = s.shuffled(made.choices)
    if choices == made.choices:
        choices = [*choices[1:], choices[0]]
    right = right_answer(made)
    answer = made.answer if right == made.answer or right is None else _LETTERS[choices.index(right)]
    lines = list(CHOICE_LINE.finditer(made.text))
    text = made.text
    if lines and len(lines) == len(choices):
        form = lines[0]
        listed = "".join(f"\n{form.group(1)}{_LETTERS[i]}{form.group(3)}{choice}" for i, choice in enumerate(choices))
        text = made.text[: form.start()].rstrip("\n") + listed + made.text[lines[-1].end() :]
    return replace(made, text=text, choices=choices, answer=answer)


# -- what looks like a contamination -----------------------------------------------------------------------------


def boilerplate(made: Made, index: int) -> Made:
    """A question with a long stock phrase: after it, or before one that lists its choices."""
    stock = STOCK[index % len(STOCK)]
    return replace(made, text=f"{stock}\n\n{made.text}" if "\n" in made.text else f"{made.text} {stock}")
