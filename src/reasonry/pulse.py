"""A sign of life for long work that is watched elsewhere.

A worker's row has a limit of wall time, for rows that sleep. Work that waits for something with limits of its own (a
program in a sandbox) gives a beat now and then, and whoever watches the row begins to count anew.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["beat", "on_beat"]

_watchers: list[Callable[[], None]] = []


def beat() -> None:
    """Tell whoever watches this process that its work goes on."""
    for watcher in _watchers:
        watcher()


def on_beat(watcher: Callable[[], None]) -> None:
    """Have this function called at every beat."""
    _watchers.append(watcher)
