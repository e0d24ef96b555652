"""What the card says of the selection: the table of the mix, questions that were lost, and what to beware of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasonry.store import Manifest

__all__ = ["MixLine", "Selection", "selection_of"]

MOST_LINES = 60


@dataclass(frozen=True, slots=True)
class MixLine:
    """One group of the mix. `wanted` None: there was no mix. Means are None where there is nothing, or no count."""

    by: str
    name: str
    depth: int
    available: int
    wanted: int | None
    kept: int
    questions: int
    mean_tokens: float | None
    mean_characters: float | None

    @property
    def tokens(self) -> str:
        return _mean(self.mean_tokens, self.kept)

    @property
    def characters(self) -> str:
        return _mean(self.mean_characters, self.kept)


@dataclass(frozen=True, slots=True)
class Selection:
    """The selection of one run; `lines` are the largest groups, `more` how many are not shown."""

    rules: Sequence[str]
    mix_rule: str
    lines: Sequence[MixLine]
    more: int
    lost: Mapping[str, int]
    caveats: Sequence[str]


def selection_of(manifest: Manifest) -> Selection:
    """What the manifest of the select stage says. Tables of older runs may say less."""
    section, metrics = manifest.section, manifest.metrics
    mix: Mapping[str, Any] = metrics.get("mix") or {}
    lines = [_line(group) for group in mix.get("groups", [])]
    shown = _largest(lines)
    return Selection(
        rules=list(_rules(section)),
        mix_rule=mix.get("rule", ""),
        lines=shown,
        more=len(lines) - len(shown),
        lost=metrics.get("questions_lost", {}),
        caveats=list(_caveats(section, metrics)),
    )


def _line(group: Mapping[str, Any]) -> MixLine:
    path = group["group"]
    return MixLine(
        by=group["by"],
        name=path[-1],
        depth=len(path) - 1,
        available=group["available"],
        wanted=group["wanted"],
        kept=group["kept"],
        questions=group["questions"],
        mean_tokens=group["mean_tokens"],
        mean_characters=group["mean_characters"],
    )


def _mean(value: float | None, of: int) -> str:
    if not of:
        return "none"
    return "unknown" if value is None else f"{value:,.0f}"


def _largest(lines: Sequence[MixLine]) -> list[MixLine]:
    """The lines in their order, without the smallest where there are too many."""
    by_size = sorted(range(len(lines)), key=lambda n: (lines[n].depth, -lines[n].kept, n))
    return [lines[n] for n in sorted(by_size[:MOST_LINES])]


def _rules(section: Mapping[str, Any]) -> Iterator[str]:
    """The rules in force, in their order."""
    yield f"keep: {section.get('keep', 'correct')}"
    difficulty = section.get("difficulty")
    if difficulty:
        bounds = [f"{name} {difficulty[name]:g}" for name in ("min", "max") if difficulty.get(name) is not None]
        yield f"difficulty by {difficulty['measure'].replace('_', ' ')}: {', '.join(bounds) or 'recorded only'}"
    if filters := [chosen["filter"] for chosen in section.get("filters", [])]:
        yield f"filters: {', '.join(filters)}"
    if (limit := section.get("per_question")) is not None:
        best = section.get("best", "first")
        yield f"at most {limit:,} of each question, {'drawn by lot' if best == 'random' else f'the {best}'}"


def _caveats(section: Mapping[str, Any], metrics: Mapping[str, Any]) -> Iterator[str]:
    keep = section.get("keep")
    if keep == "all":
        yield "Examples were kept whatever their verdict: look at `status` in the config `metadata`."
    if keep == "majority":
        yield "Examples were kept where most samples of their question gave the same answer. Agreement is no proof."
    samples: Mapping[str, int] = (metrics.get("difficulty") or {}).get("questions_by_samples", {})
    if samples:
        counted = ", ".join(f"{number:,} with {n}" for n, number in samples.items())
        yield f"Difficulty is a pass rate, as coarse as a question's scored samples are few (questions: {counted})."
    if missing := metrics.get("mix_missing"):
        yield f"The mix is {missing:,} examples short of what its recipe asks for. Nothing was repeated to fill it."
