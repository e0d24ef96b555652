"""What published benchmarks have in common: a dataset of the Hub at a pinned commit, or a local copy of it.

`path` points to a copy: the dataset's folder, or one file of its rows (JSON lines, CSV or Parquet, also packed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import Field

from reasonry.records import Record, SetAside, file_sha256, open_records
from reasonry.registry import Input, part
from reasonry.sections import EvaluateSection, FieldMap, RecipePath
from reasonry.sources.hub import HubSection, hub_inputs, hub_records, needs_datasets
from reasonry.sources.mapping import Mapped, drop_of, question_from
from reasonry.types import Drop, JsonMap, Question

__all__ = ["STAGE", "Published", "PublishedSection", "Shape", "as_it_is", "define", "inputs_of_copy", "mapped_as"]

STAGE = "evaluate"
Shape = Callable[[Record], Record]


@dataclass(frozen=True, slots=True)
class Published:
    """Where a benchmark is, which column holds what, and whom to cite. `revision` None: the newest commit."""

    name: str
    dataset: str
    split: str
    rows: int
    license: str
    citation: str
    summary: str
    fields: FieldMap
    revision: str | None = None
    config: str | None = None


class PublishedSection(EvaluateSection):
    """An evaluation on a published benchmark."""

    verifier: str = "exact"
    domain: str = "unknown"
    path: RecipePath | None = Field(default=None, description="a local copy: folder or file; default: the Hub")
    revision: str | None = Field(default=None, description="commit, branch or tag; default: the one it is pinned to")


def as_it_is(record: Record) -> Record:
    return record


def mapped_as(published: Published, options: PublishedSection, fields: FieldMap) -> Mapped:
    return Mapped(
        fields=fields,
        verifier=options.verifier,
        domain=options.domain,
        license=published.license,
        name=published.name,
        stage=STAGE,
    )


def define(
    published: Published,
    section: type[PublishedSection],
    shaped: Shape = as_it_is,
    fields: FieldMap | None = None,
    version: int = 1,
) -> None:
    """Make a benchmark part. `shaped` turns its rows into ones that `fields` can map."""
    columns = fields or published.fields

    def inputs(options: PublishedSection) -> Sequence[Input]:
        return inputs_of_copy(options) or hub_inputs(_dataset(published, options))

    def read(options: PublishedSection) -> Iterator[Question | Drop]:
        mapped = mapped_as(published, options, columns)
        for record, origin in _rows(published, options):
            if isinstance(record, SetAside):
                yield drop_of(record, STAGE)
            else:
                yield question_from(shaped(record), mapped, origin)

    read.__doc__ = published.summary
    part("benchmark", published.name, version=version, options=section, inputs=inputs, needs=needs_datasets)(read)


def inputs_of_copy(options: PublishedSection) -> list[Input]:
    """The file that is a local copy; empty where there is none, or where it is a folder."""
    if options.path is None or not options.path.resolved.is_file():
        return []
    file = options.path.resolved
    return [Input(file.name, file_sha256(file), file.stat().st_size)]


def _rows(published: Published, options: PublishedSection) -> Iterator[tuple[Record | SetAside, JsonMap]]:
    files = inputs_of_copy(options)
    if not files or options.path is None:
        yield from hub_records(_dataset(published, options))
        return
    place = {"file": files[0].name, "sha256": files[0].digest}
    for row in open_records(options.path.resolved):
        yield row, {**place, "row": row.row}


def _dataset(published: Published, options: PublishedSection) -> HubSection:
    """The benchmark as a dataset's options. A local copy has a revision of its own."""
    return HubSection(
        source="hub",
        path=options.path or published.dataset,
        config=published.config,
        split=published.split,
        revision=None if options.path else options.revision or published.revision,
    )
