"""A benchmark in files of JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from reasonry.registry import part
from reasonry.sections import EvaluateSection, FieldMap
from reasonry.sources.files import Paths, file_inputs, questions_in
from reasonry.sources.mapping import Mapped
from reasonry.types import Drop, Question

__all__ = ["FilesBenchmarkSection", "read_benchmark"]


class FilesBenchmarkSection(EvaluateSection):
    """An evaluation on the questions of files."""

    path: Paths = Field(description="a file, or a list of files, relative to the recipe")
    fields: FieldMap = Field(default_factory=FieldMap, description="which column holds what")
    verifier: str = "exact"
    domain: str = "unknown"
    license: str = "unknown"
    spec: dict[str, Any] = Field(default_factory=dict, description="what the verifier needs beyond the answer")


@part("benchmark", "jsonl", options=FilesBenchmarkSection, inputs=file_inputs)
def read_benchmark(options: FilesBenchmarkSection) -> Iterator[Question | Drop]:
    """Benchmark questions from JSON lines."""
    mapped = Mapped(
        fields=options.fields,
        verifier=options.verifier,
        domain=options.domain,
        license=options.license,
        spec=options.spec,
        stage="evaluate",
    )
    return questions_in(options.path, mapped, "jsonl")
