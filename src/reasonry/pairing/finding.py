"""Finding a sealed score: in the folder of a run or of `reasonry eval`, by its name where there are several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.errors import StoreError, UsageError, nearest_hint
from reasonry.run import load_run
from reasonry.store import Manifest, Store

__all__ = ["Sealed", "found_pair", "sealed_scores", "trained"]

_STAGE = "evaluate"
_TELLING = ("question_count", "samples", "temperature", "max_tokens", "verifier")


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
    def is_untrained(self) -> bool:
        """A student's score before its training."""
        return bool(self.metrics.get("untrained"))

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
    scores = [_checked(Sealed(folder, manifest)) for manifest in _manifests(folder)]
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

    Where one side names its score and the other does not, the other's is that of the same name, if there is one. A
    student before its training is meant only where it is named.
    """
    first, second = sealed_scores(a), sealed_scores(b)
    if len(first) == 1:
        second = _alike(second, first)
    elif len(second) == 1:
        first = _alike(first, second)
    first, second = trained(first), trained(second)
    if len(first) > 1 and len(second) > 1:
        common = _labels(first) & _labels(second)
        if len(common) == 1:
            first, second = ([one for one in side if one.label in common] for side in (first, second))
    return _only(a, first), _only(b, second)


def trained(scores: Sequence[Sealed]) -> Sequence[Sealed]:
    """Without the students before their training, where there is anything else."""
    return [score for score in scores if not score.is_untrained] or scores


def _alike(several: Sequence[Sealed], one: Sequence[Sealed]) -> Sequence[Sealed]:
    """Those of the same name as the other side's one; failing that, those on the same benchmark; failing that, all."""
    same = [score for score in several if score.label == one[0].label]
    return same or [score for score in several if score.part == one[0].part] or several


def _only(given: str, scores: Sequence[Sealed]) -> Sealed:
    if len(scores) == 1:
        return scores[0]
    folder, _ = _split(given)
    labels = [score.label for score in scores]
    names = [one.label if labels.count(one.label) == 1 else one.manifest.key[:12] for one in scores]
    told = [
        f"  {name}: {'' if name == score.label else f'{score.label}, '}{_told(score)}"
        for name, score in zip(names, scores, strict=True)
    ]
    raise UsageError(
        f"{len(scores)} scores could be meant, the newest first:\n" + "\n".join(told),
        place=given,
        hint=f"{folder}:{names[0]}",
    )


def _told(score: Sealed) -> str:
    """What tells one score from others of its name."""
    accuracy, conditions = score.metrics.get("accuracy"), score.conditions
    parts = ["no score" if accuracy is None else f"{accuracy:.1%}"]
    parts += [f"{name} {conditions[name]}" for name in _TELLING if conditions.get(name) is not None]
    return ", ".join(parts)


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


def _checked(sealed: Sealed) -> Sealed:
    """The score, once its figures are what figures are: its manifest is a file that anyone can edit."""
    metrics: Any = sealed.manifest.metrics
    wrong = ["metrics"] if not isinstance(metrics, Mapping) else list(_wrong_figures(sealed.metrics))
    if wrong:
        raise StoreError(
            f"{', '.join(wrong)} of the score {sealed.label} cannot be what was sealed",
            place=str(sealed.store.folder(_STAGE, sealed.manifest.key) / "manifest.json"),
            hint="remove that folder: the evaluation will be done again, and paid answers come from the ledger",
        )
    return sealed


def _wrong_figures(metrics: Mapping[str, Any]) -> Iterator[str]:
    figures = ("low", "accuracy", "high") if metrics.get("accuracy") is not None else ()
    for name in (*figures, "coverage"):
        value = metrics.get(name, 1.0 if name == "coverage" else None)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
            yield name
    if not isinstance(metrics.get("conditions", {}), Mapping):
        yield "conditions"
