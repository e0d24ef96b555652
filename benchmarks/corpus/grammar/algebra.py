"""Algebra in LaTeX."""

from __future__ import annotations

from fractions import Fraction
from math import comb

from benchmarks.corpus.draw import Draw, Stream
from benchmarks.corpus.template import Made, show, template

__all__ = ["linear", "polynomial"]

_COMPUTE = (
    "Compute",
    "Evaluate",
    "Calculate",
    "Find the value of",
    "What is the value of",
    "Determine the exact value of",
)


def polynomial(coefficients: list[int], variable: str = "x") -> str:
    """LaTeX of a polynomial, highest power first."""
    parts: list[str] = []
    for i, c in enumerate(coefficients):
        power = len(coefficients) - 1 - i
        if c == 0:
            continue
        size = "" if abs(c) == 1 and power else str(abs(c))
        term = size + {0: "", 1: variable}.get(power, f"{variable}^{{{power}}}" if power > 9 else f"{variable}^{power}")
        parts.append((("-" if c < 0 else "") if not parts else (" - " if c < 0 else " + ")) + term)
    return "".join(parts) or "0"


def linear(a: int, b: int, variable: str = "x") -> str:
    return polynomial([a, b], variable)


def ask(p: Stream, what: str, forms: tuple[str, ...] = _COMPUTE) -> str:
    """ "Compute ..." in one of its forms."""
    form = p.pick(forms)
    return f"{form} {what}{'?' if form.startswith('What') else '.'}"


def _variable(draw: Draw) -> str:
    return draw.words.pick("xyztn")


@template("maths_latex", 20)
def fraction_sum(draw: Draw) -> Made:
    n = draw.numbers
    terms = [Fraction(n.between(1, 30), n.between(2, 40)) for _ in range(n.between(2, 4))]
    signs = [draw.operator.pick(("+", "-")) for _ in terms[1:]]
    total, text = terms[0], f"\\frac{{{terms[0].numerator}}}{{{terms[0].denominator}}}"
    for sign, term in zip(signs, terms[1:], strict=True):
        total += term if sign == "+" else -term
        text += f" {sign} \\frac{{{term.numerator}}}{{{term.denominator}}}"
    return Made(
        ask(draw.phrasing, f"${text}$")
        + draw.words.pick(("", " Express your answer as a common fraction in lowest terms.")),
        show(total, latex=True),
    )


@template("maths_latex", 20)
def quadratic(draw: Draw) -> Made:
    n, p, v = draw.numbers, draw.phrasing, _variable(draw)
    r, s, a = n.between(-20, 20), n.between(-20, 20), n.between(1, 6)
    equation = f"${polynomial([a, -a * (r + s), a * r * s], v)} = 0$"
    what, value = draw.operator.pick((("sum", r + s), ("product", r * s)))
    asked, value = draw.asked.pick((
        (ask(p, f"the {what} of the roots of the equation {equation}", ("Find", "Determine", "What is", "Compute")), str(value)),
        (p.pick((f"Solve the equation {equation} and give its larger root.", f"What is the larger root of the equation {equation}?", f"Let ${v}$ satisfy {equation}. What is the largest possible value of ${v}$?")), str(max(r, s))),
        (ask(p, f"the discriminant of {equation}", ("Find", "Determine", "What is", "Compute")), str(a * a * (r - s) ** 2)),
        (ask(p, f"the sum of the squares of the roots of {equation}", ("Find", "Determine", "What is", "Compute")), str(r * r + s * s)),
    ))  # fmt: skip
    return Made(asked, value)


@template("maths_latex", 20)
def linear_system(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    x, y, (a, b, c, d) = n.between(-12, 12), n.between(-12, 12), [n.between(1, 11) for _ in range(4)]
    if a * d + b * c == 0:
        d += 1
    one, two = draw.words.sample("xyuvpqst", 2)
    first, second = f"{linear2(a, b, one, two)} = {a * x + b * y}", f"{linear2(c, -d, one, two)} = {c * x - d * y}"
    system = p.pick(
        (
            f"$${first}, \\qquad {second}$$",
            f"\\begin{{align*}} {first} \\\\ {second} \\end{{align*}}",
            f"${first}$ and ${second}$",
        )
    )
    asked, value = draw.asked.pick(
        (
            (f"${one}$", x),
            (f"${two}$", y),
            (f"${one} + {two}$", x + y),
            (f"${one} \\cdot {two}$", x * y),
            (f"${one} - {two}$", x - y),
        )
    )
    return Made(
        p.pick(
            (
                f"Solve the system of equations {system} What is {asked}?",
                f"If {system} then what is the value of {asked}?",
                f"Real numbers ${one}$ and ${two}$ satisfy {system} Find {asked}.",
            )
        ),
        str(value),
    )


def linear2(a: int, b: int, one: str, two: str) -> str:
    """LaTeX of a linear form in two variables."""
    left = ("" if a == 1 else "-" if a == -1 else str(a)) + one
    return left + (" + " if b > 0 else " - ") + ("" if abs(b) == 1 else str(abs(b))) + two


@template("maths_latex", 15)
def absolute_value(draw: Draw) -> Made:
    n, p, v = draw.numbers, draw.phrasing, _variable(draw)
    a, b, c = n.between(1, 9), n.between(-40, 40), n.between(3, 90)
    op, many = draw.operator.pick((("<", True), ("\\le", True)))
    low, high = Fraction(-c - b, a), Fraction(c - b, a)
    count = (
        sum(1 for k in range(-200, 201) if (abs(a * k + b) < c if op == "<" else abs(a * k + b) <= c)) if many else 0
    )
    asked, value = draw.asked.pick((
        (p.pick((f"For how many integers ${v}$ is $\\left|{linear(a, b, v)}\\right| {op} {c}$?", f"How many integers ${v}$ satisfy the inequality $\\left|{linear(a, b, v)}\\right| {op} {c}$?")), str(count)),
        (p.pick((f"Find the larger solution of $\\left|{linear(a, b, v)}\\right| = {c}$.", f"What is the larger of the two solutions of the equation $\\left|{linear(a, b, v)}\\right| = {c}$?")), show(high, latex=True)),
        (p.pick((f"Find the sum of all solutions of $\\left|{linear(a, b, v)}\\right| = {c}$.", f"What do the solutions of $\\left|{linear(a, b, v)}\\right| = {c}$ add up to?")), show(low + high, latex=True)),
    ))  # fmt: skip
    return Made(asked, value)


@template("maths_latex", 15)
def logarithm(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    base, k, m, c = n.between(2, 9), n.between(2, 6), n.between(2, 7), n.between(2, 30)
    op, sign = draw.operator.pick((("+", 1), ("-", -1)))
    value = c * k + sign * Fraction(m, 2)
    text = f"{c} \\log_{{{base}}} {base**k} {op} \\log_{{{base**2}}} {base**m}"
    return Made(ask(p, f"${text}$"), show(value, latex=True))


@template("maths_latex", 15, "benchmark")
def exponent_equation(draw: Draw) -> Made:
    n, p, v = draw.numbers, draw.phrasing, _variable(draw)
    base, a, b, c, d = n.between(2, 13), n.between(2, 9), n.between(-20, 20), n.between(1, 4), n.between(1, 30)
    value = Fraction(c * d - b, a)
    equation = f"${base}^{{{linear(a, b, v)}}} = {base**c}^{{{d}}}$"
    return Made(
        p.pick(
            (
                f"Solve for ${v}$: {equation}",
                f"Find the real number ${v}$ for which {equation}.",
                f"What value of ${v}$ satisfies {equation}?",
            )
        ),
        show(value, latex=True),
    )


@template("maths_latex", 15)
def remainder_theorem(draw: Draw) -> Made:
    n, p, v = draw.numbers, draw.phrasing, _variable(draw)
    coefficients, at = [n.between(1, 9), *(n.between(-15, 15) for _ in range(n.between(2, 4)))], n.between(-6, 6)
    name = draw.words.pick(("p", "f", "g", "q", "P"))
    value = 0
    for c in coefficients:
        value = value * at + c
    text = polynomial(coefficients, v)
    asked, value = draw.asked.pick((
        (p.pick((f"Find the remainder when ${text}$ is divided by ${linear(1, -at, v)}$.", f"When ${text}$ is divided by ${linear(1, -at, v)}$, what is the remainder?")), value),
        (p.pick((f"What is the sum of the coefficients of ${text}$?", f"Find the sum of the coefficients of the polynomial ${text}$.")), sum(coefficients)),
        (p.pick((f"Let ${name}({v}) = {text}$. What is ${name}'(1)$?", f"If ${name}({v}) = {text}$, compute ${name}'(1)$.")), sum(c * (len(coefficients) - 1 - i) for i, c in enumerate(coefficients))),
    ))  # fmt: skip
    return Made(asked, str(value))


@template("maths_latex", 15)
def composition(draw: Draw) -> Made:
    n, p, v = draw.numbers, draw.phrasing, draw.words.pick("xt")
    f, g = draw.words.sample(("f", "g", "h", "k"), 2)
    a, b, c, d, at = n.between(2, 9), n.between(-12, 12), n.between(1, 6), n.between(-9, 9), n.between(-7, 7)
    inner = c * at * at + d
    said = p.pick(
        (
            f"Let ${f}({v}) = {linear(a, b, v)}$ and ${g}({v}) = {polynomial([c, 0, d], v)}$.",
            f"The functions ${f}$ and ${g}$ are given by ${f}({v}) = {linear(a, b, v)}$ and ${g}({v}) = {polynomial([c, 0, d], v)}$.",
        )
    )
    asked, value = draw.asked.pick(
        (
            (f"${f}({g}({at}))$", a * inner + b),
            (f"${g}({f}({at}))$", c * (a * at + b) ** 2 + d),
            (f"${f}({at}) + {g}({at})$", a * at + b + inner),
            (f"${f}({at}) \\cdot {g}({at})$", (a * at + b) * inner),
        )
    )
    return Made(
        f"{said} {p.pick(('What is', 'Find the value of'))} {asked}{'?' if False else '.'}".replace(
            "What is " + asked + ".", "What is " + asked + "?"
        ),
        str(value),
    )


@template("maths_latex", 12)
def binomial_coefficient(draw: Draw) -> Made:
    n, p, v = draw.numbers, draw.phrasing, draw.words.pick("xyab")
    a, b, power = n.between(1, 6), n.between(1, 9), n.between(3, 11)
    sign = draw.operator.pick((1, -1))
    k = n.between(1, power - 1)
    value = comb(power, k) * a**k * (sign * b) ** (power - k)
    inner = f"\\left({linear(a, sign * b, v)}\\right)^{{{power}}}"
    return Made(
        p.pick(
            (
                f"What is the coefficient of ${v}^{{{k}}}$ in the expansion of ${inner}$?",
                f"Find the coefficient of ${v}^{{{k}}}$ when ${inner}$ is expanded.",
                f"Expand ${inner}$. Which number multiplies ${v}^{{{k}}}$?",
            )
        ),
        str(value),
    )


@template("maths_latex", 15, "both")
def sequence_sum(draw: Draw) -> Made:
    n, p, o = draw.numbers, draw.phrasing, draw.operator
    first, step, terms = n.between(-30, 60), n.between(2, 19), n.between(8, 120)
    kind = o.pick(("arithmetic", "geometric"))
    if kind == "geometric":
        step, terms = step % 5 + 2, terms % 9 + 3
        total, last = first * (step**terms - 1) // (step - 1), first * step ** (terms - 1)
    else:
        total, last = terms * (2 * first + (terms - 1) * step) // 2, first + (terms - 1) * step
    word = "ratio" if kind == "geometric" else "difference"
    said = p.pick(
        (
            f"An {kind} sequence has first term ${first}$ and common {word} ${step}$.".replace("An g", "A g"),
            f"The first term of an {kind} sequence is ${first}$ and its common {word} is ${step}$.".replace(
                "an g", "a g"
            ),
        )
    )
    asked, value = draw.asked.pick(
        (
            (
                p.pick(
                    (f"What is the sum of its first ${terms}$ terms?", f"Find the sum of the first ${terms}$ terms.")
                ),
                total,
            ),
            (p.pick((f"What is its ${terms}$th term?", f"Find the term number ${terms}$.")), last),
        )
    )
    return Made(f"{said} {asked}", str(value))


@template("maths_latex", 12)
def determinant(draw: Draw) -> Made:
    n, p, size = draw.numbers, draw.phrasing, draw.words.pick((2, 3))
    rows = [[n.between(-9, 9) for _ in range(size)] for _ in range(size)]
    if size == 2:
        value = rows[0][0] * rows[1][1] - rows[0][1] * rows[1][0]
    else:
        (a, b, c), (d, e, f), (g, h, i) = rows
        value = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    body = " \\\\ ".join(" & ".join(map(str, row)) for row in rows)
    matrix = f"\\begin{{pmatrix}} {body} \\end{{pmatrix}}"
    asked, value = draw.asked.pick((
        (ask(p, f"the determinant of the matrix ${matrix}$", ("Compute", "Find", "What is", "Calculate")), value),
        (ask(p, f"the trace of the matrix ${matrix}$", ("Compute", "Find", "What is", "Calculate")), sum(rows[k][k] for k in range(size))),
    ))  # fmt: skip
    return Made(asked, str(value))


@template("maths_latex", 12, "benchmark")
def complex_numbers(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    a, b, c, d = (n.between(-15, 15) or 1 for _ in range(4))
    op, real, imaginary = draw.operator.pick(
        (("", a * c - b * d, a * d + b * c), (" + ", a + c, b + d), (" - ", a - c, b - d))
    )
    text = f"$({linear(b, a, 'i')}){op}({linear(d, c, 'i')})$"
    asked, value = draw.asked.pick(
        (
            ("the real part of", real),
            ("the imaginary part of", imaginary),
            ("the square of the modulus of", real * real + imaginary * imaginary),
        )
    )
    return Made(ask(p, f"{asked} {text}, where $i^2 = -1$", ("Find", "Compute", "Determine", "Calculate")), str(value))
