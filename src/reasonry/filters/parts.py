"""Questions of several parts: one trace answers them all, and one reference can be compared with none of them.

Parts are labelled (`(a) ... (b) ...`, `1. ... 2. ...`, `Part A ... Part B`), and ask something each. Labels before
choices, conditions, statements or steps make no parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from reasonry.filters.choices import has_choices
from reasonry.filters.each import Fault, RowFilterSection, each
from reasonry.registry import part
from reasonry.types import Drop, Question

__all__ = ["RULES", "PartsSection", "parts"]

RULES = {
    "multi_part": "two or more labelled parts ask something each, or the reference answers labelled parts",
    "later_part": "it begins with the label of a later part (`(b)`, `Part 2`): what it builds on is elsewhere",
    "several_questions": "more sentences ask something than `max_questions`",
}


class PartsSection(RowFilterSection):
    """How many questions a question may be."""

    max_questions: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="question marks in the prose, at most; default: not counted"
    )


@part("filter", "parts", options=PartsSection, rules=RULES)
def parts(rows: Iterable[Question], options: PartsSection) -> Iterator[Question | Drop]:
    """Drop questions of several parts, and parts of a question that is not there."""

    def check(question: Question) -> Fault | None:
        text = question.prompt[:_READ]
        if found := _LATER.match(text):
            return Fault("later_part", f"it begins with '{found[0].strip()}'")
        if (labels := _asking_labels(text)) and not has_choices(question):
            return Fault("multi_part", f"{' and '.join(labels)} ask something each")
        if question.answer is not None and (found := _ANSWERED.match(question.answer)):
            return Fault("multi_part", f"the reference answers '{found[1]}' and '{found[2]}'")
        return _too_many_questions(text, options.max_questions)

    return each(rows, options, check)


_READ = 20_000  # characters: a longer prompt is a document, and its parts are the document's

_LATER = re.compile(
    r"\s*\**(?:\((?:[b-h]|ii|iii|iv)\)|[b-h]\)\s|part\s+\(?(?:[b-h]|[2-9]|ii|iii|iv)\)?\s*[:.)])", re.IGNORECASE
)
_ANSWERED = re.compile(r"\s*(\(?(?:a|i|1)\))\s*\S[^\n]{0,500}?[\s,;.]\s*(\(?(?:b|ii|2)\))\s*\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Style:
    """One way of labelling parts. `second`: one of these stands in every text (in lower case) with two such labels."""

    second: tuple[str, ...]
    names: Sequence[str]
    label: re.Pattern[str]


def _style(second: Sequence[str], around: str, names: Sequence[str]) -> _Style:
    label = re.compile(around.replace("NAME", f"({'|'.join(names)})"), re.MULTILINE | re.IGNORECASE)
    return _Style(tuple(second), names, label)


_LETTERS, _DIGITS = "abcdefgh", "123456789"
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi")
_STYLES = [
    _style(["(b)"], r"(?<![\w\\({=+-])\(NAME\)(?=\W)", _LETTERS),
    _style(["b) "], r"(?<![\w\\({=+-])NAME\)\s", _LETTERS),
    _style(["b. "], r"(?:^|(?<=[.?:;]\s))NAME\.\s", _LETTERS),
    _style(["(ii)"], r"(?<![\w\\({=+-])\(NAME\)(?=\W)", _ROMAN),
    _style(["ii) "], r"(?<![\w\\({=+-])NAME\)\s", _ROMAN),
    _style(["(2)", "（2）"], r"(?<![\w\\({=+-])[(（]NAME[)）]", _DIGITS),
    _style(["ⅱ"], r"(?<![\w\\({=+-])[(（]NAME[)）]", "ⅰⅱⅲⅳⅴ"),
    _style(["2. ", "2) "], r"(?:^|(?<=[.?]\s))\**NAME[.)]\s", _DIGITS),
    _style(["part b", "part (b"], r"\bpart\s+\(?NAME\)?\s*[:.)]", _LETTERS),
    _style(["part 2", "part (2"], r"\bpart\s+\(?NAME\)?\s*[:.)]", _DIGITS),
    _style(["question 2", "q2", "q 2"], r"\b(?:question|q)\s?NAME\s*[:.)]", _DIGITS),
    _style(["②"], r"NAME", "①②③④⑤"),
]


def _asking_labels(text: str) -> list[str]:
    """The labels of the parts that ask something; empty where fewer than two do."""
    lower = text.lower()
    for style in _STYLES:
        if not any(second in lower for second in style.second):
            continue
        labels = _in_order(style.names, style.label, text)
        if len(labels) < 2:
            continue
        ends = [*(label.start() for label in labels[1:]), len(text)]
        items = [text[label.end() : end] for label, end in zip(labels, ends, strict=True)]
        asking = [label for label, item in zip(labels, items, strict=True) if _ASKS.search(item[:2_000])]
        stem = text[: labels[0].start()][-200:].rstrip(" *\n")
        if _OF_WHICH.search(stem):
            continue
        if _EACH.search(stem):
            asking = labels
        elif not _ENDED.search(stem):
            continue
        if len(asking) >= 2:
            return [label[0].strip(" *\n") for label in asking[:2]]
    return []


def _in_order(names: Sequence[str], pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """The labels that follow one another: the first, then the second after it, and so on."""
    found: list[re.Match[str]] = []
    for label in pattern.finditer(text):
        if len(found) < len(names) and label[1].lower() == names[len(found)]:
            found.append(label)
    return found


# How a part begins, or says later on, when it asks something.
_ASKS = re.compile(
    r"[?？]"
    r"|^[\s*:.]*(?:(?:hence|now|then|also|next),?\s+)?"
    r"(?:find|determine|compute|calculate|evaluate|what|how\s|show|prove|explain|describe|state|write|give|draw|sketch"
    r"|solve|simplify|express|estimate|verify|deduce|derive|factor|expand|graph|plot|list|identify|construct|obtain|why"
    r"|discuss|define|convert)\b"
    r"|(?:[.,;:]\s|\b(?:and|then|hence)\s)(?:find|determine|compute|calculate|prove|show\s+that|what\s+(?:is|are))\b"
    r"|求|证明|判断|计算|写出",
    re.IGNORECASE,
)
_DO = r"(?:find|compute|calculate|evaluate|solve|simplify|factor|differentiate|integrate|expand|convert|determine)"
_EACH = re.compile(
    rf"(?:each|all|both)\s+of\s+the\s+following[^.\n]{{0,60}}$"
    rf"|(?:^|[.?!:;,]\s|\n)(?:{_DO}|what\s+(?:is|are))\s*:?\s*$"
    rf"|\b{_DO}\b[^.?\n]{{0,60}}\bfollowing\b[^.?\n]{{0,30}}[:.]?\s*$"
    rf"|(?:^|[.?!]\s|\n){_DO}\s[^.?\n]{{0,40}}:\s*$",
    re.IGNORECASE,
)
# What stands before labels that list something else: choices, conditions, instructions.
_OF_WHICH = re.compile(
    r"\b(?:which|how\s+many)\b|\b(?:conditions?|propert\w+|statements?|rules?|guidelines?|instructions?|steps?|operations?"
    r"|requirements?|constraints?|such\s+that|satisf\w+|order|format)\b[^.?!]*$",
    re.IGNORECASE,
)
_ENDED = re.compile(r"(?:^|[.:;?!)\]}$*。：；，])$")

_MARK = re.compile(r"[?？](?=\s|$|[\"')\]*])")


def _too_many_questions(text: str, most: int | None) -> Fault | None:
    if most is None:
        return None
    marks = len(_MARK.findall(text))
    return Fault("several_questions", f"{marks} questions, more than {most}") if marks > most else None
