"""publish: the dataset folder, written by exporters from the sealed tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reasonry.exporters.contract import PublishedFile, Publishing
from reasonry.exporters.llamafactory import FORMATS, dataset_name
from reasonry.registry import find
from reasonry.sections import PublishSection, TrainSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import TableWriter
from reasonry.trainers.llamafactory import llamafactory_files
from reasonry.trainers.trl_options import TrlOptions

VERSION = 1
ROWS = PublishedFile


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """The section, and the recipe's trainings as files for LLaMA-Factory, by name."""

    section: PublishSection
    trainings: Mapping[str, str]


def publish_options(section: PublishSection, name: str, trainings: Sequence[TrainSection]) -> PublishOptions:
    """What is published: beside files that LLaMA-Factory reads, the trainings by `trl` that it can do as well.

    One that learns the answers alone learns other rows than the published ones, so it is left out.
    """
    formats = [known for known in FORMATS if known in section.formats]
    files: dict[str, str] = {}
    for training in trainings if formats else ():
        if isinstance(training, TrlOptions) and training.target == "trace":
            files |= llamafactory_files(training, dataset_name(name, formats[0]))
    return PublishOptions(section, files)


def publish(options: PublishOptions, context: StageContext, writer: TableWriter) -> StageResult:
    """Write every format of the section into `dataset/` of the run folder; the table lists the files."""
    section = options.section
    publishing = Publishing(
        store=context.store,
        manifests=context.upstream,
        section=section,
        name=context.name,
        run_id=context.run_id,
        recipe_text=context.recipe_text,
        overrides=context.overrides,
        trainings=options.trainings,
    )
    target = context.folder / "dataset"
    published = set[Path]()
    with context.console.meter("publish", len(section.exporters)) as meter:
        for name in section.exporters:
            for file in find("exporter", name).call(publishing, target).files:
                writer.append(file)
                published.add(target / file.path)
            meter.advance()
    _sweep(target, published)
    return StageResult(context.upstream["select"].rows_out, {"files": writer.rows_out})


def _sweep(target: Path, published: set[Path]) -> None:
    """What an earlier recipe published into this folder is no part of this dataset."""
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_file() and path not in published:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
