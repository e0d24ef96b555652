"""Multi-step arithmetic whose reference steps are known: the problems of the procedural source.

One definition serves everyone who meets such a problem: the source that makes it, the simulated teacher that
solves it (or fails at it on purpose), and the `steps` verifier that checks each line of a solution.

A solution is a sequence of steps `left op right = result`, one per line:

```
Compute 47 + 85 + 23.        47 + 85 = 132
                             132 + 23 = 155
```
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reasonry.identity import digest

__all__ = ["FAMILIES", "Family", "Problem", "Split", "Step", "parse_problem", "read_steps", "split_of"]

Split = Literal["train", "test"]
TEST_SHARE = 10  # one problem in ten belongs to the test split

_STEP = re.compile(r"(?<![\w.])(-?\d{1,18}) ?([-+*×]) ?(-?\d{1,18}) ?= ?(-?\d{1,18})(?![\w]|\.\d)")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a solution. `result` is what the line says, right or wrong."""

    left: int
    op: str
    right: int
    result: int

    @property
    def true_result(self) -> int:
        if self.op == "+":
            return self.left + self.right
        if self.op == "-":
            return self.left - self.right
        return self.left * self.right

    @property
    def is_right(self) -> bool:
        return self.result == self.true_result

    def __str__(self) -> str:
        return f"{self.left} {self.op} {self.right} = {self.result}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with its reference solution."""

    family: str
    prompt: str
    steps: tuple[Step, ...]

    @property
    def answer(self) -> int:
        return self.steps[-1].result


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of problem. `make(random, steps, digits)` draws one; `parse(prompt)` recognises it again."""

    name: str
    summary: str
    make: Callable[[random.Random, int, int], Problem]
    parse: Callable[[str], Problem | None]


def split_of(problem: Problem) -> Split:
    """The split a problem belongs to, by its content alone.

    Whatever the seeds, a problem drawn for training is never one drawn for testing.
    """
    return "test" if int(digest("split", problem.prompt)[:8], 16) % TEST_SHARE == 0 else "train"


def parse_problem(prompt: str) -> Problem | None:
    """The problem that a prompt states, wherever in the text it stands; None for any other prompt."""
    for family in FAMILIES.values():
        if (problem := family.parse(prompt)) is not None:
            return problem
    return None


def read_steps(text: str) -> list[Step]:
    """The steps written in a text, in order. Multiplication may be `*` or `×`."""
    return [
        Step(int(left), "*" if op == "×" else op, int(right), int(result))
        for left, op, right, result in _STEP.findall(text)
    ]


def _number(generator: random.Random, digits: int) -> int:
    return generator.randrange(10 ** (digits - 1), 10**digits)


def _chain(family: str, first: int, operations: Sequence[tuple[str, int]]) -> Problem:
    """A problem that carries one value along: `Compute 12 + 34 - 5.`"""
    value, steps = first, list[Step]()
    for op, right in operations:
        step = Step(value, op, right, 0)
        value = step.true_result
        steps.append(Step(step.left, op, right, value))
    text = "".join(f" {op} {right}" for op, right in operations)
    return Problem(family, f"Compute {first}{text}.", tuple(steps))


def _chain_family(name: str, summary: str, ops: str) -> Family:
    pattern = re.compile(rf"Compute (\d{{1,9}})((?: [{re.escape(ops)}] \d{{1,9}})+)\.")

    def make(generator: random.Random, steps: int, digits: int) -> Problem:
        first = _number(generator, digits)
        return _chain(name, first, [(generator.choice(ops), _number(generator, digits)) for _ in range(steps)])

    def parse(prompt: str) -> Problem | None:
        if (found := pattern.search(prompt)) is None:
            return None
        words = found[2].split()
        return _chain(name, int(found[1]), [(words[i], int(words[i + 1])) for i in range(0, len(words), 2)])

    return Family(name, summary, make, parse)


_GOODS = ("apples", "books", "candles", "drums", "eggs", "flags", "gloves", "hats")
_PURCHASE_ITEM = re.compile(r"(\d{1,9}) (\w+) at (\d{1,9}) coins each")


def _purchase(items: Sequence[tuple[int, str, int]]) -> Problem:
    """Products first, then their running sum."""
    listed = ", ".join(f"{count} {goods} at {price} coins each" for count, goods, price in items)
    products = [Step(count, "*", price, count * price) for count, _, price in items]
    sums, total = list[Step](), products[0].result
    for product in products[1:]:
        sums.append(Step(total, "+", product.result, total + product.result))
        total += product.result
    prompt = f"Mina buys {listed}. How many coins does she pay altogether?"
    return Problem("purchase", prompt, (*products, *sums))


def _make_purchase(generator: random.Random, steps: int, digits: int) -> Problem:
    kinds = max(1, (steps + 1) // 2)  # n products and n - 1 sums: an even number of steps becomes the odd one below
    goods = [generator.choice(_GOODS) for _ in range(kinds)]
    return _purchase([(generator.randrange(2, 10), name, _number(generator, digits)) for name in goods])


def _parse_purchase(prompt: str) -> Problem | None:
    if "How many coins" not in prompt:
        return None
    items = [(int(count), goods, int(price)) for count, goods, price in _PURCHASE_ITEM.findall(prompt)]
    return _purchase(items) if items else None


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        _chain_family("chain_sum", "a running sum of whole numbers", "+"),
        _chain_family("chain_signed", "a running sum with additions and subtractions", "+-"),
        Family("purchase", "a word problem: products, then their sum", _make_purchase, _parse_purchase),
    )
}
