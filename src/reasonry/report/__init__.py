"""The report of a run: `report.html`, one self-contained file, and `report.json`, the same facts.

It reads what is on disk and imports no stage.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from reasonry.errors import StoreError
from reasonry.report.ablation import write_ablation
from reasonry.report.facts import gather
from reasonry.report.iteration import write_iteration
from reasonry.report.page import render
from reasonry.store import write_durably

__all__ = ["ReportFiles", "write_ablation", "write_iteration", "write_report"]


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where the report is."""

    html: Path
    json: Path


def write_report(run_folder: Path) -> ReportFiles:
    """Write `report.html` and `report.json` into a run folder. The same folder gives the same bytes.

    Raises UsageError where it is no run's folder, StoreError where a table cannot be read or the disk fails.
    """
    facts = gather(run_folder)
    files = ReportFiles(run_folder / "report.html", run_folder / "report.json")
    twin = json.dumps(dataclasses.asdict(facts), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    try:
        write_durably(files.html, render(facts))
        write_durably(files.json, twin + "\n")
    except OSError as exc:
        raise StoreError(
            f"the report cannot be written: {exc.strerror}", place=str(run_folder), hint="mend the disk, then run again"
        ) from exc
    return files
