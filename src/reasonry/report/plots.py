"""Plots as SVG text: pure functions of numbers. Colours are classes, so that the page's style decides light or dark.

A plot is drawn for the width it is shown at (pixels), since text in a scaled drawing is too small on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Line", "Whisker", "line_chart", "ticks", "whisker_chart"]

FONT = 12
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 10, 38
_SMALLEST_RANGE = 1e-9  # below it the rounding of labels would show


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its name, and points (x, y) with y None where there is a gap."""

    name: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Whisker:
    """One estimate with its interval, as shares (0 to 1). `hollow`: before training."""

    name: str
    text: str
    estimate: float
    low: float
    high: float
    hollow: bool
    color: int


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) from the range, about that many, and 3 at least."""
    if high - low <= _SMALLEST_RANGE:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    if last - first < 2:
        return ticks(low, high, about + 1)
    return [round(i * step, 12) for i in range(first, last + 1)]


def line_chart(lines: Sequence[Line], *, x_label: str, y_label: str, width: int, height: int = 260) -> str:
    """Lines over common axes that start at 0."""
    points = [(x, y) for line in lines for x, y in line.points if y is not None]
    if not points:
        return ""
    x_max = max(x for x, _ in points) or 1.0
    y_max = max((y for _, y in points if y > 0), default=1.0)
    x_ticks = ticks(0, x_max, max(2, width // 110))
    y_ticks = ticks(0, y_max)
    scale = _Scale(width, height, x_max, y_max * 1.05)
    parts = [*_grid(scale, x_ticks, y_ticks), *_axis_labels(scale, x_label, y_label)]
    parts += [path for i, line in enumerate(lines) for path in _paths(scale, line, i)]
    label = f"{y_label} by {x_label}: " + ", ".join(line.name for line in lines)
    return _svg(width, height, label, parts)


def whisker_chart(whiskers: Sequence[Whisker], *, x_label: str, width: int) -> str:
    """One row for each estimate: its name and figures above a dot with its interval, on an axis from 0 to 100%."""
    row = 44
    height = TOP + row * len(whiskers) + BOTTOM
    scale = _Scale(width, height, 1.0, 1.0, left=RIGHT)
    parts = list(_share_grid(scale))
    for i, whisker in enumerate(whiskers):
        parts += _whisker(scale, whisker, TOP + row * i)
    middle = (scale.x(0) + scale.x(1)) / 2
    parts.append(_text(middle, height - 4, x_label, "middle", "label"))
    return _svg(width, height, x_label + ": " + "; ".join(f"{w.name} {w.text}" for w in whiskers), parts)


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to pixels."""

    width: int
    height: int
    x_max: float
    y_max: float
    left: int = LEFT

    def x(self, value: float) -> float:
        return self.left + (self.width - self.left - RIGHT) * value / self.x_max

    def y(self, value: float) -> float:
        return self.height - BOTTOM - (self.height - TOP - BOTTOM) * value / self.y_max


def _svg(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg class="plot" role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">\n{body}\n</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _grid(scale: _Scale, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> Iterator[str]:
    bottom, right = scale.y(0), scale.width - RIGHT
    for value in y_ticks:
        yield _rule(scale.left, scale.y(value), right, scale.y(value), "grid")
        yield _text(scale.left - 6, scale.y(value) + FONT / 3, f"{value:g}", "end")
    for value in x_ticks:
        yield _rule(scale.x(value), bottom, scale.x(value), bottom + 4, "axis")
        yield _text(scale.x(value), bottom + 5 + FONT, f"{value:,g}" if value >= 1e6 else f"{value:,.0f}", "middle")
    yield _rule(scale.left, bottom, right, bottom, "axis")


def _axis_labels(scale: _Scale, x_label: str, y_label: str) -> Iterator[str]:
    yield _text((scale.left + scale.width - RIGHT) / 2, scale.height - 4, x_label, "middle", "label")
    middle = (TOP + scale.height - BOTTOM) / 2
    yield (
        f'<text class="label" text-anchor="middle" transform="translate(11 {middle:.1f}) rotate(-90)">'
        f"{escape(y_label)}</text>"
    )


def _paths(scale: _Scale, line: Line, index: int) -> Iterator[str]:
    """One polyline for each stretch without a gap."""
    stretch: list[str] = []
    for x, y in [*line.points, (0.0, None)]:
        if y is not None:
            stretch.append(f"{scale.x(x):.1f},{scale.y(y):.1f}")
        elif stretch:
            yield f'<polyline class="line c{index % 6}" points="{" ".join(stretch)}"/>'
            stretch = []


def _share_grid(scale: _Scale) -> Iterator[str]:
    bottom = scale.y(0)
    for percent in (0, 25, 50, 75, 100):
        x = scale.x(percent / 100)
        yield _rule(x, TOP, x, bottom, "grid")
        anchor = "start" if percent == 0 else "end" if percent == 100 else "middle"
        yield _text(x, bottom + 3 + FONT, f"{percent}%", anchor)


def _whisker(scale: _Scale, whisker: Whisker, top: float) -> list[str]:
    y = top + 30
    color = f"c{whisker.color % 6}"
    parts = [
        _text(scale.x(0) + 4, top + 16, whisker.name, "start", "name"),
        _text(scale.x(1) - 4, top + 16, whisker.text, "end", "name"),
        _rule(scale.x(whisker.low), y, scale.x(whisker.high), y, f"whisker {color}"),
    ]
    parts += [
        _rule(scale.x(end), y - 4, scale.x(end), y + 4, f"whisker {color}") for end in (whisker.low, whisker.high)
    ]
    fill = "hollow" if whisker.hollow else "filled"
    return [*parts, f'<circle class="{fill} {color}" cx="{scale.x(whisker.estimate):.1f}" cy="{y:.1f}" r="5"/>']
