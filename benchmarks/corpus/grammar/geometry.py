"""Geometry in LaTeX, with degree signs, roots and points."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, isqrt

from benchmarks.corpus.draw import Draw
from benchmarks.corpus.grammar.algebra import ask
from benchmarks.corpus.grammar.vocabulary import NAMES, PLACES
from benchmarks.corpus.template import Made, show, template

__all__ = ["root"]

_TRIANGLES = ("ABC", "PQR", "DEF", "XYZ", "KLM", "UVW", "RST", "JKL")


def root(square: int) -> str:
    """LaTeX of a square root, simplified."""
    outside = max((k for k in range(1, isqrt(square) + 1) if square % (k * k) == 0), default=1)
    inside = square // (outside * outside)
    if inside == 1:
        return str(outside)
    return f"{'' if outside == 1 else outside}\\sqrt{{{inside}}}"


@template("maths_latex", 15)
def triangle_angle(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    a, b, c = draw.words.pick(_TRIANGLES)
    one, two = n.between(10, 99), n.between(10, 75)
    small = Fraction(n.between(1, 9), 10)
    first = f"{one + float(small):.1f}"
    third = 180 - one - small - two
    said = p.pick(
        (
            f"In triangle ${a}{b}{c}$, $\\angle {a} = {first}^\\circ$ and $\\angle {b} = {two}^\\circ$.",
            f"Triangle ${a}{b}{c}$ has $\\angle {a} = {first}^\\circ$ and $\\angle {b} = {two}^\\circ$.",
        )
    )
    asked, value = draw.asked.pick((
        (p.pick((f"What is the measure of $\\angle {c}$ in degrees?", f"Find $\\angle {c}$, in degrees.")), third),
        (p.pick((f"What is the measure, in degrees, of the exterior angle at ${c}$?", f"Find the exterior angle at ${c}$ in degrees.")), 180 - third),
        (p.pick((f"What is the angle, in degrees, between the bisectors of $\\angle {a}$ and $\\angle {b}$ at their intersection, measured inside triangle ${a}{b}I$?", f"The bisectors of $\\angle {a}$ and $\\angle {b}$ meet at $I$. Find $\\angle {a}I{b}$ in degrees.")), 90 + third / 2),
    ))  # fmt: skip
    return Made(f"{said} {asked}", show(value))


@template("maths_latex", 20)
def right_triangle(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    a, b, c = draw.words.pick(_TRIANGLES)
    x, y = n.between(3, 60), n.between(3, 60)
    said = p.pick(
        (
            f"Right triangle ${a}{b}{c}$ has its right angle at ${c}$, with ${a}{c} = {x}$ and ${b}{c} = {y}$.",
            f"In triangle ${a}{b}{c}$ with $\\angle {c} = 90^\\circ$, the legs are ${a}{c} = {x}$ and ${b}{c} = {y}$.",
        )
    )
    area = Fraction(x * y, 2)
    asked, value = draw.asked.pick((
        (f"What is the length of the hypotenuse ${a}{b}$?", root(x * x + y * y)),
        (p.pick(("What is the area of the triangle?", "Find its area.")), show(area)),
        (p.pick((f"What is $\\tan {a}$?", f"Find $\\tan {a}$ as a common fraction.")), show(Fraction(y, x), latex=True)),
        (f"What is the length of the median from ${a}$, squared?", show(Fraction(4 * x * x + y * y, 4))),
        ("What is the radius of the circumscribed circle, squared?", show(Fraction(x * x + y * y, 4))),
    ))  # fmt: skip
    return Made(f"{said} {asked}", value)


@template("maths_latex", 15, "benchmark")
def circle_equation(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    h, k, r = n.between(-15, 15) or 4, n.between(-15, 15) or 7, n.between(2, 30)
    x = f"x^2 {'-' if h > 0 else '+'} {abs(2 * h)}x"
    y = f"y^2 {'-' if k > 0 else '+'} {abs(2 * k)}y"
    equation = f"${x} + {y} = {r * r - h * h - k * k}$"
    asked, value = draw.asked.pick(
        (
            ("the area of the circle", f"{r * r}\\pi"),
            ("the center of the circle", f"({h}, {k})"),
            ("the radius of the circle", str(r)),
            ("the circumference of the circle", f"{2 * r}\\pi"),
        )
    )
    return Made(
        p.pick(
            (
                f"A circle has the equation {equation}. What is {asked}?",
                f"Find {asked} with equation {equation}.",
                f"The equation {equation} describes a circle. Find {asked}.",
            )
        ),
        value,
    )


@template("maths_latex", 15)
def distance_points(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    a, b, c, d = (n.between(-30, 30) for _ in range(4))
    if (a, b) == (c, d):
        c += 5
    points = f"$({a}, {b})$ and $({c}, {d})$"
    asked, value = draw.asked.pick(
        (
            ("the distance between the points", root((a - c) ** 2 + (b - d) ** 2)),
            (
                "the sum of the coordinates of the midpoint of the segment between the points",
                show(Fraction(a + b + c + d, 2), latex=True),
            ),
            ("the square of the distance between the points", str((a - c) ** 2 + (b - d) ** 2)),
        )
    )
    return Made(ask(p, f"{asked} {points}", ("Find", "What is", "Compute", "Determine")), value)


@template("maths_latex", 15)
def polygon(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    sides, length = n.between(5, 90), n.between(2, 60)
    said = p.pick(
        (
            f"A regular polygon has ${sides}$ sides of length ${length}$ each.",
            f"Each of the ${sides}$ sides of a regular polygon has length ${length}$.",
        )
    )
    asked, value = draw.asked.pick((
        (p.pick(("How many degrees are in each of its interior angles? Its perimeter is not needed.", "Without regard to its perimeter, find each interior angle in degrees.")), show(Fraction((sides - 2) * 180, sides), latex=True)),
        ("What is the product of its perimeter and its number of diagonals?", str(sides * length * (sides * (sides - 3) // 2))),
        ("What is its perimeter?", str(sides * length)),
    ))  # fmt: skip
    return Made(f"{said} {asked}", value)


@template("maths_latex", 20)
def solid(draw: Draw) -> Made:
    w, n, p, o = draw.words, draw.numbers, draw.phrasing, draw.operator
    who, place = w.pick(NAMES), w.pick(PLACES)
    r, h = n.between(2, 40), n.between(2, 60)
    body, volume = o.pick((("cylinder", Fraction(r * r * h)), ("cone", Fraction(r * r * h, 3))))
    said = p.pick(
        (
            f"{who} models a water tank at {place} as a {body} with radius ${r}\\text{{ m}}$ and height ${h}\\text{{ m}}$.",
            f"A water tank at {place} is modelled by {who} as a {body} of height ${h}\\text{{ m}}$ and radius ${r}\\text{{ m}}$.",
        )
    )
    asked, value = draw.asked.pick(
        (
            ("What is its volume in cubic metres, in terms of $\\pi$?", volume),
            ("What is the area of its base in square metres, in terms of $\\pi$?", Fraction(r * r)),
        )
    )
    text = show(value, latex=True)
    return Made(f"{said} {asked}", f"{text}\\pi" if value.denominator == 1 else text.replace("}{", "\\pi}{"))


@template("maths_latex", 15, "benchmark")
def line_slope(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    a, b, c, x = n.between(2, 30), n.between(2, 30), n.between(-90, 90), n.between(-20, 20)
    op, sign = draw.operator.pick((("+", 1), ("-", -1)))
    line = f"${a}x {op} {b}y = {c}$"
    slope = Fraction(-a * sign, b)
    asked, value = draw.asked.pick((
        ("What is the slope of this line?", slope), ("What is the slope of a line perpendicular to this one?", -1 / slope),
        (f"What is $y$ on this line when $x = {x}$?", Fraction((c - a * x) * sign, b)), ("At which value of $x$ does the line meet the $x$-axis?", Fraction(c, a)),
    ))  # fmt: skip
    return Made(
        f"{p.pick(('A line in the plane has the equation', 'Consider the line given by'))} {line}. {asked}",
        show(value, latex=True),
    )


@template("maths_latex", 12, "benchmark")
def vectors(draw: Draw) -> Made:
    w, n, p, o = draw.words, draw.numbers, draw.phrasing, draw.operator
    size = w.pick((2, 3, 3))
    one, two, k = [n.between(-12, 12) for _ in range(size)], [n.between(-12, 12) for _ in range(size)], n.between(2, 9)
    u, v = w.pick((("u", "v"), ("a", "b"), ("p", "q")))
    said = f"$\\mathbf{{{u}}} = \\langle {', '.join(map(str, one))} \\rangle$ and $\\mathbf{{{v}}} = \\langle {', '.join(map(str, two))} \\rangle$"
    dot = sum(i * j for i, j in zip(one, two, strict=True))
    op, sign = o.pick((("+", 1), ("-", -1)))
    asked, value = draw.asked.pick(
        (
            (f"$\\mathbf{{{u}}} \\cdot \\mathbf{{{v}}}$", dot),
            (f"the sum of the components of ${k}\\mathbf{{{u}}} {op} \\mathbf{{{v}}}$", k * sum(one) + sign * sum(two)),
            (f"$\\|\\mathbf{{{u}}}\\|^2$", sum(i * i for i in one)),
        )
    )
    return Made(p.pick((f"Let {said}. Find {asked}.", f"Given the vectors {said}, compute {asked}.")), str(value))


@template("maths_latex", 12, "benchmark")
def lattice(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    a, b, c, d = n.between(-40, 40), n.between(-40, 40), n.between(-40, 40), n.between(-40, 40)
    points = f"$({a}, {b})$ to $({c}, {d})$"
    steps = gcd(a - c, b - d)
    return Made(
        p.pick(
            (
                f"How many points with integer coordinates lie on the segment from {points}, endpoints included?",
                f"Count the lattice points on the segment from {points}, including both endpoints.",
            )
        ),
        str(steps + 1),
    )
