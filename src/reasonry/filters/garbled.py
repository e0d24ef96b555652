"""Prompts that were damaged on their way: read in another encoding, broken escapes, doubled, hardly any words left."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field

from reasonry.filters.each import Fault, RowFilterSection, each
from reasonry.filters.repeats import Repeat, has_letters, loop, repeated_piece
from reasonry.registry import part
from reasonry.types import Drop, Question

__all__ = ["RULES", "GarbledSection", "garbled"]

RULES = {
    "mojibake": "UTF-8 that was read as Latin-1 or Windows-1252: `donâ€™t`, `Ã©`",
    "replacement_character": "characters that could not be read (U+FFFD)",
    "control_characters": "control characters: often a `\\f` or `\\b` that was LaTeX before it was unescaped",
    "mostly_symbols": "fewer letters and digits than `min_alphanumeric` of what is no white space",
    "repeated_text": "the text stands there twice, or a line, a sentence or a stretch of it comes again and again",
    "markup": 'tags or entities of HTML are left (with `html = "drop"`)',
}


class GarbledSection(RowFilterSection):
    """What counts as damaged."""

    min_alphanumeric: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="least share of letters and digits among what is no white space; puzzles have few"
    )
    html: Literal["keep", "drop"] = Field(default="keep", description="prompts with tags or entities of HTML in them")


@part("filter", "garbled", options=GarbledSection, rules=RULES)
def garbled(rows: Iterable[Question], options: GarbledSection) -> Iterator[Question | Drop]:
    """Drop prompts with broken characters, hardly any words, or the same text again and again."""

    def check(question: Question) -> Fault | None:
        text = question.prompt
        return _bad_characters(text) or _symbols(text, options.min_alphanumeric) or _repeated(text) or _markup(text)

    def _markup(text: str) -> Fault | None:
        found = _HTML.search(text) if options.html == "drop" else None
        return Fault("markup", f"'{found[0]}'") if found else None

    return each(rows, options, check)


# What the bytes of UTF-8 become in Windows-1252: a lead byte, then one or more continuation bytes.
_LATER = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MISREAD = re.compile(f"[ÂÃÐÑ][{_LATER}]|[âã][{_LATER}]{{2}}|[åæçèé][{_LATER}]{{2}}|ð[{_LATER}]{{3}}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_HTML = re.compile(
    r"</?(?:p|div|span|br|li|ul|ol|table|tr|td|th|strong|em|sub|sup|a|img|b|i|pre|code|h[1-6])(?:\s[^<>]{0,200})?/?>"
    r"|&(?:nbsp|lt|gt|amp|quot|[lr]dquo|[lr]squo|le|ge|times|minus|#\d{2,5});",
    re.IGNORECASE,
)


def _bad_characters(text: str) -> Fault | None:
    if text.isascii() and text.isprintable():
        return None
    if "\ufffd" in text:
        return Fault("replacement_character", f"{text.count(chr(0xFFFD))} characters could not be read")
    if not text.isascii() and (found := next(filter(_is_misread, _MISREAD.finditer(text)), None)):
        return Fault("mojibake", f"'{_around(text, found)}'")
    if found := _CONTROL.search(text):
        return Fault("control_characters", f"U+{ord(found[0]):04X} in '{_around(text, found)}'")
    return None


def _is_misread(found: re.Match[str]) -> bool:
    """Whether the characters are the bytes of one, and so of UTF-8."""
    read = bytearray()
    for character in found[0]:
        try:
            read += character.encode("cp1252")
        except UnicodeEncodeError:
            read.append(ord(character))
    try:
        return len(read.decode("utf-8")) == 1
    except UnicodeDecodeError:
        return False


def _around(text: str, found: re.Match[str]) -> str:
    around = text[max(0, found.start() - 15) : found.end() + 15]
    return "".join(character if character.isprintable() else "·" for character in around)


_SHORTEST = 20


def _symbols(text: str, least: float | None) -> Fault | None:
    dense = "" if least is None else "".join(text.split())
    if least is None or len(dense) < _SHORTEST:
        return None
    share = sum(map(str.isalnum, dense)) / len(dense)
    return Fault("mostly_symbols", f"{share:.0%} letters and digits, less than {least:.0%}") if share < least else None


_TIMES = 8
_SHARE = 0.5


def _repeated(text: str) -> Fault | None:
    stripped = text.strip()
    half, odd = divmod(len(stripped), 2)
    if half >= _SHORTEST and stripped[:half].rstrip() == stripped[half + odd :].lstrip():
        return Fault("repeated_text", f"'{Repeat(stripped[:half], 2, 0.5)}'")
    found = repeated_piece(text, _TIMES, _SHARE) or loop(text)
    if found is None or found.times < _TIMES or found.share < _SHARE or not has_letters(found.text):
        return None
    return Fault("repeated_text", str(found))
