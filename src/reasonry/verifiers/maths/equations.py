"""Relations: a name and its value, equations up to a factor, and what an equation says when it is solved."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reasonry.verifiers.maths.balls import Undefined, evaluate, floats
from reasonry.verifiers.maths.scalars import compare_scalars, points_for
from reasonry.verifiers.maths.trees import Node, names_in, num, var

__all__ = ["Named", "are_proportional", "is_equation", "named", "renamed", "solves"]


@dataclass(frozen=True, slots=True)
class Named:
    """`value` with the `name` it was given, if any. `is_approximate`: an approximation was dropped."""

    name: Node | None
    value: Node
    is_approximate: bool = False


def is_equation(node: Node) -> bool:
    return node.op == "rel" and set(node.name.split()) <= {"=", "~"}


def named(node: Node) -> Named:
    """What a solved form says: `x = 5`, `f(x) = 2x`, `2 = x`, `x = 1 + 1 = 2`, `1/3 \\approx 0.33`."""
    if node.op != "rel" or not set(node.name.split()) <= {"=", "~", "=>"}:
        return Named(None, node)
    signs, sides = node.name.split(), list(node.args)
    is_approximate = False
    if "~" in signs:
        first = signs.index("~")
        if first > 0 or not _is_name(sides[0]):
            signs, sides, is_approximate = signs[:first], sides[: first + 1], True
    if len(sides) == 1:
        return Named(None, sides[0], is_approximate)
    if _is_name(sides[0]):
        return Named(sides[0], sides[-1], is_approximate)
    if len(sides) == 2 and sides[1].op == "var":
        return Named(sides[1], sides[0], is_approximate)
    if not any(names_in(side) for side in sides):
        return Named(None, sides[-1], is_approximate)
    if is_approximate:
        return Named(None, Node("rel", tuple(sides), " ".join(signs)), is_approximate)
    return Named(None, node)


_POINTS = re.compile(r"[A-Z]{1,4}(_\w+)?'*|[A-Za-z]_\w+")


def _is_name(node: Node) -> bool:
    """A name, a function of names, a tuple of names, or a measure of figures like `|AB|` and `AB/CD`."""
    if node.op in ("var", "call"):
        return True
    if node.op in ("tuple", "list"):
        return all(_is_name(part) for part in node.args)
    if node.op == "func" and node.name in ("abs", "det", "max", "min", "deg"):
        return all(part.op == "var" for part in node.args)
    if node.op in ("div", "ratio"):
        return all(part.op == "var" and _POINTS.fullmatch(part.name) for part in node.args)
    return node.op == "mul" and node.args[0].op == "var" and node.args[0].name.startswith("\\angle")


def may_be_same(one: Node, other: Node) -> bool:
    """Whether two names can be the same thing: `y` is `f(x)`, `m` is `m_{max}`."""
    if one == other:
        return True
    if one.op == "call" and other.op == "call":
        return one.name == other.name and len(one.args) == len(other.args)
    if {one.op, other.op} == {"call", "var"}:
        return (one if one.op == "var" else other).name in ("y", one.name, other.name)
    if one.op == other.op == "var":
        return one.name.partition("_")[0] == other.name.partition("_")[0] and ("_" in one.name) != ("_" in other.name)
    if one.op in ("tuple", "list") and other.op == one.op:
        return len(one.args) == len(other.args) and all(map(may_be_same, one.args, other.args))
    return False


def renamed(value: Node, name: Node | None, wanted: Node | None) -> Node:
    """`2m` of `f(m) = 2m`, in the letter of `f(n)`."""
    if name is None or wanted is None or name.op != "call" or wanted.op != "call" or len(name.args) != len(wanted.args):
        return value
    if any(part.op != "var" for part in (*name.args, *wanted.args)):
        return value
    letters = {one.name: other.name for one, other in zip(name.args, wanted.args, strict=True)}
    return substituted(value, {old: var(new) for old, new in letters.items()})


def substituted(node: Node, values: dict[str, Node]) -> Node:
    """The tree with other nodes in place of names."""
    if node.op == "var":
        return values.get(node.name, node)
    if not node.args:
        return node
    return Node(node.op, tuple(substituted(part, values) for part in node.args), node.name, node.number, node.places)


def _difference(node: Node) -> Node:
    return Node("add", (node.args[0], Node("neg", (node.args[1],))))


def are_proportional(one: Node, other: Node, *, positive: bool = False) -> bool:
    """Whether two equations of two sides say the same: their differences are proportional.

    The factor may only depend on nothing; `positive` asks for one above zero, as inequalities need.
    """
    if len(one.args) != 2 or len(other.args) != 2 or names_in(one) != names_in(other) or not names_in(one):
        return False
    first, second = _difference(one), _difference(other)
    for point in points_for(sorted(names_in(one))):
        try:
            value, other_value = (
                evaluate(first, point, floats(is_complex=False)),
                evaluate(second, point, floats(is_complex=False)),
            )
        except Undefined:
            continue
        if abs(value.middle) <= 1e-6 or abs(other_value.middle) <= 1e-6:
            continue
        if positive and (value.middle > 0) != (other_value.middle > 0):
            return False
        constants = {name: num(at) for name, at in point.items()}
        scaled = Node("mul", (first, substituted(second, constants)))
        other_scaled = Node("mul", (second, substituted(first, constants)))
        return bool(compare_scalars(scaled, other_scaled).is_equal)
    return False


def solves(equation: Node, expression: Node) -> bool:
    """Whether an expression is what the one name that it lacks is, by an equation that is linear in that name."""
    missing = names_in(equation) - names_in(expression)
    if len(missing) != 1 or not names_in(expression) < names_in(equation) or len(equation.args) != 2:
        return False
    name = missing.pop()
    difference = _difference(equation)
    at = [substituted(difference, {name: num(value)}) for value in (0, 1, 2)]
    slope = Node("add", (at[1], Node("neg", (at[0],))))
    next_slope = Node("add", (at[2], Node("neg", (at[1],))))
    if not compare_scalars(slope, next_slope).is_equal or compare_scalars(slope, num(0)).is_equal is not False:
        return False
    return bool(compare_scalars(substituted(difference, {name: expression}), num(0)).is_equal)
