"""What happens to questions before money is spent on them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
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
    threshold: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.8, description="the least similarity of two questions that count as one"
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

    against: list[RecipePath] = Field(min_length=1, description="files of benchmark questions")
    fields: FieldMap = Field(default_factory=lambda: FieldMap(answer=None))
    ngram: Annotated[int, Field(ge=3, le=50)] = Field(default=13, description="words")


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
