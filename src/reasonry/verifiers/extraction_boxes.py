"""Boxes: what stands in `\\boxed{...}` and its like, and what stands beside it.

The last box counts. Where the boxes before it stand side by side with it, with nothing but commas, "and", "or", math
delimiters and a name with `=` between them, they are one answer together: `x = \\boxed{1}` and `y = \\boxed{2}` are
`1, 2`. Any other text between two boxes makes the later one the answer, as in a revision.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reasonry.verifiers.extraction_text import places_of

__all__ = ["BoxGroup", "boxes", "boxes_of", "last_box_start"]


@dataclass(frozen=True, slots=True)
class BoxGroup:
    """Boxes that are one answer. `start` is where the first begins, `end` is just after the last."""

    text: str
    start: int
    end: int
    beside: str = ""


@dataclass(frozen=True, slots=True)
class _Box:
    start: int
    content: int
    stop: int  # of the content: its closing brace stands there
    end: int


def boxes(text: str) -> list[str]:
    """What the boxes say, in order: those that are one answer together as one."""
    return [group.text for group in boxes_of(text)] if "box" in text or "\x08oxed" in text else []


def boxes_of(text: str) -> list[BoxGroup]:
    """The groups of boxes, in order, without the empty ones."""
    text = text.replace("\x08oxed", "\\boxed")  # a JSON reader took the `\b` for a backspace
    found = [box for box in _boxes(text) if text[box.content : box.stop].strip()]
    groups: list[list[_Box]] = []
    for box in found:
        if groups and _are_together(text, groups[-1][-1], box):
            groups[-1].append(box)
        else:
            groups.append([box])
    return [_group(text, group) for group in groups] or _unbraced(text)


def last_box_start(text: str) -> int:
    """Where the last thing that can be a box begins; -1 where there is none."""
    return text.rfind("box")


def _group(text: str, group: list[_Box]) -> BoxGroup:
    contents = list(dict.fromkeys(_unwrap(text[box.content : box.stop]).strip() for box in group))
    beside = _beside(text, group[-1].end) if len(contents) == 1 else ""
    return BoxGroup(", ".join(contents), group[0].start, group[-1].end, beside)


# --- finding them

_OPENING = re.compile(r"box(?:ed)?\b(?:\[[^\]\n]{0,40}\]){0,2}\}?\s*\{")
_COMMANDS = ("\\", "\\f", "\\frame", "\\begin", "\\begin{")
_BRACE = re.compile(r"\\[\\{}]|[{}]")
_FORMAL_END = re.compile(r"\$|\\[)\]]")


def _boxes(text: str) -> list[_Box]:
    """The outermost boxes, in order, in one pass over the braces after the first of them."""
    starts = _openings(text)
    closed = _closed(text, starts)
    if starts and (not closed or closed[-1].end <= next(reversed(starts.values()))):
        closed.extend(_unclosed(text, *next(reversed(starts.items()))))
    return closed


def _openings(text: str) -> dict[int, int]:
    """Where each box's content begins, and where the box does."""
    starts: dict[int, int] = {}
    for place in places_of("box", text):
        if found := _OPENING.match(text, place):
            before = text[max(0, place - 7) : place]
            start = place - max((len(c) for c in _COMMANDS if before.endswith(c)), default=0)
            is_bare_word = found[0].startswith("boxed") and not before[-1:].isalnum()
            if start < place or is_bare_word:
                starts[found.end()] = start
    return starts


def _closed(text: str, starts: dict[int, int]) -> list[_Box]:
    closed: list[_Box] = []
    for content in starts:
        if closed and content <= closed[-1].end:
            continue
        place = _closing_places(text, content, starts)
        closed.extend(sorted(place, key=lambda box: box.start))
        if not place or closed[-1].content != content:
            break  # this one has no end: what could be read was read in that one pass
    return _outermost(closed)


def _closing_places(text: str, content: int, starts: dict[int, int]) -> list[_Box]:
    """The box whose content begins here; where it does not end, all boxes that do after it."""
    opened, within = [content], []
    for brace in _BRACE.finditer(text, content):
        if brace[0] == "{":
            opened.append(brace.end())
        elif brace[0] == "}" and opened:
            begun = opened.pop()
            if begun in starts:
                within.append(_Box(starts[begun], begun, brace.start(), brace.end()))
            if not opened:
                return within[-1:]
    return within


def _outermost(closed: list[_Box]) -> list[_Box]:
    kept: list[_Box] = []
    for box in sorted(closed, key=lambda box: box.start):
        if not kept or box.start >= kept[-1].end:
            kept.append(box)
    return kept


_LONGEST_SLIP = 500


def _unclosed(text: str, content: int, start: int) -> list[_Box]:
    """A box whose closing brace was forgotten: what stands up to the end of its formula.

    A text that just ends there was cut off, and is followed by no answer, unless one brace more is all it lacks.
    """
    line = text[content : content + _LONGEST_SLIP].partition("\n")[0]
    if end := _FORMAL_END.search(line):
        stop = content + end.start()
        return [_Box(start, content, stop, stop)]
    stop = content + len(line.rstrip())
    if text[stop:].strip() or not line.rstrip().endswith("}"):
        return []
    return [_Box(start, content, stop, stop)]


_WITHOUT_BRACES = re.compile(
    r"\\boxed(?:\s+([^\s${}\\(]+)|(\d[\d.,]*)|\s*\(([^()\n]{1,200})\)|\s*(\\[dt]?frac\s*\d\s*\d))"
)


def _unbraced(text: str) -> list[BoxGroup]:
    found = _WITHOUT_BRACES.finditer(text)
    return [BoxGroup(next(g for g in box.groups() if g), box.start(), box.end()) for box in found]


_MOST_LAYERS = 20  # of boxes that hold nothing but a box
_INNER = re.compile(r"\\(?:boxed|fbox)\s*\{")


def _unwrap(content: str) -> str:
    """A box that holds only a box is that box; one with more around the inner box keeps it as a group."""
    if "box" not in content:
        return content
    whole = content.strip()
    for _ in range(_MOST_LAYERS):
        inner = _INNER.match(whole)
        if inner is None or not whole.endswith("}") or not _is_one_group(whole, inner.end()):
            break
        whole = whole[inner.end() : -1].strip()
    return _INNER.sub("{", whole)


def _is_one_group(text: str, content: int) -> bool:
    return [box.end for box in _closing_places(text, content, {content: 0})] == [len(text)]


# --- those that are one answer together

_WORDS = (
    r"and|or|und|oder|sowie|et|ou|y|o|e|и|или|as well as|maybe|perhaps|possibly|alternatively|either"
    r"|和|或者|或|及|以及|与|と|または|또는|그리고"
)
_NAME = r"[A-Za-z](?:_\{?\w{1,8}\}?)?'?(?:\([A-Za-z]\))?\s*(?:=|\\in\b|\\approx|≈|:)"
_PART = r"(?:(?:for|in) )?(?:part|case) \(?[a-e1-5]\)?|\((?:[a-e1-5]|i{1,3}|iv)\)"
_SPACE = r"\s|\$|\\[()\[\],;:!\\ ]|\\q?quad\b|~|[*&]"
_BETWEEN = re.compile(
    rf"(?P<space>{_SPACE})*+"
    rf"(?P<joined>(?:[,;、，；]|(?:{_PART})|\\(?:text|textrm|mathrm|mbox)\s*\{{(?:\s|,|(?:{_PART})|(?:{_WORDS})\b)*+\}}|\\(?:land|lor|vee)\b"
    rf"|(?:{_WORDS})(?![A-Za-z_]|\s*(?:=|\\in\b|\\approx|≈|:))|{_SPACE})*+)"
    rf"(?P<name>{_NAME})?(?:{_SPACE})*"
)
_LONGEST_BETWEEN = 120
_NAME_BEFORE = re.compile(rf"(?<![A-Za-z\\])(?P<name>{_NAME})(?:{_SPACE})*$")


def _are_together(text: str, one: _Box, other: _Box) -> bool:
    between = text[one.end : other.start]
    if len(between) > _LONGEST_BETWEEN or not (found := _BETWEEN.fullmatch(between)):
        return False
    if found["joined"]:
        return True
    before = _NAME_BEFORE.search(text[max(0, one.start - 40) : one.start])
    return bool(found["name"] and before and before["name"] != found["name"])


# --- what stands beside a box

_UNIT = (
    r"(?:(?:square|cubic|sq\.?|cu\.?) )?"
    r"(?:per\s?cent(?:age points?)?|degrees?(?: (?:Celsius|Fahrenheit))?|radians?|units?"
    r"|(?:hundred|thousand|million|billion|trillion)(?: dollars| euros)?|dozen|dollars?|cents?|euros?|pounds?|yuan"
    r"|hours?|hrs?|minutes?|mins?|seconds?|sec|days?|weeks?|months?|years?"
    r"|miles?|inch(?:es)?|feet|foot|ft|yards?|mph|kph|(?:kilo|centi|milli)?(?:meter|metre)s?|[kcm]?m"
    r"|(?:kilo|milli)?grams?|k?g|kgs|lbs?|ounces?|oz|tonn?e?s?|(?:milli)?(?:liter|litre)s?|m[lL]|L|gallons?"
    r"|[kM]?(?:Hz|Pa|J|W|N|V)|mol)"
    r"(?:\^\{?\d\}?|[²³])?"
)
_UNITS = rf"{_UNIT}(?:(?: per |/)(?:{_UNIT}|[sh](?:\^\{{?\d\}}?|[²³])?))?"
_BESIDE = re.compile(
    r"(?:[ \t$~}*]|\\[)\],;:! ]|\\q?quad\b)*+"
    r"(?P<beside>\\?[%°]|\^\s*\{?\s*\\circ\s*\}?|\\degree\b"
    rf"|\\(?:text|mathrm|textrm|textnormal|mbox|rm)\s*\{{\s*{_UNITS}\.?\s*\}}(?:\^\{{?\d\}}?)?"
    rf"|{_UNITS}(?![\w'’-]))"
)


def _beside(text: str, end: int) -> str:
    """A unit or a percent sign directly after a box, in its line. Other words are none of the answer."""
    found = _BESIDE.match(text, end)
    return found["beside"].strip() if found else ""
