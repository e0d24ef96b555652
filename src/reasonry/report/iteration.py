"""The page of an iteration: its rounds side by side, what each gained, and why it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reasonry.errors import StoreError, UsageError
from reasonry.report.page import both_widths, page_environment
from reasonry.report.plots import Whisker, whisker_chart
from reasonry.store import write_durably

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["write_iteration"]

_NAME_CHARACTERS = 30  # of a slice in the plot
_NEWER: Mapping[str, Any] = {
    "slices_by": "domain",
    "student_samples": 0,
    "seeds": 1,
    "control": None,
    "control_words": None,
}
"""What an older `iteration.json` does not say."""


def write_iteration(folder: Path) -> Path:
    """Write `iteration.html` from `iteration.json`, and give its path. Raises UsageError where there is none."""
    try:
        facts: Any = json.loads((folder / "iteration.json").read_text(encoding="utf-8"))
        facts = {**_NEWER, **facts}
        names: list[str] = [each["name"] for each in facts["rounds"][0]["slices"]]
    except (OSError, ValueError, LookupError, TypeError) as exc:
        raise UsageError("not the folder of an iteration", place=str(folder), hint="reasonry iterate RECIPE") from exc
    slices = [(name, list(_rows(facts, name))) for name in names]
    runs = [*facts["rounds"], *([facts["control"]] if facts["control"] else [])]
    authors = [(_place(one), each) for one in runs for each in one.get("authors", [])]
    template = page_environment().get_template("iteration.html.j2")
    page = template.render(facts=facts, slices=slices, authors=authors, runs=runs, plot=_plot(facts, names))
    try:
        write_durably(folder / "iteration.html", page)
    except OSError as exc:
        raise StoreError(f"the page cannot be written: {exc.strerror}", place=str(folder)) from exc
    return folder / "iteration.html"


def _place(one: Mapping[str, Any]) -> str:
    return str(one["round"]) if "round" in one else "control"


def _rows(facts: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The slice in each round, and in the control."""
    yield from ((str(number), each) for number, each in _rounds(facts, name))
    if facts["control"]:
        yield from (("control", each) for each in facts["control"]["slices"] if each["name"] == name)


def _rounds(facts: Mapping[str, Any], name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The slice in each round that has a score of it."""
    for one in facts["rounds"]:
        yield from ((one["round"], each) for each in one["slices"] if each["name"] == name)


def _plot(facts: Mapping[str, Any], names: list[str]) -> Mapping[str, Markup]:
    """All slices together first, then each by round."""
    rows = [_whisker(f"round {one['round']}", one["accuracy"], 0) for one in facts["rounds"]]
    if len(names) > 1:
        rows += [
            _whisker(f"{name[:_NAME_CHARACTERS]}, round {number}", each["accuracy"], i)
            for i, name in enumerate(names, start=1)
            for number, each in _rounds(facts, name)
        ]
    if facts["control"]:
        rows.append(_whisker("control, even", facts["control"]["accuracy"], 0))
    return both_widths(lambda width: whisker_chart(rows, x_label="accuracy, with 95% interval", width=width))


def _whisker(name: str, share: Mapping[str, Any], color: int) -> Whisker:
    text = f"{100 * share['estimate']:.1f}% of {share['n']:,}"
    return Whisker(name, text, share["estimate"], share["low"], share["high"], hollow=False, color=color)
