"""Questions by their reference answer: whether there is one, and whether it is an answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field

from reasonry.filters.each import Fault, RowFilterSection, each
from reasonry.registry import part
from reasonry.types import Drop, Question

__all__ = ["RULES", "AnswerSection", "answer"]

RULES = {
    "no_answer": "no reference answer, and a verifier that compares with one",
    "placeholder_answer": "the reference only stands for an answer: `N/A`, `none`, `see solution`, `proof`, `...`",
    "empty_box": "the last box of the reference is empty, or holds a placeholder",
    "no_box": 'the reference has no box (with `box = "required"`: it is a whole solution)',
    "long_answer": "the reference has more characters than `max_characters`: it is a solution, not an answer",
    "answer_in_prompt": "the prompt says the reference answer after `Answer:`, `Solution:`, `答案`",
}


class AnswerSection(RowFilterSection):
    """What a reference answer must be."""

    box: Literal["optional", "required"] = Field(
        default="optional", description="required: references are whole solutions, with the answer in a box"
    )
    max_characters: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="longest reference kept; default: any length"
    )


# These compare with the reference answer; every other verifier may find what it needs in the spec.
_COMPARING = frozenset(("math", "exact", "choice", "quantity", "label"))


@part("filter", "answer", options=AnswerSection, rules=RULES)
def answer(rows: Iterable[Question], options: AnswerSection) -> Iterator[Question | Drop]:
    """Drop questions without a reference answer, or with one that is no answer."""

    def check(question: Question) -> Fault | None:
        reference = (question.answer or "").strip()
        if not reference:
            has_other = bool(question.spec) and question.verifier not in _COMPARING
            return None if has_other else Fault("no_answer", f"nothing for '{question.verifier}' to compare with")
        return _no_answer(question, reference, options) or _told(question.prompt, reference)

    return each(rows, options, check)


def _no_answer(question: Question, reference: str, options: AnswerSection) -> Fault | None:
    is_null = question.verifier != "exact" and _name(reference) in _NULLS  # what a program returns may be None
    if is_null or stands_for_an_answer(reference):
        return Fault("placeholder_answer", f"'{reference[:100]}'")
    box = reference.rfind("\\boxed")
    if box >= 0 and (found := _BOX.match(reference, box)) and stands_for_an_answer(found[1]):
        return Fault("empty_box", f"'{found[0]}'")
    if box < 0 and options.box == "required":
        return Fault("no_box", f"no box in '...{reference[-100:]}'")
    if options.max_characters is not None and len(reference) > options.max_characters:
        return Fault("long_answer", f"{len(reference)} characters, more than {options.max_characters}")
    return None


_BOX = re.compile(r"\\boxed\s*\{([^{}]{0,100}|[^{}]{0,100}\{[^{}]{0,100}\}[^{}]{0,20})\}")
_NOTHING = re.compile(r"[\s.$*_?–—/-]*|…|[\s${}]*\\(?:l|c)?dots[\s${}]*|[\s${}]*\\(?:quad|square)[\s${}]*")
_AROUND = re.compile(r"^(?:\\(?:text|mathrm|textbf|mbox)\s*\{)+|[\s{}()\[\]<>$*_\"'`.:;,!?。：]+|\\[ ,;!]")
_NAMES = frozenset(
    (
        *("n/a", "tbd", "todo", "xxx", "none given", "not given", "not available", "not applicable", "no answer"),
        *("no answer given", "no solution provided", "omitted", "placeholder", "see solution", "see the solution"),
        *("see above", "see below", "see figure", "see the figure", "see image", "see text", "see explanation"),
        *("see attached", "refer to the solution", "as above", "see proof", "see the proof", "left to the reader"),
        *("proof", "the proof", "proof omitted", "proved", "proven", "qed", "answer", "answer here", "your answer"),
        *("your answer here", "the answer", "final answer", "your final answer", "insert answer here", "insert answer"),
        *("the final answer", "solution", "the solution", "ans", "略", "见解析", "证明略", "证明见解析", "无答案"),
        *("siehe lösung", "voir la solution", "ver solución", "см решение"),
    )
)
_NULLS = frozenset(("none", "null", "nan", "nil", "na", "unknown", "无"))


def stands_for_an_answer(text: str) -> bool:
    """Whether a text only stands for an answer: nothing, dots, `N/A`, `see solution`, `your answer`."""
    if len(text) > 80:
        return False
    return _NOTHING.fullmatch(text.strip()) is not None or _name(text) in _NAMES


def _name(text: str) -> str:
    return " ".join(_AROUND.sub(" ", text.strip()).split()).casefold()


# --- the answer told in the prompt

_TELLS = re.compile(
    r"(?:^|[\n.?!;。？！；]\s*)\W{0,4}(?:final\s+|correct\s+)?(?:answers?|ans|solution|答案|答)\b\W{0,4}[:=：]\W{0,6}",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[$\\{}]+")


def _told(prompt: str, reference: str) -> Fault | None:
    """Whether what stands after `Answer:` in the prompt begins with the reference, and ends with it."""
    lower = prompt.lower()
    if not any(word in lower for word in ("ans", "solution", "答")):
        return None
    wanted = _plain(reference[:200])
    for place in _TELLS.finditer(prompt):
        said = _plain(prompt[place.end() : place.end() + 400])
        if wanted and said.startswith(wanted) and not said[len(wanted) : len(wanted) + 1].isalnum():
            return Fault("answer_in_prompt", f"'{' '.join(prompt[place.start() : place.end() + 40].split())}'")
    return None


def _plain(text: str) -> str:
    return " ".join(_MARKS.sub("", text).split()).casefold()
