"""Cutting secrets out of what came from outside: an endpoint may quote what it was sent, as it is or escaped.

A text that stands in for a key where none is needed (`EMPTY`, `x`) is no secret, and cutting it would change answers:
so what is short is left in.
"""

from __future__ import annotations

import re
from functools import cached_property
from urllib.parse import parse_qsl

__all__ = ["Secrets"]

_KEY_CHARACTERS = 16  # of a key in an answer; every provider's are longer
_SHORTEST = 6  # in a text of ours
_URL_QUERY = re.compile(r"(https?://[^\s?'\"]{1,300})\?[^\s'\"]*")


class Secrets:
    """The key of one endpoint, and the query of its address, which may hold one."""

    def __init__(self, key: str | None, query: str = "") -> None:
        self._key = key or ""
        self._query = query

    def out_of_answer(self, text: str) -> str:
        """An answer without the key, letter by letter the same otherwise."""
        return text.replace(self._key, "[key]") if len(self._key) >= _KEY_CHARACTERS else text

    def out_of_body(self, body: bytes) -> bytes:
        """The same for what is not read yet."""
        return body.replace(self._key.encode(), b"[key]") if len(self._key) >= _KEY_CHARACTERS else body

    def out_of_message(self, text: str) -> str:
        """What is shown to a person, or recorded of a failure: without the key, the query, and their JSON escapes."""
        text = _URL_QUERY.sub(r"\1", text) if self._query else text
        return text if self._any is None else self._any.sub("[key]", text)

    @cached_property
    def _any(self) -> re.Pattern[str] | None:
        values = [value for _, value in parse_qsl(self._query, keep_blank_values=True)]
        secrets = {secret for secret in (self._key, self._query, *values) if len(secret) >= _SHORTEST}
        longest_first = sorted(secrets, key=lambda secret: (-len(secret), secret))
        return re.compile("|".join(map(_spelled, longest_first))) if secrets else None


def _spelled(secret: str) -> str:
    """A pattern for a text as it is and as JSON may write it: `\\/`, `\\u002b`."""
    return "".join(rf"(?:\\?{re.escape(c)}|\\u(?i:{ord(c):04x}))" for c in secret)
