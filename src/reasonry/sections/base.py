"""What every section of a recipe is: strict, frozen, with its content for a key; and a path in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import PydanticCustomError, core_schema

__all__ = ["OUT_OF_KEY", "RecipePath", "Section"]


class _OutOfKey:
    """Marks a field that does not change the result."""


OUT_OF_KEY = _OutOfKey()


class Section(BaseModel):
    """A strict table of the recipe: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    part_field: ClassVar[str | None] = None
    """The field that names the part whose options this section holds."""

    def key_content(self) -> dict[str, Any]:
        """What enters the stage's key: every field that can change the result, as plain values."""
        fields = type(self).model_fields
        return {name: _plain(getattr(self, name)) for name, field in fields.items() if OUT_OF_KEY not in field.metadata}

    def content(self) -> dict[str, Any]:
        """Every field in force, as plain values (for the lock file)."""
        return {name: _plain(getattr(self, name), whole=True) for name in type(self).model_fields}


def _plain(value: Any, *, whole: bool = False) -> Any:
    if isinstance(value, Section):
        return value.content() if whole else value.key_content()
    if isinstance(value, RecipePath):
        return value.given if whole else Path(value.given).name
    if isinstance(value, Mapping):
        return {str(name): _plain(item, whole=whole) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list | tuple):
        return [_plain(item, whole=whole) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


@dataclass(frozen=True, slots=True)
class RecipePath:
    """A path as the recipe gives it, relative to the recipe's folder. It must exist.

    Only the file's name is part of a key: its content is (see `registry.Input`), its folder is not.
    """

    given: str
    resolved: Path

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(cls._from)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "path"}

    @classmethod
    def _from(cls, given: Any, info: ValidationInfo) -> RecipePath:
        if isinstance(given, RecipePath):
            return given
        if not isinstance(given, str):
            raise PydanticCustomError("no_path", "not a path: {given}", {"given": repr(given)})
        return cls.at(given, Path((info.context or {}).get("folder", ".")))

    @classmethod
    def at(cls, given: str, folder: Path) -> RecipePath:
        """The path as given in a recipe in `folder`. Raises PydanticCustomError where there is no such file."""
        if not given or "\0" in given:
            raise PydanticCustomError("no_path", "not a path: {given}", {"given": repr(given)})
        try:
            resolved = (folder / Path(given).expanduser()).resolve()
            exists = resolved.exists()
        except (OSError, RuntimeError) as exc:  # a name too long, a loop of links, a user who is not there
            raise PydanticCustomError("no_path", "not a path: {why}", {"why": str(exc)}) from exc
        if not exists:
            raise PydanticCustomError("no_such_file", "no such file: {given}", {"given": given})
        return cls(given, resolved)
