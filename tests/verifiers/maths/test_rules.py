"""What is forgiven: every rule by its own example, and each can be switched off."""

from __future__ import annotations

import pytest

from reasonry.registry import find, run_verifier
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.math import judge
from reasonry.verifiers.maths.policy import RULES, Policy, policy_from


def verify(answer: str, response: str, **spec: object) -> Verdict:
    return run_verifier(find("verifier", "math"), Question("?", answer, "math", spec), response)


@pytest.mark.parametrize("name", sorted(RULES))
def test_the_example_of_a_rule_needs_that_rule(name: str) -> None:
    judgement = judge(RULES[name].reference, RULES[name].answer, Policy(off=frozenset()))
    assert judgement.status is Status.CORRECT
    assert name in judgement.relaxed


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_that_is_off_does_not_hold(name: str) -> None:
    judgement = judge(RULES[name].reference, RULES[name].answer, Policy(off=frozenset({name})))
    assert judgement.status is not Status.CORRECT


def test_the_verdict_records_what_was_forgiven() -> None:
    verdict = verify("5 cm", r"so \boxed{5}")
    assert verdict.evidence["relaxed"] == ["unit_omitted"]
    assert "relaxed" not in verify("5 cm", r"so \boxed{5\text{ cm}}").evidence


def test_a_spec_switches_a_rule_on() -> None:
    assert verify("C", r"\boxed{C) 12}").status is Status.INCORRECT
    assert verify("C", r"\boxed{C) 12}", on=["choice_value"]).status is Status.CORRECT


def test_a_spec_switches_a_rule_off() -> None:
    assert verify("10%", r"\boxed{10}").status is Status.CORRECT
    assert verify("10%", r"\boxed{10}", off=["percent_as_number"]).status is Status.INCORRECT


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"decimal": "strict"}, "unknown key 'decimal'; did you mean 'decimals'?"),
        ({"decimals": "loose"}, "decimals must be"),
        ({"digits": 0}, "digits must be"),
        ({"digits": True}, "digits must be"),
        ({"fallback": "no"}, "fallback must be"),
        ({"off": "percent_as_number"}, "off must be a list"),
        ({"off": ["percent_as_numbers"]}, "did you mean 'percent_as_number'?"),
    ],
)
def test_a_bad_spec_is_our_error_and_says_what_is_wrong(spec: dict[str, object], complaint: str) -> None:
    verdict = verify("5", "5", **spec)
    assert verdict.status is Status.ERROR
    assert complaint in verdict.detail


@pytest.mark.parametrize(
    ("decimals", "answer", "status"),
    [
        ("strict", "0.333", Status.INCORRECT),
        ("strict", "0.3333333333333333", Status.CORRECT),
        ("rounded", "0.333", Status.INCORRECT),
        ("rounded", "0.3333", Status.CORRECT),
        ("rounded", "0.3334", Status.INCORRECT),
        ("lenient", "0.333", Status.CORRECT),
        ("lenient", "0.34", Status.INCORRECT),
    ],
)
def test_what_a_decimal_may_stand_for_is_policy(decimals: str, answer: str, status: Status) -> None:
    assert judge("1/3", answer, policy_from({"decimals": decimals})).status is status


def test_fallbacks_can_be_refused() -> None:
    assert verify("12", "That makes 3 * 4 = 12.").status is Status.CORRECT
    assert verify("12", "That makes 3 * 4 = 12.", fallback=False).status is Status.UNPARSED
    assert verify("12", r"That makes \boxed{12}.", fallback=False).status is Status.CORRECT
