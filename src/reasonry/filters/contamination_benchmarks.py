"""The benchmarks that decontamination is asked to keep out: where each comes from, and its questions by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reasonry.errors import InputError, PartError
from reasonry.identity import digest
from reasonry.records import SetAside, file_sha256, open_records
from reasonry.registry import Input, Kind, Part, find, inputs_of, library_input
from reasonry.sections import DecontaminateOptions, EvaluateSection, FieldMap, RecipePath, Section
from reasonry.sources.mapping import Mapped, question_from
from reasonry.types import Drop, Question

__all__ = ["Listed", "benchmark_inputs", "benchmark_questions", "choices_of", "listed"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A benchmark's question as it is named to people: the benchmark, and the row there (its id, or its number)."""

    benchmark: str
    row: str
    id: str
    prompt: str
    choices: Sequence[str]


def listed(question: Question, benchmark: str) -> Listed:
    """The question under the name of its benchmark. `id` is its own id in the data where it has one."""
    origin = question.meta.get("origin") or {}
    own = question.meta.get("id")
    row = str(own if own is not None else origin.get("row", question.id))
    return Listed(
        benchmark, row, row if own is not None else f"{benchmark}:{row}", question.prompt, choices_of(question)
    )


def choices_of(question: Question) -> list[str]:
    """The choices that a question's spec lists."""
    choices = question.spec.get("choices")
    return [str(choice) for choice in choices] if isinstance(choices, list) else []


def benchmark_inputs(options: DecontaminateOptions) -> Sequence[Input]:
    """Every benchmark, by content or revision, and the library that aligns texts.

    Raises UsageError for a benchmark that cannot be found.
    """
    inputs = [library_input("rapidfuzz")]
    for entry in options.against:
        if isinstance(entry, RecipePath):
            file = entry.resolved
            inputs.append(Input(file.name, file_sha256(file), file.stat().st_size))
        else:
            part, section = _part_of(entry, options.fields)
            inputs += [Input(part.label, digest("part", part.label)), *inputs_of(part, section)]
    return inputs


def benchmark_questions(options: DecontaminateOptions) -> Iterator[Listed]:
    """The questions of all benchmarks. Raises InputError for a row without one: unread, it could not be kept out."""
    for entry in options.against:
        if isinstance(entry, RecipePath):
            yield from _in_file(entry, options.fields)
        else:
            part, section = _part_of(entry, options.fields)
            yield from _of_part(part, section)


def _part_of(entry: Any, fields: FieldMap) -> tuple[Part, Section]:
    """The part that an entry names, and its options with the columns that matter here alone."""
    if not isinstance(entry, Section):
        entry = _checked(entry)
    kind: Kind = "benchmark" if isinstance(entry, EvaluateSection) else "source"
    part = find(kind, getattr(entry, kind))
    given = getattr(entry, "fields", None)
    if isinstance(given, FieldMap):
        chosen = given if "fields" in entry.model_fields_set else fields
        entry = entry.model_copy(update={"fields": _columns(chosen)})
    return part, entry


def _checked(table: dict[str, Any]) -> Section:
    """The options of a table that no recipe has checked."""
    kind: Kind = "benchmark" if "benchmark" in table else "source"
    part = find(kind, table[kind])
    if part.options is None:
        raise PartError(f"the {kind} '{part.name}' has no options")
    return part.options.model_validate(table)


def _columns(fields: FieldMap) -> FieldMap:
    """Prompt, choices and id: a benchmark may lack whatever else is named."""
    return FieldMap(prompt=fields.prompt, answer=None, choices=fields.choices, id=fields.id)


def _in_file(path: RecipePath, fields: FieldMap) -> Iterator[Listed]:
    mapped = Mapped(fields=_columns(fields), verifier="")
    for row in open_records(path.resolved):
        result = row if isinstance(row, SetAside) else question_from(row, mapped, {"file": row.file, "row": row.row})
        if not isinstance(result, Question):
            raise _unread(result.reason, f"{path.resolved}:{row.row}")
        yield listed(result, row.file)


def _of_part(part: Part, section: Section) -> Iterator[Listed]:
    for question in part.call(section):
        if isinstance(question, Drop):
            raise _unread(question.reason, f"{part.name}: {question.row_id}")
        yield listed(question, section.label if isinstance(section, EvaluateSection) else question.source)


def _unread(reason: str, place: str) -> InputError:
    hint = "mend or remove the row, or check decontaminate.fields"
    return InputError(f"a benchmark question cannot be read: {reason}", place=place, hint=hint)
