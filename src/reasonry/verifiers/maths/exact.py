"""Exact values of expressions without names: fractions, within bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from reasonry.verifiers.maths.trees import Node, TooLarge

__all__ = ["MAX_BITS", "exact_value"]

MAX_BITS = 120_000  # of a numerator or denominator
MAX_FACTORIAL = 5_000
MAX_CHOOSE = 20_000


def exact_value(node: Node) -> Fraction | None:
    """The rational number that a tree is, if it is built of numbers alone. Raises TooLarge."""
    if node.op == "num":
        return node.number
    read = _READERS.get(node.op)
    return read(node) if read is not None else None


def _parts(node: Node) -> list[Fraction] | None:
    values: list[Fraction] = []
    for part in node.args:
        value = exact_value(part)
        if value is None:
            return None
        values.append(value)
    return values


def _add(node: Node) -> Fraction | None:
    values = _parts(node)
    return None if values is None else sum(values, Fraction(0))


def _mul(node: Node) -> Fraction | None:
    values = _parts(node)
    if values is None:
        return None
    _check(sum(map(_bits, values)))
    return math.prod(values, start=Fraction(1))


def _neg(node: Node) -> Fraction | None:
    value = exact_value(node.args[0])
    return None if value is None else -value


def _div(node: Node) -> Fraction | None:
    values = _parts(node)
    return None if values is None or values[1] == 0 else values[0] / values[1]


def _pow(node: Node) -> Fraction | None:
    values = _parts(node)
    if values is None:
        return None
    base, exponent = values
    if exponent.denominator != 1:
        return _exact_root(base, exponent)
    power = exponent.numerator
    if base == 0 or base in (1, -1):
        return base ** (power % 2 or 2) if base and power else (Fraction(1) if base and not power else _of_zero(power))
    _check(_bits(base) * abs(power) if abs(power) < 1 << 40 else MAX_BITS + 1)
    return base**power


def _of_zero(power: int) -> Fraction | None:
    return Fraction(0) if power > 0 else None


def _exact_root(base: Fraction, exponent: Fraction) -> Fraction | None:
    """`4^{3/2}`; None where it is not rational."""
    index = exponent.denominator
    if index > 64 or abs(exponent.numerator) > 10_000 or (base < 0 and index % 2 == 0) or base == 0:
        return Fraction(0) if base == 0 and exponent > 0 else None
    over, under = _integer_root(abs(base.numerator), index), _integer_root(base.denominator, index)
    if over is None or under is None:
        return None
    root = Fraction(over if base > 0 else -over, under)
    _check(_bits(root) * abs(exponent.numerator))
    return root**exponent.numerator


def _integer_root(value: int, index: int) -> int | None:
    if index == 2:
        root = math.isqrt(value)
    elif value.bit_length() > 1_000:
        return None
    else:
        root = round(value ** (1 / index))
    return next((near for near in (root - 1, root, root + 1) if near >= 0 and near**index == value), None)


def _fact(node: Node) -> Fraction | None:
    value = exact_value(node.args[0])
    if value is None or value.denominator != 1 or value < 0:
        return None
    if value > MAX_FACTORIAL:
        raise TooLarge("a large factorial")
    return Fraction(math.factorial(value.numerator))


def _percent(node: Node) -> Fraction | None:
    value = exact_value(node.args[0])
    return None if value is None else value / 100


def _based(node: Node) -> Fraction | None:
    try:
        return Fraction(int(node.name, node.value.numerator))
    except ValueError:
        return None  # a digit that the base does not have


def _ratio(node: Node) -> Fraction | None:
    return _div(node) if len(node.args) == 2 else None


def _func(node: Node) -> Fraction | None:
    compute = _FUNCTIONS.get(node.name)
    if compute is None:
        return None
    values = _parts(node)
    return None if values is None else compute(values)


def _choose(values: list[Fraction]) -> Fraction | None:
    if len(values) != 2 or any(value.denominator != 1 or value < 0 for value in values):
        return None
    if values[0] > MAX_CHOOSE:
        raise TooLarge("a large binomial coefficient")
    return Fraction(math.comb(values[0].numerator, values[1].numerator))


def _whole(compute: Callable[..., int]) -> Callable[[list[Fraction]], Fraction | None]:
    def of(values: list[Fraction]) -> Fraction | None:
        if any(value.denominator != 1 for value in values):
            return None
        return Fraction(compute(*(value.numerator for value in values)))

    return of


_FUNCTIONS: dict[str, Callable[[list[Fraction]], Fraction | None]] = {
    "abs": lambda values: abs(values[0]),
    "floor": lambda values: Fraction(math.floor(values[0])),
    "ceil": lambda values: Fraction(math.ceil(values[0])),
    "max": max,
    "min": min,
    "sgn": lambda values: Fraction((values[0] > 0) - (values[0] < 0)),
    "gcd": _whole(math.gcd),
    "lcm": _whole(math.lcm),
    "binom": _choose,
}

_READERS: dict[str, Callable[[Node], Fraction | None]] = {
    "add": _add, "mul": _mul, "neg": _neg, "div": _div, "pow": _pow, "fact": _fact, "percent": _percent,
    "based": _based, "ratio": _ratio, "func": _func,
}  # fmt: skip


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _check(bits: int) -> None:
    if bits > MAX_BITS:
        raise TooLarge("a number of very many digits")
