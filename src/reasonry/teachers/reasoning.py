"""What a model thought, kept apart from what it answered; and why it stopped, in our words."""

from __future__ import annotations

from dataclasses import dataclass

from reasonry.types import Finish

__all__ = ["Parts", "finish_of", "is_thinking", "split_continued", "split_reasoning"]

_OPEN, _CLOSE = "<think>", "</think>"

_FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "refusal",
    "refusal": "refusal",
    "error": "error",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """A model's text in two parts. `reasoning` is empty where the text had none."""

    reasoning: str
    response: str


def split_reasoning(text: str, finish: Finish) -> Parts:
    """Split a leading `<think>` block off a model's text.

    Some chat templates end the prompt with `<think>`, so a block may come without its opening mark. A block that
    was cut off before it closed is all reasoning; one left open by a model that stopped by itself is left as it is,
    since nobody can say where the answer begins.
    """
    opened = text.lstrip().startswith(_OPEN)
    before, close, after = text.partition(_CLOSE)
    if close and (opened or _OPEN not in before):
        return Parts(_inside(before), after.lstrip())
    if opened and finish == "length":
        return Parts(_inside(text), "")
    return Parts("", text)


def is_thinking(text: str) -> bool:
    """Whether a text that a model began has a `<think>` block which is still open."""
    return text.lstrip().startswith(_OPEN) and _CLOSE not in text


def split_continued(text: str, begun: str) -> Parts:
    """Split what a model added to the text it had begun.

    Nothing is trimmed where the two halves meet, since they may meet in the middle of a word.
    """
    if not is_thinking(begun):
        return Parts("", text)
    reasoning, close, response = text.partition(_CLOSE)
    return Parts(reasoning.rstrip(), response.lstrip()) if close else Parts(text, "")


def _inside(block: str) -> str:
    return block.strip().removeprefix(_OPEN).strip()


def finish_of(name: object) -> Finish:
    """Our word for an endpoint's `finish_reason`. An unknown or missing one is an ordinary stop."""
    return _FINISHES.get(name, "stop") if isinstance(name, str) else "stop"
