"""The last rung runs in a process of its own, within limits, and its end is nobody else's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reasonry.types import Status
from reasonry.verifiers.math import judge
from reasonry.verifiers.maths import symbolic
from reasonry.verifiers.maths.symbolic import Comparison, compare_symbolically


def test_it_knows_what_our_reader_does_not() -> None:
    assert compare_symbolically(r"\int_0^1 x\,dx", r"\frac{1}{2}") is Comparison.EQUAL
    assert compare_symbolically(r"\int_0^1 x\,dx", r"\frac{1}{3}") is Comparison.DIFFERENT


def test_what_takes_too_long_is_a_timeout_and_the_next_pair_is_answered() -> None:
    hard = r"\int_0^1 \frac{\sin(x^x)}{\ln(1 + x^{x^x})} \cos(\cos(x^x))\,dx"
    judgement = judge("1", hard)
    assert judgement.compared == "symbolic"
    assert judgement.status in (Status.TIMEOUT, Status.INCORRECT)
    assert compare_symbolically(r"\int_0^1 x\,dx", r"\frac{1}{2}") is Comparison.EQUAL


def test_a_helper_that_was_killed_is_started_again() -> None:
    assert compare_symbolically(r"\int_0^1 x\,dx", "1/2") is Comparison.EQUAL
    process = symbolic._helper.process  # pyright: ignore[reportPrivateUsage]
    assert process is not None
    process.kill()
    process.wait()
    assert compare_symbolically(r"\int_0^1 x\,dx", "1/2") is Comparison.EQUAL


def test_stopping_twice_is_no_error() -> None:
    symbolic.stop()
    symbolic.stop()


def test_the_library_is_not_loaded_into_the_process_that_asks() -> None:
    code = (
        "import sys; from reasonry.verifiers.math import judge; from reasonry.types import Status\n"
        r"assert judge(r'\int_0^1 x\,dx', '1/2').status is Status.CORRECT"
        "\n"
        "assert not {'sympy', 'math_verify'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_our_failure_is_never_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    symbolic.stop()
    monkeypatch.setattr(symbolic.sys, "executable", "/bin/false")
    judgement = judge("1/2", r"\int_0^1 x^3\,dx")
    assert judgement.status is Status.ERROR
    assert judgement.detail == Comparison.FAILED.value


def test_a_reference_that_is_too_large_is_our_error() -> None:
    assert judge("5^{5^{5^{5}}}", "3").status is Status.ERROR
    assert judge("3", "5^{5^{5^{5}}}").status is Status.TIMEOUT
