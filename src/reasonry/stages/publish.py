"""publish: the dataset folder, written by exporters from the sealed tables."""

from __future__ import annotations

from pathlib import Path

from reasonry.exporters.contract import PublishedFile, Publishing
from reasonry.registry import find
from reasonry.sections import PublishSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.store import TableWriter

VERSION = 1
ROWS = PublishedFile


def publish(section: PublishSection, context: StageContext, writer: TableWriter) -> StageResult:
    """Write every format of the section into `dataset/` of the run folder; the table lists the files."""
    publishing = Publishing(
        store=context.store,
        manifests=context.upstream,
        section=section,
        name=context.name,
        run_id=context.run_id,
        recipe_text=context.recipe_text,
        overrides=context.overrides,
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
