"""The page of an ablation: what was varied, what each cell reached, and what follows from the intervals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reasonry.console import visible
from reasonry.errors import StoreError, UsageError
from reasonry.report.page import both_widths, page_environment
from reasonry.report.plots import Whisker, whisker_chart
from reasonry.store import write_durably

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["write_ablation"]

_FIGURE_PIXELS, _CHARACTER_PIXELS = 120, 8  # of a plot's row: what its figure takes, and a character of its name


def write_ablation(folder: Path) -> Path:
    """Write `ablation.html` from `ablation.json`, and give its path. Raises UsageError where there is none."""
    try:
        facts: Any = json.loads((folder / "ablation.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise UsageError("not the folder of an ablation", place=str(folder), hint="reasonry ablate RECIPE") from exc
    page = page_environment().get_template("ablation.html.j2").render(facts=facts, tables=list(_tables(facts)))
    try:
        write_durably(folder / "ablation.html", page)
    except OSError as exc:
        raise StoreError(f"the page cannot be written: {exc.strerror}", place=str(folder)) from exc
    return folder / "ablation.html"


def _tables(facts: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """One table and plot for each benchmark and student."""
    groups: list[Any] = facts["groups"]
    return [
        {
            "benchmark": benchmark,
            "student": student,
            "groups": (chosen := [g for g in groups if (g["benchmark"], g["student"]) == (benchmark, student)]),
            "plot": _plot(chosen),
            "comparisons": [
                one for one in facts["comparisons"] if (one["benchmark"], one["student"]) == (benchmark, student)
            ],
            "conclusions": [
                one for one in facts["conclusions"] if (one["benchmark"], one["student"]) == (benchmark, student)
            ],
            "audits": _audits(facts, chosen),
        }
        for benchmark, student in dict.fromkeys((g["benchmark"], g["student"]) for g in groups)
    ]


def _audits(facts: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any] | None]:
    """What was found of each group's examples: of its first seed's, as the seeds share them."""
    first = {tuple(cell["levels"].values()): cell for cell in reversed(facts["cells"])}
    return [first[tuple(group["levels"].values())] for group in groups]


def _plot(groups: Sequence[Mapping[str, Any]]) -> Mapping[str, Markup]:
    first = list(dict.fromkeys(next(iter(group["levels"].values())) for group in groups))

    def drawn(width: int) -> str:
        whiskers = [
            Whisker(
                _cut(visible(", ".join(group["levels"].values())), (width - _FIGURE_PIXELS) // _CHARACTER_PIXELS),
                f"{100 * group['average']:.1f}%",
                group["average"],
                *_bounds(group),
                hollow=False,
                color=first.index(next(iter(group["levels"].values()))),
            )
            for group in groups
        ]
        return whisker_chart(whiskers, x_label="accuracy: mean over seeds, 95% interval", width=width)

    return both_widths(drawn)


def _cut(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _bounds(group: Mapping[str, Any]) -> tuple[float, float]:
    mean = group["mean"]
    if mean is None:
        return group["average"], group["average"]
    return max(0.0, mean["low"]), min(1.0, mean["high"])
