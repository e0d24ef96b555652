"""Near-duplicates by how their maths is written."""

from __future__ import annotations

import re
from collections.abc import Callable

from benchmarks.corpus.draw import Stream
from benchmarks.corpus.spelling import joined, pieces

__all__ = ["relatexed"]

Change = Callable[[Stream, str], str]
_SIMPLE = r"(\w+|-?\d+)"
_BOUNDS = re.compile(r"\\(?:int|sum|lim)")
_POWERS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def _body(maths: str) -> tuple[str, str, str]:
    """Opening, inside and closing of a piece of maths."""
    for opening, closing in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if maths.startswith(opening) and maths.endswith(closing) and len(maths) >= len(opening + closing):
            return opening, maths[len(opening) : -len(closing)], closing
    return "", maths, ""


def _delimiters(s: Stream, maths: str) -> str:
    opening, inside, _ = _body(maths)
    if opening in ("$$", "\\["):
        return s.pick(
            (f"\\[{inside}\\]", f"$${inside}$$", f"${inside}$", f"\\begin{{equation*}}{inside}\\end{{equation*}}")
        )
    return s.pick((f"\\({inside}\\)", f"$ {inside} $", f"$${inside}$$", f"\\({inside}\\)")) if opening else maths


def _bare(_: Stream, maths: str) -> str:
    opening, inside, _closing = _body(maths)
    return inside.strip() if opening else maths


def _fractions(s: Stream, maths: str) -> str:
    how = s.pick(("dfrac", "tfrac", "short", "slash"))
    if how in ("dfrac", "tfrac"):
        return re.sub(r"\\[dt]?frac", rf"\\{how}", maths)
    if how == "short":
        return re.sub(r"\\frac\{(\d)\}\{(\d)\}", r"\\frac\1\2", maths)
    return re.sub(rf"\\frac\{{{_SIMPLE}\}}\{{{_SIMPLE}\}}", r"\1/\2", maths)


def _braced(_: Stream, maths: str) -> str:
    return re.sub(r"([\^_])(\w)(?![\w}])", r"\1{\2}", maths)


def _unbraced(_: Stream, maths: str) -> str:
    return re.sub(r"([\^_])\{(\w)\}", r"\1\2", maths)


def _raised(_: Stream, maths: str) -> str:
    """Powers as raised Unicode digits."""
    if _BOUNDS.search(maths):
        return maths
    return re.sub(r"(?<=[\w)])\^(?:\{(\d+)\}|(\d))", lambda m: (m.group(1) or m.group(2)).translate(_POWERS), maths)


def _starred(_: Stream, maths: str) -> str:
    return maths if _BOUNDS.search(maths) else re.sub(r"(?<=[\w)])\^(?=\{?[\da-z])", "**", maths)


def _angled(s: Stream, maths: str) -> str:
    opening, closing = s.pick((("⟨", "⟩"), ("(", ")"), ("\\left\\langle", "\\right\\rangle")))
    return maths.replace("\\langle", opening).replace("\\rangle", closing)


def _unsized(_: Stream, maths: str) -> str:
    return re.sub(r"\\(left|right)(?![a-z])", "", maths)


def _sized(_: Stream, maths: str) -> str:
    if "\\left" in maths or "\\right" in maths:
        return maths
    return (
        re.sub(r"(?<!\\)\)", r"\\right)", re.sub(r"(?<!\\)\(", r"\\left(", maths)) if maths.startswith("$") else maths
    )


def _replaced(*forms: str) -> Change:
    """Each of the first form's occurrences as one of the other forms."""
    wanted, others = re.compile(forms[0]), forms[1:]

    def replace(s: Stream, maths: str) -> str:
        other = s.pick(others)
        return wanted.sub(lambda _: other, maths)

    return replace


def _thin(s: Stream, maths: str) -> str:
    gap = s.pick(("\\,", "\\;", "\\:", "\\ ", "{}", "~"))
    return re.sub(r"(?<=[\w}]) (?=[+=<-])", lambda _: f" {gap} " if gap != "{}" else "{} ", maths)


def _tight(_: Stream, maths: str) -> str:
    return re.sub(r" ?([+=<>-]|\\cdot|\\le|\\to)(?![a-z]) ?(?![a-zA-Z])", r"\1", maths)


def _loose(_: Stream, maths: str) -> str:
    return (
        re.sub(r"(?<=[\w)}])\(", " (", re.sub(r"(?<=\d)(?=[a-z]\b)", " ", maths)) if "\\begin" not in maths else maths
    )


def _units(s: Stream, maths: str) -> str:
    how = s.pick((r"\\mathrm{\1}", r"\\ \\text{\1}", r" \1", r"~\\mathrm{\1}"))
    return re.sub(r"\\text\{ ?([^}]*)\}", how, maths)


def _display(_: Stream, maths: str) -> str:
    opening, inside, closing = _body(maths)
    return f"{opening}\\displaystyle {inside}{closing}" if opening == "$" else maths


def _limits(_: Stream, maths: str) -> str:
    return re.sub(r"\\(sum|lim|prod)_", r"\\\1\\limits_", maths)


_CHANGES: tuple[tuple[str, Change, int], ...] = (
    ("delimiters", _delimiters, 14),
    ("bare", _bare, 10),
    ("fractions", _fractions, 14),
    ("braced", _braced, 10),
    ("unbraced", _unbraced, 6),
    ("raised", _raised, 8),
    ("starred", _starred, 2),
    ("unsized", _unsized, 8),
    ("sized", _sized, 6),
    ("thin", _thin, 8),
    ("tight", _tight, 8),
    ("loose", _loose, 5),
    ("units", _units, 8),
    ("display", _display, 4),
    ("limits", _limits, 4),
    ("degrees", _replaced(r"\^\\circ", "^{\\circ}", "°", "^{\\circ }"), 8),
    ("times", _replaced(r"\\cdot", "\\times", "*", "·", "\\ast"), 8),
    ("at_most", _replaced(r"\\le(?![a-z])", "\\leq", "≤", "\\leqslant", "<="), 8),
    ("pi", _replaced(r"\\pi(?![a-z])", "π"), 4),
    ("infinity", _replaced(r"\\infty", "∞", "+\\infty"), 5),
    ("arrow", _replaced(r"\\to(?![a-z])", "\\rightarrow", "→"), 5),
    ("angle", _replaced(r"\\angle", "∠", "\\angle{}"), 6),
    ("integral", _replaced(r"\\int(?![a-z])", "∫", "\\int\\limits"), 3),
    ("sigma", _replaced(r"\\sum(?![a-z])", "∑"), 2),
    ("bold", _replaced(r"\\mathbf(?![a-z])", "\\vec", "\\boldsymbol", "\\bm"), 5),
    ("mod", _replaced(r"\\pmod(?![a-z])", "\\bmod", "\\mod"), 3),
    ("langle", _angled, 3),
    ("equiv", _replaced(r"\\equiv", "≡"), 3),
    ("minus", _replaced(r"(?<= )-(?= )", "−", "–"), 5),
)


def relatexed(stream: Stream, text: str) -> tuple[str, list[str]] | None:
    """The text with its maths written in another way, with the names of the changes; None where it has no maths."""
    cut = pieces(text)
    if not any(piece.is_maths and not piece.startswith("```") for piece in cut):
        return None
    made, names = [str(piece) for piece in cut], list[str]()
    for _ in range(24):
        name, change = stream.weighted([((name, change), weight) for name, change, weight in _CHANGES])
        after = [
            change(stream, part) if piece.is_maths and part[:3] != "```" else part
            for part, piece in zip(made, cut, strict=True)
        ]
        if name not in names and after != made:
            made, names = after, [*names, name]
        if len(names) == 1 + stream.below(3):
            break
    return (joined(made), names) if names else None
