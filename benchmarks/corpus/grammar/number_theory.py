"""Number theory, counting and probability in LaTeX."""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial, gcd, isqrt, lcm

from benchmarks.corpus.draw import Draw
from benchmarks.corpus.grammar.algebra import ask
from benchmarks.corpus.grammar.vocabulary import COLOURS, CONTAINERS, GROUPS, NAMES, THINGS, article, list_of
from benchmarks.corpus.template import Made, show, template

__all__: list[str] = []


@template("maths_latex", 15)
def common_divisor(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    factor, (a, b) = n.between(2, 60), (n.between(2, 90), n.between(2, 90))
    a, b = a * factor, b * factor
    what, value = draw.operator.pick((("greatest common divisor", gcd(a, b)), ("least common multiple", lcm(a, b))))
    return Made(ask(p, f"the {what} of ${a}$ and ${b}$", ("Find", "Compute", "What is", "Determine")), str(value))


@template("maths_latex", 20, "both")
def power_residue(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    base, exponent, modulus, shift = n.between(2, 99), n.between(10, 2999), n.between(5, 120), n.between(1, 80)
    op, sign = draw.operator.pick((("+", 1), ("-", -1)))
    text = f"{base}^{{{exponent}}} {op} {shift}"
    return Made(
        p.pick(
            (
                f"What is the remainder when ${text}$ is divided by ${modulus}$?",
                f"Find the remainder of ${text}$ upon division by ${modulus}$.",
                f"Let $r$ with $0 \\le r < {modulus}$ satisfy ${text} \\equiv r \\pmod{{{modulus}}}$. Find $r$.",
            )
        ),
        str((pow(base, exponent, modulus) + sign * shift) % modulus),
    )


@template("maths_latex", 15)
def congruence_count(draw: Draw) -> Made:
    n, p, o = draw.numbers, draw.phrasing, draw.operator
    low, width, a, b = n.between(1, 900), n.between(40, 3000), n.between(2, 25), n.between(26, 60)
    high = low + width
    how, test = o.pick(
        (
            ("and", lambda k: k % a == 0 and k % b == 0),
            ("or", lambda k: k % a == 0 or k % b == 0),
            ("but not", lambda k: k % a == 0 and k % b != 0),
        )
    )
    value = sum(1 for k in range(low, high + 1) if test(k))
    return Made(
        p.pick(
            (
                f"How many integers $n$ with ${low} \\le n \\le {high}$ are divisible by ${a}$ {how} by ${b}$?",
                f"Find the number of integers from ${low}$ to ${high}$, inclusive, that are divisible by ${a}$ {how} by ${b}$.",
            )
        ),
        str(value),
    )


@template("maths_latex", 15)
def digit_base(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    value, base = n.between(60, 9000), n.between(2, 9)
    digits, rest = "", value
    while rest:
        rest, digit = divmod(rest, base)
        digits = str(digit) + digits
    asked, answer = draw.asked.pick((
        (p.pick((f"Write ${digits}_{{{base}}}$ in base $10$.", f"What is the base-ten value of ${digits}_{{{base}}}$?")), value),
        (p.pick((f"What is the sum of the digits of ${value}$ when it is written in base ${base}$?", f"The number ${value}$ is written in base ${base}$. Find the sum of its digits there.")), sum(map(int, digits))),
        (p.pick((f"How many digits does ${value}$ have in base ${base}$?", f"Find the number of digits of the base-${base}$ form of ${value}$.")), len(digits)),
    ))  # fmt: skip
    return Made(asked, str(answer))


@template("maths_latex", 15)
def divisor_function(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    number = n.between(12, 4000) * n.between(1, 30)
    divisors = [k for k in range(1, isqrt(number) + 1) if number % k == 0]
    divisors += [number // k for k in divisors if k * k != number]
    asked, value = draw.asked.pick((
        (p.pick((f"How many positive divisors does ${number}$ have?", f"Find the number of positive divisors of ${number}$.")), len(divisors)),
        (p.pick((f"What is the sum of the positive divisors of ${number}$?", f"Find $\\sigma({number})$, the sum of all positive divisors of ${number}$.")), sum(divisors)),
        (p.pick((f"How many odd positive divisors does ${number}$ have?", f"Find the number of odd positive divisors of ${number}$.")), sum(k % 2 for k in divisors)),
        (p.pick((f"How many even positive divisors does ${number}$ have?", f"Find the number of even positive divisors of ${number}$.")), sum(1 - k % 2 for k in divisors)),
    ))  # fmt: skip
    return Made(asked, str(value))


@template("maths_latex", 20)
def drawing_marbles(draw: Draw) -> Made:
    w, n, p, o = draw.words, draw.numbers, draw.phrasing, draw.operator
    (one, two, three), (thing, things), (box, _), who = (
        w.sample(COLOURS, 3),
        w.pick(THINGS),
        w.pick(CONTAINERS),
        w.pick(NAMES),
    )
    a, b, c = n.between(2, 30), n.between(2, 30), n.between(2, 30)
    total = a + b + c
    said = p.pick(
        (
            f"A {box} holds ${a}$ {one}, ${b}$ {two} and ${c}$ {three} {things}. {who} takes out two of them at random",
            f"There are ${a}$ {one}, ${b}$ {two} and ${c}$ {three} {things} in a {box}, from which {who} draws two at random",
        )
    )
    how, back = o.pick((("without replacement", 0), ("with replacement", 1)))
    pairs = Fraction(total * (total - 1 + back))
    asked, value = draw.asked.pick((
        (f"What is the probability that both are {one}?", a * (a - 1 + back) / pairs),
        (f"What is the probability that neither {thing} is {two}?", (a + c) * (a + c - 1 + back) / pairs),
        ("What is the probability that the two have the same colour?", sum(k * (k - 1 + back) for k in (a, b, c)) / pairs),
    ))  # fmt: skip
    return Made(
        f"{said}, {how}. {asked}"
        + w.pick(
            (
                "",
                " Express your answer as a common fraction in lowest terms.",
                " Express your answer as a common fraction.",
            )
        ),
        show(value, latex=True),
    )


@template("maths_latex", 15, "benchmark")
def committee(draw: Draw) -> Made:
    w, n, p, o = draw.words, draw.numbers, draw.phrasing, draw.operator
    group, a, b, k = w.pick(GROUPS), n.between(4, 22), n.between(4, 22), n.between(3, 7)
    said = p.pick(
        (
            f"{article(group).capitalize()} has ${a}$ adults and ${b}$ teenagers. A committee of ${k}$ members is to be chosen",
            f"From the ${a}$ adults and ${b}$ teenagers of {article(group)}, a committee of ${k}$ is to be formed",
        )
    )
    m = min(2, k - 1)
    least = sum(comb(a, i) * comb(b, k - i) for i in range(m, k + 1))
    most = sum(comb(a, i) * comb(b, k - i) for i in range(m + 1))
    how, value = o.pick(
        (
            (f"at least ${m}$ adults", least),
            (f"at most ${m}$ adults", most),
            (f"exactly ${m}$ adults", comb(a, m) * comb(b, k - m)),
        )
    )
    return Made(
        f"{said} with {how}. {p.pick(('In how many ways can this be done?', 'How many different committees are possible?'))}",
        str(value),
    )


@template("maths_latex", 12)
def dice(draw: Draw) -> Made:
    w, n, p, o = draw.words, draw.numbers, draw.phrasing, draw.operator
    one, two, target, who = n.between(4, 30), n.between(4, 30), n.between(3, 40), w.pick(NAMES)
    how, test = o.pick(
        (
            ("greater than", lambda s: s > target),
            ("less than", lambda s: s < target),
            ("equal to", lambda s: s == target),
        )
    )
    what, size = draw.asked.pick(
        (
            ("sum", lambda i, j: i + j),
            ("product", lambda i, j: i * j),
            ("difference (larger minus smaller)", lambda i, j: abs(i - j)),
        )
    )
    hits = sum(1 for i in range(1, one + 1) for j in range(1, two + 1) if test(size(i, j)))
    return Made(
        p.pick(
            (
                f"{who} rolls a fair ${one}$-sided die and a fair ${two}$-sided die. What is the probability that the {what} of the two numbers is {how} ${target}$?",
                f"A fair die with ${one}$ sides and a fair die with ${two}$ sides are rolled by {who}. Find the probability that the {what} of the numbers shown is {how} ${target}$.",
            )
        ),
        show(Fraction(hits, one * two), latex=True),
    )


@template("maths_latex", 12, "benchmark")
def arrangements(draw: Draw) -> Made:
    w, n, p, o = draw.words, draw.numbers, draw.phrasing, draw.operator
    k = w.between(5, 9)
    people, lower = w.sample(NAMES, k), n.between(2, 40)
    one, two = people[0], people[1]
    together = 2 * factorial(k - 1)
    how, value = o.pick((("next to each other", together), ("not next to each other", factorial(k) - together)))
    said = p.pick(
        (
            f"{list_of(people)} line up for one of ${lower}$ photographs",
            f"For one of ${lower}$ photographs, {list_of(people)} stand in a row",
        )
    )
    tail, value = draw.asked.pick(
        (
            ("In how many orders can they stand for this one?", value),
            (
                f"In how many ways can the whole set of ${lower}$ photographs be taken, if each must meet this condition and they may repeat? Give the answer modulo $1009$.",
                pow(value, lower, 1009),
            ),
        )
    )
    return Made(f"{said}. {one} and {two} must be {how}. {tail}", str(value))


@template("maths_latex", 12, "benchmark")
def floor_sum(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    a, b, c, m = n.between(1, 40), n.between(2, 40), n.between(1, 50), n.between(5, 60)
    kind, value = draw.operator.pick(
        (
            ("floor", sum((a * k + c) // b for k in range(1, m + 1))),
            ("ceil", sum(-((-a * k - c) // b) for k in range(1, m + 1))),
        )
    )
    return Made(
        ask(p, f"$\\sum_{{k=1}}^{{{m}}} \\left\\l{kind} \\frac{{{a}k + {c}}}{{{b}}} \\right\\r{kind}$"), str(value)
    )


@template("maths_latex", 12, "benchmark")
def factorial_zeros(draw: Draw) -> Made:
    n, p = draw.numbers, draw.phrasing
    number, prime = n.between(20, 6000), n.pick((2, 3, 5, 7, 11, 13))
    power, rest = 0, number
    while rest:
        rest //= prime
        power += rest
    return Made(
        p.pick(
            (
                f"What is the largest integer $k$ for which ${prime}^k$ divides ${number}!$?",
                f"Find the exponent of ${prime}$ in the prime factorisation of ${number}!$.",
                f"Determine the greatest $k$ such that ${number}!$ is a multiple of ${prime}^k$.",
            )
        ),
        str(power),
    )
