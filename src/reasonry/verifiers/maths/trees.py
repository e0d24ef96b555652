"""The tree that an answer is read into.

One class for every kind of node; `op` says which. Scalars: `num var const add mul neg div pow func fact`. Around them:
`pm percent unit ratio based`. Structures: `tuple set list matrix row rel union cap minus builder reals word`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

__all__ = [
    "Node",
    "TooLarge",
    "Unreadable",
    "Unsupported",
    "const",
    "func",
    "inverse_power",
    "names_in",
    "num",
    "var",
    "walk",
    "words_in",
]


class Unreadable(Exception):
    """The text as a whole is not an answer that we can read."""


class Unsupported(Unreadable):
    """Mathematics, but beyond our reader: integrals, sums, limits. A computer algebra system may know it."""


class TooLarge(Exception):
    """Reading or evaluating it would cost more than any answer is worth."""


@dataclass(slots=True, unsafe_hash=True)
class Node:
    """A node. `number` is the exact value of a `num`; `name` what `op` needs (a name, brackets, relations).

    `places` of a `num` that was written as a decimal: digits behind its point. It is no part of the identity.
    """

    op: str
    args: tuple[Node, ...] = ()
    name: str = ""
    number: Fraction | None = None
    places: int | None = field(default=None, compare=False)

    @property
    def value(self) -> Fraction:
        """The value of a `num`."""
        assert self.number is not None
        return self.number


def num(value: Fraction | int, places: int | None = None) -> Node:
    return Node("num", (), "", value if isinstance(value, Fraction) else Fraction(value), places)


def var(name: str) -> Node:
    return Node("var", (), name)


def const(name: str) -> Node:
    """`pi`, `e`, `i` or `inf`."""
    return Node("const", (), name)


def func(name: str, *args: Node) -> Node:
    return Node("func", args, name)


def inverse_power(base: Node, index: Node) -> Node:
    """The root of `base`."""
    exponent = num(1 / index.value) if index.op == "num" and index.value else Node("div", (num(1), index))
    return Node("pow", (base, exponent))


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.args)


def words_in(text: str) -> list[str]:
    """The words of a text: lists of many words are easier to read as one."""
    return text.split()


def names_in(node: Node) -> set[str]:
    """The names of the variables below a node."""
    return {found.name for found in walk(node) if found.op == "var"}
