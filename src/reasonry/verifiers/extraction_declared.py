"""Answers that a response declares: in a tag, in a box, as JSON, after `####`, on a line `Answer:`, in a phrase."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator

from reasonry.verifiers.extraction_boxes import boxes, last_box_start
from reasonry.verifiers.extraction_languages import foreign_labels, foreign_phrases
from reasonry.verifiers.extraction_text import places_of

__all__ = ["boxed", "hashes", "json_reply", "line", "phrase", "tagged"]

_MOST = 30  # statements of one kind that are read in a response, from its end
_LONGEST = 20_000  # characters of one


# --- tags

_TAGGED = re.compile(r"<(final_)?answer>((?:[^<]|<(?!/?(?:final_)?answer>))*+)</(?:final_)?answer>", re.IGNORECASE)


def tagged(text: str) -> list[str]:
    """The contents of `<answer>` tags; in each its box, or what it calls the answer."""
    if "</" not in text:
        return []
    return [_innermost(found[2]) for found in _TAGGED.finditer(text)]


def _innermost(content: str) -> str:
    for rule in (boxes, line, phrase):
        if inner := [text for text in rule(content) if text.strip()]:
            return inner[-1]
    return content.strip()


# --- boxes


def boxed(text: str) -> list[str]:
    """Boxes, unless what the response calls its *final* answer comes after them and holds none."""
    found = boxes(text)
    if not found or not (after := _declared_after(text, last_box_start(text))):
        return found
    return [] if _has_value(after) else found


def _declared_after(text: str, start: int) -> str:
    """The final answer that is declared behind `start`, or ""."""
    for part in ("inal Answer", "inal answer", "INAL ANSWER"):
        if text.find(part, start) >= 0:
            statements = [*_labelled(text[start:]), *phrase(text[start:])]
            return statements[-1] if statements else ""
    return ""


def _has_value(text: str) -> bool:
    return any(character.isdigit() for character in text) or "$" in text or "\\" in text


# --- JSON replies

_ANSWER_KEY = re.compile(r"""(["'`])(?:final[ _]?)?answer\1\s*:\s*""", re.IGNORECASE)
_ESCAPED_KEY = re.compile(r'\\"(?:final[ _]?)?answer\\"\s*:\s*', re.IGNORECASE)
_MOST_KEYS = 20  # read in one reply, from its end
_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})++(?:\.\d+)?(?=\s*[,}\n]|\s*$)")
_BARE_VALUE = re.compile(r"[^\n,}\]]+|\d[\d,]*")
_LATEX_VALUE = re.compile(r"[$\\][^\n]*")
_ESCAPE = re.compile(r'(\\(?:["\\/]|u[0-9a-fA-F]{4}|n(?![a-z])))|\\')


def json_reply(text: str) -> list[str]:
    """The values of the key "answer". The object around it need not be whole, nor valid JSON."""
    if not _says_answer(text):
        return []
    ends = deque((key.end() for key in _ANSWER_KEY.finditer(text)), maxlen=_MOST_KEYS)
    if not ends:
        return _escaped_reply(text)
    if boxes(text[_value_end(text, ends[-1]) :]):
        return []  # what is boxed after it is the last word
    values = [_json_value(text, end) for end in ends]
    return [*values[:-1], (boxes(values[-1]) or [values[-1]])[-1]]


def _says_answer(text: str) -> bool:
    return "nswer" in text or "NSWER" in text


def _escaped_reply(text: str) -> list[str]:
    ends = deque((key.end() for key in _ESCAPED_KEY.finditer(text)), maxlen=_MOST_KEYS)
    values = [text[end:].partition("\n")[0] for end in ends]
    return [value[2:].partition('\\"')[0] for value in values if value.startswith('\\"')]


def _value_end(text: str, start: int) -> int:
    found = _STRING.match(text, start) or _BARE_VALUE.match(text, start)
    return found.end() if found else start


def _json_value(text: str, start: int) -> str:
    if found := _STRING.match(text, start):
        return _unescape(found[1])
    if text[start : start + 1] in ("[", "{"):
        return _json_object(text, start)
    found = _GROUPED.match(text, start) or _LATEX_VALUE.match(text, start) or _BARE_VALUE.match(text, start)
    if found is None or found[0].strip() == "null":
        return ""
    return _without_frame(found[0].strip(" \"'`"))


def _json_object(text: str, start: int) -> str:
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return text[start:].partition("\n")[0]
    return json.dumps(value, ensure_ascii=False)


def _without_frame(value: str) -> str:
    """Without the comma or the brace of the object around it."""
    value = value.rstrip(" ,")
    return value[:-1].rstrip() if value.endswith("}") and value.count("}") > value.count("{") else value


def _unescape(raw: str) -> str:
    """A JSON string's text, with LaTeX in it or not.

    `"\\frac"` in JSON is a form feed and `rac`: a reply that wrote it meant the command, so a backslash that starts
    no unmistakable escape is taken for itself.
    """
    if "\\" not in raw:
        return raw
    try:
        return json.loads(f'"{_ESCAPE.sub(_keep_or_double, raw)}"', strict=False)
    except ValueError:
        return raw


def _keep_or_double(backslash: re.Match[str]) -> str:
    return backslash[1] or r"\\"


# --- hashes

_HASHES = re.compile(rf"####[ \t]*([^\s#][^\n]{{0,{_LONGEST}}})")
_BEFORE_HASHES = re.compile(r"(?:^|\n)[ \t]*(?:Step \d+: *)?$")
_LONGEST_BEFORE = 16  # characters
_NUMERIC = re.compile(r"[-−]?[$£€]?\d[\d,./]*")
_TITLE = re.compile(r"\*\*|\d+[.)]\s|Step\s|Case\s|(?:the )?(?:final |correct )?answer\b", re.IGNORECASE)
_AFTER_HASHES = 300  # characters: a title has more below it


def hashes(text: str) -> list[str]:
    """Lines `#### ...`. What ends with a colon, is numbered, or has a page of text below it is a title."""
    found = [_hashed(text, place) for place in deque(places_of("####", text), maxlen=_MOST)]
    return [content for content in found if content and not _is_title(content)]


def _is_title(content: str) -> bool:
    return bool(_TITLE.match(content)) or content.rstrip(" \t\r*_").endswith((":", "："))


def _hashed(text: str, place: int) -> str:
    before = text[max(0, place - _LONGEST_BEFORE) : place]
    found = _HASHES.match(text, place)
    if found is None:
        return ""
    if not _BEFORE_HASHES.search(before):
        return found[1] if before.endswith(" ") and _NUMERIC.match(found[1]) else ""
    return found[1] if len(text) - found.end() <= _AFTER_HASHES or _NUMERIC.match(found[1]) else ""


# --- lines

_LABEL = re.compile(
    r"answer(?:\s?\([^()\n]{1,40}\))?[ \t*_]*(?P<colon>[:：])"
    r"|answer(?:\*\*|__|[ \t]*\}|[ \t]*\\\]|\*|_)?[ \t]*(?P<end>\n)",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"(?=[^\n]*(?:[#*_]|final|\\text))[ \t>#*_\\{a-z[]*(?:\d+[.)][ \t]*)?(?:the |my )?(?:final |correct )?",
    re.IGNORECASE,
)
_LONGEST_HEADING = 40  # characters before "answer"
_A_LABELS = ("A:", "A：", "A**:", "A :")


def line(text: str) -> list[str]:
    """`Final Answer: The final answer is 5. I hope it is correct.` is 5."""
    return [(phrase(content) or [content])[-1] for content in _labelled(text)]


def _labelled(text: str) -> list[str]:
    """What stands after a label: in its line, or below it where the line ends with the label."""
    places = [*_english_labels(text), *_a_labels(text), *foreign_labels(text)]
    return [value for place in sorted(places)[-_MOST:] if (value := _value_at(text, place)[:_LONGEST])]


def _answers_in(text: str) -> Iterator[int]:
    """Where the word "answer" begins."""
    for part in ("nswer", "NSWER"):
        for place in places_of(part, text):
            if place and text[place - 1] in "aA" and not text[place - 2 : place - 1].isalpha():
                yield place - 1


def _english_labels(text: str) -> Iterator[int]:
    for place in _answers_in(text):
        found = _LABEL.match(text, place)
        if found and (found["colon"] or _is_heading(text, place)):
            yield found.end()


def _is_heading(text: str, place: int) -> bool:
    start = text.rfind("\n", max(0, place - _LONGEST_HEADING), place) + 1
    return (start > 0 or place <= _LONGEST_HEADING) and bool(_HEADING.fullmatch(text, start, place))


def _a_labels(text: str) -> Iterator[int]:
    """`A: 18` at the start of a line."""
    for part in _A_LABELS:
        for place in places_of(part, text):
            before = text[max(0, place - _LONGEST_BEFORE) : place].rstrip(" \t>#*_")
            if before.endswith("\n") or (not before and place <= _LONGEST_BEFORE):
                yield place + len(part)


_LEAD = re.compile(r"(?:[\s*_}>`]++|\"\"\"|```[a-z]*\n|\\\]|(?<=\n)[-•][ \t]+)*+")
_DISPLAYS = {"\\[": "\\]", "$$": "$$", "\\begin{": "\\end{"}
_LONGEST_DISPLAY = 2_000  # characters


def _value_at(text: str, place: int) -> str:
    """The value that begins here, behind white space and markup: a list, a formula in display, the rest of the line."""
    if listed := _LISTED.match(text, place):
        return ", ".join(item.strip() for item in _ITEM.findall(listed[0]))
    start = _start_of_value(text, place)
    for opening, closing in _DISPLAYS.items():
        if text.startswith(opening, start):
            return _display(text, start, opening, closing)
    return _EMPTY_BOX.sub("", _line_at(text, start))


def _start_of_value(text: str, place: int) -> int:
    found = _LEAD.match(text, place)
    return found.end() if found else place


_LISTED = re.compile(r"[ \t*_]*(?:\n\s*(?:[-•*]|\d{1,2}[.)])[ \t]+[^\n]{1,500}){2,20}")
_ITEM = re.compile(r"\n\s*(?:[-•*]|\d{1,2}[.)])[ \t]+([^\n]+)")
_EMPTY_BOX = re.compile(r"\\boxed\s*\{\s*\}")


def _line_at(text: str, start: int) -> str:
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def _display(text: str, start: int, opening: str, closing: str) -> str:
    """A formula in display, all its lines. One that does not end was cut off."""
    end = text.find(closing, start + len(opening), start + _LONGEST_DISPLAY)
    if end < 0:
        return ""
    if opening == "\\begin{":
        return _line_at(text, start) if "\n" not in text[start:end] else text[start:end] + _line_at(text, end)
    rest = _line_at(text, end + len(closing))
    if _PUNCTUATION.fullmatch(rest):
        return text[start + len(opening) : end].strip()
    return text[start : end + len(closing)] + rest


_PUNCTUATION = re.compile(r"[\s.,;*_。।]*")


# --- phrases

_PHRASE = re.compile(
    r"answer(?:\*\*|__)?(?: (?:to|of|for|in) [^\n.?!]{1,80}?)?(?:\*\*|__)?"
    r"\s+(?:is|would be|will be|must be|should be|equals|comes (?:out )?to)\b"
    r"(?:\s+(?:thus|therefore|then|simply|indeed|equal to))?"
    r"[ \t]*[:：]?(?:\*\*|__)?",
    re.IGNORECASE,
)
_CHOSEN = ("option is", "choice is")
_BEFORE_CHOSEN = re.compile(r"\b(?:correct|right|best|closest|appropriate|answer) $")
_SENTENCE_END = re.compile(r"[.?](?:\*\*|\))?\s+(?=\S)|!(?:\*\*|\))?\s+(?=[A-Z])|[。！？।]")
_ABOUT_THE_ANSWER = re.compile(
    r"\s*(?:\*\*)?(?:not )?(?:(?:in|un)?correct|right|wrong|(?:un)?reasonable"
    r"|valid|clear|confirmed|verified|based|because|that\b[^$\d]*$)\b",
    re.IGNORECASE,
)
_POLITE_END = re.compile(r"\s*(?:です|となります|になります|である|입니다|이다|이에요|예요)\s*$")


def phrase(text: str) -> list[str]:
    """What follows "the answer is". Two of them may stand in one line, so each is read from its own end."""
    places = sorted([*_english_phrases(text), *foreign_phrases(text)])[-_MOST:]
    statements = [_statement_at(text, place) for place in places]
    return [statement for statement in statements if statement and not _ABOUT_THE_ANSWER.match(statement)]


def _english_phrases(text: str) -> Iterator[int]:
    for place in _answers_in(text):
        if found := _PHRASE.match(text, place):
            yield found.end()
    for part in _CHOSEN:
        for place in places_of(part, text):
            if _BEFORE_CHOSEN.search(text[max(0, place - _LONGEST_BEFORE) : place]):
                yield place + len(part)


def _statement_at(text: str, place: int) -> str:
    value = _value_at(text, place)[:_LONGEST]
    if text.startswith(tuple(_DISPLAYS), _start_of_value(text, place)):
        return value
    return _POLITE_END.sub("", _first_sentence(value))


def _first_sentence(text: str) -> str:
    if end := _SENTENCE_END.search(text):
        return text[: end.start()]
    whole = text.rstrip()
    return whole[:-1] if whole.endswith((".", "!", "?")) else whole
