"""Questions from data files: `jsonl`, `csv` and `parquet`, plain or packed (.gz, .zst)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from reasonry.records import Format, SetAside, file_sha256, open_records
from reasonry.registry import Input, part
from reasonry.sections import FieldMap, QuestionsSection, RecipePath
from reasonry.sources.mapping import Mapped, drop_of, question_from
from reasonry.types import Drop, Question

__all__ = ["CsvSection", "FilesSection", "file_inputs", "questions_in", "read_csv", "read_jsonl", "read_parquet"]

Paths = RecipePath | Annotated[list[RecipePath], Field(min_length=1)]


class FilesSection(QuestionsSection):
    """Questions from one or more files, one row each."""

    path: Paths = Field(description="a file, or a list of files, relative to the recipe")
    fields: FieldMap = Field(default_factory=FieldMap, description="which column holds what")


class CsvSection(FilesSection):
    """Questions from CSV files with a header."""

    delimiter: str | None = Field(default=None, description="between cells; default: a comma, for .tsv a tab")

    @field_validator("delimiter")
    @classmethod
    def _separates(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '\r\n"\0'):
            raise PydanticCustomError("no_delimiter", "a delimiter is one character, and no quote or line end")
        return delimiter


class HasPath(Protocol):
    """Options that point to files."""

    @property
    def path(self) -> Paths: ...


def file_inputs(options: HasPath) -> list[Input]:
    """The files that options point to, by content. Raises InputError for one that cannot be read."""
    return [Input(path.name, file_sha256(path), path.stat().st_size) for path in _paths(options.path)]


@part("source", "jsonl", options=FilesSection, inputs=file_inputs)
def read_jsonl(options: FilesSection) -> Iterator[Question | Drop]:
    """Questions from JSON lines: one object per line."""
    return islice(questions_in(options.path, _mapped(options), "jsonl"), options.take)


@part("source", "csv", options=CsvSection, inputs=file_inputs)
def read_csv(options: CsvSection) -> Iterator[Question | Drop]:
    """Questions from CSV files with a header."""
    return islice(questions_in(options.path, _mapped(options), "csv", options.delimiter), options.take)


@part("source", "parquet", options=FilesSection, inputs=file_inputs)
def read_parquet(options: FilesSection) -> Iterator[Question | Drop]:
    """Questions from Parquet files."""
    return islice(questions_in(options.path, _mapped(options), "parquet"), options.take)


def questions_in(path: Paths, mapped: Mapped, form: Format, delimiter: str | None = None) -> Iterator[Question | Drop]:
    """The questions of files in order, each with its file, row and the file's sha256; bad rows as drops.

    Raises InputError, at `file:row`, where a file cannot be read on.
    """
    for file in _paths(path):
        sha256 = file_sha256(file)
        for row in open_records(file, form=form, delimiter=delimiter):
            if isinstance(row, SetAside):
                yield drop_of(row, mapped.stage)
            else:
                yield question_from(row, mapped, {"file": row.file, "row": row.row, "sha256": sha256})


def _paths(path: Paths) -> Sequence[Path]:
    return [path.resolved] if isinstance(path, RecipePath) else [one.resolved for one in path]


def _mapped(options: FilesSection) -> Mapped:
    return Mapped(
        fields=options.fields,
        verifier=options.verifier,
        domain=options.domain,
        license=options.license,
        name=options.name,
        spec=options.spec,
    )
