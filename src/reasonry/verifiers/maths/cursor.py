"""A place in a list of tokens, and how to move it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from reasonry.verifiers.maths.tokens import Token
from reasonry.verifiers.maths.trees import TooLarge, Unreadable

__all__ = ["Cursor"]

MAX_DEPTH = 60


class Cursor:
    """`brackets` counts the open round and square ones and sets; `bars` the open absolute values."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self.brackets = 0
        self.bars = 0
        self.is_finished = False

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    @property
    def last(self) -> Token:
        """The token before this one."""
        return self._tokens[self._at - 1]

    @property
    def touches(self) -> bool:
        """Whether this token stands directly behind the last."""
        return self._at > 0 and self._tokens[self._at - 1].end == self._tokens[self._at].start

    def ahead(self, count: int = 1) -> Token:
        return self._tokens[min(self._at + count, len(self._tokens) - 1)]

    def take(self) -> Token:
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def step(self, count: int) -> None:
        self._at = min(self._at + count, len(self._tokens) - 1)

    def replace(self, token: Token) -> None:
        """Put another token in this one's place: what is left of it when its beginning was read."""
        self._tokens[self._at] = token

    def is_at(self, *texts: str) -> bool:
        token = self._tokens[self._at]
        return token.text in texts and token.kind in ("sym", "cmd")

    def skip(self, *texts: str) -> bool:
        if self.is_at(*texts):
            self._at += 1
            return True
        return False

    def expect(self, *texts: str) -> str:
        token = self.token
        if not self.skip(*texts):
            raise Unreadable(f"no {texts[0]} where one must stand")
        return token.text

    def finish(self) -> None:
        """Leave the rest unread: it is said about the answer, and no part of it."""
        self.is_finished = True
        self._at = len(self._tokens) - 1

    def mark(self) -> int:
        return self._at

    def reset(self, mark: int) -> None:
        self._at = mark

    def nested(self) -> Self:
        """For a `with` block that is one level deeper. Entering it raises TooLarge where there are too many.

        The cursor is its own context manager: reading enters a level for each factor, and that must cost little.
        """
        return self

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooLarge("nested too deeply")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1

    @contextmanager
    def bracket(self) -> Generator[None]:
        """Inside of a bracket commas separate, and bars open anew."""
        brackets, bars = self.brackets, self.bars
        self.brackets, self.bars = brackets + 1, 0
        with self.nested():
            yield
        self.brackets, self.bars = brackets, bars

    def raw_script(self) -> str:
        """What stands behind `_`, as text without spaces."""
        token = self.take()
        if token.text != "{":
            return token.text.removeprefix("\\")
        parts: list[str] = []
        depth = 1
        while True:
            token = self.take()
            depth += (token.text == "{") - (token.text == "}")
            if token.kind == "end":
                raise Unreadable("a brace is not closed")
            if depth == 0:
                return "".join(parts)
            parts.append(token.text.strip())
