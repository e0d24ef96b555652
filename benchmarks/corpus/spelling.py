"""Near-duplicates by how a text is typed (`format`) and by small edits (`edit`)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from benchmarks.corpus.draw import Stream
from benchmarks.corpus.grammar.phrases import BRITISH, CONTRACTIONS, MEANING, SPARE
from benchmarks.corpus.grammar.vocabulary import number_word

__all__ = ["CHOICE_LINE", "Piece", "edited", "formatted", "has_maths", "joined", "on_prose", "pieces"]

Change = Callable[[Stream, str], str]

_MATHS = re.compile(
    r"```.*?```|\$\$.*?\$\$|\$[^$]*?\$|\\\(.*?\\\)|\\\[.*?\\\]|\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL
)
_CODE = re.compile(r"```.*?```", re.DOTALL)
CHOICE_LINE = re.compile(r"^(\(?)([A-J])([.):]+ )(.*)$", re.MULTILINE)


class Piece(str):
    """A stretch of a text; `is_maths` for what stands in maths or code, which prose edits leave alone."""

    __slots__ = ("is_maths",)

    def __new__(cls, text: str, *, is_maths: bool) -> Piece:
        made = super().__new__(cls, text)
        made.is_maths = is_maths
        return made


def pieces(text: str) -> list[Piece]:
    """A text cut into prose and maths (or code). Dollars are money where the text has no maths."""
    pattern = _MATHS if has_maths(text) else _CODE
    cut, at = list[Piece](), 0
    for match in pattern.finditer(text):
        cut += [Piece(text[at : match.start()], is_maths=False), Piece(match.group(), is_maths=True)]
        at = match.end()
    return [*cut, Piece(text[at:], is_maths=False)]


def has_maths(text: str) -> bool:
    """Whether dollars in it stand for maths: an even number, not each before a sum of money."""
    if "\\" in text:
        return True
    return (
        text.count("$") % 2 == 0 and "$" in text and len(re.findall(r"\$\d[\d,.]*(?=[ ?;)]|$)", text)) < text.count("$")
    )


def joined(parts: list[str]) -> str:
    return "".join(parts)


def on_prose(stream: Stream, text: str, change: Change) -> str:
    """The text with its prose changed and its maths and code as they are."""
    return joined([piece if piece.is_maths else change(stream, piece) for piece in pieces(text)])


# -- format ------------------------------------------------------------------------------------------------------


def _prefixed(s: Stream, text: str) -> str:
    opening = s.pick(
        (
            "Question: ",
            "Q: ",
            "Problem: ",
            "Question:\n",
            "**Question:** ",
            "### Problem\n\n",
            "Problem. ",
            "**Problem**\n",
            "Exercise: ",
            "- ",
            "> ",
            "Problem 4. ",
            "7) ",
            "Q12. ",
        )
    )
    return opening + text


def _spaced(s: Stream, text: str) -> str:
    gap = s.pick(("  ", "\u00a0", " \n", "\t", "   "))
    share = s.pick((0.05, 0.2, 1.0))
    return re.sub(" ", lambda _: gap if s.chance(share) else " ", text)


def _sentences_on_lines(s: Stream, text: str) -> str:
    return re.sub(r"(?<=[.?!]) (?=[A-Z])", s.pick(("\n", "\n\n", "  ")), text)


def _wrapped(s: Stream, text: str) -> str:
    """Lines broken at a column, as in mail."""
    width, line, lines = s.pick((50, 64, 72)), "", list[str]()
    for word in text.split(" "):
        if len(line) + len(word) > width:
            lines, line = [*lines, line.rstrip()], ""
        line += word + " "
    return "\n".join([*lines, line.rstrip()])


def _lower(_: Stream, text: str) -> str:
    return text.lower()


def _upper(_: Stream, text: str) -> str:
    return text.upper()


def _first_lower(_: Stream, text: str) -> str:
    return text[:1].lower() + text[1:]


def _no_end(_: Stream, text: str) -> str:
    return text.rstrip(" .?!:")


def _ends(s: Stream, text: str) -> str:
    return re.sub(r"[.?]$", s.pick((" ?", "..", "?", " .", ":", "??", "")), text)


def _no_commas(_: Stream, text: str) -> str:
    return re.sub(r",(?= )", "", text)


def _curly(_: Stream, text: str) -> str:
    return re.sub(r'"([^"]*)"', "“\\1”", text).replace("'", "’")


def _dashes(s: Stream, text: str) -> str:
    return text.replace("-", s.pick(("\u2010", "\u2011", "–"))).replace("−", "-")


def _decomposed(_: Stream, text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _wide(_: Stream, text: str) -> str:
    return re.sub(r"[?,:]", lambda m: {"?": "？", ",": "，", ":": "："}[m.group()], text)


def _bold(s: Stream, text: str) -> str:
    """Markdown around some words."""
    mark = s.pick(("**", "*", "_", "__"))
    return re.sub(r"\b[A-Za-z]{5,}\b", lambda m: f"{mark}{m.group()}{mark}" if s.chance(0.12) else m.group(), text)


def _html(s: Stream, text: str) -> str:
    if s.chance(0.5):
        return f"<p>{text}</p>"
    return text.replace("\n", "<br>\n") if "\n" in text else re.sub(r"(?<=[.?!]) ", "<br> ", text)


def _grouped(_: Stream, text: str) -> str:
    return re.sub(r"(?<![\d.,])\d{4,6}(?![\d.,])", lambda m: f"{int(m.group()):,}", text)


def _zero_width(s: Stream, text: str) -> str:
    return re.sub(r"(?<= )", lambda _: s.pick(("\u200b", "\ufeff")) if s.chance(0.1) else "", text)


def _choice_marks(s: Stream, text: str) -> str:
    form = s.pick(("({}) ", "{}) ", "{}. ", "- {}: ", "**{}.** ", "{} "))
    return CHOICE_LINE.sub(lambda m: form.format(m.group(2)) + m.group(4), text)


def _choices_inline(s: Stream, text: str) -> str:
    return re.sub(r"\n(?=\(?[A-J][.):]+ )", s.pick((" ", "; ", "   ")), text)


_ON_PROSE: tuple[tuple[Change, int], ...] = (
    (_sentences_on_lines, 8),
    (_lower, 8),
    (_upper, 3),
    (_first_lower, 3),
    (_no_commas, 6),
    (_curly, 6),
    (_dashes, 5),
    (_decomposed, 3),
    (_wide, 3),
    (_bold, 5),
    (_zero_width, 3),
    (_grouped, 4),
    (_spaced, 12),
)
_ON_ALL: tuple[tuple[Change, int], ...] = (
    (_prefixed, 14),
    (_no_end, 6),
    (_ends, 6),
    (_html, 3),
    (_choice_marks, 12),
    (_choices_inline, 6),
    (_wrapped, 6),
)
_FORMATS = (
    *((change, weight, True) for change, weight in _ON_PROSE),
    *((change, weight, False) for change, weight in _ON_ALL),
)


def formatted(stream: Stream, text: str) -> tuple[str, list[str]]:
    """The same text typed in another way, by one to three changes, with their names."""
    return _changed(stream, text, stream.weighted(((1, 5), (2, 4), (3, 2))), _FORMATS)


def _changed(s: Stream, text: str, count: int, table: tuple[tuple[Change, int, bool], ...]) -> tuple[str, list[str]]:
    made, names = text, list[str]()
    for _ in range(count * 4):
        change, prose = s.weighted([((change, prose), weight) for change, weight, prose in table])
        name = change.__name__.strip("_")
        if name in names or ("```" in text and name in ("wrapped", "sentences_on_lines")):
            continue
        after = on_prose(s, made, change) if prose else change(s, made)
        if after != made:
            made, names = after, [*names, name]
        if len(names) == count:
            break
    return made, names


# -- edit --------------------------------------------------------------------------------------------------------

_KEYS = {a: b for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for a, b in zip(row, row[1:] + row[-2], strict=True)}


def _typo(s: Stream, text: str) -> str:
    quoted = [match.span() for match in re.finditer(r'"[^"]*"', text)]  # a cipher's text, for example
    words = [
        match
        for match in re.finditer(r"(?<![\w\\])[a-z]{5,}(?!\w)", text)
        if match.group() not in MEANING and not any(start <= match.start() < end for start, end in quoted)
    ]
    if not words:
        return text
    match = s.pick(words)
    word, at = match.group(), s.between(1, len(match.group()) - 2)
    wrong = s.pick(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + _KEYS[word[at]] + word[at + 1 :],
        )
    )
    return text[: match.start()] + wrong + text[match.end() :]


def _drop_word(s: Stream, text: str) -> str:
    words = [m for m in re.finditer(r"(?<=\w )([a-z]+) (?=\w)", text) if m.group(1) in SPARE]
    if not words:
        return text
    match = s.pick(words)
    return text[: match.start()] + text[match.end() :]


def _articles(s: Stream, text: str) -> str:
    found = list(re.finditer(r"\b(the|a|an) (?=[a-z])", text))
    if not found:
        return text
    match = s.pick(found)
    other = s.pick(("this ", "", "one ") if match.group(1) != "the" else ("a ", "", "this "))
    return text[: match.start()] + other + text[match.end() :]


def _spelling(_: Stream, text: str) -> str:
    for british, american in BRITISH:
        one, other = (british, american) if re.search(rf"\b{british}\b", text) else (american, british)
        text = re.sub(rf"\b{one}\b", other, text)
    return text


def _contract(_: Stream, text: str) -> str:
    for whole, short in CONTRACTIONS:
        if whole in text:
            return text.replace(whole, short, 1)
        if short in text:
            return text.replace(short, whole, 1)
    return text


def _number_words(s: Stream, text: str) -> str:
    """One or all of the small numbers in words."""
    every = s.chance(0.4)
    found = [
        m for m in re.finditer(r"(?<![\w.,$/%^-])\d{1,2}(?![\w.,/%:^-]|\.\d)(?= [a-z])", text) if int(m.group()) < 100
    ]
    if not found:
        return text
    chosen = found if every else [s.pick(found)]
    for match in reversed(chosen):
        text = text[: match.start()] + number_word(int(match.group())) + text[match.end() :]
    return text


def _digits(_: Stream, text: str) -> str:
    words = {number_word(k): str(k) for k in range(2, 13)}
    return re.sub(rf"\b({'|'.join(words)})\b(?! of\b)", lambda m: words[m.group()], text, count=1)


_EDITS: tuple[tuple[Change, int, bool], ...] = (
    (_typo, 14, True),
    (_drop_word, 8, True),
    (_articles, 6, True),
    (_spelling, 10, True),
    (_contract, 6, True),
    (_number_words, 10, True),
    (_digits, 3, True),
)


def edited(stream: Stream, text: str, most: int = 4) -> tuple[str, list[str]]:
    """The text with one to `most` small edits that leave its meaning, with their names."""
    made, names = text, list[str]()
    for _ in range(stream.between(1, most)):
        made, (*new,) = _changed(stream, made, 1, _EDITS)
        names += new
    return made, names
