"""Questions from a dataset of the Hugging Face Hub, or a local dataset folder (extra `hub`).

The revision in force enters the stage's key and each row's lineage: for a dataset of the Hub the commit, for a local
folder the digest of its files. The `datasets` library infers column types, so a number in a column of numbers is
given as that library reads it, not as the file wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from reasonry.errors import InputError, PartError
from reasonry.identity import digest
from reasonry.records import Record, file_sha256
from reasonry.registry import Input, part
from reasonry.sections import FieldMap, QuestionsSection, RecipePath
from reasonry.sources.mapping import Mapped, question_from
from reasonry.types import Drop, JsonMap, Question

__all__ = ["HubSection", "hub_inputs", "hub_records", "needs_datasets", "read_hub"]

RepositoryId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$")]
_COMMIT = re.compile(r"[0-9a-f]{40}")


class HubSection(QuestionsSection):
    """Questions from one split of a dataset."""

    path: Annotated[RecipePath | RepositoryId, Field(union_mode="left_to_right")] = Field(
        description="a dataset of the Hub (owner/name), or a local dataset folder"
    )
    config: str | None = Field(default=None, description="the dataset's configuration; default: its only one")
    split: str = Field(default="train", min_length=1)
    revision: str | None = Field(default=None, description="commit, branch or tag; default: the newest commit")
    streaming: bool = Field(default=False, description="read over the network row by row, keep nothing in the cache")
    fields: FieldMap = Field(default_factory=FieldMap, description="which column holds what")


def hub_inputs(options: HubSection) -> Sequence[Input]:
    """The dataset at its revision in force. Raises InputError where that cannot be found out."""
    if not isinstance(options.path, RecipePath):
        return [Input(options.path, digest("hub", options.path, revision_of(options)))]
    files = _data_files(options.path.resolved)
    return [Input(options.path.resolved.name, revision_of(options), sum(file.stat().st_size for file in files))]


@part("source", "hub", options=HubSection, inputs=hub_inputs)
def read_hub(options: HubSection) -> Iterator[Question | Drop]:
    """Questions from a Hugging Face dataset, on the Hub or in a folder (extra: hub)."""
    mapped = Mapped(
        fields=options.fields,
        verifier=options.verifier,
        domain=options.domain,
        license=options.license,
        name=options.name,
        spec=options.spec,
    )
    for record, origin in hub_records(options):
        yield question_from(record, mapped, origin)


def hub_records(options: HubSection) -> Iterator[tuple[Record, JsonMap]]:
    """The rows of the split as they are, each with its place. Raises InputError where there are none."""
    library = _datasets()
    revision = revision_of(options)
    name = options.path.resolved.name if isinstance(options.path, RecipePath) else options.path
    place = {"dataset": name, "config": options.config, "split": options.split, "revision": revision}
    empty = True
    for record in islice(_records(library, options, name, revision), options.take):
        empty = False
        yield record, {**place, "row": record.row}
    if empty:
        raise InputError("no rows", place=f"{name}: {options.split}")


def needs_datasets() -> None:
    """Raises PartError where the library that reads the Hub is not installed."""
    _datasets()


def revision_of(options: HubSection) -> str:
    """The revision in force: a commit for a dataset of the Hub, a digest of all its files for a folder."""
    if isinstance(options.path, RecipePath):
        folder = options.path.resolved
        return digest("folder", [[f.relative_to(folder).as_posix(), file_sha256(f)] for f in _data_files(folder)])
    if options.revision and _COMMIT.fullmatch(options.revision):
        return options.revision
    return _newest_commit(options.path, options.revision)


def _newest_commit(repository: str, revision: str | None) -> str:
    _datasets()
    from huggingface_hub import HfApi

    try:
        commit = HfApi().dataset_info(repository, revision=revision).sha
    except Exception as exc:
        raise _unreachable(repository, exc) from exc
    if commit is None:
        raise InputError("the Hub names no commit", place=repository, hint="set revision to a commit")
    return commit


def _records(library: ModuleType, options: HubSection, name: str, revision: str) -> Iterator[Record]:
    local = isinstance(options.path, RecipePath)
    path = str(options.path.resolved) if isinstance(options.path, RecipePath) else options.path
    row = 0
    try:
        library.disable_progress_bars()
        dataset: Any = library.load_dataset(
            path,
            name=options.config,
            split=options.split,
            revision=None if local else revision,
            streaming=options.streaming,
        )
        for row, values in enumerate(dataset, start=1):
            yield Record(name, row, dict(values))
    except Exception as exc:
        if local:
            raise _unreadable(options, name, row, exc) from exc
        raise _unreachable(name, exc) from exc


def _data_files(folder: Path) -> list[Path]:
    """The files of a dataset folder, hidden ones left out, in one order on every machine."""
    if not folder.is_dir():
        raise InputError("not a folder", place=str(folder), hint='for a file, say source = "jsonl", "csv" or "parquet"')
    visible = [
        file
        for file in folder.rglob("*")
        if file.is_file() and not any(step.startswith(".") for step in file.relative_to(folder).parts)
    ]
    if not visible:
        raise InputError("no rows", place=str(folder), hint="the folder holds no files")
    return sorted(visible, key=lambda file: file.relative_to(folder).as_posix())


def _datasets() -> ModuleType:
    try:
        import datasets
    except ImportError as exc:
        raise PartError("the datasets library is not installed", hint="pip install 'reasonry[hub]'") from exc
    return datasets


def _unreadable(options: HubSection, name: str, row: int, exc: Exception) -> InputError:
    after = f" after row {row}" if row else ""
    return InputError(
        f"cannot be read as a dataset{after}: {_shown(exc)}",
        place=f"{name}:{row}" if row else name,
        hint=f"check the files, config and split ('{options.split}')",
    )


def _unreachable(repository: str, exc: Exception) -> InputError:
    return InputError(
        f"cannot be read from the Hub: {_shown(exc)}",
        place=repository,
        hint="check the name, the network and HF_TOKEN; offline, set revision to a commit that is in the cache",
    )


def _shown(exc: Exception) -> str:
    """The cause of a library's error, on one line. The library wraps what happened in its own kinds."""
    cause = exc.__cause__ or exc
    text = str(cause).strip() or str(exc).strip()
    return f"{type(cause).__name__}: {text.splitlines()[0]}"[:300] if text else type(cause).__name__
