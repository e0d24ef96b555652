"""Reading the commands of LaTeX."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reasonry.verifiers.maths import words
from reasonry.verifiers.maths.brackets import read_absolute, read_bracket, read_matrix, read_set, read_tuple
from reasonry.verifiers.maths.tokens import Token
from reasonry.verifiers.maths.trees import Node, Unreadable, Unsupported, func, inverse_power, num, var

if TYPE_CHECKING:
    from reasonry.verifiers.maths.expressions import Expressions

__all__ = ["read_command"]


def read_command(reader: Expressions) -> Node:
    """What a command and its arguments stand for. Raises Unsupported for mathematics beyond us."""
    name = reader.token.text[1:]
    if name in words.FUNCTION_NAMES:
        return reader.function(name)
    if name in words.NAMED_COMMANDS:
        reader.take()
        node = words.NAMED_COMMANDS[name]
        return reader.indexed(node.name) if node.op == "var" and reader.is_at("_", "'") else node
    if (known := words.glued_function(name)) is not None:
        token = reader.token
        reader.replace(Token("word", name.removeprefix(known), token.start + 1 + len(known), token.end))
        return reader.function_before(known)
    if name in words.BEYOND:
        raise Unsupported(f"\\{name} is beyond this reader")
    if (read := _READERS.get(name)) is None:
        raise Unreadable(f"the command \\{name[:20]}")
    return read(reader)


def _argument(reader: Expressions, *, whole_number: bool = False) -> Node:
    """An argument: a group, or one character or command. `\\frac12` has two."""
    token = reader.token
    if reader.skip("{"):
        with reader.nested():
            node = reader.union()
            reader.expect("}")
        return node
    if token.kind == "num" and len(token.text) > 1 and not whole_number:
        if not token.text.isdigit():
            raise Unreadable("a decimal without braces")
        reader.replace(Token("num", token.text[1:], token.start + 1, token.end))
        return num(int(token.text[0]))
    if token.kind == "word" and len(token.text) > 1:
        reader.replace(Token("word", token.text[1:], token.start + 1, token.end))
        return words.letter(token.text[0])
    with reader.nested():
        return reader.primary()


def _fraction(reader: Expressions) -> Node:
    reader.take()
    over = _argument(reader)
    return Node("div", (over, _argument(reader)))


def _binomial(reader: Expressions) -> Node:
    reader.take()
    upper = _argument(reader)
    return func("binom", upper, _argument(reader))


def _group(reader: Expressions) -> Node:
    reader.take()
    return _argument(reader)


def _bound(reader: Expressions) -> Node:
    """A sum, a product, an integral: not worked out here, but equal to one with the same bounds and the same body."""
    name = reader.take().text
    bounds = {"_": num(0), "^": num(0)}
    while reader.is_at("_", "^"):
        script = reader.take().text
        if reader.skip("{"):
            bounds[script] = reader.relation()
            reader.expect("}")
        else:
            bounds[script] = reader.primary()
    with reader.nested():
        body = reader.term()
    return Node("bound", (bounds["_"], bounds["^"], body), name)


def _root(reader: Expressions) -> Node:
    reader.take()
    index = num(2)
    if reader.skip("["):
        index = reader.sum()
        reader.expect("]")
    return inverse_power(_argument(reader, whole_number=True), index)


def _closed_by(closing: str, name: str) -> Callable[[Expressions], Node]:
    def read(reader: Expressions) -> Node:
        reader.take()
        with reader.bracket():
            inside = reader.sum()
            reader.expect(closing)
        return func(name, inside)

    return read


def _accented(reader: Expressions) -> Node:
    """`\\vec{a}`, `\\overline{AB}`: a name of its own, which may come without its mark."""
    reader.take()
    inside = _argument(reader)
    if inside.op not in ("var", "const", "mul", "call"):
        raise Unreadable("a mark over more than a name")
    return inside if inside.op == "var" else var("".join(part.name for part in inside.args) or inside.name)


def _marked(reader: Expressions) -> Node:
    """`\\angle ABC`, `\\triangle ABC`: a name."""
    mark = reader.take().text
    inside = reader.primary()
    if inside.op not in ("var", "const", "mul"):
        raise Unreadable("a mark before more than a name")
    return var(mark + (inside.name or "".join(part.name for part in inside.args)))


_READERS: dict[str, Callable[[Expressions], Node]] = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), _fraction),
    **dict.fromkeys(("binom", "dbinom", "tbinom"), _binomial),
    **dict.fromkeys(("boxed", "fbox"), _group),
    **dict.fromkeys(("overline", "overrightarrow", "vec", "hat", "bar", "widehat", "tilde", "dot"), _accented),
    **dict.fromkeys(("angle", "triangle", "odot"), _marked),
    **dict.fromkeys(("lbrack", "lparen"), read_bracket),
    **dict.fromkeys(("{", "lbrace"), read_set),
    **dict.fromkeys(("|", "vert", "lvert", "lVert"), read_absolute),
    **dict.fromkeys(("sum", "prod", "int"), _bound),
    "sqrt": _root,
    "begin": read_matrix,
    "langle": read_tuple,
    "lfloor": _closed_by("\\rfloor", "floor"),
    "lceil": _closed_by("\\rceil", "ceil"),
}
