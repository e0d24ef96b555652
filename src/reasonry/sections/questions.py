"""Where questions come from."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from reasonry.sections.base import Section

__all__ = ["FieldMap", "QuestionsSection"]


_META_OF_OURS = {"id", "verified", "difficulty", "origin"}


class FieldMap(Section):
    """Which column of the file holds what. A name with dots reaches into nested objects."""

    prompt: str = "prompt"
    answer: str | None = "answer"
    choices: str | None = None
    spec: str | None = None
    domain: str | None = None
    license: str | None = None
    id: str | None = None
    verified: str | None = Field(default=None, description="true where the reference answer was checked")
    difficulty: str | None = Field(default=None, description="a number: how hard a judge found the question")
    meta: dict[str, str] = Field(
        default_factory=dict[str, str],
        description="further columns for the question's meta, by their name there",
    )

    @field_validator("meta")
    @classmethod
    def _is_free(cls, meta: dict[str, str]) -> dict[str, str]:
        if taken := _META_OF_OURS & set(meta):
            raise PydanticCustomError("taken", "meta has a '{name}' of its own", {"name": min(taken)})
        return meta

    def key_content(self) -> dict[str, Any]:
        """Without `meta` where no column is named, so that a table made before there was such a key is still found."""
        content = super().key_content()
        return content if self.meta else {name: value for name, value in content.items() if name != "meta"}


class QuestionsSection(Section):
    """Where questions come from, and how their answers are verified."""

    part_field: ClassVar[str | None] = "source"

    source: str
    verifier: str = "exact"
    domain: str = "unknown"
    license: str = "unknown"
    name: str | None = Field(default=None, description="what lineage calls this source; default: the file's name")
    spec: dict[str, Any] = Field(default_factory=dict, description="what the verifier needs beyond the answer")
    take: Annotated[int, Field(ge=1)] | None = Field(default=None, description="only the first rows")

    @field_validator("spec")
    @classmethod
    def _is_json(cls, spec: dict[str, Any]) -> dict[str, Any]:
        try:
            json.dumps(spec, allow_nan=False)
        except (TypeError, ValueError) as exc:
            raise PydanticCustomError("no_json", "a spec holds what JSON can: {why}", {"why": str(exc)}) from exc
        return spec
