"""Text from data inside Markdown and YAML: it is shown, and cannot become markup."""

from __future__ import annotations

import json
import re

__all__ = ["cell", "fenced", "yaml_text"]

# What YAML does not take as it is, and separators that some readers take for line ends.
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ACTIVE = re.compile(r"([\\`*_\[\]<>|~#])")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def cell(value: object) -> str:
    """One cell of a Markdown table: one line, with everything that Markdown or HTML would act on escaped."""
    if value is None:
        return "unknown"
    if isinstance(value, bool | int | float):
        return f"{value:,}"
    text = _CONTROL.sub(" ", str(value))
    return _ACTIVE.sub(r"\\\1", text).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\|", "&#124;")


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def yaml_text(text: str) -> str:
    """A double-quoted YAML scalar, which JSON's string is, but for the characters that YAML refuses."""
    return _UNPRINTABLE.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
