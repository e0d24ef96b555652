"""Plots: round ticks that cover the data, points inside the frame, text that stays text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.report.plots import Line, Whisker, line_chart, ticks, whisker_chart

HOSTILE = '</svg><script>alert(1)</script>" onload="x'


def numbers(svg: str, pattern: str) -> list[float]:
    return [float(value) for value in re.findall(pattern, svg)]


@given(st.floats(1e-6, 1e9), st.integers(2, 10))
def test_ticks_are_round_few_and_inside_the_range(high: float, about: int) -> None:
    found = ticks(0, high, about)
    assert 3 <= len(found) <= 2 * about + 2
    assert found[0] == 0
    assert found[-1] <= high * (1 + 1e-6)
    assert f"{found[1]:.6e}"[0] in "125"


def test_ticks_of_an_empty_range_are_its_end() -> None:
    assert ticks(3, 3) == [3]


@pytest.mark.parametrize("width", [326, 960])
@given(
    losses=st.lists(st.one_of(st.none(), st.floats(0, 50)), min_size=1, max_size=30),
)
def test_every_point_of_a_line_is_inside_the_frame(losses: list[float | None], width: int) -> None:
    svg = line_chart([Line("a", list(enumerate(losses, 1)))], x_label="step", y_label="loss", width=width)
    points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", " ".join(re.findall('points="([^"]*)"', svg)))
    assert len(points) == sum(loss is not None for loss in losses)
    assert all(0 <= float(x) <= width and 0 <= float(y) <= 260 for x, y in points)


def test_a_gap_in_a_line_is_not_bridged() -> None:
    svg = line_chart([Line("a", [(1, 1.0), (2, 1.0), (3, None), (4, 1.0)])], x_label="x", y_label="y", width=400)
    assert svg.count("<polyline") == 2


def test_a_chart_of_nothing_is_nothing() -> None:
    assert line_chart([Line("a", [(1, None)])], x_label="x", y_label="y", width=400) == ""


@given(st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_whisker_spans_its_interval_around_its_dot(estimate: float, below: float, above: float) -> None:
    low, high = max(0.0, estimate - below), min(1.0, estimate + above)
    svg = whisker_chart([Whisker("a", "t", estimate, low, high, hollow=False, color=0)], x_label="x", width=326)
    (dot,) = numbers(svg, r'cx="([\d.]+)"')
    left, right = min(numbers(svg, r'whisker c0" x1="([\d.]+)"')), max(numbers(svg, r'whisker c0".* x2="([\d.]+)"'))
    assert 0 <= left <= dot <= right <= 326


def test_before_and_after_training_look_different() -> None:
    before, after = (
        whisker_chart([Whisker("a", "t", 0.5, 0.4, 0.6, hollow=hollow, color=0)], x_label="x", width=326)
        for hollow in (True, False)
    )
    assert ('class="hollow c0"' in before, 'class="filled c0"' in after) == (True, True)


def test_names_stay_text() -> None:
    svg = line_chart([Line(HOSTILE, [(1, 1.0)])], x_label=HOSTILE, y_label=HOSTILE, width=400)
    svg += whisker_chart([Whisker(HOSTILE, HOSTILE, 0.5, 0.4, 0.6, hollow=True, color=0)], x_label="x", width=400)
    tree = ElementTree.fromstring(f"<all>{svg}</all>")
    assert {element.tag for element in tree.iter()} <= {"all", "svg", "text", "line", "polyline", "circle"}
    assert HOSTILE in {element.text for element in tree.iter("text")}
