"""Engines that work side by side: what ends one of them ends all, so that none goes on paying for nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from reasonry.errors import ReasonryError

__all__ = ["Company", "side_by_side"]

Row = TypeVar("Row")
Halt = Callable[[BaseException], None]


class Company:
    """Who is told when one of them has to stop. Halts are called from any thread."""

    def __init__(self) -> None:
        self._halts: list[Halt] = []

    @contextmanager
    def member(self, halt: Halt) -> Generator[None]:
        """Be told of what ends the others, for the time of the block."""
        self._halts.append(halt)
        try:
            yield
        finally:
            self._halts.remove(halt)

    def stop(self, error: BaseException) -> None:
        """Tell everybody. Who has stopped already takes no notice."""
        for halt in list(self._halts):
            with suppress(RuntimeError):  # its loop is closed: it has ended
                halt(error)


def side_by_side(streams: Sequence[Iterator[Row]]) -> Iterator[tuple[Row, ...]]:
    """The next row of each stream, together; the first row of each only says that it has begun.

    What ends one is thrown into the others, so that they end in order.
    """
    try:
        for stream in streams:
            next(stream)
        yield from zip(*streams, strict=True)
    except (KeyboardInterrupt, ReasonryError) as exc:
        for stream in streams:
            _end(stream, exc)
        raise
    finally:
        for stream in streams:
            _close(stream)


def _end(stream: Iterator[Row], error: BaseException) -> None:
    if isinstance(stream, Generator):
        with suppress(KeyboardInterrupt, ReasonryError, StopIteration):
            stream.throw(error)  # pyright: ignore[reportUnknownMemberType]


def _close(stream: Iterator[Row]) -> None:
    if isinstance(stream, Generator):
        stream.close()  # pyright: ignore[reportUnknownMemberType]
