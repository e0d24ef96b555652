"""Answers that a response does not declare: all it says is the answer, or its last statement comes to one.

These rules guess, so they refuse where there is a choice: two numbers, a denial, "or", a formula beside a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from reasonry.verifiers.extraction_sentences import NUMBER, PART_OF_MORE, numbers_in, without_denied_numbers

__all__ = ["bare", "conclusion", "emphasis", "last_math", "last_number", "sentence"]

_LONGEST_BARE = 100_000
_COMMAND = re.compile(r"\\(?:text|mathrm|textbf|mbox|operatorname)\s*\{[^{}]*\}|\\[a-zA-Z]+")
_SPAN = re.compile(r"\$\$?([^$\n]+)\$\$?|\\\(((?:[^\\\n]|\\(?![()\n]))*+)\\\)|\\\[((?:[^\\\n]|\\(?![\[\]\n]))*+)\\\]")
_EMPTY_FORM = re.compile(r"\\boxed|[\"'`]answer[\"'`]\s*:|^\s*step\s*\d+\s*[.):-]|\banswer[ *_]*:\s*$", re.IGNORECASE)
_TWO_WORDS = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}+[,;]?\s+(?:[^\W\d_]{2,}|a|I)\b")
_LABELLED = re.compile(r"[^\W\d_]{3,}\s?[:：]\s*[-−$£€¥]?\d")
_CHINESE = re.compile(r"[一-鿿]{2}")
_DIGIT = re.compile(r"\d")
_DISPLAYED = re.compile(r"\s*(?:\\\[|\$\$)((?:[^\\$]|\\[^\[\]])*+)(?:\\\]|\$\$)[\s.]*")
_FENCED = re.compile(r"\s*```[a-z]*\n([^`]*)```\s*")
_BRACKETED = re.compile(r"(?:\w{1,8}\s*=\s*)?(?:[\[({]|\\left\b|\\begin\b|\\[\[({]|\$)")
_LABEL = re.compile(r"^(?:final )?answer\s+(?=\$|\\\(|\\\[)", re.IGNORECASE)  # `Answer $9$`
_MOST_LINES = 30


def bare(text: str) -> list[str]:
    """The whole text, where it reads like no sentence: one statement without prose, nor a form that was left empty."""
    if len(text) > _LONGEST_BARE or not (whole := _one_statement(text)) or _EMPTY_FORM.search(whole):
        return []
    if whole.isdigit():
        return [whole]  # no need to look for words in it
    whole = _LABEL.sub("", whole)
    words = _COMMAND.sub(" ", _SPAN.sub(" ", whole))
    return [] if _TWO_WORDS.search(words) or _leads_to_a_number(words) else [whole]


def _leads_to_a_number(words: str) -> bool:
    """`Worries: 2.74`, or the like in Chinese: the number in it is the answer, and `last_number` finds it."""
    chinese = _CHINESE.search(words)
    if PART_OF_MORE.search(words):
        return False
    return bool(_LABELLED.match(words) or (chinese and _DIGIT.search(words, chinese.end())))


def _one_statement(text: str) -> str:
    """A text of one line, a displayed formula, what stands in a fence, or brackets over several lines; else ""."""
    if found := _DISPLAYED.fullmatch(text) or _FENCED.fullmatch(text):
        return found[1].strip()
    whole = _HEADING.sub("", text.strip(), count=1)
    if "\n" not in whole:
        return whole
    is_bracketed = _BRACKETED.match(whole) and whole.rstrip(".").endswith(("]", ")", "}", "$"))
    return whole if is_bracketed and whole.count("\n") < _MOST_LINES and "\n\n" not in whole else ""


# --- the last statement

_STEP_LABEL = re.compile(r"^\s*(?:(?:step|part|case)\s*\d+\s*[.):-]|\d+[.)]\s|[-*•]\s)\s*", re.IGNORECASE)
_LAST_STATEMENT = 2_000  # characters
_DENIED = re.compile(
    r"\b(?:not|no|never|cannot|nor|or|either|might|maybe|perhaps|possibly|without|between|oder|nicht|kein\w*|ou|ni|pas)\b"
    r"|n't\b|不|没|或|無|ない",
    re.IGNORECASE,
)
_LIMITED = re.compile(r"\b(?:least|most)\b", re.IGNORECASE)
_PLEASANTRY = re.compile(r"\b(?:hope|let me know|feel free|thank|happy to|questions?\b.*\bask)\b", re.IGNORECASE)
_ABBREVIATED = r"(?<!i\.e\.)(?<!e\.g\.)(?<!\bno\.)(?<!approx\.)(?<!M[rs]\.)(?<!Mrs\.)(?<!cf\.)"
_SENTENCES = re.compile(
    rf"(?<=[.!?]){_ABBREVIATED}(?:\$\$?|\\\])?\s+|\s+(?=(?:So|Thus|Hence|Therefore),?\s)|(?<=[。！？।])"
)
_BULLET = re.compile(r"[-*•]\s+|\d+[.)]\s+")
_HEADING = re.compile(r"^#{1,6}\s+")
_CUT_OFF = re.compile(r"[,，、;=+\-*/×]\s*$")


def _last_line(text: str) -> str:
    """The last line that is no pleasantry, its last part where it is long."""
    for line in _lines_from_end(text):
        if not (_PLEASANTRY.search(line[-_LAST_STATEMENT:]) and not any(c.isdigit() for c in line)):
            return line[-_LAST_STATEMENT:]
    return ""


def _lines_from_end(text: str) -> Iterator[str]:
    end = len(text)
    while end > 0:
        start = text.rfind("\n", 0, end) + 1
        line = text[start:end].strip()
        if line and line not in ("```", '"""', "}", "---"):
            yield line
        end = start - 1


def _last_statement(text: str) -> str:
    """The last sentence of the last line, without `Step 5:` in front; "" for a denial, a heading, a fragment."""
    line = _last_line(text)
    if _HEADING.match(line) or _CUT_OFF.search(line) or _is_item(text, line):
        return ""
    parts = _SENTENCES.split(without_denied_numbers(_STEP_LABEL.sub("", line)))
    sentences = [s for s in parts if NUMBER.search(s) or _SPAN.search(s)]
    return "" if not sentences or _DENIED.search(_SPAN.sub(" ", sentences[-1])) else sentences[-1]


def _is_item(text: str, line: str) -> bool:
    """Whether a line is one of several answers in a list: an item without prose below another such."""
    if not _is_bare_item(line):
        return False
    lines = list(islice(_lines_from_end(text), 2))
    return len(lines) > 1 and _is_bare_item(lines[1][-_LAST_STATEMENT:])


def _is_bare_item(line: str) -> bool:
    found = _BULLET.match(line)
    return bool(found and not _TWO_WORDS.search(_SPAN.sub(" ", line[found.end() :])))


_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*")
_MOST_WORDS = 6


def emphasis(text: str) -> list[str]:
    """The only bold words in the last statement, where they hold a number or a formula: `it has **9** divisors`."""
    if "**" not in text:
        return []
    bold = [found.strip() for found in _BOLD.findall(_last_statement(text))]
    if len(bold) != 1 or bold[0].endswith(":") or len(bold[0].split()) > _MOST_WORDS:
        return []
    return bold if NUMBER.search(bold[0]) or _SPAN.search(bold[0]) else []


_CONCLUSION = re.compile(
    r"\b(?:therefore|thus|hence|so),? (?:i (?:think|believe|conclude) (?:that )?)?(?:it's|it is|it must be) "
    r"([^\n,.;]{1,60})\.?$",
    re.IGNORECASE,
)


def conclusion(text: str) -> list[str]:
    """What the last line concludes: `therefore it must be B`."""
    found = _CONCLUSION.search(_last_line(text))
    return [] if found is None or _DENIED.search(found[1]) else [found[1].strip()]


_COPULA = re.compile(
    r"(?:\b(?:is|are|be|equals?|was|equal to|ist|beträgt|est|es|sind|sont|son)"
    r"|=|:|：|≈|是|为|為|等于|即|は|è|é)\s*(?:exactly |just |simply )?"
    r"(?:\*\*)?$",
    re.IGNORECASE,
)
_TAIL = re.compile(r"[\s.。,!*)]*(?:[^\W\d_][\w²³/]*\.?(?:\s+[^\W\d_][\w²³/]*){0,2})?[\s.。!*)]*")


def last_math(text: str) -> list[str]:
    """The formula that the last statement comes to: displayed at its end, its only one, or after its only "is"."""
    if not ("$" in text or "\\(" in text or "\\[" in text):
        return []
    if displayed := _last_display(text):
        return [displayed]
    statement = _last_statement(text)
    spans = list(_SPAN.finditer(statement))
    contents = {_content(span) for span in spans}
    if len(contents) == 1 and not NUMBER.search(_SPAN.sub(" ", statement)) and not _is_name(spans[-1]):
        return [_content(spans[-1])]
    said = [span for span in spans if _COPULA.search(statement[: span.start()])]
    if len(said) != 1 or said[0] is not spans[-1] or not _TAIL.fullmatch(statement[spans[-1].end() :]):
        return []
    return [_content(spans[-1])]


_NAME = re.compile(r"\\?[A-Za-z]+")  # what a sentence is about, mostly, and not what it says


def _is_name(span: re.Match[str]) -> bool:
    return bool(_NAME.fullmatch(_content(span)))


def _content(span: re.Match[str]) -> str:
    return next((group for group in span.groups() if group), "").strip()


_DISPLAY_ENDS = {"\\]": "\\[", "$$": "$$"}
_LONGEST_DISPLAY = 2_000


def _last_display(text: str) -> str:
    """The displayed formula that a text ends with, where the words before it neither deny nor doubt."""
    end = text.rstrip(' \t\r\n.*}`"')
    opening = _DISPLAY_ENDS.get(end[-2:])
    if opening is None or not text.rstrip().rstrip(".").endswith(("\\]", "$$", "```")):
        return ""
    start = end.rfind(opening, max(0, len(end) - _LONGEST_DISPLAY), len(end) - 2)
    if start < 0 or _DENIED.search(_last_line(text[:start])):
        return ""
    return end[start + 2 : -2].strip()


_ASSIGNED = re.compile(r"(?<![\w)}])([A-Za-z](?:_?\w)?)\s?=(?!=)")


def last_number(text: str) -> list[str]:
    """The number that the last statement comes to: after its last `=`, or the only one there is."""
    statement = _last_statement(text)
    if len(set(_ASSIGNED.findall(statement))) > 1:
        return []  # `x = 3 and y = 4`
    result = statement.rpartition("=")[2]
    numbers = [number[0].rstrip(",") for number in numbers_in(result)]
    if not _DIGIT.search(result) and not _VERB.search(result):
        return []  # "two linked loops" describes; "two boats are needed" states a number
    return [] if len(set(numbers)) != 1 or PART_OF_MORE.search(result) or _LIMITED.search(result) else numbers


_VERB = re.compile(r"\b(?:is|are|was|were|has|have|had|will|can|must|needs?|takes?|gets?|makes?)\b", re.IGNORECASE)


# --- one sentence

_LONGEST_SENTENCE = 400  # characters
_OF_ITSELF = re.compile(r"#|(?:sorry|i|as an ai|let me|let us|let's|please)\b", re.IGNORECASE)
_NEXT = re.compile(r"[.!?]\s+\S|[。！？।]\s*\S")
_HEDGED = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|might|either|unsure|guess)\b|\bor\b[^\n]*\bor\b"
    r"|(?:\bnot|n't)\s(?:\w+\s){0,2}[$\\]?-?\d",
    re.IGNORECASE,
)


def sentence(text: str) -> list[str]:
    """A response that is one sentence, whole, where it does not hedge. What it says is for the comparison to read."""
    whole = text.strip()
    if not whole or "\n" in whole or len(whole) > _LONGEST_SENTENCE or _EMPTY_FORM.search(whole):
        return []
    refused = _OF_ITSELF.match(whole) or _NEXT.search(whole) or _CUT_OFF.search(whole) or _HEDGED.search(whole)
    return [] if refused else [whole]
