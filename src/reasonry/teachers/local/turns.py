"""The assistant's turn as a local engine writes it: where it begins, and what in it is reasoning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reasonry.teachers.reasoning import Parts, split_continued, split_reasoning
from reasonry.types import Finish, Message

__all__ = ["chat_of", "is_continuation", "parts_of", "turn_start"]

_OPEN = "<think>"


def is_continuation(messages: Sequence[Message]) -> bool:
    """Whether the model is to go on from the last message instead of answering it."""
    return bool(messages) and messages[-1].role == "assistant"


def chat_of(messages: Sequence[Message]) -> list[dict[str, str]]:
    """The conversation as chat templates take it."""
    return [{"role": message.role, "content": message.content} for message in messages]


def turn_start(messages: Sequence[Message]) -> dict[str, Any]:
    """How a chat template is told where the model begins to write."""
    goes_on = is_continuation(messages)
    return {"add_generation_prompt": not goes_on, "continue_final_message": goes_on}


def parts_of(text: str, finish: Finish, messages: Sequence[Message], prompt: str | None) -> Parts:
    """Split what was written after `messages`. `prompt` is their rendered form, where it is known.

    Some chat templates end the prompt with `<think>`: what was cut off before it closed is then all reasoning, though
    the text has no mark of it.
    """
    if is_continuation(messages):
        return split_continued(text, messages[-1].content)
    if finish == "length" and prompt is not None and prompt.rstrip().endswith(_OPEN):
        text = f"{_OPEN}\n{text.strip().removeprefix(_OPEN)}"
    return split_reasoning(text, finish)
