"""Two expressions: equal, different, or not decided.

In order: exact values; the same tree; floats with error bounds at a few points, which can only refute; a normal form,
which can only prove; many digits at the same points, which does both (agreement to 40 digits at every point counts as
equality; it is no proof, and the verdict names the rung).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b

from reasonry.verifiers.maths.algebra import NoForm, have_equal_forms
from reasonry.verifiers.maths.balls import Arithmetic, Ball, Undefined, evaluate, floats, many_digits
from reasonry.verifiers.maths.exact import exact_value
from reasonry.verifiers.maths.trees import Node, names_in, walk

__all__ = ["BITS", "Finding", "compare_scalars", "points_for"]

POINTS = 3  # where two expressions with names are compared
TRIES = 24
BITS = 192
MAX_EXTRA_BITS = 4_000
AGREED = Fraction(1, 2**130)  # relative: what counts as agreement
MAX_NAMES = 40
MAX_NODES = 600  # of two trees that are worth many digits


@dataclass(frozen=True, slots=True)
class Finding:
    """`is_equal` None: not decided. `rung` is the comparison that decided."""

    is_equal: bool | None
    rung: str


def compare_scalars(one: Node, other: Node) -> Finding:
    """Compare two expressions. Raises TooLarge."""
    if one == other:
        return Finding(is_equal=True, rung="exact")
    if _infinity(one) or _infinity(other):
        return Finding(is_equal=_infinity(one) == _infinity(other), rung="exact")
    value, other_value = exact_value(one), exact_value(other)
    if value is not None and other_value is not None:
        return Finding(is_equal=value == other_value, rung="exact")
    return _compare_at_points(one, other)


def _infinity(node: Node) -> int:
    """1 for infinity, -1 for minus infinity, 0 for anything else."""
    if node.op == "neg":
        return -_infinity(node.args[0])
    return int(node.op == "const" and node.name == "inf")


def _compare_at_points(one: Node, other: Node) -> Finding:
    names = sorted(names_in(one) | names_in(other))
    if len(names) > MAX_NAMES:
        return Finding(is_equal=None, rung="numeric")
    has_i = any(part.op == "const" and part.name == "i" for node in (one, other) for part in walk(node))
    for is_complex in (True,) if has_i else (False, True):
        # Floats first; where they overflow, as many points again with many digits.
        for arithmetic in (floats(is_complex=is_complex), many_digits(BITS, is_complex=is_complex)):
            points = _points(one, other, names, arithmetic)
            if points is None:
                return Finding(is_equal=False, rung="numeric")
            if points:
                return _confirmed(one, other, points, is_complex=is_complex)
        if names:
            break
    return Finding(is_equal=True if _is_proved(one, other) else None, rung="algebra")


def _points(one: Node, other: Node, names: list[str], arithmetic: Arithmetic) -> list[Mapping[str, Fraction]] | None:
    """Points where both have a value; None where the values differ at one of them."""
    found: list[Mapping[str, Fraction]] = []
    for point in points_for(names):
        try:
            here, there = evaluate(one, point, arithmetic), evaluate(other, point, arithmetic)
        except Undefined:
            continue
        if not here.meets(there):
            return None
        found.append(point)
        if len(found) == (POINTS if names else 1):
            break
    return found


def _confirmed(one: Node, other: Node, points: list[Mapping[str, Fraction]], *, is_complex: bool) -> Finding:
    if _is_proved(one, other):
        return Finding(is_equal=True, rung="algebra")
    if sum(1 for node in (one, other) for _ in walk(node)) > MAX_NODES:
        return Finding(is_equal=None, rung="numeric")
    arithmetic = many_digits(_bits_for(one, other), is_complex=is_complex)
    for point in points:
        try:
            here, there = evaluate(one, point, arithmetic), evaluate(other, point, arithmetic)
        except Undefined:
            return Finding(is_equal=None, rung="numeric")
        if not here.meets(there):
            return Finding(is_equal=False, rung="numeric")
        if not _is_sharp(here, there, arithmetic):
            return Finding(is_equal=None, rung="numeric")
    return Finding(is_equal=True, rung="numeric")


def _is_sharp(here: Ball, there: Ball, arithmetic: Arithmetic) -> bool:
    """Whether the balls are so small that their meeting says something."""
    size = max(abs(here.middle), abs(there.middle))
    return here.radius + there.radius <= arithmetic.number(AGREED) * max(size, 1)


def _is_proved(one: Node, other: Node) -> bool:
    try:
        return have_equal_forms(one, other)
    except NoForm:
        return False


def _bits_for(one: Node, other: Node) -> int:
    """Enough that no number in either expression is lost beside the others."""
    extra = 0
    for node in (one, other):
        for part in walk(node):
            if part.op in ("num", "pow"):
                value = exact_value(part)
                if value is not None:
                    extra += max(0, value.numerator.bit_length() + value.denominator.bit_length() - 24)
    steps = -(-min(extra, MAX_EXTRA_BITS) // 64)
    return BITS + 64 * steps


def points_for(names: list[str]) -> Iterator[Mapping[str, Fraction]]:
    """Points to compare at, the same for the same names: positive and small first, then of both signs, then larger."""
    if not names:
        yield {}
        return
    for attempt in range(TRIES):
        yield {name: _coordinate(name, attempt) for name in names}


_RANGES = ((1, 2), (-1, 1), (0, 1), (2, 5), (-3, 0), (1, 9), (-8, 8), (5, 30))


def _coordinate(name: str, attempt: int) -> Fraction:
    if attempt >= 2 * len(_RANGES):  # whole numbers, for what has no value between them
        return Fraction(1 + (sum(name.encode("utf-8", "replace")) + 3 * attempt) % 9)
    low, high = _RANGES[attempt % len(_RANGES)]
    number = int.from_bytes(blake2b(f"{attempt}:{name}".encode("utf-8", "replace"), digest_size=4).digest(), "big")
    return low + (high - low) * Fraction(number % 9_973 + 13, 10_007)
