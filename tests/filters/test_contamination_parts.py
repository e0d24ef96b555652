"""The pieces that decontamination is made of: words and numbers, choices, spans, alignment, candidates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.filters.contamination_align import Coded, aligned
from reasonry.filters.contamination_questions import sentence_lengths, spelled
from reasonry.filters.contamination_seeds import WHOLE, Seeds, shared_by
from reasonry.filters.contamination_text import parts_of, span_of, with_digits
from reasonry.filters.contamination_tokens import tokenise, word_hashes
from reasonry.filters.contamination_words import are_opposed
from reasonry.filters.folding import folded


def tokens_of(text: str) -> list[int]:
    return tokenise([text]).hashes.tolist()


ALIKE = [
    ("1,000 and 12,345,678", "1000 AND 12345678"),
    ("thirty-seven cats, two", "37 cats 2"),
    (r"\dfrac{1}{2} of \left(x\right)", "1 2 of x"),
    (r"\frac12", "1/2"),
    ("43²²⁶⁶", "43^{2266}"),
    ("2½", "2 1 2"),
    ("“quoted” — well", '"quoted" - well'),
    (r"\sin(\pi)", "sin(π)"),
    ("café", "cafe\u0301"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_spelling_makes_no_other_words(one: str, other: str) -> None:
    assert tokens_of(one) == tokens_of(other)


def test_one_alone_is_a_pronoun() -> None:
    assert tokens_of("one of them") != tokens_of("1 of them")
    assert with_digits(["one", "of", "the", "two", "hundred", "and", "five"]) == ["one", "of", "the", "200", "and", "5"]
    assert with_digits(["twenty", "one", "thousand"]) == ["21000"]


def test_ideographs_are_words_of_their_own() -> None:
    assert len(tokens_of("求x的值")) == 4


@given(st.lists(st.text(max_size=30), max_size=6))
def test_texts_of_a_batch_do_not_touch(texts: list[str]) -> None:
    together = tokenise(texts)
    apart = [tokenise([text]) for text in texts]
    assert together.hashes.tolist() == [int(h) for one in apart for h in one.hashes]
    assert together.text.tolist() == [i for i, one in enumerate(apart) for _ in one.hashes]


def test_a_word_alone_has_the_hash_that_it_has_in_a_text() -> None:
    assert word_hashes(["pollen", "250"]).tolist() == tokens_of("Pollen: 250!")


CHOICES = ["a fox", "a hen", "an owl"]
LISTED = {
    "closed": "Who hunts at night?\n(A) a fox\n(B) a hen\n(C) an owl",
    "bare": "Who hunts at night?\nA. a fox\nB. a hen\nC. an owl",
    "small": "Who hunts at night?\na) a fox\nb) a hen\nc) an owl",
    "on one line": "Who hunts at night? (A) a fox (B) a hen (C) an owl",
    "latex": r"Who hunts at night? $\textbf{(A)}\ $a fox$ \qquad \textbf{(B)}\ $a hen$ \qquad \textbf{(C)}\ $an owl",
    "bullets": "Who hunts at night?\nOptions:\n- a fox\n- a hen\n- an owl",
    "numbers": "Who hunts at night?\nAnswer choices:\n1. a fox\n2. a hen\n3. an owl",
}


@pytest.mark.parametrize("form", LISTED)
def test_choices_are_read_in_whatever_form(form: str) -> None:
    parts = parts_of(LISTED[form])
    assert list(parts.choices) == CHOICES
    assert parts.stem.startswith("Who hunts at night?")
    assert "fox" not in parts.stem


def test_text_behind_the_choices_belongs_to_none_of_them() -> None:
    parts = parts_of(f"{LISTED['closed']}\n\nThink first.")
    assert list(parts.choices) == CHOICES
    assert parts.stem.endswith("Think first.")


def test_choices_beside_the_text_count_where_it_lists_none() -> None:
    assert parts_of("Who hunts at night?", CHOICES).choices == tuple(CHOICES)


@pytest.mark.parametrize(
    "text", ["Vitamin A. is found in carrots.", "Let (a) be a number.", "Points A, B and C. Find AB.", "(B) (A)"]
)
def test_letters_in_a_text_are_no_choices(text: str) -> None:
    assert parts_of(text).choices == ()


@given(st.text(max_size=120), st.lists(st.text(max_size=8), max_size=4))
def test_no_text_breaks_the_reading_of_choices(text: str, listed: list[str]) -> None:
    parts = parts_of(text, listed)
    assert len(parts.stem) <= len(text) + 8


@given(st.text(max_size=100), st.text(max_size=40))
def test_a_span_lies_in_its_prompt(prompt: str, words: str) -> None:
    begin, end = span_of(prompt, words.split())
    assert 0 <= begin <= end <= len(prompt)


def test_sentences_have_the_words_of_the_whole_text() -> None:
    stem = "Table: 3 | 4\n\nQuestion: What is the sum? Give it in euros."
    lengths = sentence_lengths(stem)
    assert sum(lengths) == len(spelled(folded(stem)))
    assert lengths[-1] == 4


def coded(text: str, letters: dict[str, str]) -> Coded:
    words = spelled(text)
    return Coded(
        words, "".join(letters.setdefault(word, chr(0x100 + len(letters))) for word in words), [1.0] * len(words)
    )


def test_an_alignment_counts_changed_numbers_apart_from_words() -> None:
    letters: dict[str, str] = {}
    question = coded("the ferry carries 40 cars and 12 lorries to holm", letters)
    found = aligned(question, coded("today the ferry carries 55 cars and 12 lorries to holm again", letters))
    assert found is not None
    assert (found.equal_numbers, found.changed_numbers, found.missing) == (1, 1, 0.0)
    assert (found.begin, found.end) == (1, 11)


def test_a_run_that_moved_is_found() -> None:
    letters: dict[str, str] = {}
    question = coded("the ferry with the red funnel leaves holm at noon how many cars stay", letters)
    found = aligned(question, coded("how many cars stay the ferry with the red funnel leaves holm at noon", letters))
    assert found is not None
    assert found.missing == 0.0


def test_opposites_are_opposed_both_ways_and_to_no_others() -> None:
    assert are_opposed("most", "least")
    assert are_opposed("minimum", "maximum")
    assert not are_opposed("most", "minimum")
    assert not are_opposed("sum", "sum")


def test_a_run_that_many_questions_share_leads_nowhere() -> None:
    texts = [f"find the value of the number in box {i} of the {i} houses" for i in range(60)] + [
        "where do eels go to spawn"
    ]
    tokens = tokenise(texts)
    seeds = Seeds(tokens, np.arange(len(texts)), len(texts), 4)
    rows = tokenise(
        ["find the value of the number in the last line", "nobody knew where do eels go to spawn", texts[7]]
    )
    pairs = seeds.pairs(rows, 3)
    found = {(int(r), int(q)): float(s) for r, q, s in zip(pairs.row, pairs.question, pairs.share, strict=True)}
    assert not [pair for pair in found if pair[0] == 0]
    assert found[(1, 60)] >= 1.0
    assert found[(2, 7)] >= WHOLE


def test_phrases_are_counted_by_the_texts_that_share_them() -> None:
    texts = ["a b c d x", "a b c d y", "p q r s"]
    tokens = tokenise(texts)
    assert shared_by(tokens.hashes, tokens.text, 3).tolist() == [2, 2, 2, 2, 1, 2, 2, 2, 2, 1, 1, 1, 1, 1]
