"""A normal form for sums of products: equal forms are a proof that two expressions are equal.

An expression becomes a quotient of two polynomials with rational coefficients. Its generators are the names, `pi`, `e`,
the imaginary unit, and roots of primes (`\\sqrt{12}` is `2` times the power 1/2 of 3); what is none of these, like
`\\sin x`, is a generator of its own, named by the normal form of its argument.
"""

from __future__ import annotations

from fractions import Fraction

from reasonry.verifiers.maths.exact import exact_value
from reasonry.verifiers.maths.trees import Node

__all__ = ["NoForm", "have_equal_forms"]

MAX_TERMS = 300
MAX_EXPONENT = 12  # of a sum; of a single term up to MAX_MONOMIAL
MAX_MONOMIAL = 10_000
LARGEST_PRIME = 1_000  # tried as a factor

Monomial = tuple[tuple[str, Fraction], ...]
Polynomial = dict[Monomial, Fraction]
Form = tuple[Polynomial, Polynomial]  # numerator, denominator

_ONE: Polynomial = {(): Fraction(1)}


class NoForm(Exception):
    """The expression has no normal form here, or one too large to be worth it."""


def have_equal_forms(one: Node, other: Node) -> bool:
    """Whether both have the same normal form. False proves nothing. Raises NoForm and TooLarge."""
    (over, under), (other_over, other_under) = _form(one), _form(other)
    if not under or not other_under:
        raise NoForm("a division by zero")
    return _times(over, other_under) == _times(other_over, under)


def _form(node: Node) -> Form:
    value = exact_value(node)
    if value is not None:
        return _constant(value), _ONE
    read = _READERS.get(node.op)
    if read is None:
        raise NoForm(f"no form for a {node.op}")
    return read(node)


def _constant(value: Fraction) -> Polynomial:
    return {(): value} if value else {}


def _generator(name: str, exponent: Fraction = Fraction(1)) -> Form:
    return {((name, exponent),): Fraction(1)}, _ONE


def _name(node: Node) -> Form:
    if node.name == "inf":
        raise NoForm("infinity")
    return _generator(node.name)


def _add(node: Node) -> Form:
    over, under = _form(node.args[0])
    for part in node.args[1:]:
        other_over, other_under = _form(part)
        if under == other_under:
            over = _plus(over, other_over)
        else:
            over = _plus(_times(over, other_under), _times(other_over, under))
            under = _times(under, other_under)
    return over, under


def _neg(node: Node) -> Form:
    over, under = _form(node.args[0])
    return {monomial: -factor for monomial, factor in over.items()}, under


def _mul(node: Node) -> Form:
    over, under = _ONE, _ONE
    for part in node.args:
        other_over, other_under = _form(part)
        over, under = _times(over, other_over), _times(under, other_under)
    return over, under


def _div(node: Node) -> Form:
    (over, under), (other_over, other_under) = _form(node.args[0]), _form(node.args[1])
    return _times(over, other_under), _times(under, other_over)


def _pow(node: Node) -> Form:
    base, exponent = node.args
    power = exact_value(exponent)
    if power is None:
        return _symbolic_power(base, exponent)
    form = _form(base)
    if power.denominator == 1:
        return _integer_power(form, power.numerator)
    return _root(form, power)


def _symbolic_power(base: Node, exponent: Node) -> Form:
    """`2^{n+1}` is `2` times `2^n`: each term of the exponent is a generator of its own."""
    over, under = _form(exponent)
    if under != _ONE:
        raise NoForm("a quotient in an exponent")
    key = _key(_form(base))
    result: Form = (_ONE, _ONE)
    for monomial, factor in over.items():
        if not monomial:
            power = (
                _integer_power(_form(base), factor.numerator) if factor.denominator == 1 else _root(_form(base), factor)
            )
        else:
            power = _generator(f"({key})^{_key_of(monomial)}", factor)
        result = _times(result[0], power[0]), _times(result[1], power[1])
    return result


def _integer_power(form: Form, power: int) -> Form:
    over, under = form if power >= 0 else (form[1], form[0])
    size = abs(power)
    if len(over) <= 1 and len(under) <= 1 and size <= MAX_MONOMIAL:
        return _raised(over, Fraction(size)), _raised(under, Fraction(size))
    if size > MAX_EXPONENT:
        raise NoForm("a high power of a sum")
    result: Form = (_ONE, _ONE)
    for _ in range(size):
        result = _times(result[0], over), _times(result[1], under)
    return result


def _raised(polynomial: Polynomial, power: Fraction) -> Polynomial:
    """A single term to an integer power, reduced."""
    result: Polynomial = {}
    for monomial, factor in polynomial.items():
        if max(factor.numerator.bit_length(), factor.denominator.bit_length()) * power > 20_000:
            raise NoForm("a large coefficient")
        product = _reduced(tuple((name, exponent * power) for name, exponent in monomial))
        result[product[0]] = product[1] * factor**power.numerator
    return result


def _root(form: Form, power: Fraction) -> Form:
    """A fractional power. Of a positive constant: of its primes. Of a name: of itself. Of a sum: a generator."""
    over, under = form
    if len(over) == 1 and len(under) == 1:
        (upper, factor), (lower, divisor) = *over.items(), *under.items()
        monomial = _joined(upper, tuple((name, -exponent) for name, exponent in lower))
        if factor / divisor > 0 and all(_is_positive(name) or exponent == 1 for name, exponent in monomial):
            primes = _primes_of(factor / divisor)
            powers = {name: exponent * power for name, exponent in _joined(monomial, primes)}
            product, scale = _reduced(tuple(sorted(powers.items())))
            return {product: scale}, _ONE
    return _generator(f"({_key(form)})", power)


def _is_positive(name: str) -> bool:
    return name.startswith("#") or name in ("pi", "e")


def _primes_of(value: Fraction) -> Monomial:
    powers: dict[str, Fraction] = {}
    for number, sign in ((value.numerator, 1), (value.denominator, -1)):
        for prime, count in _factors(number):
            powers[f"#{prime}"] = powers.get(f"#{prime}", Fraction(0)) + sign * count
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _factors(number: int) -> list[tuple[int, int]]:
    if number.bit_length() > 256:
        raise NoForm("a large number under a root")
    found: list[tuple[int, int]] = []
    prime = 2
    while prime <= LARGEST_PRIME and prime * prime <= number:
        count = 0
        while number % prime == 0:
            number //= prime
            count += 1
        if count:
            found.append((prime, count))
        prime += 1 if prime == 2 else 2
    return [*found, (number, 1)] if number > 1 else found


def _reduced(monomial: Monomial) -> tuple[Monomial, Fraction]:
    """The monomial with whole powers of primes, and `i` squared, taken out as a factor."""
    factor = Fraction(1)
    rest: list[tuple[str, Fraction]] = []
    for name, exponent in monomial:
        if name == "i" and exponent.denominator == 1:
            turns = exponent.numerator % 4
            factor *= -1 if turns in (2, 3) else 1
            exponent = Fraction(turns % 2)  # noqa: PLW2901 - what is left of it
        elif name.startswith("#"):
            whole = exponent.numerator // exponent.denominator
            if abs(whole) > MAX_MONOMIAL:
                raise NoForm("a high power")
            factor *= Fraction(int(name[1:])) ** whole
            exponent -= whole  # noqa: PLW2901 - what is left of it
        if exponent:
            rest.append((name, exponent))
    return tuple(rest), factor


def _joined(one: Monomial, other: Monomial) -> Monomial:
    powers = dict(one)
    for name, exponent in other:
        powers[name] = powers.get(name, Fraction(0)) + exponent
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _plus(one: Polynomial, other: Polynomial) -> Polynomial:
    total = dict(one)
    for monomial, factor in other.items():
        total[monomial] = total.get(monomial, Fraction(0)) + factor
    return {monomial: factor for monomial, factor in total.items() if factor}


def _times(one: Polynomial, other: Polynomial) -> Polynomial:
    if one is _ONE:
        return other
    if other is _ONE:
        return one
    if len(one) * len(other) > 4 * MAX_TERMS:
        raise NoForm("too many terms")
    total: Polynomial = {}
    for monomial, factor in one.items():
        for other_monomial, other_factor in other.items():
            product, scale = _reduced(_joined(monomial, other_monomial))
            total[product] = total.get(product, Fraction(0)) + factor * other_factor * scale
    return {monomial: factor for monomial, factor in total.items() if factor}


def _opaque(node: Node) -> Form:
    """A function of something: the same for the same normal forms of its arguments."""
    return _generator(f"{node.op}{node.name}[{','.join(_key(_form(part)) for part in node.args)}]")


def _degrees(node: Node) -> Form:
    if node.name != "degree":
        raise NoForm("a unit")
    return _form(node.args[0])


def _key(form: Form) -> str:
    return "/".join("+".join(sorted(f"{v}{_key_of(m)}" for m, v in part.items())) for part in form)


def _key_of(monomial: Monomial) -> str:
    return "*".join(f"{name}^{exponent}" for name, exponent in monomial)


_READERS = {
    "var": _name, "const": _name, "add": _add, "neg": _neg, "mul": _mul, "div": _div, "pow": _pow,
    "bound": _opaque, "rel": _opaque, "func": _opaque, "fact": _opaque, "call": _opaque,
    "unit": _degrees, "ratio": _div,
}  # fmt: skip
