"""publish: the dataset folder, written by exporters from the sealed tables."""

from __future__ import annotations

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
    )
    target = context.folder / "dataset"
    with context.console.meter("publish", len(section.formats)) as meter:
        for name in section.formats:
            for file in find("exporter", name).call(publishing, target).files:
                writer.append(file)
            meter.advance()
    return StageResult(context.upstream["select"].rows_out, {"files": writer.rows_out})
