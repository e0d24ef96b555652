"""Base questions: of the grammar, or real ones of a folder. Both can be reworded and turned into hard negatives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from benchmarks.corpus import grammar
from benchmarks.corpus.draw import MEANING, Draw, Stream, seed_of
from benchmarks.corpus.grammar.lists import forms, phrases
from benchmarks.corpus.spelling import CHOICE_LINE, on_prose
from benchmarks.corpus.template import TEMPLATES, Domain, Made, Template, Use
from reasonry.records import SetAside, open_records

__all__ = ["NEGATIVES", "Base", "Grammar", "Pool", "Real", "right_answer"]

NEGATIVES = ("numbers", "asked", "operator", "entity_swap", "choices")
# The share of each domain, in hundredths, after OpenThoughts-173k: mostly maths, a quarter choice, code, puzzles.
_SHARES: tuple[tuple[Domain, int], ...] = (
    ("maths_words", 29),
    ("maths_latex", 31),
    ("choice", 25),
    ("code", 5),
    ("code_output", 5),
    ("puzzle", 5),
)
_USES: tuple[Use, ...] = ("questions", "benchmark")
_TRIES = 12
_LETTERS = "ABCDEFGHIJ"


class Base(Protocol):
    """A question from which others are made."""

    made: Made

    @property
    def domain(self) -> Domain: ...

    @property
    def family(self) -> str: ...

    def reworded(self, salt: int) -> Made | None:
        """The same question in the grammar's other words; None where there are none."""
        ...

    def negative(self, kind: str, stream: Stream) -> Made | None:
        """A question that looks alike and is another one; None where this kind cannot be made."""
        ...

    def same_template(self, salt: int) -> Made | None:
        """A question of the same make with other content; None where the make is unknown."""
        ...


class Pool(Protocol):
    """Where base questions come from: each draw another one, None when there are no more."""

    def draw(self, use: Use) -> Base | None: ...


def right_answer(made: Made) -> str | None:
    """The answer; of a question with choices, the text of the right one."""
    if made.choices and made.answer is not None and len(made.answer) == 1 and made.answer in _LETTERS:
        return made.choices[_LETTERS.index(made.answer)]
    return made.answer


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))


def alike(one: str, other: str) -> float:
    """Shared words over all words, with their counts."""
    a, b = _words(one), _words(other)
    return sum((a & b).values()) / max(1, sum((a | b).values()))


@dataclass(slots=True)
class GrammarBase:
    """A question of the grammar, which can be drawn anew in one respect."""

    template: Template
    draw: Draw
    made: Made
    claim: Callable[[str, Draw, Made], bool]  # False where a question of this meaning is there already

    @property
    def domain(self) -> Domain:
        return self.template.domain

    @property
    def family(self) -> str:
        return self.template.name

    def reworded(self, salt: int) -> Made | None:
        if "phrasing" not in self.draw.streams:
            return None
        made = self.template.make(self.draw.anew("phrasing", salt=salt))
        return made if made.text != self.made.text and made.answer == self.made.answer else None

    def negative(self, kind: str, stream: Stream) -> Made | None:
        name = "entity" if kind == "entity_swap" else kind
        if name not in self.draw.streams:
            return None
        for _ in range(_TRIES):
            draw = self._changed(name, stream)
            made = self.template.make(draw)
            fits = self._other_choices(made) if kind == "choices" else self._is_other(made)
            if fits and self.claim(self.family, draw, made):
                return made
        return None

    def _changed(self, name: str, s: Stream) -> Draw:
        """One draw of the stream changed, or (numbers, choices) the whole stream."""
        if name == "choices" or (name == "numbers" and s.chance(0.4)):
            return self.draw.anew(name, salt=1 + s.below(1 << 30))
        return self.draw.twisted(name, s.below(len(self.draw.streams[name].drawn)), s.below(1 << 30))

    def _is_other(self, made: Made) -> bool:
        """Another answer (or other tests) to a text that looks alike."""
        answers = right_answer(made) != right_answer(self.made) or made.tests != self.made.tests
        return answers and made.text != self.made.text and alike(made.text, self.made.text) > 0.6

    def _other_choices(self, made: Made) -> bool:
        """At least two choices that the original lacks, around the same stem."""
        if not made.choices or not self.made.choices or right_answer(made) != right_answer(self.made):
            return False
        return len(set(made.choices) - set(self.made.choices)) >= 2

    def same_template(self, salt: int) -> Made | None:
        if self.domain not in ("maths_words", "choice", "puzzle"):
            return None
        draw = self.draw.anew("words", *MEANING, "choices", salt=salt)
        made = self.template.make(draw)
        is_other = alike(made.text, self.made.text) < 0.75 and right_answer(made) != right_answer(self.made)
        return made if is_other and self.claim(self.family, draw, made) else None


def _used(templates: list[Template], use: Use) -> list[Template]:
    return [template for template in templates if template.use in (use, "both")]


class Grammar:
    """Questions of the grammar, no two of which have the same meaning."""

    def __init__(self, seed: int) -> None:
        self._seed, self._drawn = seed, 0
        self._seen: set[int] = set()
        self._missed: Counter[str] = Counter()
        self._tables = {
            (use, domain): _used(templates, use) for domain, templates in TEMPLATES.items() for use in _USES
        }
        self.families: Counter[str] = Counter()

    def draw(self, use: Use) -> GrammarBase | None:
        while True:
            self._drawn += 1
            stream = Stream(seed_of("base", self._seed, self._drawn))
            table = self._tables[use, stream.weighted(_SHARES)]
            template = stream.weighted([(entry, entry.weight) for entry in table])
            draw = Draw(stream.below(1 << 63))
            made = template.make(draw)
            if self._claim(template.name, draw, made):
                self.families[template.name] += 1
                return GrammarBase(template, draw, made, self._claim)
            self._miss(template, table)

    def _claim(self, family: str, draw: Draw, made: Made) -> bool:
        """Take a meaning, unless it is taken. A change of the choices alone is told apart by its choices."""
        only_choices = list(draw.changed) == ["choices"]
        keys = {
            seed_of(family, draw.signature(), sorted(made.choices or ()) if only_choices else None),
            seed_of("text", made.text, sorted(made.choices or ())),
        }
        # The same numbers in another order (of terms, of dice) or drawn in another way, and the same answer.
        if (numbers := sorted(_NUMBER.findall(made.text))) and not only_choices:
            keys.add(seed_of("numbers", family, numbers, right_answer(made), made.tests))
        if keys & self._seen:
            return False
        self._seen |= keys
        return True

    def _miss(self, template: Template, table: list[Template]) -> None:
        """A template that mostly repeats itself is used up."""
        self._missed[template.name] += 1
        if self._missed[template.name] > 50 + self.families[template.name] // 2 and len(table) > 1:
            table.remove(template)


_NUMBER = re.compile(r"(?<![\w\\])\d+(?:\.\d+)?")
_OPPOSITES = forms(
    phrases(
        """sum/product;maximum/minimum;greatest/least;largest/smallest;more/fewer;before/after;with/without;
increase/decrease;positive/negative;even/odd;union/intersection;true/false;is/is not;are/are not;multiple/divisor;
older/younger;gains/loses;inside/outside;above/below;first/last;at least/at most;row/column;buys/sells;always/never"""
    )
)


@dataclass(slots=True)
class Real:
    """A real question. Its negatives are made in its text, with an answer that is merely another one."""

    made: Made
    domain: Domain
    family: str

    def reworded(self, salt: int) -> Made | None:
        return None

    def same_template(self, salt: int) -> Made | None:
        return None

    def negative(self, kind: str, stream: Stream) -> Made | None:
        change = {"numbers": _other_number, "operator": _opposite}.get(kind)
        if change is None or (kind == "numbers" and len(_NUMBER.findall(self.made.text)) == 0):
            return None
        text = change(stream, self.made.text)
        if text == self.made.text:
            return None
        answer = _other_answer(stream, self.made)
        # Whether an opposite word changes the question cannot be known: the answers must tell the two apart.
        if kind == "operator" and answer is None:
            return None
        return replace(self.made, text=text, answer=answer, choices=_listed(text) if self.made.listed else None)


def _other_number(s: Stream, text: str) -> str:
    found = list(_NUMBER.finditer(text))
    for match in sorted(s.sample(found, min(len(found), s.between(1, 2))), key=lambda m: -m.start()):
        number = match.group()
        other = str(int(number) + s.between(1, 9)) if number.isdigit() else f"{float(number) + s.between(1, 9):g}"
        text = text[: match.start()] + other + text[match.end() :]
    return text


def _opposite(s: Stream, text: str) -> str:
    for one, other in s.shuffled([*_OPPOSITES, *((b, a) for a, b in _OPPOSITES)]):
        changed = on_prose(
            s, text, lambda _, part, one=one, other=other: re.sub(rf"\b{one}\b(?! not)", other, part, count=1)
        )
        if changed != text:
            return changed
    return text


def _other_answer(s: Stream, made: Made) -> str | None:
    if made.choices and made.answer is not None:
        return s.pick([letter for letter in _LETTERS[: len(made.choices)] if letter != made.answer])
    if made.answer is None or not _NUMBER.search(made.answer):
        return None
    return _NUMBER.sub(lambda m: f"{float(m.group()) + s.between(1, 9):g}", made.answer, count=1)


class RealPool:
    """The questions of a folder of JSON lines (`question`, `gold`), each distinct text once, in an order by digest."""

    def __init__(self, folder: Path, seed: int) -> None:
        found = {real.made.text: real for real in _real_rows(folder)}
        self._rows = sorted(found.values(), key=lambda real: seed_of(seed, real.made.text), reverse=True)
        self.families: Counter[str] = Counter(real.family for real in self._rows)

    def draw(self, use: Use) -> Real | None:
        return self._rows.pop() if self._rows else None


def _real_rows(folder: Path) -> Iterator[Real]:
    for file in sorted(folder.glob("*.jsonl*")):
        for row in open_records(file):
            if not isinstance(row, SetAside) and isinstance(row.values.get("question"), str):
                yield _real(file.name.split(".")[0], row.values)


def _real(name: str, values: dict[str, Any]) -> Real:
    gold, text = values.get("gold"), str(values["question"])
    answer = gold if isinstance(gold, str) and gold.strip() else None
    choices = _listed(text) if name.startswith("mcq") else None
    return Real(Made(text, answer, choices, choices is not None), _domain(name, choices), name)


def _domain(name: str, choices: list[str] | None) -> Domain:
    if choices:
        return "choice"
    if name.startswith("math"):
        return "maths_words" if "gsm8k" in name else "maths_latex"
    return "code" if name.startswith("code") else "puzzle"


def _listed(text: str) -> list[str] | None:
    """The choices that a text lists, a line each with its letter."""
    lines = list(CHOICE_LINE.finditer(text))
    letters = "".join(line.group(2) for line in lines)
    return [line.group(4).strip() for line in lines] if len(lines) > 1 and _LETTERS.startswith(letters) else None


assert grammar  # its import fills TEMPLATES
