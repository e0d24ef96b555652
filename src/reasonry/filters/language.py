"""Questions by the language of their prose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from reasonry.errors import nearest_hint
from reasonry.filters.each import Fault, RowFilterSection, each
from reasonry.languages import LANGUAGES, language_of, need_language_model
from reasonry.registry import Input, library_input, part
from reasonry.types import Drop, Question

__all__ = ["RULES", "LanguageSection", "known_codes", "language", "model_input"]

RULES = {
    "other_language": "the prose is in a language that is not among `keep`, at least `min_confidence` sure",
    "undetermined_language": 'too little prose, or none surely of one language (with `undetermined = "drop"`)',
}


def known_codes(codes: list[str]) -> list[str]:
    """The codes as they are. Raises PydanticCustomError for one that is no language here."""
    for code in codes:
        if code not in LANGUAGES:
            hint = nearest_hint(code, LANGUAGES) or "codes are those of ISO 639-1"
            raise PydanticCustomError("no_language", "no language '{code}' ({hint})", {"code": code, "hint": hint})
    return codes


class LanguageSection(RowFilterSection):
    """Which languages are kept. Formulas, code, addresses and numbers are of no language."""

    keep: list[str] = Field(
        default_factory=lambda: ["en"], min_length=1, description="languages that are kept, by ISO 639-1 code"
    )
    min_confidence: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="a question less surely of another language is undetermined"
    )
    min_letters: Annotated[int, Field(ge=1)] = Field(
        default=12, description="a question with fewer letters of prose is undetermined (half as many if not Latin)"
    )
    undetermined: Literal["keep", "drop"] = Field(default="keep", description="what happens to undetermined ones")

    _codes = field_validator("keep")(known_codes)


def model_input(_options: object) -> Sequence[Input]:
    """The version of the model's library: it decides what a text is taken for."""
    need_language_model()
    return [library_input("py3langid")]


@part("filter", "language", options=LanguageSection, inputs=model_input, needs=need_language_model, rules=RULES)
def language(rows: Iterable[Question], options: LanguageSection) -> Iterator[Question | Drop]:
    """Drop questions in other languages than those asked for."""
    keep, listed = frozenset(options.keep), ", ".join(options.keep)

    def check(question: Question) -> Fault | None:
        found = language_of(question.prompt, min_letters=options.min_letters)
        if found.code in keep:
            return None
        if found.code is not None and found.confidence >= options.min_confidence:
            return Fault("other_language", f"{found.code} ({found.confidence:.0%}), not {listed}")
        if options.undetermined == "keep":
            return None
        seen = "too little prose" if found.code is None else f"at best {found.code} ({found.confidence:.0%})"
        return Fault("undetermined_language", f"{seen}, not surely {listed}")

    return each(rows, options, check)
