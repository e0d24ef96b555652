"""What a person sees: progress, notes and errors on stderr. Data goes to stdout, and only from the CLI.

NO_COLOR, FORCE_COLOR and TERM=dumb are honoured (by rich); where stderr is no terminal there are no bars. A stage says
there that it is done, in one line, and while it takes long where it is, once a minute.
"""

from __future__ import annotations

import math
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console as RichConsole
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from reasonry.errors import ReasonryError

__all__ = ["Console", "Meter", "Spending", "dollars", "duration", "visible"]

_RATE_OVER_S = 60.0
_LINE_EVERY_S = 60.0
_SAMPLE_EVERY_S = 1.0
_FEWEST_S = 5.0  # a rate over less says nothing yet
_FEWEST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Spending:
    """What a stage that asks a teacher has taken so far.

    `cost_usd` None: the price is unknown. `tokens_out` are those generated now, without those of answers that were in
    the ledger, so that a resumed run does not seem fast. `in_flight` None: not told. `done` counts requests as they
    end, in any order, `found` those of them that were in the ledger; None: the stage calls `advance` for each row.
    """

    cost_usd: float | None
    tokens_out: int | None
    in_flight: int | None = None
    done: int | None = None
    found: int = 0


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    done: int
    tokens_out: int | None


@dataclass(slots=True)
class Meter:
    """Counts the rows of one stage while it works.

    `advance()` after every row. A stage that asks a teacher calls `tell(Spending(...))` before that.
    """

    title: str = ""
    total: int | None = None
    done: int = 0
    note: str = ""
    spending: Spending | None = None
    _progress: Progress | None = None
    _task: TaskID | None = None
    _say: Callable[[str], None] | None = None
    _clock: Callable[[], float] = time.monotonic
    _moments: deque[_Moment] = field(default_factory=deque[_Moment])
    _next_line: float = 0.0

    def __post_init__(self) -> None:
        self._remember(self._clock())
        self._next_line = self._clock() + _LINE_EVERY_S

    def advance(self, rows: int = 1, note: str | None = None) -> None:
        self.done += rows
        if note is not None:
            self.note = note
        self._tick(rows)

    def tell(self, spending: Spending) -> None:
        """What it has cost so far, how much was generated, and how many requests are in flight."""
        self.spending = spending
        rows = 0 if spending.done is None else spending.done - self.done
        self.done += rows
        self._tick(rows)

    def expect(self, total: int) -> None:
        """The number of rows, where it is known only later, or changes."""
        self.total = total
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=total)

    def _tick(self, rows: int) -> None:
        if self._progress is not None and self._task is not None:
            self._remember(self._clock())
            left = self.seconds_left()
            note = self.figures() + ("" if left is None else f" · {duration(left)} left")
            self._progress.update(self._task, advance=rows, note=escape(note))
        elif self._say is not None:
            now = self._clock()
            self._remember(now)
            if now >= self._next_line:
                self._next_line = now + _LINE_EVERY_S
                self._say(self.line())

    def _remember(self, now: float) -> None:
        """Where it was when, for the rates: about once a second, over the last minute."""
        if self._moments and now - self._moments[-1].at < _SAMPLE_EVERY_S:
            return
        self._moments.append(_Moment(now, self._made, self.spending.tokens_out if self.spending else 0))
        while len(self._moments) > 2 and now - self._moments[1].at >= _RATE_OVER_S:
            self._moments.popleft()

    @property
    def _made(self) -> int:
        """What was done now, and not found done."""
        return self.done - (self.spending.found if self.spending is not None else 0)

    def figures(self) -> str:
        """The note, the cost so far, tokens per second over the last minute, and the requests in flight."""
        parts = [self.note] if self.note else []
        if self.spending is not None:
            cost, in_flight = self.spending.cost_usd, self.spending.in_flight
            parts.append("cost unknown" if cost is None else dollars(cost))
            if (rate := self._tokens_per_second()) is not None:
                parts.append(f"{rate:,.0f} tokens/s")
            if in_flight is not None:
                parts.append(f"{in_flight:,} in flight")
        return " · ".join(parts)

    def line(self) -> str:
        """Where the stage is, in one line of a log."""
        of = "" if self.total is None else f" of {self.total:,}"
        left = self.seconds_left()
        parts = [f"{self.title}: {self.done:,}{of}", self.figures(), "" if left is None else f"{duration(left)} left"]
        return " · ".join(part for part in parts if part)

    def seconds_left(self) -> float | None:
        """At the pace of the last minute; None where that cannot be said."""
        first = self._moments[0]
        seconds, rows = self._clock() - first.at, self._made - first.done
        if self.total is None or rows <= 0 or seconds < _FEWEST_S:
            return None
        if rows < _FEWEST_ROWS and rows * 100 < self.total:
            return None  # a stage may read all before its first row: the pace of that one says nothing
        return max(0, self.total - self.done) * seconds / rows

    def _tokens_per_second(self) -> float | None:
        first, now = self._moments[0], self.spending.tokens_out if self.spending else None
        seconds = self._clock() - first.at
        if now is None or first.tokens_out is None or seconds < _FEWEST_S:
            return None
        return (now - first.tokens_out) / seconds


_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def visible(text: str) -> str:
    """Text from outside with its control and direction characters shown, so that it cannot steer a terminal or page."""
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def duration(seconds: float) -> str:
    """A span of time as a person says it: 40 s, 12 min, 3 h 20 min, 2 d 4 h."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(minutes / 60), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def dollars(value: float) -> str:
    """Dollars and cents; of less than a dollar at least two figures that count."""
    if value >= 0.995 or value == 0:
        return f"${value:,.2f}"
    places = 1 - math.floor(math.log10(value))
    return f"${value:.{max(4 if value >= 0.001 else 2, places)}f}"


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
        """A progress bar on a terminal; elsewhere a line a minute, and none for a stage that takes less."""
        if self._quiet:
            yield Meter(title, total)
            return
        if not sys.stderr.isatty() or self._rich.is_dumb_terminal:
            yield Meter(title, total, _say=self.note)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self._rich, transient=True) as progress:
            task = progress.add_task(escape(title), total=total, note="")
            yield Meter(title, total, _progress=progress, _task=task)
