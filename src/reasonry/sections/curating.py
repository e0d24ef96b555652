"""What happens to questions before money is spent on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from reasonry.sections.base import RecipePath, Section
from reasonry.sections.questions import FieldMap

__all__ = [
    "CurateSection",
    "DecontaminateOptions",
    "DeduplicateOptions",
    "FilterSection",
]


Criterion = Literal["answer", "verified", "license", "source"]


class DeduplicateOptions(Section):
    """Keep one question of each group that asks the same."""

    method: Literal["exact", "minhash", "semantic"] = Field(
        default="exact",
        description="exact: the same after normalisation; minhash: nearly the same; semantic: by a model",
    )
    threshold: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="the least similarity of two questions that count as one; default: 0.6 for minhash, "
        "0.9 (a cosine) for semantic",
    )
    numbers: bool = Field(default=True, description="questions that differ in their numbers are different ones")
    answers: bool = Field(default=True, description="questions whose reference answers differ are different ones")
    prefer: list[Criterion] = Field(
        default_factory=lambda: list[Criterion](("answer", "verified", "license", "source")),
        description="which question of a group is kept: the first criterion that tells them apart decides",
    )
    sources: list[str] = Field(default_factory=list[str], description="source names, the preferred first")
    model: str | None = Field(default=None, description="semantic: the embedding model, by its name or folder")

    @model_validator(mode="after")
    def _has_model(self) -> DeduplicateOptions:
        if (self.method == "semantic") != (self.model is not None):
            raise PydanticCustomError("semantic_model", 'method = "semantic" and model belong together', {})
        return self


class DecontaminateOptions(Section):
    """Drop questions that a benchmark asks too, in whatever spelling."""

    against: list[Any] = Field(
        min_length=1,
        description="benchmarks: a file, a benchmark's name, a dataset (owner/name@revision or a folder), or a table",
        json_schema_extra={"items": {"type": ["string", "object"]}},
    )
    fields: FieldMap = Field(
        default_factory=lambda: FieldMap(answer=None), description="which column holds what, of files and Hub names"
    )
    ngram: Annotated[int, Field(ge=3, le=50)] = Field(
        default=4, description="words in a row by which candidates are found; each is then compared as a whole"
    )
    numbers_changed: Literal["drop", "keep"] = Field(
        default="drop", description="questions that differ from a benchmark's in their numbers alone; keep: with a note"
    )

    @field_validator("against", mode="before")
    @classmethod
    def _told_apart(cls, against: Any, info: ValidationInfo) -> Any:
        if not isinstance(against, list):
            return against
        folder = Path((info.context or {}).get("folder", "."))
        return [_benchmark(entry, folder) for entry in cast("list[Any]", against)]


_HUB_NAME = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?")
_PART_NAME = re.compile(r"[A-Za-z0-9_-]+")
_FILE_NAME = re.compile(r"\.(?:jsonl?|ndjson|csv|tsv|parquet|gz|zst)\Z", re.IGNORECASE)


def _benchmark(entry: Any, folder: Path) -> Any:
    """An entry of `against` as a file's path, as the options of a benchmark or source, or as a table of them."""
    if isinstance(entry, RecipePath | Section):
        return entry
    if isinstance(entry, dict):
        table = cast("dict[str, Any]", entry)
        if ("benchmark" in table) == ("source" in table):
            raise PydanticCustomError("no_benchmark", "a table of against names either a benchmark or a source", {})
        return table
    if not isinstance(entry, str):
        raise PydanticCustomError("no_benchmark", "neither a name, a file nor a table", {})
    if _PART_NAME.fullmatch(entry):
        return {"benchmark": entry}
    hub = _HUB_NAME.fullmatch(entry)
    if hub and not _FILE_NAME.search(entry) and not (folder / entry).exists():
        return {"source": "hub", "path": hub[1], "split": "test", **({"revision": hub[2]} if hub[2] else {})}
    path = RecipePath.at(entry, folder)
    return {"source": "hub", "path": path, "split": "test"} if path.resolved.is_dir() else path


class FilterSection(Section):
    """One filter over the questions, by name."""

    part_field: ClassVar[str | None] = "filter"

    filter: str


class CurateSection(Section):
    """What happens to questions before money is spent on them."""

    deduplicate: DeduplicateOptions | Literal[False] = Field(
        default_factory=DeduplicateOptions, description="false: keep near-equal questions apart"
    )
    decontaminate: DecontaminateOptions | None = None
    filters: list[Any] = Field(default_factory=list[Any], description="further filters, in order")
