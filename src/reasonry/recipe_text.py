"""A recipe as text: read, parsed as TOML, with what the command line sets put in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from reasonry.errors import RecipeError
from reasonry.toml_lines import TomlPath

__all__ = ["Raw", "apply_overrides", "parse", "read_text", "toml_value"]

MAX_RECIPE_BYTES = 1 << 20
Raw = dict[str, Any]


def read_text(path: Path) -> str:
    """The text of a recipe file. Raises RecipeError."""
    try:
        if path.stat().st_size > MAX_RECIPE_BYTES:
            raise RecipeError("larger than 1 MB: this is not a recipe", place=str(path))
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as exc:
        raise RecipeError("no such recipe", place=str(path), hint="`reasonry init` writes one") from exc
    except OSError as exc:
        raise RecipeError(f"cannot be read: {exc.strerror}", place=str(path)) from exc
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        raise RecipeError("not UTF-8 text", place=f"{path}:{line}", hint="save the file as UTF-8") from exc


def parse(text: str, path: Path) -> Raw:
    """The text as TOML. Raises RecipeError with the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        message, line = str(exc), text.count("\n") + 1
        if found := re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message):
            message = message[: found.start()]
            line = int(found[1]) if found[1] else line
        raise RecipeError(
            f"not TOML: {message[:1].lower()}{message[1:]}",
            place=f"{path}:{line}",
            hint="text needs quotes; LaTeX goes between '''",
        ) from exc
    except RecursionError as exc:
        raise RecipeError("nested too deeply", place=str(path)) from exc


def apply_overrides(raw: Raw, overrides: Sequence[str]) -> set[TomlPath]:
    """Put `--set` values into the raw recipe; the paths that were set."""
    changed: set[TomlPath] = set()
    for override in overrides:
        dotted, equals, literal = override.partition("=")
        keys = dotted.strip().split(".")
        if not equals or not all(keys):
            raise RecipeError(f"cannot read '{override}'", place="--set", hint="--set distil.samples=4")
        path: TomlPath = ()
        here: Any = raw
        for key in keys[:-1]:
            here, path = _step(here, path, key, override)
        here, last = (here, keys[-1]) if isinstance(here, dict) else _no_table(override, path)
        cast("Raw", here)[last] = toml_value(literal.strip())
        changed.add((*path, last))
    return changed


def _step(here: Any, path: TomlPath, key: str, override: str) -> tuple[Any, TomlPath]:
    if isinstance(here, list) and key.isdigit() and int(key) < len(cast("list[Any]", here)):
        return here[int(key)], (*path, int(key))
    if isinstance(here, dict):
        return cast("Raw", here).setdefault(key, {}), (*path, key)
    return _no_table(override, path if isinstance(here, list) else ())


def _no_table(override: str, several: TomlPath = ()) -> Any:
    """`several`: the path of a list of tables, of which one has to be named by its place."""
    hint = "--set distil.samples=4"
    if several:
        listed = ".".join(map(str, several))
        hint = f"there may be several [[{listed}]]: the first is {listed}.0"
    raise RecipeError(f"'{override}' does not name a key of the recipe", place="--set", hint=hint)


def toml_value(literal: str) -> Any:
    """A value given on the command line: TOML, or a bare word for text."""
    try:
        return tomllib.loads(f"value = {literal}")["value"]
    except tomllib.TOMLDecodeError:
        return literal  # a bare word is meant as text
