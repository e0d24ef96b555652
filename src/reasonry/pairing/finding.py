"""Finding a sealed score: in the folder of a run or of `reasonry eval`, by its name where there are several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.errors import UsageError, nearest_hint
from reasonry.run import load_run
from reasonry.store import Manifest, Store

__all__ = ["Sealed", "found_pair", "sealed_scores"]

_STAGE = "evaluate"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed evaluation: one model on one benchmark."""

    folder: Path
    manifest: Manifest

    @property
    def label(self) -> str:
        """`benchmark/student`."""
        return self.manifest.label

    @property
    def store(self) -> Store:
        return Store(self.folder / "tables")

    @property
    def metrics(self) -> Mapping[str, Any]:
        return self.manifest.metrics

    @property
    def conditions(self) -> Mapping[str, Any]:
        """The conditions by name; none where an older version sealed it."""
        found: Any = self.manifest.metrics.get("conditions")
        return found if isinstance(found, Mapping) else {}

    @property
    def part(self) -> str:
        """The benchmark part, where it is known: two recipes may call one benchmark by two names."""
        return str(self.conditions.get("benchmark") or self.metrics.get("benchmark") or self.label.partition("/")[0])

    def as_json(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "label": self.label,
            "key": self.manifest.key,
            "digest": self.manifest.digest,
            "conditions_digest": self.metrics.get("conditions_digest"),
            "accuracy": self.metrics.get("accuracy"),
            "low": self.metrics.get("low"),
            "high": self.metrics.get("high"),
        }


def sealed_scores(given: str) -> list[Sealed]:
    """The scores that FOLDER or FOLDER:NAME means, the newest first. Raises UsageError where there is none.

    NAME is `benchmark/student`, or the beginning of a key.
    """
    folder, name = _split(given)
    scores = [Sealed(folder, manifest) for manifest in _manifests(folder)]
    if not scores:
        raise UsageError("there is no score in it", place=str(folder), hint="name a folder of run or eval")
    if name is None:
        return scores
    named = [score for score in scores if score.label == name] or [
        score for score in scores if len(name) >= 6 and score.manifest.key.startswith(name)
    ]
    if not named:
        raise UsageError(
            f"no score '{name}'", place=str(folder), hint=nearest_hint(name, [score.label for score in scores])
        )
    return named


def found_pair(a: str, b: str) -> tuple[Sealed, Sealed]:
    """The two scores to compare. Raises UsageError where what is given could be several.

    Where one side names its score and the other does not, the other's is that of the same name, if there is one.
    """
    first, second = sealed_scores(a), sealed_scores(b)
    if len(first) == 1 and len(second) > 1:
        second = _alike(second, first)
    elif len(second) == 1 and len(first) > 1:
        first = _alike(first, second)
    elif len(first) > 1:
        common = _labels(first) & _labels(second)
        if len(common) == 1:
            first, second = ([one for one in side if one.label in common] for side in (first, second))
    return _only(a, first), _only(b, second)


def _alike(several: Sequence[Sealed], one: Sequence[Sealed]) -> Sequence[Sealed]:
    """Those of the same name as the other side's one; failing that, those on the same benchmark; failing that, all."""
    same = [score for score in several if score.label == one[0].label]
    return same or [score for score in several if score.part == one[0].part] or several


def _only(given: str, scores: Sequence[Sealed]) -> Sealed:
    if len(scores) == 1:
        return scores[0]
    listed = [
        score.label if len([one for one in scores if one.label == score.label]) == 1 else score.manifest.key[:12]
        for score in scores
    ]
    folder, _ = _split(given)
    names = ", ".join(dict.fromkeys(listed))
    raise UsageError(f"{len(scores)} scores could be meant: {names}", place=given, hint=f"{folder}:{listed[0]}")


def _labels(scores: Sequence[Sealed]) -> set[str]:
    return {score.label for score in scores}


def _split(given: str) -> tuple[Path, str | None]:
    """FOLDER:NAME at the first colon before which there is a folder; a folder's own name may hold colons."""
    if Path(given).is_dir():
        return Path(given), None
    for at, character in enumerate(given):
        if character == ":" and at and Path(given[:at]).is_dir():
            return Path(given[:at]), given[at + 1 :]
    raise UsageError("no such folder", place=given, hint="name the folder given to --out of run or eval")


def _manifests(folder: Path) -> list[Manifest]:
    """Of a run those that its last attempt names; else every evaluation that is sealed there."""
    store = Store(folder / "tables")
    if not (folder / "run.json").exists():
        return store.manifests(_STAGE)
    done = [stage for stage in load_run(folder)["stages"] if stage["stage"] == _STAGE]
    found = (store.sealed(_STAGE, str(stage["key"])) for stage in done)
    return [manifest for manifest in found if manifest is not None]
