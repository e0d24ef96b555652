"""Values with what stands beside them: units, percent signs, bases; and what a decimal may stand for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from reasonry.verifiers.maths.balls import Undefined, evaluate, many_digits
from reasonry.verifiers.maths.context import Context
from reasonry.verifiers.maths.exact import exact_value
from reasonry.verifiers.maths.scalars import compare_scalars
from reasonry.verifiers.maths.trees import Node, TooLarge, const, num, walk
from reasonry.verifiers.maths.units import Unit, read_unit

__all__ = ["compare_quantities"]

FLOAT_DIGITS = 12  # a decimal this long may be a float that was printed
NOISE_DIGITS = 15  # of a double: what differs behind them is noise
REFERENCE_DIGITS = 2  # a decimal reference this long says how it was rounded
LETTER_UNITS = frozenset("mgshLNJWVAK")


@dataclass(frozen=True, slots=True)
class _Quantity:
    node: Node
    unit: Unit | None = None
    is_percent: bool = False

    @property
    def is_degree(self) -> bool:
        return self.unit is not None and self.unit.words == "degree"


def compare_quantities(reference: Node, answer: Node, context: Context) -> bool | None:
    """Whether two values are equal, with their units. None: not decided. Raises TooLarge."""
    one, other = _quantity(reference), _quantity(answer)
    if one.unit is None and other.unit is None and not one.is_percent and not other.is_percent:
        return _plain(one, other, context)
    if one.unit is not None or other.unit is not None:
        return _with_units(one, other, context)
    return _with_percents(one, other, context)


def _plain(one: _Quantity, other: _Quantity, context: Context) -> bool | None:
    if _is_based(one.node) or _is_based(other.node):
        return _based(one.node, other.node, context)
    if (one.node.op == "ratio") != (other.node.op == "ratio"):
        equal = _values(one.node, other.node, context)
        return context.may("ratio_as_fraction") if equal else equal
    if one.node.op == other.node.op == "ratio" and any(part == num(0) for part in (*one.node.args, *other.node.args)):
        return one.node == other.node  # `11:00` is a time
    if one.node.op == "ratio" and len(one.node.args) == len(other.node.args) > 2:
        return _proportional(one.node, other.node, context)
    equal = _values(one.node, other.node, context)
    if equal is False and (letter := _letter_unit(other.node)) is not None:
        return bool(_values(one.node, letter, context)) and context.may("unit_added")
    return equal


def _quantity(node: Node) -> _Quantity:
    if node.op == "unit":
        inner = _quantity(node.args[0])
        return _Quantity(inner.node, read_unit(node.name), inner.is_percent)
    if node.op == "percent":
        return _Quantity(node.args[0], None, is_percent=True)
    if node.op == "neg" and node.args[0].op in ("unit", "percent"):
        inner = _quantity(node.args[0])
        return _Quantity(Node("neg", (inner.node,)), inner.unit, inner.is_percent)
    return _Quantity(node)


def _letter_unit(node: Node) -> Node | None:
    """The value before a one-letter unit: only a decimal is taken for one, since `5m` may be a product."""
    if node.op != "mul" or len(node.args) != 2 or node.args[0].op != "num" or node.args[0].places is None:
        return None
    unit = node.args[1].args[0] if node.args[1].op == "pow" else node.args[1]
    return node.args[0] if unit.op == "var" and unit.name in LETTER_UNITS else None


def _with_units(one: _Quantity, other: _Quantity, context: Context) -> bool | None:
    if one.unit is None or other.unit is None:
        equal = _values(one.node, other.node, context)
        if equal:
            return context.may("unit_added" if one.unit is None else "unit_omitted")
        return _as_radians(one, other, context) if equal is False else equal
    if one.unit.words == other.unit.words and one.unit.dimension == other.unit.dimension:
        return _values(one.node, other.node, context)
    if one.unit.is_known and other.unit.is_known:
        if one.unit.dimension != other.unit.dimension:
            return False
        if one.unit.factor == other.unit.factor:
            return _values(one.node, other.node, context)
        equal = _values(_times(one.node, one.unit.factor), _times(other.node, other.unit.factor), context)
        return context.may("unit_converted") if equal else equal
    if not one.unit.may_be(other.unit):
        return False
    equal = _values(one.node, other.node, context)
    return context.may("unit_omitted") if equal else equal


def _as_radians(one: _Quantity, other: _Quantity, context: Context) -> bool | None:
    """`30^\\circ` for `\\pi/6`."""
    degrees, radians = (one, other) if one.is_degree else (other, one)
    if not degrees.is_degree or not any(part.op == "const" and part.name == "pi" for part in walk(radians.node)):
        return False
    converted = Node("mul", (degrees.node, num(Fraction(1, 180)), const("pi")))
    equal = _values(converted, radians.node, context)
    return context.may("degrees_as_radians") if equal else equal


def _times(node: Node, factor: Fraction) -> Node:
    return node if factor == 1 else Node("mul", (node, num(factor)))


def _with_percents(one: _Quantity, other: _Quantity, context: Context) -> bool | None:
    if one.is_percent == other.is_percent:
        return _values(one.node, other.node, context)
    equal = _values(one.node, other.node, context)
    if equal:
        return context.may("percent_as_number")
    hundredth = num(Fraction(1, 100))
    first = Node("mul", (one.node, hundredth)) if one.is_percent else one.node
    second = Node("mul", (other.node, hundredth)) if other.is_percent else other.node
    shown = one.node if one.is_percent else None
    equal = _values(_shifted(shown, first), second, context)
    return context.may("percent_as_fraction") if equal else equal


def _shifted(shown: Node | None, value: Node) -> Node:
    """A decimal percentage as a decimal again, so that its digits still say how it was rounded."""
    if shown is None or shown.op != "num" or shown.places is None:
        return value
    return num(shown.value / 100, shown.places + 2)


def _is_based(node: Node) -> bool:
    return node.op == "based" or (node.op == "neg" and node.args[0].op == "based")


def _based(one: Node, other: Node, context: Context) -> bool | None:
    if one.op == "neg":
        one, other = (
            one.args[0],
            other.args[0] if other.op == "neg" else num(-other.value) if other.op == "num" else other,
        )
    elif other.op == "neg":
        return exact_value(one) == exact_value(other) if one.op == "num" else False
    if one.op == "based" and other.op == "based":
        return one == other or (one.number == other.number and exact_value(one) == exact_value(other))
    based, plain = (one, other) if one.op == "based" else (other, one)
    if based.value == 10:
        return exact_value(based) == exact_value(plain)
    if one.op != "based" or plain.op != "num" or plain.places is not None:
        return False
    return str(plain.value) == based.name and context.may("base_omitted")


def _proportional(one: Node, other: Node, context: Context) -> bool | None:
    first, other_first = one.args[0], other.args[0]
    for part, other_part in zip(one.args[1:], other.args[1:], strict=True):
        equal = _values(Node("div", (part, first)), Node("div", (other_part, other_first)), context)
        if not equal:
            return equal
    return True


def _values(one: Node, other: Node, context: Context) -> bool | None:
    """Two values without anything beside them."""
    finding = compare_scalars(one, other)
    context.reached(finding.rung)
    if finding.is_equal is not False:
        return finding.is_equal
    return _as_decimals(one, other, context)


def _as_decimals(one: Node, other: Node, context: Context) -> bool:
    """Where the values differ: whether a decimal stands for the other one, by the policy."""
    if _is_decimal(other) and _stands_for(other, one, context):
        return True
    if not _is_decimal(one):
        return False
    if _is_decimal(other):
        if _stands_for(one, other, context, floats_only=True):
            return True
        if (other.places or 0) <= (one.places or 0):
            return False
    value = _number(other)
    is_rounded = value is not None and _digits(one) >= REFERENCE_DIGITS and _rounds_to(value, one)
    is_whole = other.op == "num" and other.places is None
    return is_rounded and not is_whole and context.may("reference_rounded")


def _stands_for(decimal: Node, exact: Node, context: Context, *, floats_only: bool = False) -> bool:
    digits, value = _digits(decimal), _number(exact)
    if value is None:
        return False
    if _is_printed_float(decimal, exact, value, digits):
        return context.may("float_printed")
    if floats_only or _has_decimal(exact) or (exact.op == "num" and exact.value.denominator == 1):
        return False
    policy = context.policy
    if policy.decimals == "rounded":
        return digits >= policy.digits and _rounds_to(value, decimal)
    return (
        policy.decimals == "lenient"
        and digits >= 3
        and abs(value - decimal.value) < Fraction(1, 10 ** (decimal.places or 0))
    )


def _is_printed_float(decimal: Node, exact: Node, value: Fraction, digits: int) -> bool:
    """`0.4444444444444444` for 4/9; `29.999999999999996` for 30, but not for a decimal with as many digits."""
    if digits < FLOAT_DIGITS or exact.places == decimal.places:
        return False
    difference = abs(decimal.value - value)
    if digits >= NOISE_DIGITS and difference <= abs(value) / 10 ** (NOISE_DIGITS - 1):
        return True
    is_short = exact.op == "num" and (exact.places is not None or exact.value.denominator == 1)
    return not is_short and difference <= Fraction(1, 10 ** (decimal.places or 0))


def _is_decimal(node: Node) -> bool:
    return node.op == "num" and node.places is not None


def _has_decimal(node: Node) -> bool:
    return any(_is_decimal(part) for part in walk(node))


def _digits(decimal: Node) -> int:
    """Significant digits of a decimal as it was written."""
    scaled = abs(decimal.value) * 10 ** (decimal.places or 0)
    return len(str(int(scaled))) if scaled else 0


def _rounds_to(value: Fraction, decimal: Node) -> bool:
    return abs(value - decimal.value) * 2 <= Fraction(1, 10 ** (decimal.places or 0))


def _number(node: Node) -> Fraction | None:
    """The value of an expression without names to many digits; None where it has none."""
    value = exact_value(node)
    if value is not None:
        return value
    try:
        ball = evaluate(node, {}, many_digits(192, is_complex=False))
    except (Undefined, TooLarge, KeyError):
        return None
    import mpmath

    shown = mpmath.nstr(ball.middle, 50, min_fixed=-1, max_fixed=0)
    return Fraction(str(shown))
