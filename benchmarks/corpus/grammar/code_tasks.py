"""Programming tasks on standard input, each with a program that solves it and tests made by that program."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.corpus.draw import Draw
from benchmarks.corpus.grammar.scenes import scene
from benchmarks.corpus.grammar.vocabulary import ANIMALS, NAMES, PLACES, THINGS, TOWNS
from benchmarks.corpus.template import Made, template

__all__: list[str] = []

_Solve = Callable[[list[int]], int]


def _task(draw: Draw, said: str, asked: str, program: str, rows: list[list[int]], solve: _Solve) -> Made:
    p = draw.phrasing
    form = p.pick(
        (
            "The first line holds $n$, the second holds $n$ integers.",
            "Input: a line with $n$, then a line with $n$ integers separated by spaces.",
            "You are given $n$ on the first line and $n$ integers on the second.",
        )
    )
    most = draw.words.pick(("1000", "10^5", "2 \\cdot 10^5", "5000"))
    limits = f"$1 \\le n \\le {most}$; all integers are at most ${draw.words.pick(('10^6', '10^9', '1000'))}$ in absolute value."
    tests = [{"input": f"{len(row)}\n{' '.join(map(str, row))}\n", "output": f"{solve(row)}\n"} for row in rows]
    example = (
        f"\n\nExample input:\n{tests[0]['input']}\nExample output:\n{tests[0]['output']}"
        if draw.words.chance(0.6)
        else ""
    )
    return Made(
        f"{said} {asked}\n\n{form} {limits}{example}",
        None,
        tests=tests,
        program=f"n = int(input())\na = list(map(int, input().split()))\n{program}\n",
    )


def _rows(draw: Draw) -> list[list[int]]:
    n = draw.words
    return [[n.between(-50, 400) for _ in range(n.between(3, 12))] for _ in range(2)]


def _setting(draw: Draw) -> str:
    w, p = draw.words, draw.phrasing
    who, place, (_, noun), town = w.pick(NAMES), w.pick(PLACES), w.pick(THINGS + ANIMALS), w.pick(TOWNS)
    said = p.pick(
        (
            f"{who} writes down a number for each day on which {noun} were counted at {place} in {town}.",
            f"At {place} in {town}, {noun} are counted every day and {who} writes the numbers down.",
            f"In {town}, {who} notes how the number of {noun} at {place} changes from day to day.",
        )
    )
    return f"{scene(draw)} {said}" if w.chance(0.4) else said


@template("code", 30)
def filtered_sum(draw: Draw) -> Made:
    n, p, o = draw.numbers, draw.phrasing, draw.operator
    a, b, factor, mod = n.between(2, 60), n.between(0, 400), n.between(2, 60), n.between(1000, 99999)
    test, keep = o.pick((("divisible by", lambda v: v % a == 0), ("not divisible by", lambda v: v % a != 0)))
    what, join, code = o.pick(
        (
            ("sum", sum, "sum(kept)"),
            ("maximum", lambda kept: max(kept, default=0), "max(kept, default=0)"),
            ("minimum", lambda kept: min(kept, default=0), "min(kept, default=0)"),
            ("number", len, "len(kept)"),
        )
    )
    sign = "==" if test == "divisible by" else "!="
    asked = p.pick(
        (
            f"Consider the numbers that are {test} {a} and greater than {b - 200}. Print their {what} (0 if there are none), multiplied by {factor}, modulo {mod}.",
            f"Print, modulo {mod}, {factor} times the {what} of those numbers that are greater than {b - 200} and {test} {a}; of no numbers at all it is 0.",
        )
    )
    program = f"kept = [v for v in a if v % {a} {sign} 0 and v > {b - 200}]\nprint({code} * {factor} % {mod})"
    return _task(
        draw,
        _setting(draw),
        asked,
        program,
        _rows(draw),
        lambda row: join([v for v in row if keep(v) and v > b - 200]) * factor % mod,
    )


@template("code", 25)
def neighbours(draw: Draw) -> Made:
    n, p, o = draw.numbers, draw.phrasing, draw.operator
    gap, limit, factor = n.between(1, 5), n.between(-90, 200), n.between(2, 99)
    word, sign = o.pick((("rises", 1), ("falls", -1)))
    asked = p.pick(
        (
            f"Count the days on which the number {word} by more than {limit} against the day {gap} days earlier, and print {factor} times this count plus n.",
            f"A day counts if the number {word} by more than {limit} compared with that of {gap} days before. Print n plus {factor} times the number of such days.",
        )
    )
    program = f"c = sum({sign} * (a[i] - a[i - {gap}]) > {limit} for i in range({gap}, n))\nprint({factor} * c + n)"
    return _task(
        draw,
        _setting(draw),
        asked,
        program,
        _rows(draw),
        lambda row: factor * sum(sign * (row[i] - row[i - gap]) > limit for i in range(gap, len(row))) + len(row),
    )


@template("code", 25, "both")
def best_window(draw: Draw) -> Made:
    n, p, o = draw.numbers, draw.phrasing, draw.operator
    size, shift, factor = n.between(1, 3), n.between(1, 9999), n.between(2, 99)
    word, pick = o.pick((("largest", max), ("smallest", min)))
    asked = p.pick(
        (
            f"Find the {word} sum of {size} consecutive numbers, multiply it by {factor} and print the result plus {shift}.",
            f"Print {shift} plus {factor} times the {word} sum that {size} consecutive numbers have.",
        )
    )
    program = (
        f"best = {pick.__name__}(sum(a[i:i + {size}]) for i in range(n - {size} + 1))\nprint(best * {factor} + {shift})"
    )
    return _task(
        draw,
        _setting(draw),
        asked,
        program,
        _rows(draw),
        lambda row: pick(sum(row[i : i + size]) for i in range(len(row) - size + 1)) * factor + shift,
    )


@template("code", 20, "benchmark")
def pair_count(draw: Draw) -> Made:
    n, p, o = draw.numbers, draw.phrasing, draw.operator
    mod, rest, shift = n.between(2, 40), n.between(0, 39), n.between(1, 9999)
    rest %= mod
    word, op, join = o.pick(
        (
            ("sum", "+", lambda x, y: x + y),
            ("product", "*", lambda x, y: x * y),
            ("absolute difference", "-", lambda x, y: abs(x - y)),
        )
    )
    inner = f"abs(a[i] - a[j]) % {mod}" if op == "-" else f"(a[i] {op} a[j]) % {mod}"
    asked = p.pick(
        (
            f"Count the pairs of positions i < j for which the {word} of the two numbers leaves the remainder {rest} modulo {mod}. Print this count plus {shift}.",
            f"For how many pairs of positions i < j does the {word} of the numbers leave the remainder {rest} when divided by {mod}? Print that many plus {shift}.",
        )
    )
    program = f"c = sum({inner} == {rest} for i in range(n) for j in range(i + 1, n))\nprint(c + {shift})"
    return _task(
        draw,
        _setting(draw),
        asked,
        program,
        _rows(draw),
        lambda row: (
            sum(join(row[i], row[j]) % mod == rest for i in range(len(row)) for j in range(i + 1, len(row))) + shift
        ),
    )
