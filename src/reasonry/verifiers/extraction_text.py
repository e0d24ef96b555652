"""What the rules of `extraction` share: reasoning taken out of a response, and markup taken off an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Parts", "places_of", "split_thinking", "strip_markup"]


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


def places_of(part: str, text: str, start: int = 0) -> Iterator[int]:
    """Where `part` stands in `text`. Rules look for a fixed part first: most responses hold none; a find is cheap."""
    place = text.find(part, start)
    while place >= 0:
        yield place
        place = text.find(part, place + len(part))


# --- reasoning

_TAG = re.compile(
    r"<(/?)(?:think|thinking|thought|reasoning)>|<\|(?:begin|(end))_of_thought\|>|\[(/?)THINK\]|◁(/?)think▷",
    re.IGNORECASE,
)
_TAG_PARTS = ("hink", "HINK", "hought", "HOUGHT", "easoning>", "EASONING>")
_TURN_ENDS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<|im_start|>user", "</s>")
_SOLUTION = "<|begin_of_solution|>"


def split_thinking(response: str) -> Parts:
    """Take the reasoning between tags out. Some chat templates open it in the prompt, so a lone end counts as well."""
    if "<" not in response and "[" not in response and "◁" not in response:
        return Parts("", response)
    if any(part in response for part in _TAG_PARTS):
        parts = _split_at_tags(response)
        return Parts(parts.thinking, _turn_of(parts.said), parts.is_closed)
    return Parts("", _turn_of(response))


def _split_at_tags(response: str) -> Parts:
    """A tag that opens inside of reasoning is a word of it; the first end closes it."""
    thoughts: list[str] = []
    said: list[str] = []
    place, is_thinking = 0, False
    for tag in _TAG.finditer(response):
        if not any(tag.groups()):
            if not is_thinking:
                said.append(response[place : tag.start()])
                place, is_thinking = tag.end(), True
            continue
        thought = response[place : tag.start()]
        if not is_thinking:  # what was taken for said was thought: its opening stood in the prompt
            thought, said = "".join([*said, thought]), []
        thoughts.append(thought)
        place, is_thinking = tag.end(), False
    (thoughts if is_thinking else said).append(response[place:])
    return Parts("\n".join(thoughts), "".join(said), is_closed=not is_thinking)


def _turn_of(said: str) -> str:
    """What was said up to the end of the model's turn: what follows its end token is nobody's answer."""
    if _SOLUTION in said:
        said = said.rpartition(_SOLUTION)[2].partition("<|end_of_solution|>")[0]
    if "<|" in said or "</s>" in said:
        for end in _TURN_ENDS:
            said = said.partition(end)[0] if end in said else said
    return said


# --- markup

_LAYERS = 8  # of markup around an answer
_EMPHASIS = re.compile(r"^(\*\*|__|\*|`{1,3})(.*)\1$", re.DOTALL)
_END_TOKEN = re.compile(r"(?:<\|[\w ]{1,30}\|>|</?s>|<eo\w>)$")
_QUOTES = {'"': '"', "'": "'", "“": "”", "「": "」", "«": "»"}
_MARKS = frozenset("*_`\"'“「«.。।> \n\t\r」")


def strip_markup(text: str) -> str:
    """An answer without the emphasis, the quotes and the full stop around it."""
    for _ in range(_LAYERS):
        if not text or not (text[0] in _MARKS or text[-1] in _MARKS):
            break
        before, text = text, _END_TOKEN.sub("", text.strip()) if text.rstrip().endswith(">") else text.strip()
        if found := _EMPHASIS.match(text):
            text = found[2]
        if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
            text = text[1:-1]
        if text.endswith((".", "。", "।")) and not text.endswith("..."):
            text = text[:-1]
        text = text.removesuffix("**") if text.count("**") == 1 else text
        if text == before:
            break
    return text
