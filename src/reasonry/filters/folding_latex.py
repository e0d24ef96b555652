"""The LaTeX of a text, written as one types a formula in plain characters: for `folding`."""

from __future__ import annotations

import re

from reasonry.filters.folding_symbols import COMMANDS

__all__ = ["without_latex"]

_FONT = re.compile(r"\\(?:text[a-z]*|math[a-z]+|operatorname\*?|[mh]box|boldsymbol|bm|vec|emph)\s*\{([^{}]*)\}")
_FONT_COMMANDS = ("\\te", "\\ma", "\\op", "box", "\\bo", "\\bm", "\\ve", "\\em")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{(?:align|equation|gather|split|center|array|tabular|cases)[a-z]*\*?\}")
_LENGTH = re.compile(r"\\[hv]space\*?\s*\{[^{}]*\}")
_DEGREES = re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-z]))")
_THIN_THOUSANDS = re.compile(r"\\,(?<=\d\\,)(?=\d\d\d(?!\d))")
_BARE_FRACTION = re.compile(r"frac\s*(?:(\d|(?<=\s)[a-z])|\{([^{}]*)\})\s*(?:(\d|[a-z])|(?=\{))")
_COMMAND = re.compile(r"(\\+)(?:([a-z]+)\*?|(.)?)", re.DOTALL)

# Braces of LaTeX group, so they become parentheses; the two that are seen on paper stay braces.
_SEEN = {"%": "%", "&": "&", "|": "||", "_": "_", "{": "\x01", "}": "\x02"}
_BRACES = (("}{", ")/("), ("} {", ")/("), ("{", "("), ("}", ")"), ("\x01", "{"), ("\x02", "}"))


def without_latex(text: str) -> str:
    """A text in lower case without commands, with parentheses for braces and `(a)/(b)` for fractions."""
    text = text.replace("\\!", "").replace("{,}", ",").replace("{}", "")
    if any(command in text for command in _FONT_COMMANDS):
        text = _FONT.sub(r" \1 ", text)
    if "\\begin" in text:
        text = _ENVIRONMENT.sub(" ", text)
    if "circ" in text:
        text = _DEGREES.sub(" degrees ", text)
    if "space" in text:
        text = _LENGTH.sub(" ", text)
    if "\\," in text:
        text = _THIN_THOUSANDS.sub("", text)
    if "frac" in text:
        text = _BARE_FRACTION.sub(_braced, text)
    text = _COMMAND.sub(_spelled, text).replace(" _", "_")
    for brace, sign in _BRACES:
        text = text.replace(brace, sign)
    return text


def _braced(fraction: re.Match[str]) -> str:
    """Both arguments of a fraction in braces: `\\frac12` says what `\\frac{1}{2}` says."""
    bare, above, below = fraction.groups()
    return f"frac {{{above if bare is None else bare}}}" + (f"{{{below}}}" if below else "")


def _spelled(command: re.Match[str]) -> str:
    backslashes, name, sign = command.groups()
    if name is not None:
        return COMMANDS.get(name, f" {name} ")
    if sign is None:
        return " "
    return _SEEN.get(sign, " ") if len(backslashes) % 2 else f" {sign}"  # an even number of them ends lines
