"""What a person sees: progress, notes and errors on stderr. Data goes to stdout, and only from the CLI.

NO_COLOR, FORCE_COLOR and TERM=dumb are honoured (by rich); where stderr is no terminal there are no bars, one
line per stage instead.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console as RichConsole
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from reasonry.errors import ReasonryError

__all__ = ["Console", "Meter", "visible"]


@dataclass(slots=True)
class Meter:
    """Counts the rows of one stage while it works."""

    done: int = 0
    note: str = ""
    _progress: Progress | None = None
    _task: TaskID | None = None

    def advance(self, rows: int = 1, note: str | None = None) -> None:
        self.done += rows
        if note is not None:
            self.note = note
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, advance=rows, note=escape(self.note))


_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def visible(text: str) -> str:
    """Text from outside with its control and direction characters shown, so that it cannot steer a terminal or page."""
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def _shown(text: str) -> str:
    return escape(visible(text))


class Console:
    """Writes to stderr. `quiet` keeps only errors and warnings."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._rich = RichConsole(stderr=True, highlight=False, soft_wrap=True)
        self._quiet = quiet

    def note(self, text: str) -> None:
        if not self._quiet:
            self._rich.print(_shown(text))

    def done(self, text: str) -> None:
        if not self._quiet:
            self._rich.print(f"[green]✓[/green] {_shown(text)}")

    def warn(self, text: str) -> None:
        self._rich.print(f"[yellow]warning:[/yellow] {_shown(text)}")

    def error(self, error: ReasonryError) -> None:
        """`error: what`, the place, a blank line, one thing to do."""
        self._rich.print(f"[bold red]error:[/bold red] {_shown(error.message)}")
        if error.place:
            self._rich.print(f"  {_shown(error.place)}")
        if error.hint:
            self._rich.print(f"\n[cyan]hint:[/cyan] {_shown(error.hint)}")

    @contextmanager
    def meter(self, title: str, total: int | None) -> Generator[Meter]:
        """A progress bar on a terminal; elsewhere a line at the beginning."""
        if self._quiet or not sys.stderr.isatty() or self._rich.is_dumb_terminal:
            yield Meter()
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self._rich, transient=True) as progress:
            task = progress.add_task(escape(title), total=total, note="")
            yield Meter(_progress=progress, _task=task)
