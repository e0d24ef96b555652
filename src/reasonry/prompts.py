"""How a question is put to a teacher: templates, chosen by domain and verifier, and named presets.

A template has placeholders in braces. Only the known ones are filled, once, so braces of LaTeX stay as they are and
nothing in a question is taken for a placeholder:

- `{prompt}` the question;
- `{choices}` its choices, one a line with a letter in front (`spec.choices`);
- `{starter_code}` the code that a program has to begin with (`spec.starter_code`);
- `{language}` the language of a program (`spec.language`, else python).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from reasonry.sections import DistilSection, PromptRule
from reasonry.types import Message, Question, conversation

__all__ = ["PLACEHOLDERS", "PRESETS", "Preset", "asked_content", "asked_with", "messages_of", "rule_of", "rules_of"]

PLACEHOLDERS = ("prompt", "choices", "starter_code", "language")
_PLACEHOLDER = re.compile("{(" + "|".join(PLACEHOLDERS) + ")}")


@dataclass(frozen=True, slots=True)
class Preset:
    """Prompts that others used, and where they say so."""

    summary: str
    source: str
    rules: Sequence[PromptRule]


_PROGRAM = "Generate an executable Python function generated from the given prompt."

PRESETS: dict[str, Preset] = {
    "deepseek-r1": Preset(
        "no system prompt; mathematics: step by step, the answer in a box",
        "https://huggingface.co/deepseek-ai/DeepSeek-R1, usage recommendations (with a temperature of 0.5 to 0.7)",
        [
            PromptRule(
                verifier="math",
                prompt="{prompt}\nPlease reason step by step, and put your final answer within \\boxed{}.",
            ),
        ],
    ),
    "openthoughts": Preset(
        "how OpenThoughts-114k asked DeepSeek-R1: no system prompt; mathematics in a box, programs on stdin",
        "https://github.com/open-thoughts/open-thoughts, open_thoughts/math/reason.py and code/reason.py",
        [
            PromptRule(verifier="math", prompt="Return your final response within \\boxed{}. {prompt}"),
            PromptRule(
                verifier="code",
                spec_has="fn_name",
                prompt=f"{_PROGRAM} Return the function body without invoking it at the final solution."
                "{prompt}{starter_code}",
            ),
            PromptRule(
                verifier="code",
                prompt=f"{_PROGRAM} The function should take stdin as input and print the output. Simply call the "
                "function after the definition.{prompt}{starter_code}",
            ),
        ],
    ),
}


def rules_of(section: DistilSection) -> list[PromptRule]:
    """The rules in the order in which they are tried: the recipe's, the preset's, the section's own template."""
    preset = PRESETS[section.preset].rules if section.preset else ()
    return [*section.prompts, *preset, PromptRule(system=section.system, prompt=section.prompt)]


def asked_content(section: DistilSection) -> dict[str, Any]:
    """What of a section decides the answers: its own part of a key, and the texts behind the name of a preset."""
    content = {**section.key_content(), "rules": [rule.key_content() for rule in rules_of(section)]}
    return {**content, "further": [asked_content(one) for one in section.further]} if section.further else content


def rule_of(rules: Sequence[PromptRule], question: Question) -> PromptRule:
    """The rule that a question meets: the first one."""
    return next(rule for rule in rules if _meets(rule, question))


def messages_of(section: DistilSection, question: Question) -> tuple[Message, ...]:
    """What the teacher is sent: a system message where there is one, and the user's."""
    rule = rule_of(rules_of(section), question)
    system = rule.system if rule.system is not None else section.system
    return conversation(_filled(rule.prompt, question), system)


def asked_with(prompt: str, system: str | None, question: Question) -> tuple[Message, ...]:
    """The messages of one template and one system prompt, whatever the question is about."""
    return conversation(_filled(prompt, question), system)


def _meets(rule: PromptRule, question: Question) -> bool:
    return (
        rule.domain in (None, question.domain)
        and rule.verifier in (None, question.verifier)
        and (rule.spec_has is None or rule.spec_has in question.spec)
    )


def _filled(template: str, question: Question) -> str:
    return _PLACEHOLDER.sub(lambda found: _value(found[1], question), template)


def _value(name: str, question: Question) -> str:
    if name == "prompt":
        return question.prompt
    if name == "choices":
        choices: list[Any] = list(question.spec.get("choices") or ())
        return "\n".join(f"{letter}. {choice}" for letter, choice in zip(ascii_uppercase, choices, strict=False))
    if name == "language":
        return str(question.spec.get("language") or "python")
    return str(question.spec.get("starter_code") or "")
