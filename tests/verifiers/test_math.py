"""The math verifier: what is equal, what is not, and every status."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.registry import find, run_verifier
from reasonry.types import Question, Status, Verdict
from reasonry.verifiers.math import judge


def verify(answer: str | None, response: str) -> Verdict:
    return run_verifier(find("verifier", "math"), Question("?", answer, "math"), response)


EQUAL = [
    ("18", "18.0"),
    ("18", "$18.00$"),
    ("1,000", "1000"),
    ("1000", "$1,000"),
    ("18", "18 dollars"),
    ("10", "10%"),
    ("0.1", r"10\%"),
    ("10%", "0.1"),
    ("1/2", r"\frac{1}{2}"),
    ("0.5", r"\dfrac12"),
    ("5", "x = 5"),
    ("x = 5", "5"),
    ("3200", "20 * 40 + 80 * 30 = 800 + 2400 = 3200"),
    ("5 cm", "5"),
    ("3 feet", "3 ft"),
    ("12", "１２"),
    ("30", "29.999999999999996"),
    (r"\sqrt{2}/2", r"\frac{1}{\sqrt{2}}"),
    ("2x+1", "1 + 2x"),
    ("(x+1)^2", "x^2+2x+1"),
    (r"\frac{\pi}{2}", "π/2"),
    ("2, 3", "3, 2"),
    ("(1, 2)", "(1,2)"),
    (r"[0, \infty)", r"\left[0,\infty\right)"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{bmatrix} 1 \\ 2 \end{bmatrix}"),
    (r"\text{Monday}", "monday"),
    ("work\n#### 7", "7"),
    (r"So it is \boxed{7}.", "7"),
    ("400", "There are 400 bees in the hive"),
]


@pytest.mark.parametrize(("reference", "answer"), EQUAL)
def test_equal_answers_are_correct(reference: str, answer: str) -> None:
    assert judge(reference, answer).status is Status.CORRECT


DIFFERENT = [
    ("18", "19"),
    ("1/3", "0.333"),
    ("2", "2, -10"),
    ("2", "1, 2, 3, 4"),
    ("2", "2 or 3"),
    ("2", "2 and 3"),
    ("2, 3", "2"),
    ("2, 3", "2, 3, 4"),
    ("(1, 2)", "(2, 1)"),
    ("1", "10"),
    ("10", "1"),
    ("5 cm", "5 m"),
    ("5 m", "5 m^2"),
    ("5", "5x"),
    ("5", "5 million"),
    ("2", "2:00"),
    ("0", "x - 3z = 1"),
    ("x - 3z = 0", "0"),
    (r"1/2^{99}", r"1/2^{98}"),
    ("6.63e-34", "1.6e-19"),
    ("776_8", "776_9"),
    ("25", r"25\sqrt{2}/2"),
    ("5", "Cannot be determined"),
    ("5", "It is not 5, you see"),
    ("5", r"\frac{1}{0}"),
    ("Monday", "Tuesday"),
]


@pytest.mark.parametrize(("reference", "answer"), DIFFERENT)
def test_different_answers_are_incorrect(reference: str, answer: str) -> None:
    assert judge(reference, answer).status is Status.INCORRECT


STATUSES = [
    (Status.CORRECT, "18", r"so \boxed{18}"),
    (Status.INCORRECT, "18", r"so \boxed{19}"),
    (Status.UNPARSED, "18", "I cannot say."),
    (Status.UNPARSED, "18", ""),
    (Status.UNPARSED, "18", r"<think>\boxed{18}"),
    (Status.UNPARSED, "18", rf"\boxed{{{'1' * 100_001}}}"),
    (Status.TIMEOUT, "1", "9^{9^{9^{9}}}"),
    (Status.TIMEOUT, "1", "9**9**9**9"),
    (Status.TIMEOUT, "1", "(10^9)!"),
    (Status.TIMEOUT, "1", "(" * 3_000 + "1" + ")" * 3_000),
    (Status.ERROR, "Let us think step by step.", r"\boxed{18}"),
    (Status.ERROR, "", r"\boxed{18}"),
    (Status.ERROR, r"\frac{", r"\boxed{18}"),
    (Status.SKIPPED, None, r"\boxed{18}"),
]


@pytest.mark.parametrize(("status", "answer", "response"), STATUSES)
def test_every_status_is_reached(status: Status, answer: str | None, response: str) -> None:
    assert verify(answer, response).status is status


def test_our_own_failures_say_why() -> None:
    assert "reference" in verify("Let us think step by step.", "5").detail
    assert "no reference" in verify(None, "5").detail
    assert verify("5", "<think>hm").detail == "the reasoning does not end"


def test_the_verdict_shows_the_rule_the_comparison_and_the_answer() -> None:
    verdict = verify("18", r"Not \boxed{17}. It is \boxed{18}")
    assert verdict.verifier == "math@3"
    assert verdict.extracted == "18"
    assert verdict.evidence == {"rule": "boxed", "candidates": 2, "compared": "text"}


def test_reasoning_is_not_searched_for_the_answer() -> None:
    assert verify("18", r"<think>\boxed{18}</think> It is \boxed{19}.").status is Status.INCORRECT


def test_no_signal_handler_is_installed_and_no_alarm_touched() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 60)
        ours = signal.getsignal(signal.SIGALRM)
        assert judge("1/2", r"\int_0^1 x\,dx").compared == "symbolic"
        assert signal.getsignal(signal.SIGALRM) is ours
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_importing_the_verifier_is_cheap() -> None:
    code = "import sys, reasonry.verifiers.math; assert not {'sympy', 'math_verify', 'pyarrow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_in_an_answer_is_run() -> None:
    for hostile in ("__import__('os')._exit(9)", r"\boxed{__import__('os')._exit(9)}", "exec('1/0')"):
        assert verify("5", hostile).status in (Status.INCORRECT, Status.UNPARSED)


@given(st.text(max_size=200), st.sampled_from(["5", "1/2", "Monday", "2, 3", "x+1"]))
@settings(max_examples=150)
def test_text_that_is_no_mathematics_gets_a_verdict_of_the_models(text: str, answer: str) -> None:
    verdict = verify(answer, text.translate({ord(c): None for c in "0123456789^!"}))
    assert verdict.status in (Status.CORRECT, Status.INCORRECT, Status.UNPARSED)


@given(st.text(alphabet="0123459+-*/=(){}[],.$% xyab\\", max_size=25))
@settings(max_examples=100)
def test_short_formulas_get_a_verdict_of_the_models(text: str) -> None:
    verdict = verify("7/3", rf"\boxed{{{text}}}")
    assert verdict.status in (Status.CORRECT, Status.INCORRECT, Status.UNPARSED)


@given(st.fractions(max_denominator=1000), st.fractions(max_denominator=1000))
def test_fractions_are_equal_exactly_when_they_are(one: object, other: object) -> None:
    assert (judge(str(one), str(other)).status is Status.CORRECT) == (one == other)


@given(st.lists(st.integers(-99, 99), min_size=2, max_size=6, unique=True), st.data())
def test_listing_answers_is_never_correct_for_one(items: list[int], data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(items))
    for separator in (", ", " and ", " or ", "; ", ","):
        assert verify(str(wanted), rf"\boxed{{{separator.join(map(str, items))}}}").status is not Status.CORRECT
