"""The Hub layout: a folder that `datasets.load_dataset` and the HuggingFace Hub read as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

from reasonry.errors import StoreError
from reasonry.exporters.card import Configs, write_card
from reasonry.exporters.contract import Exported, Publishing, published_file
from reasonry.exporters.joined import drops_before_traces, questions_of, stories_of
from reasonry.exporters.rows import (
    DefaultRow,
    MetadataRow,
    RejectedRow,
    metadata_row,
    rejected_before_traces,
    rejected_trace,
)
from reasonry.exporters.shards import SHARD_BYTES, ConfigFile, ConfigWriter
from reasonry.exporters.tally import Tally
from reasonry.registry import part

__all__ = ["hub"]

CARD = "README.md"


@part("exporter", "hub")
def hub(publishing: Publishing, target: Path) -> Exported:
    """A dataset folder for the HuggingFace Hub: card, and Parquet configs default, metadata and rejected.

    Raises StoreError where the tables do not belong together or the disk fails.
    """
    # Written beside and moved into place, the card last: a card that can be seen describes files that are whole.
    staging = target.with_name(target.name + ".partial")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        tally = Tally()
        configs = _write_configs(publishing, staging / "data", tally)
        write_card(staging / CARD, publishing, tally, configs)
        _put_in_place(staging, target)
    except OSError as exc:
        raise StoreError(
            f"cannot be written: {exc.strerror or exc}",
            place=str(target),
            hint="free some space or mend the disk, then run again",
        ) from exc
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    shards: list[ConfigFile] = [file for files in configs.values() for file in files]
    files = [published_file(target, CARD, None), *(published_file(target, s.path, s.rows) for s in shards)]
    return Exported(target, tuple(files))


def _write_configs(publishing: Publishing, folder: Path, tally: Tally, shard_bytes: int = SHARD_BYTES) -> Configs:
    """All three configs, and what the card counts. The texts of traces and examples are copied as they are."""
    for question in questions_of(publishing):
        tally.read(question)
    with (
        ConfigWriter(folder, "default", DefaultRow, shard_bytes) as default,
        ConfigWriter(folder, "metadata", MetadataRow, shard_bytes) as metadata,
        ConfigWriter(folder, "rejected", RejectedRow, shard_bytes) as rejected,
    ):
        for batch in publishing.store.batches(publishing.manifests["select"], ["id", "messages"]):
            default.copy(batch)
        for drop, question in drops_before_traces(publishing):
            rejected.append(rejected_before_traces(drop, question))
        for stories in stories_of(publishing):
            for story in stories.stories:
                tally.add(story)
            kept = stories.where(lambda story: story.example is not None)
            metadata.extend([metadata_row(story) for story in kept.stories], kept.texts)
            left = stories.where(lambda story: story.example is None)
            rejected.extend([rejected_trace(story) for story in left.stories], left.texts)
    return {"default": default.files, "metadata": metadata.files, "rejected": rejected.files}


def _put_in_place(staging: Path, target: Path) -> None:
    """Replace what the Hub layout owns; what other exporters wrote stays."""
    target.mkdir(parents=True, exist_ok=True)
    (target / CARD).unlink(missing_ok=True)
    shutil.rmtree(target / "data", ignore_errors=True)
    (staging / "data").rename(target / "data")
    (staging / CARD).replace(target / CARD)
