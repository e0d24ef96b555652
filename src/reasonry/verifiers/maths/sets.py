"""Sets of real numbers: intervals, inequalities, set-builders and what is made of them, as a sorted list of pieces."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from reasonry.verifiers.maths.balls import Undefined, evaluate, floats
from reasonry.verifiers.maths.exact import exact_value
from reasonry.verifiers.maths.scalars import compare_scalars
from reasonry.verifiers.maths.trees import Node, names_in, num, walk

__all__ = ["NoSet", "compare_sets", "is_inequality", "is_set_of_reals", "read_reals"]

MAX_PIECES = 40
INEQUALITIES = frozenset({"<", "<=", ">", ">=", "!="})
_SET_OPS = frozenset({"union", "cap", "minus", "builder", "reals"})


class NoSet(Exception):
    """Not a set of real numbers that we can write down."""


@dataclass(frozen=True, slots=True)
class _End:
    """An end of a piece. `at` orders; `node` is its exact form, None for infinity."""

    at: float
    node: Node | None

    def is_same(self, other: _End) -> bool:
        if self.node is None or other.node is None:
            return self.node is other.node and self.at == other.at
        return bool(compare_scalars(self.node, other.node).is_equal)


@dataclass(frozen=True, slots=True)
class _Piece:
    low: _End
    high: _End
    with_low: bool
    with_high: bool


_MINUS, _PLUS = _End(-math.inf, None), _End(math.inf, None)
_ALL = _Piece(_MINUS, _PLUS, with_low=False, with_high=False)
Pieces = list[_Piece]


def is_inequality(node: Node) -> bool:
    return node.op == "rel" and all(sign in INEQUALITIES for sign in node.name.split())


def is_set_of_reals(node: Node) -> bool:
    """Whether a node can be nothing else than a set of reals or a condition on one."""
    if node.op in _SET_OPS or is_inequality(node):
        return True
    if node.op == "rel":
        return node.name == "in" and (is_set_of_reals(node.args[1]) or node.args[1].op in ("tuple", "set"))
    if node.op == "tuple":
        return node.name in ("(]", "[)") or any(_is_infinite(part) for part in node.args)
    if node.op == "add":
        return any(is_set_of_reals(part) for part in node.args)
    return node.op == "list" and all(is_set_of_reals(part) for part in node.args)


def _is_infinite(node: Node) -> bool:
    return (node.op == "const" and node.name == "inf") or (node.op == "neg" and _is_infinite(node.args[0]))


def compare_sets(one: Node, other: Node) -> bool:
    """Whether two nodes are the same set of reals. Raises NoSet."""
    mine, theirs = read_reals(one), read_reals(other)
    return len(mine) == len(theirs) and all(map(_is_same, mine, theirs))


def _is_same(one: _Piece, other: _Piece) -> bool:
    ends = (one.with_low, one.with_high) == (other.with_low, other.with_high)
    return ends and one.low.is_same(other.low) and one.high.is_same(other.high)


def read_reals(node: Node) -> Pieces:
    """The pieces of a set, sorted and apart from each other. Raises NoSet."""
    if node.op == "rel":
        return _of_relation(node)
    if node.op == "tuple":
        return [_interval(node)]
    if node.op == "set":
        return _joined([_point(part) for part in node.args])
    if node.op == "builder":
        return _builder(node)
    if node.op == "reals" and node.name == "R":
        return [_ALL]
    if node.op == "list":
        parts = [read_reals(part) for part in node.args]
        if node.name == "or":
            return _joined([piece for part in parts for piece in part])
        return _together(parts)
    if node.op in ("union", "cap", "minus"):
        one, other = read_reals(node.args[0]), read_reals(node.args[1])
        if node.op == "union":
            return _joined([*one, *other])
        return _met(one, other if node.op == "cap" else _complement(other))
    if node.op == "add" and all(part.op == "neg" for part in node.args[1:]):
        pieces = read_reals(node.args[0])
        for part in node.args[1:]:
            pieces = _met(pieces, _complement(read_reals(part.args[0])))
        return pieces
    raise NoSet(f"a {node.op} is no set")


def _together(parts: list[Pieces]) -> Pieces:
    """Conditions side by side hold together; where they cannot, one of them does."""
    met = parts[0]
    for part in parts[1:]:
        met = _met(met, part)
    return met or _joined([piece for part in parts for piece in part])


def _builder(node: Node) -> Pieces:
    name, condition = node.args
    pieces = read_reals(condition)
    return _met(pieces, read_reals(name.args[1])) if name.op == "rel" and name.name == "in" else pieces


def _end(node: Node) -> _End:
    if _is_infinite(node):
        return _MINUS if node.op == "neg" else _PLUS
    if names_in(node):
        raise NoSet("an end with a name in it")
    value = exact_value(node)
    try:
        at = float(value) if value is not None else float(evaluate(node, {}, floats(is_complex=False)).middle)
    except (Undefined, OverflowError) as exc:
        raise NoSet("an end without a value") from exc
    return _End(at, node)


def _point(node: Node) -> _Piece:
    end = _end(node)
    if end.node is None:
        raise NoSet("infinity is no point")
    return _Piece(end, end, with_low=True, with_high=True)


def _interval(node: Node) -> _Piece:
    if len(node.args) != 2 or len(node.name) != 2 or node.name == "<>":
        raise NoSet("no interval")
    low, high = _end(node.args[0]), _end(node.args[1])
    if low.at > high.at:
        raise NoSet("an interval with its ends exchanged")
    return _Piece(low, high, with_low=node.name[0] == "[", with_high=node.name[1] == "]")


_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "!=": "!=", "=": "="}


def _of_relation(node: Node) -> Pieces:
    if node.name == "in":
        return read_reals(node.args[1])
    signs = node.name.split()
    subjects = {part for side in node.args for part in walk(side) if part.op in ("var", "call")}
    subjects -= {part for subject in subjects if subject.op == "call" for part in subject.args}
    if len(subjects) != 1 or any(part.op != "var" for subject in subjects for part in subject.args):
        raise NoSet("not about one name")
    pieces: Pieces = [_ALL]
    for left, sign, right in zip(node.args, signs, node.args[1:], strict=False):
        if sign not in _FLIPPED:
            raise NoSet("no inequality")
        pieces = _met(pieces, _solved(left, sign, right))
    return pieces


def _solved(left: Node, sign: str, right: Node) -> Pieces:
    """The solutions of a linear inequality in one name, or in an absolute value of one."""
    if names_in(right) or (right.op == "call"):
        left, sign, right = right, _FLIPPED[sign], left
    if names_in(right):
        raise NoSet("names on both sides")
    if left.op == "func" and left.name == "abs":
        return _absolute(left.args[0], sign, right)
    if left.op == "call" or (left.op == "var"):
        return _ray(sign, right)
    slope, offset = _linear(left)
    if slope < 0:
        sign = _FLIPPED[sign]
    bound = Node("div", (Node("add", (right, num(-offset))), num(slope)))
    return _ray(sign, bound)


def _linear(node: Node) -> tuple[Fraction, Fraction]:
    """`a` and `b` of `a x + b` with one name."""
    names = names_in(node)
    if len(names) != 1 or any(part.op not in ("num", "var", "add", "mul", "neg", "div") for part in walk(node)):
        raise NoSet("not linear")
    name = names.pop()
    values = [exact_value(_with(node, name, num(at))) for at in (0, 1, 2)]
    if any(value is None for value in values):
        raise NoSet("not linear")
    zero, one, two = (value for value in values if value is not None)
    if one - zero != two - one or one == zero:
        raise NoSet("not linear")
    return one - zero, zero


def _with(node: Node, name: str, value: Node) -> Node:
    if node.op == "var":
        return value if node.name == name else node
    return Node(node.op, tuple(_with(part, name, value) for part in node.args), node.name, node.number)


def _absolute(inside: Node, sign: str, bound: Node) -> Pieces:
    negative = Node("neg", (bound,))
    if sign in ("<", "<=", "="):
        if sign == "=":
            return _joined([*_solved(inside, "=", bound), *_solved(inside, "=", negative)])
        return _met(_solved(inside, sign, bound), _solved(inside, _FLIPPED[sign], negative))
    return _joined([*_solved(inside, sign, bound), *_solved(inside, _FLIPPED[sign], negative)])


def _ray(sign: str, bound: Node) -> Pieces:
    end = _end(bound)
    if end.node is None:
        return [_ALL]
    below = _Piece(_MINUS, end, with_low=False, with_high=sign == "<=")
    above = _Piece(end, _PLUS, with_low=sign == ">=", with_high=False)
    if sign == "=":
        return [_Piece(end, end, with_low=True, with_high=True)]
    return [below, above] if sign == "!=" else [below if sign.startswith("<") else above]


def _before(one: _End, other: _End) -> int:
    """-1, 0 or 1 as one end lies before, at or behind the other."""
    is_near = one.at == other.at or abs(one.at - other.at) <= 1e-9 * max(abs(one.at), abs(other.at))
    if is_near and one.is_same(other):
        return 0
    return -1 if one.at < other.at else 1


def _joined(pieces: Pieces) -> Pieces:
    if len(pieces) > MAX_PIECES:
        raise NoSet("too many pieces")
    joined: Pieces = []
    for piece in sorted(pieces, key=lambda piece: (piece.low.at, not piece.with_low)):
        last = joined[-1] if joined else None
        if last is None:
            joined.append(piece)
            continue
        order = _before(piece.low, last.high)
        if order > 0 or (order == 0 and not (piece.with_low or last.with_high)):
            joined.append(piece)
            continue
        further = _before(piece.high, last.high)
        with_high = piece.with_high or last.with_high if further == 0 else (piece if further > 0 else last).with_high
        high = piece.high if further > 0 else last.high
        joined[-1] = _Piece(last.low, high, with_low=last.with_low, with_high=with_high)
    return joined


def _met(one: Pieces, other: Pieces) -> Pieces:
    """What both hold."""
    met: Pieces = []
    for a in one:
        for b in other:
            low_order, high_order = _before(a.low, b.low), _before(a.high, b.high)
            low = a if low_order > 0 else b
            high = a if high_order < 0 else b
            with_low = a.with_low and b.with_low if low_order == 0 else low.with_low
            with_high = a.with_high and b.with_high if high_order == 0 else high.with_high
            order = _before(low.low, high.high)
            if order < 0 or (order == 0 and with_low and with_high):
                met.append(_Piece(low.low, high.high, with_low=with_low, with_high=with_high))
    return _joined(met)


def _complement(pieces: Pieces) -> Pieces:
    rest: Pieces = [_ALL]
    for piece in pieces:
        outside: Pieces = []
        if piece.low.node is not None:
            outside.append(_Piece(_MINUS, piece.low, with_low=False, with_high=not piece.with_low))
        if piece.high.node is not None:
            outside.append(_Piece(piece.high, _PLUS, with_low=not piece.with_high, with_high=False))
        rest = _met(rest, outside)
    return rest
