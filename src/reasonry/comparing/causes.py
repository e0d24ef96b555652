"""Why a stage of one run is not that of another, from what the two manifests say went in."""

from __future__ import annotations

from collections.abc import Iterator

from reasonry.plan import changes
from reasonry.store import Manifest

__all__ = ["causes", "unchanged_files"]


def causes(a: Manifest | None, b: Manifest | None) -> Iterator[str]:
    """What in the recipes, parts or files made the stage another one; nothing where it is the same."""
    if a is None or b is None:
        if a is not b:
            yield f"run {'A' if a is None else 'B'} has not come to it"
        return
    if a.key == b.key:
        if a.digest != b.digest:
            yield "nothing that goes in: the same work gave other rows"
        return
    yield from changes("", a.section, b.section)
    yield from _other_parts(a, b)
    yield from (f"its input {name} is another" for name in a.inputs if a.inputs[name] != b.inputs.get(name))
    yield from _other_files(a, b)


def unchanged_files(a: Manifest, b: Manifest) -> list[str]:
    """Files that both read, with the same bytes: their rows have the same numbers."""
    files_a, files_b = _files(a), _files(b)
    return [name for name, digest in files_a.items() if files_b.get(name) == digest]


def _other_parts(a: Manifest, b: Manifest) -> Iterator[str]:
    """A part of another version in one line, else what came and what went."""
    gone, new = ([part for part in one.parts if part not in other.parts] for one, other in ((a, b), (b, a)))
    for part in gone:
        name = part.partition("@")[0]
        successor = next((other for other in new if other.partition("@")[0] == name), None)
        yield f"{part} -> {successor}" if successor else f"{part} left"
    names = {part.partition("@")[0] for part in gone}
    yield from (f"{part} entered" for part in new if part.partition("@")[0] not in names)


def _other_files(a: Manifest, b: Manifest) -> Iterator[str]:
    files_a, files_b = _files(a), _files(b)
    for name in sorted({*files_a, *files_b}):
        if files_a.get(name) != files_b.get(name):
            what = "changed" if name in files_a and name in files_b else "left" if name in files_a else "entered"
            yield f"the file {name} {what}"


def _files(manifest: Manifest) -> dict[str, str]:
    return {str(file["name"]): str(file["digest"]) for file in manifest.sources}
