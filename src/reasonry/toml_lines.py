"""Where each key of a TOML file stands.

The standard library's parser gives values without places. This scanner reads text that `tomllib` has already
accepted and records the line of every key and array element, so that an error can name its line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

__all__ = ["TomlPath", "line_of", "toml_lines"]

TomlPath = tuple[str | int, ...]


def line_of(lines: Mapping[TomlPath, int], path: TomlPath) -> int | None:
    """The line of `path`, or of the nearest table around it; None for what no line gives."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def toml_lines(text: str) -> dict[TomlPath, int]:
    """The line (from 1) of every key and array element in valid TOML."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[TomlPath, int] = {}
        self._line = 1
        self._line_at = 0
        self._elements: dict[TomlPath, int] = {}  # array of tables -> how many so far

    def document(self) -> None:
        table: TomlPath = ()
        self._blank()
        while self.at < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self._header(2, is_array=True)
            elif self.text[self.at] == "[":
                table = self._header(1, is_array=False)
            else:
                self._pair(table)
            self._blank()

    def _header(self, brackets: int, *, is_array: bool) -> TomlPath:
        self.at += brackets
        line = self._line_here()
        keys = self._keys()
        self.at += brackets
        path: TomlPath = ()
        for key in keys[:-1]:
            path = (*path, key)
            self.lines.setdefault(path, line)
            if path in self._elements:
                path = (*path, self._elements[path] - 1)
        path = (*path, keys[-1])
        if is_array:
            self.lines.setdefault(path, line)
            self._elements[path] = self._elements.get(path, 0) + 1
            path = (*path, self._elements[path] - 1)
        self.lines.setdefault(path, line)
        return path

    def _pair(self, table: TomlPath) -> None:
        line = self._line_here()
        path = table
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._spaces()
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._spaces()
            keys.append(self._key())
            self._spaces()
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _key(self) -> str:
        if self.text[self.at] in "\"'":
            literal = self._string()
            return str(tomllib.loads(f"key = {literal}")["key"])
        start = self.at
        while self.at < len(self.text) and (self.text[self.at].isalnum() or self.text[self.at] in "_-"):
            self.at += 1
        return self.text[start : self.at]

    def _value(self, path: TomlPath) -> None:
        char = self.text[self.at]
        if char in "\"'":
            self._string()
        elif char == "[":
            self._array(path)
        elif char == "{":
            self._inline_table(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _array(self, path: TomlPath) -> None:
        self.at += 1
        index = 0
        while True:
            self._blank()
            if self.text[self.at] == "]":
                self.at += 1
                return
            self.lines.setdefault((*path, index), self._line_here())
            self._value((*path, index))
            index += 1
            self._comma()

    def _inline_table(self, path: TomlPath) -> None:
        self.at += 1
        while True:
            self._blank()
            if self.text[self.at] == "}":
                self.at += 1
                return
            self._pair(path)
            self._comma()

    def _comma(self) -> None:
        self._blank()
        if self.text[self.at] == ",":
            self.at += 1

    def _string(self) -> str:
        start = self.at
        quote = self.text[self.at]
        fence = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(fence)
        while not self.text.startswith(fence, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(fence)
        if len(fence) == 3:  # up to two quotes may stand before the closing fence
            while self.text.startswith(quote, self.at):
                self.at += 1
        return self.text[start : self.at]

    def _spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def _blank(self) -> None:
        """Skip white space, newlines and comments."""
        while self.at < len(self.text):
            if self.text[self.at] in " \t\n":
                self.at += 1
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return

    def _line_here(self) -> int:
        self._line += self.text.count("\n", self._line_at, self.at)
        self._line_at = self.at
        return self._line
