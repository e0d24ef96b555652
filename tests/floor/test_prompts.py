"""Templates: which one is used, what is filled in, and that a question cannot write into its template."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.prompts import PLACEHOLDERS, PRESETS, asked_content, messages_of
from reasonry.sections import DistilSection
from reasonry.types import Message, Question

MATHS = Question("What is $1 + 1$?", "2", "math", domain="math")
CHOICE = Question("Which one?", "B", "choice", {"choices": ["a fish", "a bird"]}, domain="biology")
CODE = Question("Add two numbers.", None, "code", {"language": "cpp", "starter_code": "int add("}, domain="code")


def section(**given: Any) -> DistilSection:
    return DistilSection.model_validate({"teacher": "openai", **given})


def user(chosen: DistilSection, question: Question) -> str:
    return messages_of(chosen, question)[-1].content


def test_the_question_alone_is_the_default() -> None:
    assert messages_of(section(), MATHS) == (Message("user", MATHS.prompt),)


def test_a_system_prompt_comes_first() -> None:
    assert messages_of(section(system="Think."), MATHS)[0] == Message("system", "Think.")


def test_the_first_rule_that_fits_is_used() -> None:
    chosen = section(
        system="Be brief.",
        prompt="{prompt}!",
        prompts=[
            {"domain": "biology", "verifier": "math", "prompt": "never {prompt}"},
            {"domain": "biology", "prompt": "{prompt}\n{choices}", "system": "You know animals."},
            {"verifier": "code", "prompt": "In {language}: {prompt} Begin with {starter_code}"},
        ],
    )
    assert messages_of(chosen, CHOICE) == (
        Message("system", "You know animals."),
        Message("user", "Which one?\nA. a fish\nB. a bird"),
    )
    assert messages_of(chosen, CODE) == (
        Message("system", "Be brief."),
        Message("user", "In cpp: Add two numbers. Begin with int add("),
    )
    assert user(chosen, MATHS) == "What is $1 + 1$?!"


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("question", [MATHS, CHOICE, CODE])
def test_presets_ask_the_question_and_have_a_source(name: str, question: Question) -> None:
    messages = messages_of(section(preset=name), question)
    assert [message.role for message in messages] == ["user"]
    assert question.prompt in messages[0].content
    assert PRESETS[name].source.startswith("https://")


def test_the_presets_are_the_forms_of_their_sources() -> None:
    assert user(section(preset="openthoughts"), MATHS) == (
        "Return your final response within \\boxed{}. What is $1 + 1$?"
    )
    called = Question("Add.", None, "code", {"fn_name": "add", "starter_code": "def add(a, b):"})
    assert user(section(preset="openthoughts"), called).endswith("at the final solution.Add.def add(a, b):")
    assert user(section(preset="openthoughts"), CODE).endswith("after the definition.Add two numbers.int add(")
    assert user(section(preset="deepseek-r1"), MATHS) == (
        "What is $1 + 1$?\nPlease reason step by step, and put your final answer within \\boxed{}."
    )


def test_a_rule_of_the_recipe_goes_before_the_preset() -> None:
    chosen = section(preset="openthoughts", prompts=[{"domain": "math", "prompt": "Mine: {prompt}"}])
    assert user(chosen, MATHS) == "Mine: What is $1 + 1$?"


@given(st.text(), st.sampled_from(PLACEHOLDERS), st.text())
def test_a_question_that_looks_like_a_template_stays_as_it_is(before: str, name: str, after: str) -> None:
    prompt = f"{before}{{{name}}}{after}"
    asked = Question(prompt, "1", "math", {"starter_code": "secret", "choices": ["secret"]})
    assert user(section(prompt="Q: {prompt}"), asked) == f"Q: {prompt}"


@given(st.text(alphabet="{}\\$ab ", max_size=30))
def test_braces_of_latex_stay(latex: str) -> None:
    assert user(section(prompt=f"{latex}|{{prompt}}"), MATHS) == f"{latex}|{MATHS.prompt}"


def test_the_texts_behind_a_preset_are_part_of_the_key() -> None:
    """Another Reasonry may have another text under the same name."""
    rules = asked_content(section(preset="openthoughts"))["rules"]
    assert any("boxed" in rule["prompt"] for rule in rules)
    assert asked_content(section()) != asked_content(section(prompt="{prompt} "))
