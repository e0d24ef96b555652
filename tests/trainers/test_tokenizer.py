from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("transformers", reason="the train extra is not installed")

from reasonry.trainers.tokenizer import IGNORED, build_tokenizer, encode_conversations
from reasonry.types import Message
from tests.trainers.examples import conversations

ROWS = conversations(80)
ALPHABET = sorted({character for row in ROWS for message in row for character in message.content})
TOKENIZER: Any = build_tokenizer(ROWS, vocabulary=512, max_length=256)


def pieces(text: str, tokenizer: Any = TOKENIZER) -> list[str]:
    return [tokenizer.decode([token]) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]


@given(st.text(alphabet=ALPHABET, max_size=80))
def test_every_text_of_the_training_alphabet_round_trips(text: str) -> None:
    tokens = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.decode(tokens) == text


@given(st.lists(st.text(alphabet=" \n\t\r\u00a0aé1½漢🎈.<>{}\\", min_size=1, max_size=20), min_size=1, max_size=5))
def test_any_unicode_text_that_was_trained_on_round_trips(texts: list[str]) -> None:
    made = build_tokenizer([(Message("user", text),) for text in texts], vocabulary=300, max_length=64)
    for text in texts:
        assert made.decode(made(text, add_special_tokens=False)["input_ids"]) == text


def test_digits_are_single_tokens() -> None:
    assert pieces("1234567890") == list("1234567890")


def test_markup_is_few_tokens() -> None:
    assert pieces("<think>\n") == ["<think>", "\n"]
    assert pieces("\n</think>\n\n") == ["\n", "</think>", "\n\n"]
    assert pieces("The answer is \\boxed{4}.") == ["The", " answer", " is", " \\boxed{", "4", "}."]


def test_an_operator_takes_its_spaces_but_not_a_sign() -> None:
    assert pieces("12 - 34 = -22") == ["1", "2", " - ", "3", "4", " = ", "-", "2", "2"]


def test_what_the_data_never_had_is_unknown_not_lost() -> None:
    tokens = TOKENIZER("ß", add_special_tokens=False)["input_ids"]
    assert tokens
    assert set(tokens) == {TOKENIZER.unk_token_id}


def test_building_twice_gives_the_same_file() -> None:
    again = build_tokenizer(ROWS, vocabulary=512, max_length=256)
    assert again.backend_tokenizer.to_str() == TOKENIZER.backend_tokenizer.to_str()


def test_turn_by_turn_gives_the_tokens_of_the_chat_template() -> None:
    talk = (Message("system", "The user"), Message("user", "Compute 1 + 1."), *ROWS[0], Message("user", ""), ROWS[1][1])
    chat = [{"role": message.role, "content": message.content} for message in talk]
    whole = TOKENIZER.apply_chat_template(chat, tokenize=False)
    assert encode_conversations(TOKENIZER, [talk])[0].tokens == TOKENIZER(whole, add_special_tokens=False)["input_ids"]


def test_the_generation_prompt_is_what_stands_before_the_first_label() -> None:
    row = encode_conversations(TOKENIZER, ROWS[:1])[0]
    asked = [{"role": "user", "content": ROWS[0][0].content}]
    prompt = TOKENIZER.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    before = row.tokens[: next(i for i, label in enumerate(row.labels) if label != IGNORED)]
    assert before == TOKENIZER(prompt, add_special_tokens=False)["input_ids"]


def test_labels_cover_what_the_assistant_says_and_its_end_of_turn() -> None:
    talk = (
        Message("user", "Compute 1 + 1."),
        Message("assistant", "2 = 2"),
        Message("user", "Compute 3."),
        Message("assistant", "3"),
    )
    row = encode_conversations(TOKENIZER, [talk])[0]
    labelled = [TOKENIZER.decode([label]) if label != IGNORED else "" for label in row.labels]
    first = ["<|turn|>", "user", "\n", "Compute", " ", "1", " + ", "1", ".", "<|end|>", "<|turn|>", "assistant", "\n"]
    second = ["<|turn|>", "user", "\n", "Compute", " ", "3", ".", "<|end|>", "<|turn|>", "assistant", "\n"]
    assert labelled == [""] * len(first) + ["2", " = ", "2", "<|end|>"] + [""] * len(second) + ["3", "<|end|>"]
    assert [TOKENIZER.decode([token]) for token in row.tokens] == [
        *first, "2", " = ", "2", "<|end|>", *second, "3", "<|end|>",
    ]  # fmt: skip
