"""Calculus in LaTeX."""

from __future__ import annotations

from fractions import Fraction

from benchmarks.corpus.draw import Draw
from benchmarks.corpus.grammar.algebra import ask, linear, polynomial
from benchmarks.corpus.template import Made, show, template

__all__: list[str] = []


@template("maths_latex", 15)
def integral(draw: Draw) -> Made:
    n, p, v = draw.numbers, draw.phrasing, draw.words.pick("xt")
    low, width, coefficients = (
        n.between(-4, 4),
        n.between(1, 6),
        [n.between(1, 9), *(n.between(-12, 12) for _ in range(2))],
    )
    high = low + width

    def total(at: int) -> Fraction:
        return sum((Fraction(c * at ** (3 - i), 3 - i) for i, c in enumerate(coefficients)), Fraction(0))

    text = f"$\\int_{{{low}}}^{{{high}}} \\left({polynomial(coefficients, v)}\\right) \\, d{v}$"
    return Made(ask(p, text), show(total(high) - total(low), latex=True))


@template("maths_latex", 15)
def derivative(draw: Draw) -> Made:
    n, p, o, v = draw.numbers, draw.phrasing, draw.operator, draw.words.pick("xt")
    f = draw.words.pick("fgh")
    a, b, c, d, at = n.between(2, 9), n.between(-9, 9), n.between(1, 8), n.between(-9, 9), n.between(-5, 5)
    op, value = o.pick(
        (("", (2 * a * at) * (c * at + d) + c * (a * at * at + b)), (" + ", 2 * a * at + c), (" - ", 2 * a * at - c))
    )
    one, two = f"\\left({polynomial([a, 0, b], v)}\\right)", f"\\left({linear(c, d, v)}\\right)"
    return Made(
        p.pick(
            (
                f"Let ${f}({v}) = {one}{op}{two}$. Find ${f}'({at})$.",
                f"If ${f}({v}) = {one}{op}{two}$, what is ${f}'({at})$?",
                f"Compute the derivative of ${one}{op}{two}$ at ${v} = {at}$.",
            )
        ),
        str(value),
    )


@template("maths_latex", 12, "both")
def limit(draw: Draw) -> Made:
    n, p, v = draw.numbers, draw.phrasing, draw.words.pick("xnt")
    a, b, c, d, e = (
        n.between(2, 40),
        n.between(-30, 30) or 3,
        n.between(2, 40),
        n.between(-30, 30) or 5,
        n.between(1, 50),
    )
    to, value = draw.operator.pick((("\\infty", Fraction(a, c)), ("0", Fraction(e, d))))
    text = f"$\\lim_{{{v} \\to {to}}} \\frac{{{polynomial([a, b, e], v)}}}{{{polynomial([c, 0, d], v)}}}$"
    return Made(ask(p, text), show(value, latex=True))


@template("maths_latex", 12)
def extremum(draw: Draw) -> Made:
    n, p, o, v = draw.numbers, draw.phrasing, draw.operator, draw.words.pick("xt")
    h, k, a, reach = n.between(-9, 9), n.between(-40, 40), n.between(1, 7), n.between(1, 9)
    what, value = o.pick((("minimum", k), ("maximum", a * (reach + 1) ** 2 + k)))
    text = polynomial([a, -2 * a * h, a * h * h + k], v)
    low, high = h - reach, h + reach + 1
    return Made(
        p.pick(
            (
                f"What is the {what} value of ${text}$ for ${low} \\le {v} \\le {high}$?",
                f"Find the {what} of the function ${text}$ on the interval $[{low}, {high}]$.",
            )
        ),
        str(value),
    )


@template("maths_latex", 12, "benchmark")
def geometric_series(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    first, top, bottom, shift = n.between(1, 60), n.between(1, 12), n.between(13, 40), n.between(0, 4)
    op, ratio = draw.operator.pick((("", Fraction(top, bottom)), ("-", Fraction(-top, bottom))))
    value = first * ratio**shift / (1 - ratio)
    return Made(
        ask(p, f"$\\sum_{{n={shift}}}^{{\\infty}} {first} \\left({op}\\frac{{{top}}}{{{bottom}}}\\right)^n$"),
        show(value, latex=True),
    )


@template("maths_latex", 12, "benchmark")
def tangent_line(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    a, b, c, at = n.between(1, 9), n.between(-15, 15), n.between(-30, 30), n.between(-8, 8)
    curve, slope = polynomial([a, b, c]), 2 * a * at + b
    y = a * at * at + b * at + c
    asked, value = draw.asked.pick((("slope", slope), ("$y$-intercept", y - slope * at)))
    return Made(
        p.pick(
            (
                f"Find the {asked} of the tangent to the curve $y = {curve}$ at the point where $x = {at}$.",
                f"The curve $y = {curve}$ has a tangent at $x = {at}$. What is the {asked} of this tangent?",
            )
        ),
        str(value),
    )
