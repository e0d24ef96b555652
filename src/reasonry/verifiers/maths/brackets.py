"""Reading brackets: groups, tuples, intervals, sets, matrices, absolute values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reasonry.verifiers.maths.trees import Node, Unreadable, func

if TYPE_CHECKING:
    from reasonry.verifiers.maths.expressions import Expressions

__all__ = ["read_absolute", "read_braces", "read_bracket", "read_matrix", "read_set", "read_tuple"]


def read_bracket(reader: Expressions) -> Node:
    """A round or square bracket: a group, a tuple, an interval, a matrix. The two ends need not match."""
    opening = reader.take().text.removeprefix("\\")
    with reader.bracket():
        if reader.is_at(")", "]"):
            raise Unreadable("an empty bracket")
        inside = reader.items()
        closing = reader.expect(")", "]", "\\rbrack", "\\rparen")
    closing = closing.replace("\\rbrack", "]").replace("\\rparen", ")")
    return _bracketed(inside, opening.replace("lbrack", "[").replace("lparen", "(") + closing)


def _bracketed(inside: Node, ends: str) -> Node:
    if inside.op != "list":
        if ends not in ("()", "[]"):
            raise Unreadable("brackets that do not match")
        is_row = ends == "[]" and inside.op == "tuple" and inside.name == "[]"
        return Node("matrix", (Node("row", inside.args),)) if is_row else inside
    if inside.name == "or":
        raise Unreadable("a bracket with alternatives")
    if inside.name == ";" and ends in ("[]", "()") and any(item.op == "tuple" for item in inside.args):
        return matrix_of([item.args if item.op == "tuple" else (item,) for item in inside.args])
    if ends == "[]" and all(item.op in ("tuple", "matrix") and item.name != "()" for item in inside.args):
        rows = [item.args if item.op == "tuple" else item.args[0].args for item in inside.args]
        if len({len(row) for row in rows}) == 1:
            return matrix_of(rows)
    return Node("tuple", inside.args, ends)


def matrix_of(rows: list[tuple[Node, ...]]) -> Node:
    if len({len(row) for row in rows}) != 1:
        raise Unreadable("rows of different lengths")
    return Node("matrix", tuple(Node("row", row) for row in rows))


def read_braces(reader: Expressions) -> Node:
    """A bare brace: a group of LaTeX; where it holds a list, a set in plain text and nothing in LaTeX (`bare`)."""
    reader.take()
    with reader.nested():
        inside = reader.items()
        reader.expect("}")
    return Node("set", inside.args, "bare") if inside.op == "list" else inside


def read_set(reader: Expressions) -> Node:
    """`\\{1, 2\\}`, `\\{x | x < 2\\}`."""
    reader.take()
    with reader.bracket():
        if reader.skip("\\}", "\\rbrace"):
            return Node("set")
        reader.bars = 1  # here a bar says "such that"
        first = reader.items()
        if reader.skip("|", "\\mid", "\\vert", ":", "\\colon"):
            condition = reader.items()
            reader.expect("\\}", "\\rbrace")
            return Node("builder", (first, condition))
        reader.expect("\\}", "\\rbrace")
    return Node("set", first.args if first.op == "list" else (first,))


def read_absolute(reader: Expressions) -> Node:
    """`|x|`, also of a matrix: its determinant."""
    opening = reader.take().text
    closing = {"|": "|", "\\lvert": "\\rvert", "\\vert": "\\vert", "\\|": "\\|", "\\lVert": "\\rVert"}[opening]
    reader.bars += 1
    with reader.nested():
        inside = reader.sum()
        reader.expect(closing)
    reader.bars -= 1
    return func("abs", inside)


def read_tuple(reader: Expressions) -> Node:
    """`\\langle 1, 2 \\rangle`."""
    reader.take()
    with reader.bracket():
        inside = reader.items()
        reader.expect("\\rangle")
    return Node("tuple", inside.args if inside.op == "list" else (inside,), "<>")


_MATRICES = ("pmatrix", "bmatrix", "matrix", "vmatrix", "Bmatrix", "Vmatrix", "smallmatrix", "array")


def read_matrix(reader: Expressions) -> Node:
    """`\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}`."""
    reader.take()
    name = reader.raw_script()
    if name not in _MATRICES:
        raise Unreadable(f"the environment {name[:20]}")
    if name == "array" and reader.is_at("{"):
        reader.raw_script()
    rows: list[tuple[Node, ...]] = []
    with reader.bracket():
        while not reader.is_at("\\end"):
            rows.append(_row(reader))
            if not reader.skip("\\\\"):
                break
        reader.expect("\\end")
        if reader.raw_script() != name:
            raise Unreadable("an environment that is not closed")
    if name == "vmatrix":
        return func("det", matrix_of(rows))
    if not rows:
        raise Unreadable("an empty matrix")
    return matrix_of(rows)


def _row(reader: Expressions) -> tuple[Node, ...]:
    cells = [reader.relation()]
    while reader.skip("&"):
        cells.append(reader.relation())
    return tuple(cells)
