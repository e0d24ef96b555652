"""Options of a part as a recipe in a folder would give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reasonry.registry import Kind, Part, find
from reasonry.types import Drop, Question

KEYS: dict[str, str] = {"source": "source", "benchmark": "benchmark", "filter": "filter"}


def options(kind: Kind, part_name: str, folder: Path, /, **values: Any) -> Any:
    """The validated options of a part, paths relative to `folder`."""
    model = find(kind, part_name).options
    assert model is not None
    given = {KEYS[kind]: part_name, **values} if model.part_field else values
    return model.model_validate(given, context={"folder": folder})


def run(kind: Kind, part_name: str, folder: Path, /, **values: Any) -> list[Question | Drop]:
    """All that a source or benchmark gives."""
    return list(find(kind, part_name).call(options(kind, part_name, folder, **values)))


def questions(rows: list[Question | Drop]) -> list[Question]:
    return [row for row in rows if isinstance(row, Question)]


def drops(rows: list[Question | Drop]) -> list[Drop]:
    return [row for row in rows if isinstance(row, Drop)]


def part(kind: Kind, name: str) -> Part:
    return find(kind, name)
