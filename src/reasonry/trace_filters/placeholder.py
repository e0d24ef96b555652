"""Traces whose answer is none: an empty box, `[your answer]`, `TODO` where code should stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reasonry.filters.answer import stands_for_an_answer
from reasonry.registry import part
from reasonry.trace_filters.each import Fault, RowTraceFilterSection, each
from reasonry.types import Candidate, Drop

__all__ = ["RULES", "placeholder"]

RULES = {
    "empty_box": "the last box of the response is empty, and no box before it holds anything",
    "placeholder_box": "the last box holds what stands for an answer: `\\boxed{answer}`, `\\boxed{...}`, `\\boxed{?}`",
    "placeholder_answer": "the response ends with a blank: `The answer is [your answer]`, `Answer: <answer>`, `TODO`",
    "placeholder_code": "code is left out: `# your code here` and nothing after it, `# rest of the code`",
}


@part("trace_filter", "placeholder", options=RowTraceFilterSection, rules=RULES)
def placeholder(candidates: Iterable[Candidate], options: RowTraceFilterSection) -> Iterator[Candidate | Drop]:
    """Drop traces whose answer only stands for one, or whose code is left out."""
    return each(candidates, options, lambda candidate: _blank(candidate.trace.response))


def _blank(response: str) -> Fault | None:
    return _box(response) or _end(response) or (_code(response) if "```" in response else None)


_BOX = re.compile(r"\\f?box(?:ed)?\s*\{([^{}]{0,80}|[^{}]{0,40}\{[^{}]{0,60}\}[^{}]{0,40})\}")


def _box(response: str) -> Fault | None:
    place = response.rfind("box")
    if place < 0 or (last := _BOX.match(response, response.rfind("\\", max(0, place - 2), place))) is None:
        return None
    if last[1].strip():
        is_blank = stands_for_an_answer(last[1])
        return Fault("placeholder_box", f"'{last[0]}'") if is_blank else None
    if any(box[1].strip() for box in _BOX.finditer(response)):
        return None
    return Fault("empty_box", f"'{last[0]}'")


_ENDS_BLANK = re.compile(
    r"(?:answer|solution|result)\b[^\n]{0,30}?(?:\bis|:|=)[^\w\\\[<]{0,6}"
    r"(?:\[[^\]\d\n\\(]{0,20}(?:answer|insert|value|number|result|solution)[^\]\d\n\\(]{0,20}\]"
    r"|<(?:your[ _])?(?:final[ _])?(?:answer|value|number|result|solution)(?:[ _]here)?>"
    r"|\.{3,}|…|_{3,}|\bTODO\b|\bTBD\b|\{(?:your[ _])?answer\})[\s.*$)}]*$",
    re.IGNORECASE,
)


_BLANKS = ("]", ">", "_", "…", "TODO", "TBD", "answer")


def _end(response: str) -> Fault | None:
    end = response[-150:].rstrip()
    if not end.rstrip(" .*$)}").endswith(_BLANKS) and "..." not in end[-8:]:
        return None
    found = _ENDS_BLANK.search(end)
    return Fault("placeholder_answer", f"'{' '.join(found[0].split())}'") if found else None


_COMMENT = r"^\s{0,40}(?:#|//|/\*|--|%)\s{0,4}(?:\.{3}\s{0,3})?"
_LEFT_OUT = re.compile(
    rf"{_COMMENT}(?:(?P<rest>(?:the\s+)?(?:rest|remainder)\s+of\s+(?:the|your)\s+(?:code|function|program|solution))"
    r"|(?:add|write|insert|put|implement)\s+(?:your|the)\s+(?:\w+\s+)?(?:code|logic|implementation|solution)"
    r"|your\s+(?:code|implementation|solution|logic)\b|(?:implementation|code|logic)\s+(?:goes\s+)?here\b"
    r"|TODO:?\s+(?:implement|add|write|complete|fill))",
    re.IGNORECASE | re.MULTILINE,
)
_NO_CODE = re.compile(r"[^\n]*\n?\s*(?:(?:pass|\.\.\.|return(?:\s+None|\s+null)?;?|\}|\*/)\s*)*$")


def _code(response: str) -> Fault | None:
    """A comment that stands where code should: nothing follows it, or it says that the rest is left out."""
    for block in response.split("```")[1::2]:
        for found in _LEFT_OUT.finditer(block):
            if found["rest"] or _NO_CODE.match(block, found.end()):
                return Fault("placeholder_code", f"'{' '.join(found[0].split())}', and no code")
    return None
