"""A text without its spelling: what is left of a question when typing, LaTeX and layout are taken away.

Two texts have the same folded form where they differ only in

- case, white space, Unicode form (full-width, composed or not), kinds of quotes and dashes, invisible characters;
- punctuation that ends or parts sentences, quotes, the hyphen between two words, emphasis and headings of markdown;
- delimiters of formulas (`$`, `$$`, `\\(`, `\\[`), `\\left` and `\\right`, spacing commands, `\\text` and fonts,
  braces around an argument or the parentheses that stand for them (`x^{n+1}`, `x^(n+1)`), parentheses around one word;
- the spelling of a fraction (`\\frac12`, `\\dfrac{1}{2}`, `1/2`, `½`), of an operator (`\\cdot`, `×`, `*`), of a
  comparison (`\\leq`, `≤`, `<=`), of a power or index (`x^{2}`, `x^2`, `x²`), of a Greek letter, of degrees;
- thousands separators (`1,000`, `1{,}000`, `1000`) and the sign of the dollar, `\\$` or `$`;
- the number or the word in front of a question ("Problem 3.", "Question:", "12."), and "Answer:" behind it.

Letters, digits, operators, brackets and signs stay, in their order: 2² is not 22, (0, 1) not [0, 1], f' not f. What
writes no spaces between words has one between any two ideographs. `numbers` gives the numbers of a folded text in one
spelling each.
"""

from __future__ import annotations

import re
import unicodedata
from html import unescape

from reasonry.filters.folding_latex import without_latex
from reasonry.filters.folding_numbers import numbers
from reasonry.filters.folding_symbols import SUBSCRIPT, SUPERSCRIPT, CharacterSpellings

__all__ = ["folded", "numbers"]

_HEADING = re.compile(
    r"[\s*#_>]*(?:"
    r"(?:question|problem|exercise|example|task|q)(?:[\s*]*(?:no\.?\s*)?\#?\d{1,4}\b|\b)[\s*_]*(?:[:.)]|\n)[\s*_]*"
    r"|\d{1,3}[.)]\s+(?=[^\d\s]))+"
)
_CLOSING = re.compile(r"\b(?:answer|solution)[\s*_]*:[\s*_]*\Z")
_LIST_MARK = re.compile(
    r"[->] (?:(?<=[a-z]{2} - )(?=[a-z]{2})|(?:(?<=\n- )|(?<=\A- ))(?=[a-z]{2}|[(a-z0-9]{1,2}[:.)])|(?<=\n> )|(?<=\A> ))"
)
_LABEL_BRACKET = re.compile(r"\)(?:(?<=\s[a-z0-9]\))|(?<=\A[a-z0-9]\)))(?=\s)")
_TAG = re.compile(
    r"<(?:(?P<up>su[pb]>)|(?P<end>/su[pb]>)|/?(?:p|br|b|i|em|strong|u|div|span|ul|ol|li|code|pre)\b[^<>]*>)"
)
_POWER = re.compile(r"\*\*(?<=[a-z0-9)]\*\*)(?=[a-z0-9({-])")

# A pattern that starts with a set of characters lets the engine skip to the next one of them.
_LAYOUT = re.compile(
    r"""[-*_!'.,"\#$:;?`~\\\x00-\x1f](?:
      (?<=["$:;?`~\\\x00-\x1f])
    | (?<=\#)(?<![a-z0-9]\#)(?![a-z0-9])                            # not a mark of something but a heading
    | (?<=\.)(?![0-9]) | (?<=,)(?:(?![0-9]{3}(?![0-9])) | (?<![0-9],))     # not in a number
    | (?<=[a-z]{2}-)(?=[a-z]{2}) | (?<=--) | (?<=-)(?=-)             # not a minus but the hyphen of two words
    | (?<=_)(?:(?<![a-z0-9)]_) | (?![a-z0-9(]))                       # not an index but emphasis
    | (?<=\*)(?:(?<![a-z0-9)\] ]\*) | (?![a-z0-9(\[ ]) | (?<=\ \*)(?!\ ) | (?<!\ \*)(?=\ ))  # not times but emphasis
    | (?<=!)(?!=)(?:(?<![a-z0-9)]!) | (?<=[a-z]{2}!))                 # not a factorial but an exclamation
    | (?<=')(?:(?<![a-z)']') | (?<=[a-z'][a-z]') | (?=[a-z]))        # not a derivative but a quote
    )""",
    re.VERBOSE,
)
_LETTER = r"[a-z\x80-\U0010ffff]"
_BESIDE_LETTER = re.compile(rf"[0-9.](?:(?={_LETTER})|(?<={_LETTER}[0-9.]))")
_OPERATOR = re.compile(r"[=+\-/^()<>\[\]|%&@{}*_!'#×]")
_OF_TWO_SIGNS = tuple((" ".join(signs), signs) for signs in ("<=", ">=", "!=", "==", "->"))
_ONE_IN_PARENTHESES = re.compile(r"\( ([\w.]+) \)")

DEEPEST_PARENTHESES = 4

_characters = CharacterSpellings()


def folded(text: str) -> str:
    """The text without its spelling: lower case words, numbers and operators with single spaces between them."""
    if "&" in text and ";" in text:
        text = unescape(text)
    text = text.lower().replace("\t", " ").strip()
    if (bare := text.rstrip(" .?")).isascii() and bare.replace(" ", "").isalpha():
        return " ".join(bare.split())
    if not text.isascii():
        text = _plain(text)
    if "<" in text and ">" in text:
        text = _TAG.sub(_untagged, text)
    if "**" in text:
        text = _POWER.sub("^", text)
    if "\\" in text or "^{" in text or "_{" in text or "{}" in text or "{,}" in text:
        text = without_latex(text)
    # A comma that is left parts thousands.
    text = _BESIDE_LETTER.sub(_apart, _LAYOUT.sub(" ", _without_frame(text)).replace(",", ""))
    operators = set(_OPERATOR.findall(text))
    return _with_apart(text, operators) if operators else " ".join(text.split())


def _with_apart(text: str, operators: set[str]) -> str:
    """Single spaces between words, numbers and operators; none within an operator of two signs."""
    for sign in operators:
        text = text.replace(sign, f" {sign} ")
    text = " ".join(text.split()).replace("×", "*")
    if "< " in text or "= " in text or "> " in text:
        for parted, signs in _OF_TWO_SIGNS:
            text = text.replace(parted, signs)
    return _without_parentheses(text) if "( " in text else text


def _apart(figure: re.Match[str]) -> str:
    """The first or last figure of a number, with spaces between it and the letters that it touches."""
    start, end, text = figure.start(), figure.end(), figure.string
    before = " " if start and _is_letter(text[start - 1]) else ""
    after = " " if end < len(text) and _is_letter(text[end]) else ""
    return f"{before}{figure[0]}{after}"


def _is_letter(character: str) -> bool:
    return character.isalpha() or character > "\x7f"


def _untagged(tag: re.Match[str]) -> str:
    if tag["up"]:
        return "^(" if tag["up"] == "sup>" else "_("
    return ")" if tag["end"] else " "


def _without_frame(text: str) -> str:
    """The text without the number before it, the "Answer:" behind it, and the marks of lists."""
    if (heading := _HEADING.match(text)) is not None:
        text = text[heading.end() :]
    if text.rstrip(" \n*_").endswith(":"):
        text = _CLOSING.sub("", text)
    if text.count(")") > text.count("("):
        text = _LABEL_BRACKET.sub("", text)
    return _LIST_MARK.sub(" ", text) if "- " in text or "> " in text else text


_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_RAISED = re.compile(f"{SUPERSCRIPT}(.(?:{SUPERSCRIPT}.)*)")
_LOWERED = re.compile(f"{SUBSCRIPT}(.(?:{SUBSCRIPT}.)*)")
_GREEK = re.compile("[\u03b1-\u03c9](?<![\u0370-\u03ff].)(?![\u0370-\u03ff])")


def _plain(text: str) -> str:
    """Text whose only characters outside ASCII are letters, marks and symbols, each in its one form."""
    text = _NOT_ASCII.sub(lambda run: run[0].translate(_characters), unicodedata.normalize("NFC", text))
    if SUPERSCRIPT in text:
        text = _RAISED.sub(lambda run: f"^({run[1].replace(SUPERSCRIPT, '')})", text)
    if SUBSCRIPT in text:
        text = _LOWERED.sub(lambda run: f"_({run[1].replace(SUBSCRIPT, '')})", text)
    return _GREEK.sub(_greek_name, text) if not text.isascii() else text


def _greek_name(letter: re.Match[str]) -> str:
    return f" {unicodedata.name(letter[0]).rpartition(' ')[2].lower()} "


def _without_parentheses(text: str) -> str:
    """The text without parentheses around one word or number, a few deep."""
    for _ in range(DEEPEST_PARENTHESES):
        text, changes = _ONE_IN_PARENTHESES.subn(r"\1", text)
        if not changes:
            break
    return text
