"""A tokenizer built from the training data: small, exact, and saved in HuggingFace's format.

Text is cut into pieces (a digit, a word, a tag, an operator, a run of punctuation), and byte-level BPE merges the bytes
of the frequent pieces into one token each. Digits always stand alone, since a model of this size can learn to add digit
by digit but not to add tokens of arbitrary width. Nothing is normalised, so decoding gives back the text as it was;
only a byte that the training data never had becomes `<unk>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reasonry.types import Message

__all__ = ["CHAT_TEMPLATE", "IGNORED", "EncodedRow", "build_tokenizer", "encode_conversations"]

UNKNOWN, PADDING, TURN, END = "<unk>", "<pad>", "<|turn|>", "<|end|>"
IGNORED = -100  # the label that cross entropy leaves out

# `<|turn|>user`, the content, `<|end|>`, and so on. A role is one word, so that it is one piece.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    f"{TURN}" + "{{ message['role'] + '\\n' + message['content'] }}" + f"{END}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}" + f"{TURN}" + "{{ 'assistant\\n' }}{%- endif -%}"
)

_PIECES = "|".join(
    (
        r"\d",
        r"</?[A-Za-z]+>",  # <think>
        r" ?\\[A-Za-z]+\{?",  # \boxed{
        r" ?\p{L}+",
        r" [+\-*/×÷=] (?=\S)",  # an operator with its spaces: one token instead of three
        r"\n+",
        r" ?[^\s\p{L}\d]+",
        r"\s",
    )
)


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """One conversation as token ids. `labels` has the same length; it is `IGNORED` where there is no loss."""

    tokens: list[int]
    labels: list[int]


def build_tokenizer(conversations: Sequence[tuple[Message, ...]], *, vocabulary: int, max_length: int) -> Any:
    """A `PreTrainedTokenizerFast` with at most `vocabulary` tokens (more only if the data has more distinct bytes)."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE(unk_token=UNKNOWN))
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    special = [UNKNOWN, PADDING, TURN, END]
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=special, show_progress=False)
    core.train_from_iterator(_texts(conversations), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        unk_token=UNKNOWN,
        pad_token=PADDING,
        bos_token=TURN,
        eos_token=END,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=max_length,
        padding_side="left",
    )


def encode_conversations(tokenizer: Any, conversations: Sequence[Sequence[Message]]) -> list[EncodedRow]:
    """The tokens of the chat template, with labels on what the assistant says and its end of turn.

    Special tokens cut the text, so encoding turn by turn gives the same tokens as encoding the whole.
    """
    turns = [message for messages in conversations for message in messages]
    roles = list(dict.fromkeys(message.role for message in turns))
    heads = dict(zip(roles, _encode(tokenizer, [f"{TURN}{role}\n" for role in roles]), strict=True))
    bodies = iter(_encode(tokenizer, [f"{message.content}{END}" for message in turns]))
    return [_row([(one.role, heads[one.role], next(bodies)) for one in messages]) for messages in conversations]


def _row(turns: Iterable[tuple[str, list[int], list[int]]]) -> EncodedRow:
    tokens, labels = list[int](), list[int]()
    for role, head, body in turns:
        tokens += head + body
        labels += [IGNORED] * len(head) + (body if role == "assistant" else [IGNORED] * len(body))
    return EncodedRow(tokens, labels)


def _encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Many at once: a call for each takes six times as long."""
    if not texts:
        return []
    return tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False)["input_ids"]


def _texts(conversations: Iterable[Sequence[Message]]) -> Iterator[str]:
    """Every text a tokenizer meets: the roles (also those that no row has yet) and the contents."""
    for role in ("system", "user", "assistant"):
        yield f"{role}\n"
    for messages in conversations:
        for message in messages:
            yield f"{message.role}\n"
            yield message.content
