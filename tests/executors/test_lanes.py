"""Lanes: how many rows make a frame. And the marker, which two processes share."""

from __future__ import annotations

import tempfile

from reasonry.executors.lanes import FRAME_ROWS, FRAME_S, Lane
from reasonry.executors.marker import IDLE, PREPARING, RUNNING, Marker, new_marker_file


def test_frames_of_fast_rows_grow_to_the_most_and_no_further() -> None:
    lane = Lane()
    for _ in range(20):
        lane.frame_done(FRAME_S / 10)
    assert lane.size == FRAME_ROWS


def test_frames_of_slow_rows_shrink_to_one_row() -> None:
    lane = Lane(size=FRAME_ROWS)
    for _ in range(20):
        lane.frame_done(FRAME_S * 10)
    assert lane.size == 1


def test_frames_that_take_about_as_long_as_they_should_stay_as_they_are() -> None:
    lane = Lane(size=8)
    lane.frame_done(FRAME_S)
    assert lane.size == 8


def test_what_one_marker_writes_another_on_the_same_file_reads() -> None:
    with tempfile.TemporaryFile() as file:
        new_marker_file(file)
        writer, reader = Marker(file.fileno()), Marker(file.fileno())
    assert reader.get() == (0, IDLE)
    for index, phase in ((0, RUNNING), (7, PREPARING), (1 << 60, RUNNING)):
        writer.set(index, phase)
        assert reader.get() == (index, phase)
    writer.set_idle()
    assert reader.get() == (1 << 60, IDLE)
    writer.close()
    reader.close()
