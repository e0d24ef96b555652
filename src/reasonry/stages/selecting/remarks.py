"""What a person should know of a mix that could not be what the recipe asks for."""

from __future__ import annotations

from collections.abc import Iterator

from reasonry.errors import nearest_hint
from reasonry.sections import MixOptions
from reasonry.stages.selecting.sharing import Division, GroupNumbers

__all__ = ["remarks"]

SHOWN = 5


def remarks(options: MixOptions, division: Division) -> Iterator[str]:
    """One sentence for each kind of thing, none where all is as asked for."""
    groups = list(division.groups.values())
    if short := list(division.short()):
        asked = [f"{group.by} {' / '.join(group.path)} has {group.kept:,} of {group.wanted:,}" for group in short]
        yield f"the mix is short of what is asked for, and nothing is repeated: {_list(asked)}"
    if absent := [group for group in groups if _is_absent(options, group)]:
        there = {group.path[-1] for group in groups if group.available and len(group.path) == 1}
        named = [f"{group.by} {group.path[-1]} ({nearest_hint(group.path[-1], there)})" for group in absent]
        yield f"the mix names groups of which there is no trace: {_list(named)}"
    if unnamed := [group for group in groups if not group.is_named and group.available]:
        left_out = [f"{group.by} {' / '.join(group.path)}, {group.available:,} traces" for group in unnamed]
        yield f'the mix leaves out what it does not name ("*" would): {_list(left_out)}'
    if division.limited_by is not None:
        kept = sum(group.kept for group in groups if len(group.path) == 1)
        yield f"the shares hold for {kept:,} examples: {options.by} {division.limited_by} has no more"


def _is_absent(options: MixOptions, group: GroupNumbers) -> bool:
    """Named by the recipe, and nowhere to be found: most likely misspelt."""
    return len(group.path) == 1 and not group.available and group.path[-1] in options.names_of(options.by)


def _list(things: list[str]) -> str:
    more = f"; and {len(things) - SHOWN:,} more" if len(things) > SHOWN else ""
    return "; ".join(things[:SHOWN]) + more
