"""Questions that need what is not there: a figure, a table, a page behind a link, an earlier question.

A figure that stands in the text as code (Asymptote, TikZ, SVG) is there, for a model that reads code; whether it counts
is an option. A table counts as there where its rows are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from reasonry.filters.each import Fault, RowFilterSection, each
from reasonry.registry import part
from reasonry.types import Drop, Question

__all__ = ["RULES", "ReferencesSection", "references"]

RULES = {
    "image": "an image is embedded: a Markdown or HTML image, `\\includegraphics`, a mark such as `[image]`",
    "figure": "a figure, diagram, picture or graph is spoken of as shown, and none is there",
    "drawn_figure": 'the figure stands in the text as code: Asymptote, TikZ, SVG (with `drawn = "drop"`)',
    "table": "a table is spoken of as shown, and none is there",
    "link": "a web address",
    "attachment": "an attached file or document is spoken of",
    "other_question": "an earlier question, part, example or numbered section is referred to",
}

Kind = Literal["image", "figure", "table", "link", "attachment", "other_question"]
_KINDS: tuple[Kind, ...] = ("image", "figure", "table", "link", "attachment", "other_question")


class ReferencesSection(RowFilterSection):
    """What a question may not refer to."""

    drop: list[Kind] = Field(
        default_factory=lambda: list(_KINDS), min_length=1, description="the references that a question may not make"
    )
    drawn: Literal["keep", "drop"] = Field(
        default="keep", description="questions whose figure stands in the text as code (Asymptote, TikZ, SVG)"
    )


@part("filter", "references", options=ReferencesSection, rules=RULES)
def references(rows: Iterable[Question], options: ReferencesSection) -> Iterator[Question | Drop]:
    """Drop questions that need a figure, a table, a link or anything else that is not in their text."""
    looked_for = [reference for reference in _REFERENCES if reference.kind in options.drop]

    def check(question: Question) -> Fault | None:
        text, lower = question.prompt, question.prompt.lower()
        if options.drawn == "drop" and (drawn := _DRAWN.search(text)):
            return Fault("drawn_figure", f"'{drawn[0]}': the figure stands in the text as code")
        for reference in looked_for:
            if found := reference.find(text, lower):
                return Fault(reference.kind, f"'{found}'")
        return None

    return each(rows, options, check)


@dataclass(frozen=True, slots=True)
class _Reference:
    """How questions refer to something.

    One of `words` stands in every text (in lower case) that can match: looking for them costs next to nothing.
    `is_there` says whether what is referred to stands in the text itself.
    """

    kind: Kind
    words: tuple[str, ...]
    pattern: re.Pattern[str]
    is_there: Callable[[str], bool] | None = None

    def find(self, text: str, lower: str) -> str | None:
        """The words that refer to what is not there."""
        if not any(word in lower for word in self.words):
            return None
        found = self.pattern.search(text)
        if found is None or (self.is_there is not None and self.is_there(text)):
            return None
        return " ".join(text[max(0, found.start() - 20) : found.end() + 20].split())[:120]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_DRAWN = _any(r"\[asy\]", r"\\begin\{(?:asy|tikzpicture|pspicture|picture|circuitikz)\}", r"\\chemfig", r"<svg\b")


def _is_drawn(text: str) -> bool:
    return _DRAWN.search(text) is not None


_TABLE = _any(r"\\begin\{(?:tabular|array|\w*matrix)|\\hline", r"<t[dr]\b")
_CELL = re.compile(r"\s-?\d")


def _has_rows(text: str) -> bool:
    """Whether a table stands in the text, in whatever markup: two rows with bars or tabs, three with numbers."""
    if _TABLE.search(text):
        return True
    lines = text.split("\n")
    ruled = sum(line.count("|") > 1 or "\t" in line.strip() for line in lines)
    return ruled > 1 or sum(_CELL.search(line) is not None for line in lines) > 2


_FEW_NUMBERS = 8


def _has_table(text: str) -> bool:
    """Rows, or as many numbers as a table has whose rows were run together."""
    return _has_rows(text) or sum(1 for _ in _CELL.finditer(text)) >= _FEW_NUMBERS


def _has_chart(text: str) -> bool:
    return _is_drawn(text) or _has_rows(text)


def _has_display(text: str) -> bool:
    return "```" in text or _has_chart(text)


_FIRST_PART = re.compile(r"(?:^|(?<!part)\s)\(?a\)", re.MULTILINE | re.IGNORECASE)

_PLACE = r"(?:below|above|here|opposite|(?:at|on|to)\s+(?:the\s+)?(?:right|left|side))"
_ADJECTIVE = r"(?:\s+(?:following|accompanying|adjoining|adjacent|attached|above|below|given|provided|enclosed|first))?"
_PICTURE = r"(?:figures?(?!-)|diagrams?|pictures?|illustrations?|drawings?(?!\s+room)|sketch)"
_ONE = r"(?:figure(?!-)|diagram|picture|illustration|drawing(?!\s+room)|sketch)"
_GRAPH = r"(?:graphs?|charts?|plots?|maps?|images?|histogram|photo(?:graph)?s?)"
_SHOWN = r"(?:shown|pictured|depicted|illustrated|drawn|sketched|displayed)"
_SHOWS = r"(?:shows?|depicts?|illustrates?|displays?)"
_FIGURE = _any(
    rf"\b(?:in|from|see|by|using|use|consider|on|to)\s+the{_ADJECTIVE}\s+{_ONE}\b",
    rf"(?<!of )\bthe\s+(?:accompanying|adjoining|adjacent|attached|above)\s+{_PICTURE}\b",
    rf"(?<!of )\bthe\s+following\s+{_PICTURE}\b(?!\s*:)",
    rf"\b{_PICTURE}\s+(?:(?:is|are)\s+)?(?:{_SHOWN}\b|(?:given\s+|provided\s+)?{_PLACE}\b)",
    rf"\b(?:this|the)\s+{_ONE}\s+{_SHOWS}\b",
    rf"\b{_SHOWN}\s+in\s+the\s+{_PICTURE}\b",
    r"(?<!\ba )\bfig(?:ure|\.)\s*\(?\d",
    r"如图|下图|右图|左图|上图|图中|图所示|図の|下の図|右の図",
    r"\b(?:en|dans|ver|na|nella|come\s+in)\s+(?:la\s+)?figura?\b|\bfigure\s+ci-|\bAbbildung\b|на\s+рисунке|см\.\s+рис",
)
_CHART = _any(
    rf"(?<!of )\bthe\s+(?:accompanying|adjoining|adjacent|attached|above|following)\s+{_GRAPH}\b(?!\s*:)",
    rf"\b{_GRAPH}\s+(?:(?:is|are)\s+)?(?:{_SHOWN}\b|(?:given\s+|provided\s+)?{_PLACE}\b)",
    rf"\b(?:this|the)\s+(?:graph|chart|map|photo(?:graph)?)\s+{_SHOWS}\b",
    rf"\b{_SHOWN}\s+in\s+the\s+{_GRAPH}\b",
)
_SHAPE = (
    r"(?:squares?|triangles?|circles?|rectangles?|grid|hexagon|polygon|shapes?|solid|cube|region|circuit|structure)"
)
_AS_SHOWN = _any(
    rf"\b{_SHAPE}\s+(?:shown|pictured|depicted|illustrated)\b(?!\s+(?:that|to|by))",
    rf"\b(?:as|is|are)\s+{_SHOWN}\s+{_PLACE}\b(?![^.\n]{{0,60}}:)",
    rf"(?:^|[.,]\s+){_SHOWN}\s+(?:at|on|to)\s+(?:the\s+)?(?:right|left)\b",
    r"\bas\s+(?:shown|pictured|depicted|illustrated)(?=\s*[.,;](?!\w))",
)
_REFERENCES = [
    _Reference(
        "image",
        ("![", "<im", "includegraphics", "[im", "[fig", "[dia", "[pic", "[graph"),
        _any(
            r"!\[[^\]\n]{0,200}\]\([^)\n]{1,500}\)|<img\b|<image|\\includegraphics",
            r"\[(?:image|figure|diagram|picture|img|graph)(?:[ _:-][^\]\n]{0,80})?\]",
        ),
    ),
    _Reference(
        "figure",
        ("figur", "diagram", "pictur", "drawing", "sketch", "fig.", "illustrat", "图", "図", "abbild", "рис"),
        _FIGURE,
        _is_drawn,
    ),
    _Reference("figure", ("photo", "graph", "chart", "plot", "map", "image", "histogram"), _CHART, _has_chart),
    _Reference(
        "figure",
        ("shown", "pictured", "depicted", "illustrated", "drawn", "sketched", "displayed"),
        _AS_SHOWN,
        _has_display,
    ),
    _Reference(
        "table",
        ("tabl", "表"),
        _any(
            r"\b(?:the|this)\s+(?:following|accompanying|above|attached)\s+table\b(?!\s*:)",
            rf"\btable\s+(?:(?:is|are)\s+)?(?:{_SHOWN}\b|(?:given\s+|provided\s+)?(?:below|above)\b)",
            rf"\b(?:this|the)\s+table\s+(?:{_SHOWS}|lists|gives)\b",
            r"\b(?:in|from)\s+(?:the|this)\s+(?:following|above)\s+table\b|\b(?:see|in|from|to|of)\s+table\s*\d",
            r"如下?表\s*\d|下表所示|如[上下]表|表格中|上表[中所]",
        ),
        _has_table,
    ),
    _Reference("link", ("http", "www."), _any(r"\bhttps?://[^\s)]", r"\bwww\.\w")),
    _Reference(
        "attachment",
        ("attach", "enclosed", "附件"),
        _any(
            r"\b(?:see|in|on|open|from|read)\s+the\s+attachments?\b",
            r"\b(?:attached|enclosed)\s+(?:file|document|spreadsheet|pdf|sheet|table|data|code)s?\b",
            r"见附件|附件中",
        ),
    ),
    _Reference(
        "other_question",
        ("previous", "preceding", "earlier", "problem", "exercise", "example", "theorem", "lemma"),
        _any(
            r"\b(?:previous|preceding|earlier)\s+(?:problem|exercise|question|example)\b",
            r"\b(?:in|from|of|by|using|see)\s+(?:problem|exercise|example|theorem|lemma)\s+\d+(?:\.\d+)*\b",
        ),
    ),
    _Reference(
        "other_question",
        ("part",),
        _any(r"\b(?:in|from|of|using|by|to)\s+part\s+\(?(?:[a-e]|i{1,3})\b"),
        lambda text: _FIRST_PART.search(text) is not None,
    ),
]
