"""Questions that ask for a proof, and those that only speak of one."""

from __future__ import annotations

import pytest

from tests.filters.asking import question, rules

PROOFS = [
    "Prove that $\\sqrt{2}$ is irrational.",
    "Let $n$ be odd. Show that $n^2 - 1$ is divisible by 8.",
    "Let ABC be a triangle, prove that its angles add to 180 degrees.",
    "Prove or disprove that every even number above 2 is a sum of two primes.",
    "Given $x > 0$. Then demonstrate that $x + 1/x \\ge 2$.",
    "**Prove** the following: a tree on $n$ vertices has $n-1$ edges.",
    "Give a proof of the binomial theorem.",
    "设 x 为实数。求证：x^2 ≥ 0。",
    "Sei n gerade. Beweise, dass n^2 gerade ist.",
    "Montrer que la suite converge.",
]
WITH_VALUE = [
    "Show that the sum converges and find its value.",
    "Prove that there are finitely many such integers. Find the largest of them.",
    "Is $2^{61} - 1$ prime? Prove your answer.",
    "Determine all such $n$ and prove that there are no more.",
]
OTHERS = [
    "The formula can be used to prove that $e$ is irrational. What is $e$ to three digits?",
    "Who was the first to show that the Earth is round?",
    "Find $x$. Show your work.",
    "What improves the soil? Verify your answer.",
    "A jury wants to prove the case. How many votes are needed?",
    "甲公司提供的证明材料有几份？",
]


@pytest.mark.parametrize("prompt", PROOFS)
def test_a_proof_and_nothing_else_is_dropped(prompt: str) -> None:
    assert rules("proof", [prompt]) == ["proof"]


@pytest.mark.parametrize("prompt", WITH_VALUE)
def test_a_value_beside_the_proof_can_be_compared(prompt: str) -> None:
    assert rules("proof", [prompt]) == [None]
    assert rules("proof", [prompt], with_value="drop") == ["proof_and_value"]


@pytest.mark.parametrize("prompt", OTHERS)
def test_speaking_of_proofs_asks_for_none(prompt: str) -> None:
    assert rules("proof", [prompt], with_value="drop") == [None]


def test_choices_are_no_instructions() -> None:
    text = "The argument goes on to\n(A) Show that the premise fails.\n(B) Prove that it holds."
    assert rules("proof", [text, question("It goes on to", spec={"choices": ["Prove that it holds."]})]) == [None, None]
