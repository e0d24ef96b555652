"""Values with error bounds: a number, and how far from it the true value may be.

The idea of ball arithmetic (van der Hoeven, "Ball arithmetic", 2009; the library Arb). Two expressions whose balls at
one point do not meet are different; that is a proof as far as the bounds hold, and they are kept wide. The same code
computes in floats and, by mpmath, with as many digits as are asked.

In the real domain a point where a logarithm or an even root of a negative number is met is no point at all
(`Undefined`): `\\ln x` is compared where it is defined. Odd roots of negative numbers are real, as in school.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from reasonry.verifiers.maths.exact import exact_value
from reasonry.verifiers.maths.trees import Node, TooLarge, walk, words_in

__all__ = ["Arithmetic", "Ball", "Undefined", "evaluate", "floats", "many_digits"]

MAX_POWER = 1e7  # an exponent, in absolute value
MAX_LOG = 1e5  # natural logarithm of a value worth computing with many digits


class Undefined(Exception):
    """The expression has no value at this point, or none that we can compute."""


class Ball(NamedTuple):
    """Every value within `radius` of `middle`. `middle` is a float, a complex number, or mpmath's."""

    middle: Any
    radius: Any

    def meets(self, other: Ball) -> bool:
        return not abs(self.middle - other.middle) > self.radius + other.radius


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Numbers to compute with. `functions` holds those of one argument; `epsilon` bounds the relative rounding."""

    functions: Mapping[str, Callable[[Any], Any]]
    number: Callable[[Fraction], Any]
    pi: Any
    epsilon: Any
    is_complex: bool
    imaginary: Any


_NAMES = [
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "log",
    "asin",
    "acos",
    "atan",
    "asinh",
    "acosh",
    "atanh",
    "sqrt",
]


@cache
def floats(is_complex: bool) -> Arithmetic:
    """Python's floats."""
    module: Any = cmath if is_complex else math
    functions: dict[str, Callable[[Any], Any]] = {name: getattr(module, name) for name in _NAMES}
    functions["gamma"] = math.gamma
    return Arithmetic(functions, float, math.pi, 2.0**-49, is_complex, 1j)


@cache
def many_digits(bits: int, is_complex: bool) -> Arithmetic:
    """mpmath's numbers with so many bits, in a context of our own."""
    import mpmath

    context: Any = mpmath.MPContext()
    context.prec = bits
    functions: dict[str, Callable[[Any], Any]] = {name: getattr(context, name) for name in _NAMES}
    functions["gamma"] = context.gamma

    def number(value: Fraction) -> Any:
        return context.mpf(value.numerator) / value.denominator

    return Arithmetic(functions, number, +context.pi, context.mpf(2) ** (4 - bits), is_complex, context.mpc(0, 1))


def evaluate(node: Node, names: Mapping[str, Fraction], arithmetic: Arithmetic) -> Ball:
    """The value of an expression where its names have these values. Raises Undefined and TooLarge."""
    try:
        return _Evaluation(names, arithmetic).of(node)
    except (OverflowError, ValueError, ZeroDivisionError) as exc:
        raise Undefined(str(exc)) from exc


class _Evaluation:
    def __init__(self, names: Mapping[str, Fraction], arithmetic: Arithmetic) -> None:
        self._names = names
        self._arithmetic = arithmetic
        self._epsilon = arithmetic.epsilon

    def of(self, node: Node) -> Ball:
        read = _READERS.get(node.op)
        if read is None:
            raise Undefined(f"a {node.op} has no value")
        return read(self, node)

    def _rounded(self, middle: Any, radius: Any) -> Ball:
        if middle != middle or radius != radius:
            raise Undefined("not a number")
        return Ball(middle, radius + abs(middle) * self._epsilon)

    def exact(self, value: Fraction) -> Ball:
        middle = self._arithmetic.number(value)
        return Ball(middle, abs(middle) * self._epsilon)

    def num(self, node: Node) -> Ball:
        return self.exact(node.value)

    def var(self, node: Node) -> Ball:
        return self.exact(self._names[node.name])

    def const(self, node: Node) -> Ball:
        arithmetic = self._arithmetic
        if node.name == "pi":
            return self._rounded(arithmetic.pi, 0)
        if node.name == "e":
            return self._rounded(arithmetic.functions["exp"](arithmetic.number(Fraction(1))), 0)
        if node.name == "i":
            return Ball(arithmetic.imaginary, 0)
        raise Undefined("infinity")

    def add(self, node: Node) -> Ball:
        middle, radius, largest = 0, 0, 0
        for part in node.args:
            ball = self.of(part)
            middle, radius = middle + ball.middle, radius + ball.radius
            largest = max(largest, abs(middle))
        return self._rounded(middle, radius + len(node.args) * largest * self._epsilon)

    def neg(self, node: Node) -> Ball:
        ball = self.of(node.args[0])
        return Ball(-ball.middle, ball.radius)

    def mul(self, node: Node) -> Ball:
        ball = self.of(node.args[0])
        for part in node.args[1:]:
            ball = self._times(ball, self.of(part))
        return ball

    def _times(self, one: Ball, other: Ball) -> Ball:
        a, b = abs(one.middle), abs(other.middle)
        return self._rounded(one.middle * other.middle, a * other.radius + b * one.radius + one.radius * other.radius)

    def div(self, node: Node) -> Ball:
        return self._over(self.of(node.args[0]), self.of(node.args[1]))

    def _over(self, one: Ball, other: Ball) -> Ball:
        size = abs(other.middle)
        if size <= other.radius * 2:
            raise Undefined("a division by zero")
        middle = one.middle / other.middle
        return self._rounded(middle, (one.radius + abs(middle) * other.radius) / (size - other.radius))

    def percent(self, node: Node) -> Ball:
        return self._over(self.of(node.args[0]), self.exact(Fraction(100)))

    def unit(self, node: Node) -> Ball:
        if node.name != "degree":
            raise Undefined("a unit")
        return self.of(node.args[0])

    def based(self, node: Node) -> Ball:
        value = exact_value(node)
        if value is None:
            raise Undefined("a digit that the base does not have")
        return self.exact(value)

    def power(self, node: Node) -> Ball:
        base, exponent = node.args
        value = exact_value(exponent)
        if value is None:
            return self._named_power(self.of(base), exponent)
        if abs(value) > MAX_POWER:
            raise TooLarge("a large exponent")
        ball = self.of(base)
        if value.denominator == 1:
            return self._integer_power(ball, value.numerator)
        return self._root(ball, value)

    def _named_power(self, base: Ball, exponent: Node) -> Ball:
        """A power whose exponent has names: `(-2)^{n-1}` has a value where they are whole numbers."""
        if self._arithmetic.is_complex or not base.middle < 0:
            return self._general_power(base, self.of(exponent))
        value = exact_value(_with_values(exponent, self._names))
        if value is None or value.denominator != 1 or abs(value) > MAX_POWER:
            raise Undefined("a power of what is not positive")
        return self._integer_power(base, value.numerator)

    def _integer_power(self, ball: Ball, power: int) -> Ball:
        size = abs(ball.middle)
        if power < 0 and size <= 2 * ball.radius:
            raise Undefined("a division by zero")
        if power == 0:
            return self.exact(Fraction(1))
        self._check_size(size, power)
        middle = ball.middle**power
        relative = abs(power) * 2 * ball.radius / size if size else 0
        if relative > 1:
            raise Undefined("too inexact")
        radius = abs(middle) * relative if size else ball.radius ** abs(power)
        return self._rounded(middle, radius + abs(middle) * self._epsilon * (8 + abs(power).bit_length()))

    def _check_size(self, size: Any, power: Any) -> None:
        if size > 0 and abs(float(power)) * abs(float(_log_of(size))) > MAX_LOG:
            raise TooLarge("a number of very many digits")

    def _root(self, ball: Ball, exponent: Fraction) -> Ball:
        """A power by a fraction."""
        if not self._arithmetic.is_complex:
            if abs(ball.middle) <= ball.radius:
                if exponent < 0:
                    raise Undefined("a division by zero")
                return Ball(ball.middle * 0, ball.radius ** self._arithmetic.number(exponent))
            if ball.middle < 0:
                if exponent.denominator % 2 == 0:
                    raise Undefined("an even root of a negative number")
                positive = self._root(Ball(-ball.middle, ball.radius), exponent)
                return positive if exponent.numerator % 2 == 0 else Ball(-positive.middle, positive.radius)
        elif abs(ball.middle) <= 2 * ball.radius:
            if exponent < 0:
                raise Undefined("a division by zero")
            return Ball(ball.middle * 0, abs(ball.radius) ** self._arithmetic.number(exponent))
        return self._general_power(ball, self.exact(exponent))

    def _general_power(self, base: Ball, exponent: Ball) -> Ball:
        functions, size = self._arithmetic.functions, abs(base.middle)
        if size <= 2 * base.radius or (not self._arithmetic.is_complex and base.middle < 0):
            raise Undefined("a power of what is not positive")
        self._check_size(size, abs(exponent.middle))
        log = functions["log"](base.middle)
        middle = functions["exp"](log * exponent.middle)
        relative = abs(exponent.middle) * base.radius / (size - base.radius) + abs(log) * exponent.radius
        relative = 2 * relative + self._epsilon * (4 + 4 * abs(log * exponent.middle))
        if relative > 0.5:
            raise Undefined("too inexact")
        return self._rounded(middle, abs(middle) * relative)

    def fact(self, node: Node) -> Ball:
        value = exact_value(node)
        if value is not None:
            return self.exact(value)
        return self._gamma(self.of(node.args[0]))

    def _gamma(self, ball: Ball) -> Ball:
        """`x!`."""
        if isinstance(ball.middle, complex) or not ball.middle > -1 or ball.middle > 150:
            raise Undefined("a factorial out of bounds")
        middle = self._arithmetic.functions["gamma"](ball.middle + 1)
        slope = abs(middle) * (abs(_log_of(abs(ball.middle) + 2)) + 2) / (1 + min(ball.middle, 0))
        return self._rounded(middle, 2 * slope * ball.radius + 32 * abs(middle) * self._epsilon)

    def binom(self, node: Node) -> Ball:
        value = exact_value(node)
        if value is not None:
            return self.exact(value)
        upper, lower = self.of(node.args[0]), self.of(node.args[1])
        rest = self._rounded(upper.middle - lower.middle, upper.radius + lower.radius)
        return self._over(self._gamma(upper), self._times(self._gamma(lower), self._gamma(rest)))

    def func(self, node: Node) -> Ball:
        special = _SPECIAL.get(node.name)
        if special is not None:
            return special(self, node)
        if node.name not in _SLOPES:
            raise Undefined(f"the function {node.name}")
        argument = self.of(_in_radians(node.args[0]) if node.name in _OF_ANGLES else node.args[0])
        return self._function(node.name, argument)

    def _function(self, name: str, argument: Ball) -> Ball:
        x = argument.middle
        inverse = {"cot": "tan", "sec": "cos", "csc": "sin", "coth": "tanh", "sech": "cosh", "csch": "sinh"}.get(name)
        if inverse is not None:
            return self._over(self.exact(Fraction(1)), self._function(inverse, argument))
        if not self._arithmetic.is_complex and not _is_in_domain(name, x):
            raise Undefined(f"{name} out of its domain")
        if name == "arccot":
            ball = self._function("arctan", argument)
            return self._rounded(self._arithmetic.pi / 2 - ball.middle, ball.radius + 4 * self._epsilon)
        if argument.radius > 1e-3 * (1 + abs(x)):
            raise Undefined("too inexact")
        functions = self._arithmetic.functions
        middle = functions[_OWN_NAME.get(name, name)](x)
        slope = abs(_SLOPES[name](x, middle, functions))
        extra = abs(x) * self._epsilon if name in _OF_ANGLES else 0
        return self._rounded(
            middle, 2 * slope * (argument.radius + extra) + 4 * self._epsilon * abs(middle) + self._tiny()
        )

    def _tiny(self) -> Any:
        return self._epsilon * self._epsilon

    def absolute(self, node: Node) -> Ball:
        ball = self.of(node.args[0])
        return Ball(abs(ball.middle), ball.radius)

    def step(self, node: Node) -> Ball:
        """Floor, ceiling and sign jump: a value only where the ball is between two jumps."""
        value = exact_value(node)
        if value is not None:
            return self.exact(value)
        ball = self.of(node.args[0])
        if isinstance(ball.middle, complex):
            raise Undefined("a step of a complex number")
        low, high = float(ball.middle - ball.radius), float(ball.middle + ball.radius)
        jump = {"floor": math.floor, "ceil": math.ceil, "sgn": lambda x: (x > 0) - (x < 0)}[node.name]
        if abs(low) > 1e15 or jump(low) != jump(high):
            raise Undefined("a step")
        return self.exact(Fraction(jump(low)))

    def extreme(self, node: Node) -> Ball:
        balls = [self.of(part) for part in node.args]
        choose = max if node.name == "max" else min
        return Ball(choose(ball.middle for ball in balls), max(ball.radius for ball in balls))

    def call(self, node: Node) -> Ball:
        """A function that nobody knows: any smooth one will do, the same for the same name."""
        angle = Ball(self._arithmetic.number(Fraction(0)), self._arithmetic.number(Fraction(0)))
        for place, part in enumerate(node.args):
            weight = self.exact(Fraction(_weight(node.name, place), 1000))
            term = self._times(self.of(part), weight)
            angle = self._rounded(angle.middle + term.middle, angle.radius + term.radius)
        wave = self._function("cos", angle)
        return self._rounded(wave.middle + 3, wave.radius)


def _with_values(node: Node, names: Mapping[str, Fraction]) -> Node:
    if node.op == "var":
        return Node("num", (), "", names[node.name])
    return Node(node.op, tuple(_with_values(part, names) for part in node.args), node.name, node.number)


def _weight(name: str, place: int) -> int:
    total = 7 + place * 311
    for character in name:
        total = (total * 131 + ord(character)) % 997
    return 500 + total


def _log_of(size: Any) -> float:
    """The natural logarithm of a positive number of any kind, roughly."""
    try:
        return math.log(size)
    except OverflowError:
        return float(size.exp + size.man.bit_length()) * math.log(2)


_DEGREE = Fraction(1, 180)
_OF_ANGLES = frozenset({"sin", "cos", "tan", "cot", "sec", "csc"})


def _in_radians(node: Node) -> Node:
    """The argument of a trigonometric function, where it is given in degrees."""
    if not any(part.op == "unit" for part in walk(node)):
        return node
    if node.op == "unit" and node.name == "degree":
        factor = Node("num", (), "", _DEGREE)
        return Node("mul", (node.args[0], factor, Node("const", (), "pi")))
    return Node(node.op, tuple(_in_radians(part) for part in node.args), node.name, node.number)


def _is_in_domain(name: str, x: Any) -> bool:
    if name == "ln":
        return x > 0
    if name in ("arcsin", "arccos"):
        return -1 <= x <= 1
    return x >= 1 if name == "acosh" else name != "atanh" or -1 < x < 1


_OWN_NAME = {"ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan"}
_Slope = Callable[[Any, Any, Mapping[str, Callable[[Any], Any]]], Any]


def _at_most_one(_x: Any, _y: Any, _functions: Any) -> Any:
    return 1


_SLOPES: dict[str, _Slope] = {
    **dict.fromkeys(words_in("sin cos arctan tanh asinh arccot cot sec csc coth sech csch"), _at_most_one),
    "tan": lambda _x, y, _f: 1 + abs(y) ** 2,
    "ln": lambda x, _y, _f: 2 / abs(x),
    "sinh": lambda x, _y, f: f["cosh"](x),
    "cosh": lambda x, _y, f: 1 + abs(f["sinh"](x)),
    "arcsin": lambda x, _y, _f: _steep(1 - x * x),
    "arccos": lambda x, _y, _f: _steep(1 - x * x),
    "acosh": lambda x, _y, _f: _steep(x * x - 1),
    "atanh": lambda x, _y, _f: 1 / abs(1 - x * x),
}  # fmt: skip


def _steep(square: Any) -> Any:
    """The slope `1 / sqrt(square)`, and at its pole as much as the square root of the error allows."""
    size = abs(square)
    return 1 / size**0.5 if size > 1e-12 else 1e8


_SPECIAL: dict[str, Callable[[_Evaluation, Node], Ball]] = {
    "abs": _Evaluation.absolute, "floor": _Evaluation.step, "ceil": _Evaluation.step, "sgn": _Evaluation.step,
    "max": _Evaluation.extreme, "min": _Evaluation.extreme, "binom": _Evaluation.binom,
}  # fmt: skip
_READERS: dict[str, Callable[[_Evaluation, Node], Ball]] = {
    "num": _Evaluation.num, "var": _Evaluation.var, "const": _Evaluation.const, "add": _Evaluation.add,
    "neg": _Evaluation.neg, "mul": _Evaluation.mul, "div": _Evaluation.div, "pow": _Evaluation.power,
    "fact": _Evaluation.fact, "func": _Evaluation.func, "percent": _Evaluation.percent, "unit": _Evaluation.unit,
    "based": _Evaluation.based, "call": _Evaluation.call, "ratio": _Evaluation.div,
}  # fmt: skip
