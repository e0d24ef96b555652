"""Traces whose form is broken, and those that only hold unusual things."""

from __future__ import annotations

import pytest

from reasonry.types import Candidate
from tests.filters.asking import candidate, trace_rules

THOUGHT = "I add one and one, which makes two."
ANSWER = "The answer is \\boxed{2}."

BROKEN: dict[str, list[Candidate]] = {
    "not_finished": [candidate(ANSWER, THOUGHT, finish="error")],
    "truncated": [candidate("", THOUGHT, finish="length"), candidate("The answer", THOUGHT, finish="length")],
    "empty_response": [candidate("", THOUGHT), candidate(" \n", ""), candidate("\n", THOUGHT, finish="refusal")],
    "unclosed_thinking": [candidate(f"<think>\n{THOUGHT} {ANSWER}"), candidate(f"◁think▷{THOUGHT}")],
    "stray_think_tag": [
        candidate(ANSWER, f"{THOUGHT} <think> again"),
        candidate(f"{ANSWER} </think> {ANSWER}", THOUGHT),
        candidate(f"<think>More.</think>{ANSWER}", THOUGHT),
        candidate(f"<|begin_of_thought|>{THOUGHT}<|end_of_thought|> {ANSWER}"),
        candidate(f"{ANSWER} [/THINK]", THOUGHT),
    ],
    "template_token": [
        candidate(f"{ANSWER}<|im_end|>", THOUGHT),
        candidate(f"{ANSWER}</s>", THOUGHT),
        candidate(f"[INST] What? [/INST] {ANSWER}"),
        candidate(f"{ANSWER}<｜end▁of▁sentence｜>"),
        candidate(ANSWER, f"{THOUGHT}<|eot_id|>"),
        candidate(f"{ANSWER}<end_of_turn>"),
    ],
    "extra_turn": [candidate(f"{ANSWER}\n\nHuman: And 2 + 2?"), candidate(f"{ANSWER}\n### Instruction:\nNext")],
    "unclosed_code": [candidate("Here it is:\n```python\nprint(2)\n"), candidate("```\na\n```\nand\n```\nb")],
    "cut_off": [
        candidate("We add the two numbers, which gives us the"),
        candidate("So the sum is 1 + 1 ="),
        candidate("First we note that $x = \\frac{1}{"),
        candidate("There are two cases: 1, 2,"),
    ],
}
WHOLE = [
    candidate(ANSWER, THOUGHT),
    candidate("2", THOUGHT),
    candidate("on", THOUGHT),
    candidate("(B)"),
    candidate("Paris"),
    candidate("Attack b\nOvercome b from a"),
    candidate("Is a < b? Yes: <b>bold</b>, x <- y, a <| b |> c, [think], [1, 2], List<String>."),
    candidate("```python\nprint(2)\n```"),
    candidate("Write ```code``` like this, and ```so```."),
    candidate("*(It measures multiples of six only.)*"),
    candidate("The answer is 2, and so on and"),
    candidate("In HTML, `<|user|>` is text.", prompt="What is `<|user|>` in HTML?"),
    candidate("Human: a person.\nUser: another."),
]


@pytest.mark.parametrize("rule", BROKEN)
def test_what_is_broken_is_named(rule: str) -> None:
    assert trace_rules("format", BROKEN[rule]) == [rule] * len(BROKEN[rule])


@pytest.mark.parametrize("whole", WHOLE, ids=lambda row: row.trace.response[:20])
def test_a_whole_trace_is_kept(whole: Candidate) -> None:
    assert trace_rules("format", [whole]) == [None]


def test_what_is_required_must_be_there() -> None:
    rows = [candidate(ANSWER, THOUGHT), candidate(ANSWER), candidate("It is 2.", f"{THOUGHT} \\boxed{{2}}")]
    assert trace_rules("format", rows) == [None, None, None]
    assert trace_rules("format", rows, reasoning="required") == [None, "no_reasoning", None]
    assert trace_rules("format", rows, box="required") == [None, None, "no_box"]
