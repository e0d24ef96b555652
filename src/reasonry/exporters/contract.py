"""What an exporter is given (the sealed tables of a run) and gives back (the files it wrote)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reasonry.identity import file_digest
from reasonry.sections import PublishSection
from reasonry.store import Manifest, Store

__all__ = ["Exported", "PublishedFile", "Publishing", "published_file"]


@dataclass(frozen=True, slots=True)
class Publishing:
    """What an exporter publishes: the sealed tables of a run, by stage.

    `trainings` are files by name for whoever trains on the dataset elsewhere.
    """

    store: Store
    manifests: Mapping[str, Manifest]
    section: PublishSection
    name: str
    run_id: str
    recipe_text: str
    overrides: Sequence[str] = ()
    trainings: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file of the dataset folder. `path` is relative to it; `rows` None: the file has no rows (a card)."""

    path: str
    rows: int | None
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What an exporter wrote. No file of it changes afterwards, so each sha256 stays true."""

    location: Path
    files: tuple[PublishedFile, ...]


def published_file(target: Path, path: str, rows: int | None) -> PublishedFile:
    """The description of a file that stands at `target / path`."""
    file = target / path
    return PublishedFile(path, rows, file.stat().st_size, file_digest(file))
