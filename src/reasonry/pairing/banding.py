"""Numbers as slices: each for itself where they are few, else the quarter of all that a number is in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["bands_of"]

_MOST_LEVELS = 8
_BANDS = 4


def bands_of(values: Sequence[float]) -> Callable[[float | None], str | None]:
    """Names the slice of a number, by the numbers that there are; one beyond them is in the nearest, None in none."""
    numbers = sorted(values)
    if len(set(numbers)) <= _MOST_LEVELS:
        return lambda number: None if number is None else f"{number:g}"
    bounds = [numbers[len(numbers) * band // _BANDS] for band in range(1, _BANDS)]

    def band_of(number: float | None) -> str | None:
        if number is None:
            return None
        band = sum(number >= bound for bound in bounds)
        low, high = ([numbers[0], *bounds][band], [*bounds, numbers[-1]][band])
        return f"{band + 1} of {_BANDS}: {low:g} to {high:g}"

    return band_of
