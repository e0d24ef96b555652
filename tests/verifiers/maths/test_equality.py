"""Pairs that are equal, pairs that are not, and the comparison that decides."""

from __future__ import annotations

import pytest

from reasonry.types import Status
from reasonry.verifiers.math import judge

EQUAL = [
    ("(-\\infty, 3)", "x < 3", "sets"),
    (r"\{x \mid x \neq 2\}", r"(-\infty, 2) \cup (2, \infty)", "sets"),
    (r"[1, 2] \cup [2, 3]", "[1, 3]", "sets"),
    ("x < 1", "-x > -1", "sets"),
    (r"1 \le |z| \le 2", r"[-2, -1] \cup [1, 2]", "sets"),
    (r"\{1 \pm \sqrt{5}, -2\}", r"\{-2, 1 - \sqrt{5}, 1 + \sqrt{5}\}", "structure"),
    ("p = 5, q = 2; p = 7, q = 2", "(5, 2), (7, 2)", "structure"),
    ("x = 1, y = 2", "y = 2, x = 1", "structure"),
    (
        r"\begin{pmatrix} 6 & 8 \end{pmatrix}",
        r"\begin{pmatrix} 1 & 2 \end{pmatrix} + \begin{pmatrix} 5 & 6 \end{pmatrix}",
        "",
    ),
    ("[1, 2; 3, 4]", r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}", "exact"),
    ("[[1, 2], [3, 4]]", r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}", "exact"),
    ("3x - y = 0", "y = 3x", "structure"),
    (r"\frac{1}{\sqrt{2}}", r"\frac{\sqrt{2}}{2}", "algebra"),
    (r"\sqrt{12}", r"2\sqrt{3}", "algebra"),
    ("2^{n+1}", r"2 \cdot 2^n", "algebra"),
    ("(-2)^{n-1}", r"\frac{(-2)^n}{-2}", ""),
    (r"\sin 2x", r"2 \sin x \cos x", "numeric"),
    (r"\sqrt{3 - 2\sqrt{2}}", r"\sqrt{2} - 1", "numeric"),
    ("n!", r"n \cdot (n-1)!", "numeric"),
    (r"\cos 60^\circ", "1/2", "numeric"),
    (r"2\ln x", r"\ln x^2", "numeric"),
    ("e^{i\\pi}", "-1", "numeric"),
    (r"\sum_{k=1}^{n} a_k b_k", r"\sum_{k=1}^{n} b_k a_k", "algebra"),
    (r"\sum_{k=1}^{10} k", "55", "symbolic"),
    (r"0.\overline{3}", "1/3", ""),
    ("11_2", "11_{two}", ""),
    ("12^{10}", r"2^{20} \cdot 3^{10}", ""),
    ("90 km/h", "25 m/s", ""),
    ("1 1/2", r"1\frac{1}{2}", ""),
    ("5 million", "5000000", ""),
    ("1和3", "1, 3", "exact"),
    ("根号3", r"\sqrt{3}", ""),
]


@pytest.mark.parametrize(("reference", "answer", "rung"), EQUAL)
def test_equal_answers_are_correct(reference: str, answer: str, rung: str) -> None:
    judgement = judge(reference, answer)
    assert judgement.status is Status.CORRECT
    assert not rung or judgement.compared == rung


DIFFERENT = [
    ("(0, 9)", "[0, 9)"),
    ("(1, 2)", r"\{1, 2\}"),
    ("x > 3", "y > 3"),
    ("f(4) > f(1)", "f(3) > f(1)"),
    ("x = 5", "y = 5"),
    ("2x + z = 1", "1"),
    ("7 = 11a + c", "11a + c"),
    ("0", "x - 3z = 0"),
    ("C", "A"),
    ("C", "c"),
    ("A", "A, B"),
    ("A", "A) or B)"),
    ("2", "two linked loops"),
    ("11/2", "1 1/2"),
    (r"\sqrt{x^2}", "x"),
    (r"\sqrt{2} + 10^{-100}", r"\sqrt{2}"),
    ("90 km/h", "25 km/h"),
    ("5 m", "5 m^2"),
    ("11:00", "18:00"),
    (r"\frac{\pi}{6}", r"60^\circ"),
    ("No", "No answer provided."),
    ("Yes", "No, it is not."),
    ("0.25", "0.24"),
    ("1362037.8333333333", "1362037.8333336333"),
    ("4", "4 or 5"),
    ("5", r"\frac{5}{0}"),
    (r"\sum_{k=1}^{10} k", "56"),
]


@pytest.mark.parametrize(("reference", "answer"), DIFFERENT)
def test_different_answers_are_incorrect(reference: str, answer: str) -> None:
    assert judge(reference, answer).status is Status.INCORRECT
