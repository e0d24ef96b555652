"""Conversations as tokens and labels, through a model's own chat template.

Which tokens the assistant said is read from the rendered text: it is what the template adds to the conversation so far,
with its opening of the assistant's turn, up to the turn's end. So it needs no `{% generation %}` marks, which few
templates have. A template that leaves the reasoning out, or that shows earlier turns anew, is refused and not guessed
around: a student would silently learn something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reasonry.errors import InputError
from reasonry.trainers.tokenizer import IGNORED, EncodedRow
from reasonry.types import Message

__all__ = ["encode_chat"]


@dataclass(frozen=True, slots=True)
class _Span:
    """Where in the text the assistant speaks."""

    start: int
    end: int


def encode_chat(tokenizer: Any, messages: Sequence[Message], *, assistant_only: bool) -> EncodedRow:
    """The tokens of a whole conversation; labels on what the assistant says and its end of turn, or on everything.

    Raises InputError where the template does not show the assistant's text whole.
    """
    text = _rendered(tokenizer, messages)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    tokens: list[int] = encoded["input_ids"]
    spans = list(_assistant_spans(tokenizer, messages, text))
    if not assistant_only:
        return EncodedRow(tokens, list(tokens))
    labels = [
        token if any(span.start <= start and end <= span.end for span in spans) else IGNORED
        for token, (start, end) in zip(tokens, encoded["offset_mapping"], strict=True)
    ]
    return EncodedRow(tokens, labels)


def _assistant_spans(tokenizer: Any, messages: Sequence[Message], text: str) -> Iterator[_Span]:
    for i, message in enumerate(messages):
        if message.role != "assistant":
            continue
        before = _rendered(tokenizer, messages[:i], add_generation_prompt=True)
        after = _rendered(tokenizer, messages[: i + 1])
        if not (text.startswith(after) and after.startswith(before)):
            raise _refused("shows earlier turns otherwise once a turn is added")
        if message.content.strip() not in after[len(before) :]:
            raise _refused("does not show the assistant's text whole (some leave out what is inside <think>)")
        yield _Span(len(before), len(after.rstrip("\n")))


def _rendered(tokenizer: Any, messages: Sequence[Message], **options: bool) -> str:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return tokenizer.apply_chat_template(turns, tokenize=False, **options)
    except Exception as exc:
        raise InputError(
            f"the base model's chat template cannot show a conversation: {exc}",
            place="train.base",
            hint="use the chat version of the model, or a copy of its folder with another chat_template.jinja",
        ) from exc


def _refused(what: str) -> InputError:
    return InputError(
        f"the base model's chat template {what}",
        place="train.base",
        hint="copy the model's folder and put a plain chat_template.jinja into it",
    )
