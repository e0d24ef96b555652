"""What was decided about each trace in the first walk, kept on disk until the second."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from reasonry.errors import StoreError
from reasonry.stages.selecting.fates import Fate
from reasonry.types import Candidate, Drop

__all__ = ["Spool", "spool"]

IN_MEMORY = 4 << 20  # bytes


class Spool:
    """Fates without their texts, in order: one line of JSON each."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self._file = file
        self._folder = folder

    def write(self, fate: Fate) -> None:
        """Note a fate. Raises StoreError where the disk fails."""
        drop = fate.drop
        said: dict[str, Any] = {"because": fate.because, "level": fate.level, "rank": fate.rank, "step": fate.step}
        if drop is not None:
            said["drop"] = [drop.row_id, drop.stage, drop.rule, drop.reason, drop.other_id, drop.content]
        try:
            self._file.write(json.dumps(said, separators=(",", ":")).encode() + b"\n")
        except OSError as exc:
            raise StoreError(
                f"cannot be written: {exc.strerror or exc}",
                place=str(self._folder),
                hint="free some space or mend the disk, then run again",
            ) from exc

    def read(self, candidates: Iterable[Candidate]) -> Iterator[Fate]:
        """Every fate again, with the trace that it is of."""
        self._file.seek(0)
        for candidate, line in zip(candidates, self._file, strict=True):
            yield _fate(candidate, json.loads(line))


def _fate(candidate: Candidate, said: Mapping[str, Any]) -> Fate:
    drop = Drop(*said["drop"]) if "drop" in said else None
    return Fate(candidate, tuple(said["because"]), said["level"], said["rank"], step=said["step"], drop=drop)


@contextmanager
def spool(folder: Path) -> Generator[Spool]:
    """A spool in a file without a name, gone with the process."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder)) as file:
        yield Spool(file, folder)
