"""From text to a tree: the whole text, or it is not readable.

A recursive-descent reader of what people and models write as answers: LaTeX, plain text, and mixtures. It never reads a
beginning and leaves the rest (`2, -10` is no 2), and never runs anything.
"""

from __future__ import annotations

from typing import NamedTuple

from reasonry.verifiers.maths import words
from reasonry.verifiers.maths.expressions import Expressions
from reasonry.verifiers.maths.tokens import tokenize
from reasonry.verifiers.maths.trees import Node, Unreadable, var

__all__ = ["Parsed", "parse"]


class Parsed(NamedTuple):
    """`is_cut`: a condition behind the answer, `for all n`, was left unread."""

    tree: Node
    is_cut: bool


def parse(text: str) -> Parsed:
    """The tree of a spelled text. Raises Unreadable (Unsupported for mathematics beyond us) and TooLarge."""
    reader = _Answers(tokenize(text))
    node = reader.items()
    if reader.token.kind != "end":
        raise Unreadable(f"cannot read on at {text[reader.token.start :][:20]!r}")
    return Parsed(node, reader.is_finished)


_AND = frozenset({"and", "und", "et", "&"})
_ENDS = (")", "]", "}", "\\}", "\\rbrace", "\\rangle")


class _Answers(Expressions):
    """Adds what may stand around expressions: lists, relations, unions of sets, ratios."""

    def items(self) -> Node:
        """Answers separated by semicolons, commas, `and`, `or`. Semicolons separate groups."""
        groups = [self._comma_list()]
        while self.skip(";") or (not self.brackets and self.skip("\\\\")):
            if self.token.kind == "end" or self.is_at(*_ENDS):
                break
            groups.append(self._comma_list())
        if len(groups) == 1:
            return groups[0]
        if any(group.op == "list" for group in groups):
            groups = [Node("tuple", group.args, "()") if group.op == "list" else group for group in groups]
        return Node("list", tuple(groups), ";")

    def _comma_list(self) -> Node:
        items = [self._item()]
        separators: set[str] = set()
        while separator := self._separator():
            separators.add(separator)
            if self.token.kind == "end" or self.is_at(*_ENDS, ";"):
                break
            if not self.brackets and words.starts_condition(self.token):
                break
            items.append(self._item())
        if not self.brackets and words.starts_condition(self.token):
            self.finish()
        return items[0] if len(items) == 1 else Node("list", tuple(items), "or" if separators == {"or"} else ",")

    def _separator(self) -> str:
        """`,`, `and` or `or`, also one behind the other; "" where there is none."""
        found = ""
        while True:
            token = self.token
            text = token.text.strip(" ,~").lower() if token.kind in ("word", "text") else token.text
            if (
                (token.kind == "sym" and text == ",")
                or text in _AND
                or text in ("\\land", "\\wedge")
                or (token.kind == "text" and not text)
            ):
                found = found or ","
            elif text in ("or", "\\lor", "\\vee"):
                found = "or"
            else:
                return found
            self.take()

    def _item(self) -> Node:
        """One answer, with what it is called in front: `a: 3`, `Minimum: 1`."""
        token, behind = self.token, self.ahead()
        is_word = token.kind == "text" or (token.kind == "word" and len(token.text) > 1 and not token.text.isupper())
        if is_word and behind.kind == "sym" and behind.text == ":":
            self.step(2)
            return Node("rel", (var(f"'{token.text.strip(' :').lower()}"), self.relation()), "=")
        return self.relation()

    def relation(self) -> Node:
        sides, signs = [self.union()], list[str]()
        while (sign := self._sign()) is not None:
            signs.append(sign)
            sides.append(self.union())
        return sides[0] if not signs else Node("rel", tuple(sides), " ".join(signs))

    def _sign(self) -> str | None:
        token = self.token
        sign = words.RELATIONS.get(token.text) if token.kind in ("sym", "cmd") else None
        if sign is None or (sign == "mid" and self.brackets):
            return None
        self.take()
        if sign == "not":
            return {"=": "!=", "in": "notin"}.get(self._sign() or "")
        if sign in ("<", ">") and self.skip("="):
            return sign + "="
        if sign == "=" and self.is_at("=", "\\approx"):
            return self._sign()
        return sign

    def union(self) -> Node:
        node = self._ratio()
        while self.is_at("\\cup", "\\cap", "\\setminus", "\\backslash") or self._is_union():
            op = {"\\cap": "cap", "\\setminus": "minus", "\\backslash": "minus"}.get(self.take().text, "union")
            node = Node(op, (node, self._ratio()))
        return node

    def _is_union(self) -> bool:
        """`(0, 1) U (2, 3)`."""
        if self.token.kind != "word" or self.token.text not in ("U", "u", "union"):
            return False
        return self.last.text in (")", "]", "\\}") and self.ahead().text in ("(", "[", "\\{")

    def _ratio(self) -> Node:
        parts = [self.sum()]
        while self.is_at(":", "\\colon") and not (self.brackets and self._in_builder()):
            self.take()
            parts.append(self.sum())
        return parts[0] if len(parts) == 1 else Node("ratio", tuple(parts))

    def _in_builder(self) -> bool:
        """`\\{x : x > 0\\}`: there a colon does not divide. Told by the relation behind it."""
        for count in range(1, 60):
            token = self.ahead(count)
            if token.kind == "end" or token.text in ("\\}", ",", ":"):
                return False
            if token.text in words.RELATIONS:
                return True
        return False
