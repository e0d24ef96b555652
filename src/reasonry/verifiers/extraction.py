"""Finding the answer in a response, by rules in a declared order.

The first rule that finds something decides; there is no second guess. Every rule has a name, which the verdict records:

| rule | what it reads |
|---|---|
| `answer_tag` | the last `<answer>...</answer>` (the form of R1-Zero), or the box in it |
| `json` | the last value of a key `"answer"`, also where the JSON around it is broken; not where a box follows |
| `boxed` | the last `\\boxed{...}` (or `\\fbox`) that is not empty |
| `hashes` | the last line `#### ...` (GSM8K) |
| `line` | the last line `A: ...`, `Answer: ...`, `Final answer: ...` |
| `phrase` | the last "the answer is ..." |
| `bare` | a response that is nothing but an answer |
| `last_math` | the only mathematics (`$...$`) in the last statement |
| `last_number` | the only number in the last statement; two different ones are no answer |

What stands in `<think>` is never read; reasoning that was not closed is not followed by an answer.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["EXPLICIT", "RULES", "Found", "Parts", "extract", "split_thinking", "strip_markup"]


@dataclass(frozen=True, slots=True)
class Found:
    """An answer as it stands in the response. `different` counts the different answers the rule saw."""

    text: str
    rule: str
    different: int = 1

    @property
    def evidence(self) -> dict[str, Any]:
        return {"rule": self.rule, "candidates": self.different}


@dataclass(frozen=True, slots=True)
class Parts:
    """A response taken apart: what was thought, what was said, and whether the thinking came to an end."""

    thinking: str
    said: str
    is_closed: bool = True

    @property
    def no_answer(self) -> str:
        """Why there is no answer, in words."""
        if not self.is_closed:
            return "the reasoning does not end"
        return "no answer found" if self.said.strip() else "the response is empty"


_THINKING = re.compile(r"<(think|thinking)>((?:(?!<(?:think|thinking)>).)*?)</\1>", re.DOTALL | re.IGNORECASE)
_CLOSED = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_OPENED = re.compile(r"<think(?:ing)?>", re.IGNORECASE)


def split_thinking(response: str) -> Parts:
    """Take `<think>...</think>` out. Some chat templates open it in the prompt, so a lone end counts as well."""
    thoughts = [found[2] for found in _THINKING.finditer(response)]
    said = _THINKING.sub("", response)
    if ends := list(_CLOSED.finditer(said)):
        thoughts.append(said[: ends[-1].start()])
        said = said[ends[-1].end() :]
    if opened := _OPENED.search(said):
        thoughts.append(said[opened.end() :])
        return Parts("\n".join(thoughts), said[: opened.start()], is_closed=False)
    return Parts("\n".join(thoughts), said)


def extract(text: str, rules: Sequence[str]) -> Found | None:
    """The answer in `text` by the first of `rules` that finds one."""
    for rule in rules:
        if candidates := [c for c in map(strip_markup, RULES[rule](text)) if c]:
            return Found(candidates[-1], rule, len(set(candidates)))
    return None


_LAYERS = 8  # of markup around an answer
_EMPHASIS = re.compile(r"^(\*\*|__|\*|`+)(.*)\1$", re.DOTALL)


def strip_markup(text: str) -> str:
    """An answer without the emphasis, the quotes and the full stop around it."""
    for _ in range(_LAYERS):
        before, text = text, text.strip().removesuffix("<|endoftext|>").strip()
        if found := _EMPHASIS.match(text):
            text = found[2]
        if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            text = text[1:-1]
        if text.endswith(".") and not text.endswith("..."):
            text = text[:-1]
        text = text.removesuffix("**") if text.count("**") == 1 else text
        if text == before:
            break
    return text


# --- boxed


_BRACES = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)
_UNBRACED = re.compile(r"\\boxed\s+([^\s${}\\]+)")


def _boxed(text: str) -> list[str]:
    found = [content for content in _outermost_boxes(text) if content.strip()]
    return [_unwrap(content) for content in found] or _UNBRACED.findall(text)


def _outermost_boxes(text: str) -> Iterator[str]:
    """Contents of boxes that are in no other box, in one pass over the braces."""
    starts: list[int | None] = []  # for each open brace: where a box's content starts, None for other braces
    boxes = 0
    for token in _BRACES.finditer(text):
        if token[0].endswith("{") and token[0] != "\\{":
            starts.append(token.end() if token[0] != "{" else None)
            boxes += starts[-1] is not None
        elif token[0] == "}" and starts and (start := starts.pop()) is not None:
            boxes -= 1
            if boxes == 0:
                yield text[start : token.start()]


def _unwrap(content: str) -> str:
    """A box that holds only a box is that box."""
    while content.strip().startswith(("\\boxed", "\\fbox")):
        inner = [box for box in _outermost_boxes(content) if box.strip()]
        if len(inner) != 1 or not content.strip().endswith("}"):
            break
        content = inner[0]
    return content


# --- tags


_TAGGED = re.compile(r"<answer>((?:(?!</?answer>).)*+)</answer>", re.DOTALL | re.IGNORECASE)


def _tagged(text: str) -> list[str]:
    return [(_boxed(content) or [content.strip()])[-1] for content in _TAGGED.findall(text)]


# --- JSON replies


_MOST_KEYS = 20  # read in one reply, from its end
_ANSWER_KEY = re.compile(r'"answer"\s*:\s*', re.IGNORECASE)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_BARE_VALUE = re.compile(r"[^\n,}\]]+|(?:\d[\d,]*)")
_ESCAPE = re.compile(r'(\\(?:["\\/]|u[0-9a-fA-F]{4}|n(?![a-z])))|\\')


def _json_reply(text: str) -> list[str]:
    """The values of the key "answer". The object around it need not be whole, nor valid JSON."""
    ends = deque((key.end() for key in _ANSWER_KEY.finditer(text)), maxlen=_MOST_KEYS)
    if ends and _boxed(text[_value_end(text, ends[-1]) :]):
        return []  # what is boxed after it is the last word
    values = [_json_value(text, end) for end in ends]
    return [(_boxed(value) or [value])[-1] for value in values]


def _value_end(text: str, start: int) -> int:
    found = _STRING.match(text, start) or _BARE_VALUE.match(text, start)
    return found.end() if found else start


def _json_value(text: str, start: int) -> str:
    if found := _STRING.match(text, start):
        return _unescape(found[1])
    if text[start : start + 1] in ("[", "{"):
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
        except (ValueError, RecursionError):
            return text[start:].partition("\n")[0]
        return json.dumps(value, ensure_ascii=False)
    found = _BARE_VALUE.match(text, start)
    return "" if found is None or found[0].strip() == "null" else found[0].strip(' "')


def _unescape(raw: str) -> str:
    """A JSON string's text, with LaTeX in it or not.

    `"\\frac"` in JSON is a form feed and `rac`: a reply that wrote it meant the command, so a backslash that starts
    no unmistakable escape is taken for itself.
    """
    try:
        return json.loads(f'"{_ESCAPE.sub(_keep_or_double, raw)}"', strict=False)
    except ValueError:
        return raw


def _keep_or_double(backslash: re.Match[str]) -> str:
    return backslash[1] or r"\\"


# --- lines and phrases


_HASHES = re.compile(r"^[ \t]*(?:Step \d+: *)?####[ \t]*(\S[^\n]*)", re.MULTILINE)
_LINE = re.compile(
    r"(?:^[ \t>#*_]*(?-i:A)[ *_]*[:=]|\banswer[ *_]*:|^[ \t>*_]*#+[ \t*_]*(?:final |correct )?answer[ *_]*$)"
    r"[ \t*_]*(?:\n\s*)?(\S[^\n]*)",
    re.MULTILINE | re.IGNORECASE,
)
_PHRASE = re.compile(
    r"\banswer(?: to [^\n.]{1,80}?)?(?:\*\*|__)?\s*(?:is|would be|must be|should be|equals)\b"
    r"[ \t]*:?[ \t]*(?:\n\s*)?",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?](?:\*\*|\))?\s+(?=\S)|[.!?]?\s*$")


def _hashes(text: str) -> list[str]:
    return _HASHES.findall(text)


def _line(text: str) -> list[str]:
    """`Final Answer: The final answer is 5. I hope it is correct.` is 5."""
    return [(_phrase(content) or [content])[-1] for content in _LINE.findall(text)]


def _phrase(text: str) -> list[str]:
    """Two of them may stand in one line, so each is read from its own end."""
    ends = deque((phrase.end() for phrase in _PHRASE.finditer(text)), maxlen=_MOST_PHRASES)
    return [_first_sentence(text[end : end + _LONGEST_SENTENCE].partition("\n")[0]) for end in ends]


_MOST_PHRASES = 50  # read in one response, from its end
_LONGEST_SENTENCE = 20_000  # characters


def _first_sentence(text: str) -> str:
    end = _SENTENCE_END.search(text)
    return text[: end.start()] if end else text


# --- nothing but an answer


_LONGEST_BARE = 100_000
_COMMAND = re.compile(r"\\(?:text|mathrm|textbf|mbox|operatorname)\s*\{[^{}]*\}|\\[a-zA-Z]+")
_SPAN = re.compile(r"\$\$?([^$\n]+)\$\$?|\\\((.+?)\\\)|\\\[(.+?)\\\]")
_EMPTY_FORM = re.compile(r"\\boxed|\"answer\"\s*:|^\s*step\s*\d+\s*[.):-]|\banswer[ *_]*:\s*$", re.IGNORECASE)
_TWO_WORDS = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,}+[,;]?\s+(?:[A-Za-z]{2,}|a|I)\b")


def _bare(text: str) -> list[str]:
    """The whole text, where it reads like no sentence: one line without prose, nor a form that was left empty."""
    whole = text.strip()
    if not whole or "\n" in whole or len(whole) > _LONGEST_BARE or _EMPTY_FORM.search(whole):
        return []
    words = _COMMAND.sub(" ", _SPAN.sub(" ", whole))
    return [] if _TWO_WORDS.search(words) else [whole]


_NUMBER = re.compile(
    r"(?<![\w.])-?[$£€]?\d[\d,]*(?:\.\d+)?(?:/\d+)?%?"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^\s*(?:(?:step|part|case)\s*\d+\s*[.):-]|\d+[.)]\s)\s*", re.IGNORECASE)
_LAST_STATEMENT = 2_000  # characters
_DENIED = re.compile(r"\b(?:not|no|never|cannot|nor|or|either|without|between)\b|n't\b", re.IGNORECASE)
_PART_OF_MORE = re.compile(r"[<>^≤≥√]|\\(?![$%,!()\[\]])|\b(?:root|squared|power|least|most)\b", re.IGNORECASE)


def _last_statement(text: str) -> str:
    """The last sentence of the last line, without `Step 5:` in front; "" where it denies or doubts."""
    line = next((line for line in reversed(text.splitlines()) if line.strip()), "")[-_LAST_STATEMENT:]
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", _LABEL.sub("", line)) if _NUMBER.search(s) or _SPAN.search(s)]
    return "" if not sentences or _DENIED.search(sentences[-1]) else sentences[-1]


def _last_math(text: str) -> list[str]:
    """The only mathematics between delimiters in the last statement, where no number stands beside it."""
    statement = _last_statement(text)
    spans = {next(group for group in span if group).strip() for span in _SPAN.findall(statement)}
    return [] if len(spans) != 1 or _NUMBER.search(_SPAN.sub(" ", statement)) else [spans.pop()]


def _last_number(text: str) -> list[str]:
    """The number that the last statement comes to: after its last `=`, or the only one there is."""
    result = _last_statement(text).rpartition("=")[2]
    numbers = [number.rstrip(",") for number in _NUMBER.findall(result)]
    return [] if len(set(numbers)) != 1 or _PART_OF_MORE.search(result) else numbers


RULES: Mapping[str, Callable[[str], list[str]]] = {
    "answer_tag": _tagged,
    "json": _json_reply,
    "boxed": _boxed,
    "hashes": _hashes,
    "line": _line,
    "phrase": _phrase,
    "bare": _bare,
    "last_math": _last_math,
    "last_number": _last_number,
}

EXPLICIT = ("answer_tag", "json", "boxed", "hashes", "line", "phrase")
"""The rules by which a response says itself what its answer is."""
