"""Lists of words and phrases, written as text."""

from __future__ import annotations

__all__ = ["forms", "pairs", "phrases", "rows", "words"]


def words(text: str) -> tuple[str, ...]:
    """What stands between white space."""
    return tuple(text.split())


def phrases(text: str) -> tuple[str, ...]:
    """What stands between semicolons; a phrase may go on in the next line."""
    return tuple(phrase.strip() for phrase in text.replace("\n", "").split(";"))


def forms(items: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The forms of each item, which slashes part: singular and plural, synonyms."""
    return tuple(tuple(form.strip() for form in item.split("/")) for item in items)


def rows(text: str) -> tuple[tuple[str, ...], ...]:
    """Rows between semicolons, their columns between colons."""
    return tuple(tuple(row.split(":")) for row in phrases(text))


def pairs(text: str) -> dict[str, str]:
    """Keys and values: rows of two columns."""
    return {row[0]: row[1] for row in rows(text)}
