"""What a template of the grammar is, and the question it makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from benchmarks.corpus.draw import Draw

__all__ = ["DOMAINS", "TEMPLATES", "Domain", "Made", "Template", "respelled", "show", "template"]

Domain = Literal["maths_words", "maths_latex", "choice", "code", "code_output", "puzzle"]
DOMAINS: tuple[Domain, ...] = ("maths_words", "maths_latex", "choice", "code", "code_output", "puzzle")


@dataclass(slots=True)
class Made:
    """A question. `choices` stand in the text too where `listed` says so; `program` solves a code task."""

    text: str
    answer: str | None
    choices: list[str] | None = None
    listed: bool = False
    tests: list[dict[str, str]] | None = None
    program: str | None = None


Use = Literal["questions", "benchmark", "both"]
Make = Callable[[Draw], Made]


@dataclass(frozen=True, slots=True)
class Template:
    """A template by name. `weight` is its share within its domain; `use` says what it makes.

    A benchmark asks mostly other kinds of questions than a corpus does, and some of the same kinds.
    """

    name: str
    domain: Domain
    weight: int
    use: Use
    make: Make = field(compare=False)


TEMPLATES: dict[Domain, list[Template]] = {domain: [] for domain in DOMAINS}


def template(domain: Domain, weight: int = 10, use: Use = "questions") -> Callable[[Make], Make]:
    """Add a function that makes questions to the grammar."""

    def add(make: Make) -> Make:
        TEMPLATES[domain].append(Template(make.__name__, domain, weight, use, make))
        return make

    return add


def show(value: Fraction | int, *, latex: bool = False) -> str:
    """A number as an answer: an integer, a short decimal, or a fraction."""
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    if not latex and 10_000 % value.denominator == 0:
        return f"{float(value):.4f}".rstrip("0")
    if latex:
        sign = "-" if value < 0 else ""
        return f"{sign}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    return f"{value.numerator}/{value.denominator}"


def respelled(answer: str) -> list[str]:
    """Other spellings of the same answer."""
    if answer.lstrip("-").isdigit():
        return [f"${answer}$", f"{answer}.0", f"\\boxed{{{answer}}}", f" {answer} ", *_grouped(answer)]
    if len(answer) == 1 and answer.isalpha():
        return [f"({answer})", f"{answer}.", f"\\text{{{answer}}}"]
    value = _fraction(answer)
    if value is None:
        return [f"${answer}$"] if "\\" in answer else []
    over = f"{abs(value.numerator)}}}{{{value.denominator}"
    sign = "-" if value < 0 else ""
    forms = [f"{value.numerator}/{value.denominator}", f"{sign}\\frac{{{over}}}", f"{sign}\\dfrac{{{over}}}"]
    if 10_000 % value.denominator == 0:
        forms.append(f"{float(value):.4f}".rstrip("0"))
    return [form for form in forms if form != answer]


def _grouped(answer: str) -> list[str]:
    return [f"{int(answer):,}"] if len(answer.lstrip("-")) > 3 else []


def _fraction(answer: str) -> Fraction | None:
    text = answer.replace("\\frac{", "").replace("}{", "/").rstrip("}") if "\\frac{" in answer else answer
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
