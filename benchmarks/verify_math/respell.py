"""Ways to write a reference differently that never change what it means, and one that always does: another digit.

A way is applied only where the text leaves no doubt; elsewhere it gives None. Texts hold no dollar signs around them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

__all__ = ["RESPELLINGS", "is_mathematics", "mutated", "unwrapped"]

Respell = Callable[[str, random.Random], str | None]

_DELIMITED = re.compile(r"\$\$?([^$]+)\$\$?|\\\((.+)\\\)|\\\[(.+)\\\]|\\boxed\{([^{}]*)\}", re.DOTALL)
_TEXT = re.compile(r"\\(?:text|mathrm|textbf|mbox|textnormal|operatorname)\s*\{([^{}]*)\}")
_WORDS = re.compile(r"(?<![\\a-zA-Z])[A-Za-z]{3,}[,.]?\s+[A-Za-z]{2,}|[^\W\d_a-zA-Z]{2,}")
_CONNECTED = re.compile(r"\b(?:where|when|for|if|with|the|all|are|an|in|is)\b|(?<!\\)\b[A-Z][a-z]{3,}\b")
_TORN = re.compile(
    r"[\t\x07\x08\x0b\x0c\r]|</?sup>|(?<!\\)\\\d|(?<![\\a-z])(?:rac|ext|imes|egin|qrt|ight|dfrac|frac|sqrt|left|begin)\b"
)
LONGEST = 300  # characters


def unwrapped(reference: str) -> str:
    """The reference without the delimiters around all of it, and without a full stop."""
    text = reference.strip().removesuffix(".").strip()
    found = _DELIMITED.fullmatch(text)
    return next(group for group in found.groups() if group is not None).strip() if found else text


def is_mathematics(text: str) -> bool:
    """Whether a text can be respelled: one formula, whole and not too long. Prose is none, nor is torn LaTeX."""
    if not text or len(text) > LONGEST or "$" in text.replace(r"\$", "") or _TORN.search(text):
        return False
    if text.startswith('"') or text.endswith("\\") or "\\boxed" in text or not _is_balanced(text):
        return False
    return not _WORDS.search(_TEXT.sub(r" \1 ", text)) and not _CONNECTED.search(_TEXT.sub(" ", text))


def _is_balanced(text: str) -> bool:
    depth = 0
    for sign in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if sign == "{" else -1
        if depth < 0:
            return False
    return depth == 0


# --- helpers


def _sub(pattern: str, instead: str, text: str) -> str | None:
    """The text with every match replaced; None where that changes nothing."""
    changed = re.sub(pattern, instead, text)
    return changed if changed != text else None


def _rule(*rules: tuple[str, str]) -> Respell:
    """One of several replacements, drawn from those that apply."""

    def respell(text: str, draw: random.Random) -> str | None:
        possible = [new for pattern, instead in rules if (new := _sub(pattern, instead, text)) is not None]
        return draw.choice(possible) if possible else None

    return respell


def _without_words(respell: Respell) -> Respell:
    return lambda text, draw: None if _TEXT.search(text) else respell(text, draw)


def _around(*frames: tuple[str, str]) -> Respell:
    def respell(text: str, draw: random.Random) -> str | None:
        before, after = draw.choice(frames)
        return f"{before}{text}{after}"

    return respell


_WHOLE = re.compile(r"-?[1-9]\d*|0")


def _thousands(text: str, draw: random.Random) -> str | None:
    if not re.fullmatch(r"-?[1-9]\d{3,}", text):
        return None
    return f"{int(text):,}".replace(",", draw.choice((",", "{,}", r"\,")))


def _decimal_zero(text: str, draw: random.Random) -> str | None:
    return f"{text}{draw.choice(('.0', '.00'))}" if _WHOLE.fullmatch(text) else None


def _sized_brackets(text: str, _: random.Random) -> str | None:
    """`(` as `\\left(`, where all brackets are round or square and none has a size or is an option."""
    if re.search(r"\\(?:left|right|[bB]igg?)|\\sqrt\s*\[|\\\\?[()\[\]]", text):
        return None
    openers, closers = len(re.findall(r"[(\[]", text)), len(re.findall(r"[)\]]", text))
    if not openers or openers != closers or not _are_nested(text):
        return None
    return re.sub(r"([)\]])", r"\\right\1", re.sub(r"([(\[])", r"\\left\1", text))


def _are_nested(text: str) -> bool:
    """Round and square brackets open and close within the same braces and cells."""
    open_at = list[int]()
    level = 0
    for sign in re.findall(r"[(\[)\]{}&,]|\\\\", text):
        level += (sign == "{") - (sign == "}")
        if sign in ("(", "["):
            open_at.append(level)
        elif (sign in (")", "]") and (not open_at or open_at.pop() != level)) or (sign in ("&", "\\\\") and open_at):
            return False
    return not open_at


def _unsized_brackets(text: str, _: random.Random) -> str | None:
    if re.search(r"\\(?:left|right)\s*(?:\.|\\[a-zA-Z|]|[<>|/])", text):
        return None
    return _sub(r"\\(?:left|right)(?![a-zA-Z])\s*", "", text)


def _full_width(text: str, _: random.Random) -> str | None:
    wide = text.translate({ord("0") + i: chr(0xFF10 + i) for i in range(10)})
    return wide if wide != text else None


_SIGN = r"(?<=[\w)}\]])\s*([+=])\s*(?=[\w(\\\[{])"  # a plus or an equals sign with something on both sides

RESPELLINGS: dict[str, Respell] = {
    "spaces around signs": _without_words(_rule((_SIGN, r" \1 "), (_SIGN, r"  \1   "))),
    "no spaces around signs": _without_words(_rule((r"(?<=[^\\\s])[ ]+([-+=/^])[ ]*(?=[\w(\\{])", r"\1"))),
    "LaTeX spaces": _without_words(_rule(*((_SIGN, rf"{s}\1{s}") for s in (r"\\,", r"\\;", r"\\!", "~", r"\\ ")))),
    "space after commas": _without_words(_rule((r",(?!\\[!,]|[\s\d}])", ", "), (r"(?<=[^\\{]),\s(?!\d{3})", r",\\, "))),
    "size of fractions": _rule((r"\\frac", r"\\dfrac"), (r"\\frac", r"\\tfrac"), (r"\\[dt]frac", r"\\frac")),
    "sized brackets": _without_words(_sized_brackets),
    "unsized brackets": _without_words(_unsized_brackets),
    "dollars": _around(("$", "$"), ("$$", "$$"), ("$ ", " $")),
    "parentheses of LaTeX": _around((r"\(", r"\)"), (r"\[", r"\]"), (r"\( ", r" \)")),
    "a box": _around((r"\boxed{", "}"), (r"$\boxed{", "}$"), (r"\boxed{ ", " }")),
    "a full stop": _around(("$", "$."), (r"\(", r"\)."), (r"\boxed{", "}.")),
    "signs of products": _rule(
        (r"\s*\\cdot(?![a-zA-Z])\s*(?!\s*\\)", "*"),
        (r"\\cdot(?![a-zA-Z])", r"\\times"),
        (r"\\times(?![a-zA-Z])", r"\\cdot"),
    ),
    "braces of exponents": _rule(
        (r"\^([0-9a-zA-Z])(?![0-9a-zA-Z.])", r"^{\1}"), (r"\^\{([0-9a-zA-Z])\}(?![0-9a-zA-Z.])", r"^\1")
    ),
    "braces of subscripts": _without_words(
        _rule((r"_([0-9a-zA-Z])(?![0-9a-zA-Z])", r"_{\1}"), (r"_\{([0-9a-zA-Z])\}(?!\w)", r"_\1"))
    ),
    "braces of fractions": _rule(
        (r"(\\[dt]?frac)\{(\d)\}\{(\d)\}(?!\d)", r"\1\2\3"), (r"(\\[dt]?frac)(\d)(\d)(?!\d)", r"\1{\2}{\3}")
    ),
    "names of relations": _rule(
        (r"\\le(?![a-zA-Z])", r"\\leq"),
        (r"\\leq(?![a-zA-Z])", r"\\le"),
        (r"\\ge(?![a-zA-Z])", r"\\geq"),
        (r"\\geq(?![a-zA-Z])", r"\\ge"),
        (r"\\neq?(?![a-zA-Z])", r"\\ne"),
        (r"\\ne(?![a-zA-Z])", r"\\neq"),
    ),
    "relations as characters": _rule(
        (r"\\leq?(?![a-zA-Z])", "≤"), (r"\\geq?(?![a-zA-Z])", "≥"), (r"\\neq?(?![a-zA-Z])", "≠")
    ),
    "brackets of matrices": _rule((r"\{pmatrix\}", "{bmatrix}"), (r"\{bmatrix\}", "{pmatrix}")),
    "commands of words": _rule(
        (r"\\text\{([A-Za-z]{2,})\}", r"\\mathrm{\1}"),
        (r"\\mathrm\{([A-Za-z]{2,})\}", r"\\text{\1}"),
        (r"\\text\{([A-Za-z]{2,})\}", r"\\textbf{\1}"),
    ),
    "pi": _rule((r"\\pi(?![a-zA-Z])", "π"), ("π", r"\\pi ")),
    "infinity": _rule((r"\\infty(?![a-zA-Z])", "∞"), ("∞", r"\\infty ")),
    "roots": _rule(
        (r"\\sqrt\{(\d+)\}(?![\w.^!])", r"√\1"),
        (r"\\sqrt\{(\d)\}(?![\w.])", r"\\sqrt\1"),
        (r"\\sqrt(\d)(?![\w.])", r"\\sqrt{\1}"),
    ),
    "degrees": _rule((r"\^\{?\\circ\}?", "°"), (r"\^\\circ(?![a-zA-Z])", r"^{\\circ}"), ("°", r"^\\circ ")),
    "minus sign": _without_words(_rule((r"-", "−"))),
    "full-width digits": _full_width,
    "thousands": _thousands,
    "decimal zero": _decimal_zero,
}
"""name -> how. Each result means what the text means."""


# --- another digit

_RISKY = re.compile(
    r"\\(?:sin|cos|tan|cot|sec|csc|arc\w+|log|ln|binom|[dt]binom|bmod|p?mod|equiv|gcd|det|operatorname|overline|text\w*"
    r"|mathrm|mbox|lfloor|lceil|sum|prod|int|lim|Gamma|choose|cdots|[lc]?dots|begin\{cases\})|\bmod\b|!|\.\.\.|[A-Z]_|[A-Z]\^"
    r"|(?<![\d.])0(?![\d.])"
)
_DIGIT = re.compile(r"\d")


def mutated(text: str, draw: random.Random) -> str | None:
    """The text with exactly one digit changed so that its value changes for certain; None where none is certain."""
    if _RISKY.search(text):
        return None
    start = text.rfind("=") + 1
    places = [found.start() for found in _DIGIT.finditer(text, start) if _is_certain(text, found.start())]
    if not places:
        return None
    i = draw.choice(places)
    digit = draw.choice([d for d in "123456789" if d != text[i]])
    return text[:i] + digit + text[i + 1 :]


def _is_certain(text: str, i: int) -> bool:
    """Whether the digit at `i` counts: no name, no exponent of something unclear, no zero that leads or trails."""
    before, after = text[:i], text[i + 1 :]
    number = re.search(r"[\d.,]*$", before)
    front = before[: number.start()] if number else before
    if text[i] == "0" and (not re.search(r"[1-9]", number[0] if number else "") or "." in text):
        return False
    if re.search(r"(?:_|_\{[^}]*|\\sqrt\s*\[[^\]]*|[A-Za-z'])$", front) and not re.search(r"\\[a-z]+$", front):
        return False
    if re.search(r"\^\s*\{?[^{}]*$", front) and not re.search(r"(?:[a-df-hj-zA-Z]|\d\d|[2-9])\^\{?$", front):
        return False
    return not re.match(r"[\d.]*\s*\^\s*\{?\s*[-0a-zA-Z\\(]", after)
