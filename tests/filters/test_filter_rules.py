"""Every filter keeps its contract on whatever text there is, in time that grows with the text; and says its rules."""

from __future__ import annotations

import time
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.registry import BUILTIN, Kind, find
from reasonry.testing import check_filter, check_trace_filter
from reasonry.types import Candidate, Finish, Question
from tests.filters.asking import candidate, options_of, question

# Options under which every rule of a part is at work. Deduplicate and decontaminate have tests of their own.
FILTERS: dict[str, dict[str, Any]] = {
    "answer": {"box": "required", "max_characters": 200},
    "difficulty": {"min": 2, "max": 8, "unknown": "drop"},
    "garbled": {"min_alphanumeric": 0.2, "html": "drop"},
    "language": {"undetermined": "drop"},
    "length": {"min_characters": 3, "max_characters": 5000},
    "license": {"allow": ["MIT", "unknown"]},
    "parts": {"max_questions": 2},
    "proof": {"with_value": "drop"},
    "references": {"drawn": "drop"},
}
TRACE_FILTERS: dict[str, dict[str, Any]] = {
    "format": {"reasoning": "required", "box": "required"},
    "language": {},
    "length": {"min_response": 2, "max_reasoning": 50_000, "max_tokens": 100, "unknown": "drop"},
    "placeholder": {},
    "refusal": {},
    "repetition": {},
    "self_reference": {},
}
PARTS: list[tuple[Kind, str, dict[str, Any]]] = [
    *(("filter", name, values) for name, values in FILTERS.items()),
    *(("trace_filter", name, values) for name, values in TRACE_FILTERS.items()),
]
NAMED = [f"{kind}-{name}" for kind, name, _ in PARTS]

HOSTILE = [
    "", " ", "\n", "\0", "a\0b", "\ufffd\ufffe", "\u202e\u05e9\u05dc\u05d5\u05dd",
    "\U0001f600\u200d\U0001f1e9\U0001f1ea", "e\u0301", "\u0661\u0662\u0663", "\\", "\\boxed", "\\boxed{", "\\boxed{}",
    "{", "$", "```", "``` ```", "<think>", "</think>", "<think></think>",
    "<|im_start|>", "[INST]", "(a)", "(a) (b) (c)", "1. 2. 3.", "Part A:", "?",
    "Answer:", "Answer: 1", "http://", "![](", "[image]", "Prove that", "Show that",
    "I'm sorry, but I can't", "As an AI", "the reference answer", "\ud7ff\ue000", "ＡＢＣ", "求证：", "如图",
    "\x08oxed{1}", "\r\n\r\n", "\u2028", "\x85",
]  # fmt: skip


def rows_of(kind: Kind, text: str) -> list[Any]:
    """A text in every place where a row can hold one."""
    if kind == "filter":
        return [
            question(text, "1"),
            question("What is it?", text),
            question("What is it?", "1", license=text, domain=text),
            question(f"Find $x$. {text}", None, spec={"choices": [text]}, meta={"difficulty": 3.5}),
        ]
    finishes: tuple[Finish, ...] = get_args(Finish)
    return [
        *(candidate(text, "I think so.", finish=finish) for finish in finishes),
        candidate("The answer is \\boxed{1}.", text, tokens_out=5),
        candidate("The answer is 1.", "Hm.", prompt=text),
        candidate(text, text, prompt=text),
    ]


def check(kind: Kind, name: str, values: dict[str, Any], rows: list[Any]) -> None:
    run = check_filter if kind == "filter" else check_trace_filter
    run(find(kind, name), rows, options_of(kind, name, **values))


def test_the_lists_name_every_filter() -> None:
    assert set(FILTERS) == set(BUILTIN["filter"]) - {"deduplicate", "decontaminate"}
    assert set(TRACE_FILTERS) == set(BUILTIN["trace_filter"])


@pytest.mark.parametrize(("kind", "name", "values"), PARTS, ids=NAMED)
def test_hostile_texts_are_rows_like_any_other(kind: Kind, name: str, values: dict[str, Any]) -> None:
    check(kind, name, values, [row for text in HOSTILE for row in rows_of(kind, text)])


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_a_row_like_any_other(text: str) -> None:
    for kind, name, values in PARTS:
        check(kind, name, values, rows_of(kind, text))


# What makes careless patterns slow: one thing again and again, openings without an end, long white space.
REPEATED = [
    "a", " ", "\n", "$", "\\[", "```", "<",
    "<|", "(a) ", "A) B) ", "\\boxed{", "the ", "the     following    ", "![",
    "1 ", "| ", "\t1\t", "= ", "? ", "。", "求证",
    "Ã©", "I'm sorry, I ", ". . ", "\0", "😀", "figure  ", "as shown  ",
    "answer: ", "the provided truth reference ", "<think>", "<p ", "&#1", "part (a", "{",
    "слово ", "ABC DEF ", "http://", "following: (a) find (b) find ", "Prove  ", "# your code here\n", "you",
    "and then so ", "\\begin{a}",
]  # fmt: skip
SIZE = 100_000
SECONDS = 3.0  # a busy machine included: what is not linear takes minutes


@pytest.mark.parametrize(("kind", "name", "values"), PARTS, ids=NAMED)
def test_no_text_is_slow(kind: Kind, name: str, values: dict[str, Any]) -> None:
    part, options = find(kind, name), options_of(kind, name, **values)
    for piece in REPEATED:
        text = piece * (SIZE // len(piece))
        for row in rows_of(kind, text):
            start = time.process_time()
            assert len(list(part.call([row], options))) == 1
            assert time.process_time() - start < SECONDS, f"{piece!r} in {_place(row, text)}"


def _place(row: Question | Candidate, text: str) -> str:
    if isinstance(row, Question):
        return "prompt" if row.prompt == text else "answer" if row.answer == text else "elsewhere"
    return "response" if row.trace.response == text else "reasoning" if row.trace.reasoning == text else "prompt"


@pytest.mark.parametrize(("kind", "name", "values"), PARTS, ids=NAMED)
def test_each_part_says_what_it_does_in_a_line(kind: Kind, name: str, values: dict[str, Any]) -> None:
    part = find(kind, name)
    assert part.summary.startswith("Drop "), part.summary
    assert part.summary.endswith(".")
    assert part.rules, "a filter names its rules"
    assert all(rule.isidentifier() and rule == rule.lower() and what for rule, what in part.rules.items())
    assert part.options is not None
    described = [field.description for key, field in part.options.model_fields.items() if key != "filter"]
    assert all(described), f"{name}: an option without a description"


@pytest.mark.parametrize(("kind", "name", "values"), PARTS, ids=NAMED)
def test_a_filter_looks_at_its_domains_only(kind: Kind, name: str, values: dict[str, Any]) -> None:
    options = options_of(kind, name, **values, domains=["math"])
    rows = [row for text in HOSTILE for row in rows_of(kind, text) if _domain(row) != "math"]
    assert list(find(kind, name).call(rows, options)) == rows


def _domain(row: Question | Candidate) -> str:
    return row.domain if isinstance(row, Question) else row.question.domain
