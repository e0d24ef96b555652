"""What traces say: refusals, blanks, round and round, the wrong language, what they should not know; and how long."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from reasonry.types import Candidate
from tests.filters.asking import candidate, options_of, trace_rules

# --- refusal

REFUSED = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "I cannot assist with this.",
    "I am unable to provide that information.",
    "Sorry, I won't help with this one.",
    "I apologize, but I'm not able to complete that task.",
    "Unfortunately, I can't provide instructions for this.",
    "抱歉，我无法回答这个问题，也不能提供帮助。",
    "Es tut mir leid, dabei kann ich nicht helfen.",
]
DISCLAIMED = [
    "As an AI language model, I do not have opinions.",
    "I'm just an AI, so I cannot feel.",
    "作为一个人工智能，我没有感情。",
]
ANSWERED = [
    "I'm sorry for the confusion. The answer is 4.",
    "I can't find a smaller one, so the answer is 7.",
    "The clerk said: \"I'm sorry, but I can't help with that.\" So the answer is no.",
    "It cannot be done: the sum of two odd numbers is even.",
    "As an aircraft climbs, the pressure falls.",
    "I cannot be sure, but I would say 12.",
    "We can't assist the reader with a picture, but here is the proof.",
]


def test_refusals_are_dropped() -> None:
    assert trace_rules("refusal", REFUSED) == ["refusal"] * len(REFUSED)
    assert trace_rules("refusal", DISCLAIMED) == ["disclaimer"] * len(DISCLAIMED)
    assert trace_rules("refusal", [candidate("No.", finish="refusal")]) == ["refusal_by_endpoint"]


@pytest.mark.parametrize("response", ANSWERED)
def test_an_answer_is_no_refusal(response: str) -> None:
    assert trace_rules("refusal", [response]) == [None]


def test_thinking_about_a_refusal_is_none() -> None:
    assert trace_rules("refusal", [candidate("It is 4.", "I'm sorry, but I can't help with that. No: I can.")]) == [
        None
    ]


# --- placeholder

BLANK: dict[str, list[str]] = {
    "empty_box": ["So the answer is \\boxed{}.", "Thus \\boxed{ }"],
    "placeholder_box": ["\\boxed{answer}", "We get \\boxed{\\text{your answer}}.", "$\\boxed{?}$", "\\boxed{...}"],
    "placeholder_answer": [
        "The answer is [your answer].",
        "Answer: <answer>",
        "The final answer is ...",
        "Answer: TODO",
    ],
    "placeholder_code": [
        "```python\ndef f(x):\n    # your code here\n    pass\n```",
        "```c\nint f() {\n    // TODO: implement this\n}\n```",
        "```python\nx = 1\n# rest of the code stays as it is\ny = 2\n```",
    ],
}
FILLED = [
    "First \\boxed{}, no: \\boxed{4}.",
    "\\boxed{x}",
    "\\boxed{[1, 2]}",
    "The answer is:\n\\[ \\text{The answer is (D)} \\]",
    "The answer is [2, 3].",
    "The result is <b>4</b>",
    "And so on ...",
    "```python\n# YOUR CODE HERE\nimport sys\nprint(sys.argv)\n```",
    "```python\n# TODO list of the user\nitems = []\n```",
]


@pytest.mark.parametrize("rule", BLANK)
def test_a_blank_is_no_answer(rule: str) -> None:
    assert trace_rules("placeholder", BLANK[rule]) == [rule] * len(BLANK[rule])


@pytest.mark.parametrize("response", FILLED)
def test_an_answer_is_no_blank(response: str) -> None:
    assert trace_rules("placeholder", [response]) == [None]


# --- repetition

PLAIN = " ".join(f"Then {i} times {i + 1} is {i * (i + 1)}, which we note for later." for i in range(120))
ROUND = [
    PLAIN + " Wait, is that right? Let me think again." * 40,
    "Let me check the sum. " * 30 + PLAIN[:200],
    PLAIN[:3000] + "\nSo we pour the water back into the jug and start over, as before.\n" * 60 + PLAIN[:3000],
    "the the the the " * 100,
    "再想一想，这个结果对不对。" * 60,
]
AGAIN_AND_AGAIN = "\n".join(
    f"Try {i}.\nThis does not work, so we try another one.\nNo luck with it either." for i in range(30)
)
STRAIGHT = [
    PLAIN,
    "\n".join(["0 0 0 0 0 0 0 0 0 0 0 0"] * 40),
    "❌" * 400,
    "\n".join(f"    if x == {i}:\n        return True" for i in range(40)),
    PLAIN + "\n".join(["- **Check the result once more**"] * 6),
    "-" * 500 + PLAIN,
]


def test_going_round_is_dropped_wherever_it_stands() -> None:
    assert trace_rules("repetition", ROUND) == ["loop"] * len(ROUND)
    assert trace_rules("repetition", [candidate("2", text) for text in ROUND]) == ["loop"] * len(ROUND)
    assert trace_rules("repetition", [AGAIN_AND_AGAIN]) == ["repeated_lines"]


@pytest.mark.parametrize("text", STRAIGHT, ids=lambda text: text[:12])
def test_going_on_is_kept(text: str) -> None:
    assert trace_rules("repetition", [text, candidate("2", text)]) == [None, None]


def test_how_much_may_repeat_is_an_option() -> None:
    assert trace_rules("repetition", [AGAIN_AND_AGAIN], max_times=40) == [None]
    assert trace_rules("repetition", [AGAIN_AND_AGAIN], max_share=0.95) == [None]
    mild = PLAIN + " And again the same thing." * 18
    assert trace_rules("repetition", [mild]) == [None]
    assert trace_rules("repetition", [mild], max_loop=400) == ["loop"]


# --- language

EN = "We add the two numbers and find that the sum is four, which is what was asked. " * 30
ES = "Sumamos los dos números y vemos que la suma es cuatro, que es lo que se pedía en el enunciado. " * 30
ZH = "我们把两个数相加，得到的和是四，这就是题目所要求的结果。" * 30
ASKED = "What is the sum of the two numbers that were given?"


def test_a_trace_speaks_the_language_of_its_question() -> None:
    rows = [candidate("It is 4.", text, prompt=ASKED) for text in (EN, ES, ZH, EN + ZH, EN + ES, EN + "答案" * 8)]
    found = trace_rules("language", rows)
    assert found == [None, "other_language", "mixed_scripts", "mixed_scripts", "switched_language", None]
    rows = [
        candidate("Es 4.", text, prompt="¿Cuál es la suma de los dos números que se dan aquí?") for text in (EN, ES)
    ]
    assert trace_rules("language", rows) == ["other_language", None]


def test_languages_may_be_listed() -> None:
    rows = [candidate("It is 4.", text, prompt=ASKED) for text in (EN, ES, ZH)]
    assert trace_rules("language", rows, keep=["en", "es"]) == [None, None, "mixed_scripts"]
    assert trace_rules("language", rows, keep=["zh"]) == ["other_language", "other_language", None]


def test_a_question_of_no_language_takes_that_of_the_response() -> None:
    rows = [candidate(EN, text, prompt="$2 + 2$") for text in (EN, ZH)]
    assert trace_rules("language", rows) == [None, "mixed_scripts"]


def test_what_the_question_asks_for_is_allowed() -> None:
    rows = [
        candidate(ZH, EN, prompt="Translate into Chinese: we add the two numbers that were given."),
        candidate(ES, EN, prompt="What is this in Spanish: we add the two numbers that were given?"),
        candidate(EN, EN + "слово и дело " * 9, prompt="What does 'слово' mean, and where does the word come from?"),
    ]
    assert trace_rules("language", rows) == [None, None, None]


def test_symbols_code_and_lists_are_of_no_language() -> None:
    symbols = "α + β = γ → ∑ ≤ ∞ ✓ 😀 " * 40
    moves = str(["fill A", "pour A->B", "empty B"] * 30)
    rows = [
        candidate(text, prompt=ASKED) for text in (symbols, moves, "```python\nfor wert in liste:\n    pass\n```" * 9)
    ]
    assert trace_rules("language", rows) == [None, None, None]


# --- self reference


def test_what_a_student_will_not_have_is_not_spoken_of() -> None:
    rows = [
        candidate("It is 4.", "The reference answer says 4, so I work towards it."),
        candidate("It is 4.", "This matches the ground truth answer."),
        candidate("According to the answer key, it is 4."),
        candidate("I am DeepSeek-R1, and the answer is 4."),
        candidate("This was written by a model trained by OpenAI."),
        candidate("I apologize for the confusion in my previous response. It is 4."),
    ]
    named = ["reference_answer"] * 3 + ["model_identity"] * 2 + ["earlier_turn"]
    assert trace_rules("self_reference", rows) == named
    assert trace_rules("self_reference", rows, drop=["earlier_turn"]) == [None] * 5 + ["earlier_turn"]


def test_the_questions_own_words_may_be_used() -> None:
    rows: list[Candidate | str] = [
        candidate("Compared with the reference solution, it is fast.", prompt="Why is the reference solution slow?"),
        "In truth, the answer is provided by the key of the map, with reference to north.",
        "I am sure that Llama is an animal.",
        "The previous answer choice is wrong, so it is (B).",
    ]
    assert trace_rules("self_reference", rows) == [None] * 4


# --- length


def test_each_length_has_its_rule() -> None:
    row = candidate("12345", "1234567890", tokens_out=7)
    for option, value, rule in [
        ("min_reasoning", 11, "reasoning_too_short"),
        ("max_reasoning", 9, "reasoning_too_long"),
        ("min_response", 6, "response_too_short"),
        ("max_response", 4, "response_too_long"),
        ("min_tokens", 8, "too_few_tokens"),
        ("max_tokens", 6, "too_many_tokens"),
    ]:
        assert trace_rules("length", [row], **{option: value}) == [rule]
        closer = value - 1 if option.startswith("min") else value + 1
        assert trace_rules("length", [row], **{option: closer}) == [None]


def test_tokens_that_nobody_counted_are_unknown() -> None:
    row = candidate("12345")
    assert trace_rules("length", [row], max_tokens=5) == [None]
    assert trace_rules("length", [row], max_tokens=5, unknown="drop") == ["tokens_unknown"]
    assert trace_rules("length", [row], max_response=9, unknown="drop") == [None]


def test_limits_that_keep_nothing_are_refused() -> None:
    with pytest.raises(ValidationError, match="nothing would be kept"):
        options_of("trace_filter", "length", min_tokens=3, max_tokens=2)
