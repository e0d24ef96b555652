"""Text of mathematics, before anybody parses it: one spelling for what is written in many ways."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["is_assignment", "is_prose", "is_words", "items_of", "right_side", "same_text", "tidy"]

_CHARACTERS = str.maketrans(
    {
        "−": "-", "–": "-", "‐": "-", "‑": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": "/", "∕": "/",
        "π": r"\pi ", "∞": r"\infty ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ",
        "∈": r"\in ", "∅": r"\emptyset ", "²": "^2", "³": "^3", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}",
        "¾": r"\frac{3}{4}", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "（": "(", "）": ")", "，": ",", "：": ":",
        "’": "'", "“": '"', "”": '"', "＝": "=", "＋": "+", "％": "%", "。": ".",
    }
)  # fmt: skip
_SAME_COMMANDS = (
    (re.compile(r"\\[dtc]frac(?![a-zA-Z])"), r"\\frac"),
    (re.compile(r"\\(?:left|right|displaystyle|limits|big|Big|bigl|bigr)(?![a-zA-Z])"), ""),
    (re.compile(r"\\(?:leq|leqslant)(?![a-zA-Z])"), r"\\le"),
    (re.compile(r"\\(?:geq|geqslant)(?![a-zA-Z])"), r"\\ge"),
    (re.compile(r"\\!\s*"), ""),
    (re.compile(r"\\(?:,(?=\d{3}(?!\d))|(?:mathbf|mathbb|bm|rm|bf)(?![a-zA-Z]))"), ""),
    (re.compile(r"\{,\}(?=\d{3})"), ","),
    (re.compile(r"(?<!\\)\\(?:[,;: ]|quad|qquad)|~"), " "),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\\(begin|end)\{[bBvV]?matrix\}"), r"\\\1{pmatrix}"),
    (re.compile(r"\\(?:mathrm|operatorname|mathit)\s*\{~?([A-Za-z])\}"), r"\1"),
    (re.compile(r"√\s*(\d+|\w)"), r"\\sqrt{\1}"),
    (re.compile(r"√"), r"\\sqrt"),
    (re.compile(r"\*\*(?=\S)"), "^"),
    (re.compile(r"(?<![\\a-zA-Z])(sqrt|pi|infty|sin|cos|tan|log|ln)(?=\(|\b)"), r"\\\1"),
    (re.compile(r"(?<![a-zA-Z\\])(?:infinity|inf|oo)(?![a-zA-Z])"), r"\\infty"),
)
_ROOT = re.compile(r"\\sqrt\s*\(([^()]*)\)")
_NESTED_ROOTS = 5
_AROUND = ((r"\(", r"\)"), (r"\[", r"\]"))


def tidy(text: str) -> str:
    """One spelling of an answer: ASCII digits and signs, no math delimiters, no size commands, single spaces."""
    text = _LOWERED.sub(_as_subscript, "".join(map(_digit, text)).translate(_CHARACTERS))
    for pattern, instead in _SAME_COMMANDS:
        text = pattern.sub(instead, text)
    for _ in range(_NESTED_ROOTS):
        text = _ROOT.sub(r"\\sqrt{\1}", text)
    for start, end in _AROUND:
        text = text.strip().removeprefix(start).removesuffix(end)
    text = _without_dollars(text)
    return " ".join(text.split()).rstrip(" .,;:\\").strip()


_LOWERED = re.compile("[₀-₉]+")


def _as_subscript(digits: re.Match[str]) -> str:
    return "_{" + "".join(str(ord(digit) - ord("₀")) for digit in digits[0]) + "}"


def _digit(character: str) -> str:
    """Digits of any script as ASCII; characters that nobody sees as nothing."""
    if character.isascii():
        return "" if character < " " and character not in "\t\n\r" else character
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return "" if category in ("Cf", "Cs", "Cc") else character


def _without_dollars(text: str) -> str:
    """Pairs of dollar signs delimit mathematics; a single one, or one with a backslash, is money."""
    plain = text.replace(r"\$", "")
    if plain.count("$") and plain.count("$") % 2 == 0:
        text = re.sub(r"(?<!\\)\$", " ", text)
    return text.replace(r"\$", "$")


_SPACES = re.compile(r" ?([^\w\s]) ?")


def same_text(one: str, other: str) -> bool:
    """Equal but for the single spaces that tidy text has beside signs.

    Between digits a space can mean something: `1 1/2`.
    """
    return _SPACES.sub(r"\1", one) == _SPACES.sub(r"\1", other)


_RELATION = re.compile(r"[<>]|\\(?:le|ge|ne|lt|gt|in|neq|approx|equiv)(?![a-zA-Z])|:=")


def right_side(text: str) -> str:
    """What the last `=` of an assignment or a calculation gives; the text itself for anything else."""
    if "=" not in text or _RELATION.search(text) or len(items_of(text)) > 1:
        return text
    return text.rpartition("=")[2].strip()


_NAME = re.compile(r"\s*(?:\\?[A-Za-z]+(?:_\{?\w+\}?)?(?:\s*\(\s*[A-Za-z]\s*\))?)\s*")


def is_assignment(text: str) -> bool:
    """`x = 5` or `f(x) = 2x`: one name, then its value. An equation is none."""
    left, sign, _ = text.partition("=")
    return bool(sign) and bool(_NAME.fullmatch(left))


_BETWEEN_ITEMS = re.compile(r"(?:[,;]|(?<![a-zA-Z\\])(?:and|or)(?![a-zA-Z])|\\text\s*\{\s*(?:and|or)\s*\})")
_BRACKET = re.compile(r"[(\[{]|[)\]}]")


def items_of(text: str) -> list[str]:
    """The parts of a bare list, cut at commas and `and` or `or` that are inside no bracket."""
    items, depth, start, position = list[str](), 0, 0, 0
    for token in re.finditer(rf"{_BRACKET.pattern}|{_BETWEEN_ITEMS.pattern}", text):
        position = token.end()
        if token[0] in ("(", "[", "{"):
            depth += 1
        elif token[0] in (")", "]", "}"):
            depth -= 1
        elif depth <= 0:
            items.append(text[start : token.start()].strip())
            start = position
    return [item for item in (*items, text[start:].strip()) if item]


_TEXT_COMMAND = re.compile(r"\\(?:text|mathrm|textbf|textit|mbox|operatorname)\s*\{([^{}]*)\}")
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[ '-][^\W\d_]+){0,3}")
_SENTENCE = re.compile(r"(?<![\\a-zA-Z'])[A-Za-z']{3,}+[,.]?\s+[A-Za-z']{2,}\b")
_FUNCTION = re.compile(r"\b(?:sin|cos|tan|cot|sec|csc|log|ln|exp|max|min|gcd|lcm|mod|arcsin|arccos|arctan)\b")


def is_words(text: str) -> bool:
    """A reference of one to four words, like `Monday` or `\\text{north east}`: compared as words."""
    return bool(_WORDS.fullmatch(_TEXT_COMMAND.sub(r"\1", text).strip())) and not _FUNCTION.search(text)


def is_prose(text: str) -> bool:
    """A sentence, which a parser of mathematics would read as a product of its letters."""
    return bool(_SENTENCE.search(_TEXT_COMMAND.sub(" ", text)))
