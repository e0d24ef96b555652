"""Reading expressions: sums, products, powers, and what they are made of.

One method for each level of precedence. Brackets and the commands of LaTeX are in `brackets` and `commands`, lists and
relations in `parsing`.
"""

from __future__ import annotations

from reasonry.verifiers.maths import brackets, commands, words
from reasonry.verifiers.maths.cursor import Cursor
from reasonry.verifiers.maths.numerals import read_mixed, read_numeral
from reasonry.verifiers.maths.suffixes import with_unit
from reasonry.verifiers.maths.trees import Node, Unreadable, func, inverse_power, num, var
from reasonry.verifiers.maths.units import is_known

__all__ = ["Expressions"]

_FRACTIONS = ("\\frac", "\\dfrac", "\\tfrac", "\\cfrac")


class Expressions(Cursor):
    """A cursor that reads expressions. `union`, `items` and `relation` are for what a bracket may hold."""

    def union(self) -> Node:
        raise NotImplementedError

    def items(self) -> Node:
        raise NotImplementedError

    def relation(self) -> Node:
        raise NotImplementedError

    def sum(self) -> Node:
        """Terms with their signs, and a unit behind the whole."""
        with self.nested():
            node = self._signed_term()
            terms = [node]
            while self.is_at("+", "-", "\\pm", "\\mp"):
                sign = self.take().text
                term = self._signed_term() if self.is_at("-", "+") else self.term()
                if sign in ("\\pm", "\\mp"):
                    terms = [Node("pm", (_sum_of(terms), term))]
                else:
                    terms.append(negative(term) if sign == "-" else term)
            node = _sum_of(terms)
        return with_unit(self, node)

    def _signed_term(self) -> Node:
        if self.is_at("+", "-", "\\pm", "\\mp"):
            with self.nested():
                sign = self.take().text
                node = self._signed_term()
            if sign in ("\\pm", "\\mp"):
                return Node("pm", (num(0), node))
            return negative(node) if sign == "-" else node
        return self.term()

    def term(self) -> Node:
        """Factors with the signs of products between them."""
        node = self._factor()
        while True:
            if self.is_at("*", "\\cdot", "\\times", "\\ast"):
                self.take()
                node = product(node, self._signed_factor())
            elif self.is_at("/", "\\div"):
                self.take()
                node = Node("div", (node, self._signed_factor()))
            elif self.starts_factor():
                node = self._adjoined(node)
            else:
                return node

    def _signed_factor(self) -> Node:
        if self.is_at("-", "+"):
            with self.nested():
                sign = self.take().text
                node = self._signed_factor()
            return negative(node) if sign == "-" else node
        return self._factor()

    def _adjoined(self, node: Node) -> Node:
        """What stands beside a factor without a sign between: a mixed number, or a product."""
        is_numeral = self.last.kind == "num"
        if self.token.kind == "num":
            if is_numeral and node.op == "num" and node.places is None:
                return read_mixed(self, node)
            if self.last.kind == "word" or (is_numeral and (node.op == "num" or self.touches)):
                raise Unreadable("a number directly behind a number or a name")
        is_fraction = self.is_at(*_FRACTIONS)
        factor = self._factor()
        if is_fraction and is_numeral and node.op == "num" and node.places is None and _is_proper(factor):
            return Node("add", (node, factor), "mixed")
        if node.op == "var" and factor.op == "tuple" and factor.name == "()":
            return Node("call", factor.args, node.name)  # the point `P(1, 2)`
        return product(node, factor)

    def starts_factor(self) -> bool:
        """Whether a factor can begin here."""
        token = self.token
        if token.kind == "num":
            return True
        if token.kind == "word":
            return words.is_names(token.text) and not self._is_speed()
        if token.kind == "text":
            is_behind_value = self.last.kind == "num" or self.last.text == "}"
            return words.is_name_in_text(token) and not (is_behind_value and words.is_unit_letter(token))
        if token.kind == "cmd":
            return token.text in words.STARTS
        return token.text in ("(", "[", "{") or (token.text == "|" and not self.bars)

    def _is_speed(self) -> bool:
        """`m/s` behind a numeral is a unit, though each letter could be a name."""
        is_written = self.token.text == "m" and self.ahead().text == "/" and self.ahead(2).text == "s"
        return is_written and self.last.kind == "num"

    def _factor(self) -> Node:
        with self.nested():
            node = self.primary()
            while True:
                if self.is_at("^", "**"):
                    node = self._power(node)
                elif self.skip("!"):
                    node = Node("fact", (node,))
                elif self.skip("%", "\\%"):
                    node = Node("percent", (node,))
                else:
                    return node

    def _power(self, base: Node) -> Node:
        self.take()
        if (unit := self._degree()) is not None:
            return Node("unit", (base,), unit)
        return Node("pow", (base, self._exponent()))

    def _degree(self) -> str | None:
        """`^\\circ`, `^{\\circ}C`."""
        mark = self.mark()
        is_braced = self.skip("{")
        if not self.skip("\\circ", "\\degree") or (is_braced and not self.skip("}")):
            self.reset(mark)
            return None
        name = self.token.text.strip()
        if self.token.kind in ("word", "text") and name in ("C", "F"):
            self.take()
            return {"C": "celsius", "F": "fahrenheit"}[name]
        return "degree"

    def _exponent(self) -> Node:
        """What stands behind `^`: a group, or one thing with its sign. Powers associate to the right."""
        if self.skip("{"):
            node = self.sum()
            self.expect("}")
        elif self.is_at("-", "+"):
            with self.nested():
                sign = self.take().text
                node = self._exponent()
            return negative(node) if sign == "-" else node
        else:
            node = self.primary()
        while self.skip("!"):
            node = Node("fact", (node,))
        if self.is_at("^", "**"):
            with self.nested():
                node = self._power(node)
        return node

    def primary(self) -> Node:
        """One thing: a numeral, a name, a bracket, a command with its arguments."""
        token = self.token
        if token.kind == "num":
            return read_numeral(self)
        if token.kind == "word":
            return self._word()
        if token.kind == "text":
            return self._name_in_text()
        if token.kind == "cmd":
            return commands.read_command(self)
        if token.text in ("(", "["):
            return brackets.read_bracket(self)
        if token.text == "{":
            return brackets.read_braces(self)
        if token.text == "|":
            return brackets.read_absolute(self)
        if token.text in ("$", "€", "£", "¥") and self.ahead().kind == "num":
            self.take()
            return Node("unit", (read_numeral(self),), token.text)
        raise Unreadable(f"cannot read {token.text[:20]!r}" if token.kind != "end" else "it ends too early")

    def _word(self) -> Node:
        name = self.token.text
        if name in words.FUNCTION_NAMES:
            return self.function(name)
        if name in ("sqrt", "cbrt"):
            self.take()
            with self.nested():
                return inverse_power(self.primary(), num(2 if name == "sqrt" else 3))
        if name in words.NAMED:
            self.take()
            return words.NAMED[name] if not self.is_at("_") else self.indexed(name)
        if name in ("C", "binom") and self.ahead().text == "(":
            return self._choose()
        if name.lower() in words.NUMBER_WORDS:
            self.take()
            if self.token.kind == "word" and not is_known(self.token.text):
                raise Unreadable("a number in words with other words")
            return num(words.NUMBER_WORDS[name.lower()])
        if not words.is_names(name):
            raise Unreadable(f"the word {name[:20]!r}")
        return self._letters()

    def _choose(self) -> Node:
        """`C(5, 2)` is a binomial coefficient; `C(x + 1)` a product."""
        name = self.take().text
        inside = brackets.read_bracket(self)
        if inside.op == "tuple" and len(inside.args) == 2:
            return func("binom", *inside.args)
        return product(var(name), inside)

    def _letters(self) -> Node:
        """A run of letters: a product of one-letter names, of which the last may have an index."""
        letters = self.take().text
        if letters.isupper() and len(letters) > 1:
            return self.indexed(letters)  # `AB` is one thing: a segment, a triangle
        node: Node | None = None
        for name in letters[:-1]:
            node = words.letter(name) if node is None else product(node, words.letter(name))
        last = self.indexed(letters[-1])
        if last.op == "var" and self.is_at("(") and self._is_application(last.name):
            inside = brackets.read_bracket(self)
            last = Node("call", inside.args if inside.op == "tuple" else (inside,), last.name)
        return last if node is None else product(node, last)

    def _is_application(self, name: str) -> bool:
        """`f(2)`, and `A(x) =`: letters that are often functions, and any before its arguments and an equals sign."""
        if name in words.FUNCTION_LETTERS:
            return True
        count = 1
        while (self.ahead(count).kind == "word" and len(self.ahead(count).text) == 1) or self.ahead(count).text == ",":
            count += 1
        return count > 1 and self.ahead(count).text == ")" and self.ahead(count + 1).text == "="

    def indexed(self, name: str) -> Node:
        """A name with its index and primes."""
        primes = self._primes()
        if self.skip("_"):
            return var(f"{name}{primes}_{self.raw_script()}{self._primes()}")
        if primes:
            return var(name + primes)
        return words.letter(name)

    def _primes(self) -> str:
        count = 0
        while self.skip("'", "\\prime"):
            count += 1
        return "'" * count

    def _name_in_text(self) -> Node:
        token = self.token
        if not words.is_name_in_text(token):
            raise Unreadable(f"the words {token.text[:20]!r}")
        name = token.text.strip(" ~()")
        if name in words.FUNCTION_NAMES:
            return self.function(name)
        self.take()
        if token.name == "mathbb":
            return Node("reals", (), name)
        return self.indexed(name)

    def function(self, name: str) -> Node:
        """A function at its name."""
        self.take()
        return self.function_before(name)

    def function_before(self, name: str) -> Node:
        """`\\sin^2 x`, `\\log_2 8`: a function with what may stand between its name and its argument."""
        power: Node | None = None
        base: Node | None = None
        while self.is_at("^", "_"):
            if self.take().text == "^":
                power = self._exponent()
            else:
                base = self._exponent()
        with self.nested():
            argument = self._function_argument()
        if power == num(-1) and name in words.INVERSES:
            return func(words.INVERSES[name], argument)
        node = words.apply(name, argument, base)
        return node if power is None else Node("pow", (node, power))

    def _function_argument(self) -> Node:
        """A bracket, or factors up to a sign or the next function: `\\sin 2x \\cos y` has two."""
        if self.is_at("(", "[", "{", "|"):
            return self.primary()
        if self.is_at("-"):
            self.take()
            return negative(self._function_argument())
        node = self._factor()
        while self.starts_factor() and not self._starts_function() and not self.is_at("(", "["):
            node = product(node, self._factor())
        if self.is_at("/") and self.ahead().kind == "num" and node.op in ("var", "const"):
            self.take()
            node = Node("div", (node, self._factor()))
        return node

    def _starts_function(self) -> bool:
        return self.token.text.removeprefix("\\").strip() in words.FUNCTION_NAMES


def negative(node: Node) -> Node:
    return num(-node.value, node.places) if node.op == "num" else Node("neg", (node,))


def product(one: Node, other: Node) -> Node:
    return Node("mul", (*one.args, other) if one.op == "mul" else (one, other))


def _sum_of(terms: list[Node]) -> Node:
    return terms[0] if len(terms) == 1 else Node("add", tuple(terms))


def _is_proper(factor: Node) -> bool:
    """Whether a fraction is one of two whole numbers, and less than 1: `3\\frac{1}{2}` is a mixed number."""
    if factor.op != "div" or any(part.op != "num" or part.places is not None for part in factor.args):
        return False
    over, under = factor.args
    return 0 < over.value < under.value
