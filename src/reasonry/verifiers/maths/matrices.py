"""Sums and products of matrices, worked out entry by entry."""

from __future__ import annotations

from reasonry.verifiers.maths.trees import Node, walk

__all__ = ["as_matrix"]

MAX_ENTRIES = 400

Rows = tuple[tuple[Node, ...], ...]


def as_matrix(node: Node) -> Node:
    """The matrix that a tree of matrices comes to; the tree itself where it is none."""
    if node.op == "matrix" or not any(part.op == "matrix" for part in walk(node)):
        return node
    rows = _rows(node)
    return node if rows is None else Node("matrix", tuple(Node("row", row) for row in rows))


def _rows(node: Node) -> Rows | None:
    if node.op == "matrix":
        rows = tuple(row.args for row in node.args)
        return rows if len(rows) * len(rows[0]) <= MAX_ENTRIES else None
    if node.op == "neg":
        inner = _rows(node.args[0])
        return None if inner is None else tuple(tuple(Node("neg", (cell,)) for cell in row) for row in inner)
    if node.op == "add":
        return _sum(node)
    if node.op == "mul":
        return _product(node)
    if node.op == "div":
        inner = _rows(node.args[0])
        return None if inner is None else tuple(tuple(Node("div", (c, node.args[1])) for c in row) for row in inner)
    return None


def _sum(node: Node) -> Rows | None:
    parts = [_rows(part) for part in node.args]
    total = parts[0]
    for part in parts[1:]:
        if total is None or part is None or len(total) != len(part) or len(total[0]) != len(part[0]):
            return None
        total = tuple(
            tuple(Node("add", cells) for cells in zip(*rows, strict=True)) for rows in zip(total, part, strict=True)
        )
    return total


def _product(node: Node) -> Rows | None:
    total: Rows | None = None
    factors: list[Node] = []
    for part in node.args:
        rows = _rows(part)
        if rows is None:
            if part.op in ("matrix", "add") and total is not None:
                return None
            factors.append(part)
        elif total is None:
            total = rows
        elif len(total[0]) != len(rows):
            return None
        else:
            columns = tuple(zip(*rows, strict=True))
            total = tuple(tuple(_dot(row, column) for column in columns) for row in total)
    if total is None or not factors:
        return total
    return tuple(tuple(Node("mul", (*factors, cell)) for cell in row) for row in total)


def _dot(row: tuple[Node, ...], column: tuple[Node, ...]) -> Node:
    return Node("add", tuple(Node("mul", pair) for pair in zip(row, column, strict=True)))
