"""Parts: what can be named in a recipe, and how a name becomes code.

A part is a plain callable with a kind, a name, an integer version and an options model (its section of the
recipe). Parts in this repository are listed in `BUILTIN`; everyone else's come from entry points
(`reasonry.verifiers`, `reasonry.sources`, ...). Nothing is imported until it is named.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points
from importlib.metadata import version as version_of
from typing import Any, Literal, TypeVar, get_args

from reasonry.errors import PartError, nearest_hint
from reasonry.identity import digest
from reasonry.sections import Section
from reasonry.types import Question, Status, Verdict

__all__ = [
    "BUILTIN",
    "Input",
    "Kind",
    "Part",
    "find",
    "inputs_of",
    "library_input",
    "names",
    "part",
    "part_of",
    "run_verifier",
]

Kind = Literal[
    "source", "teacher", "verifier", "filter", "trace_filter", "exporter", "trainer", "benchmark", "executor"
]
KINDS: tuple[Kind, ...] = get_args(Kind)

BUILTIN: dict[Kind, dict[str, str]] = {
    "source": {
        "jsonl": "reasonry.sources.files",
        "parquet": "reasonry.sources.files",
        "csv": "reasonry.sources.files",
        "hub": "reasonry.sources.hub",
        "procedural": "reasonry.sources.procedural",
        "reasoning_gym": "reasonry.sources.gym",
    },
    "teacher": {
        "anthropic": "reasonry.teachers.anthropic",
        "openai": "reasonry.teachers.openai",
        "replay": "reasonry.teachers.replay",
        "simulated": "reasonry.teachers.simulated",
        "student": "reasonry.teachers.student",
        "vllm": "reasonry.teachers.vllm",
    },
    "verifier": {
        "math": "reasonry.verifiers.math",
        "exact": "reasonry.verifiers.exact",
        "choice": "reasonry.verifiers.choice",
        "code": "reasonry.verifiers.code",
        "steps": "reasonry.verifiers.steps",
    },
    "filter": {
        "deduplicate": "reasonry.filters.deduplicate",
        "decontaminate": "reasonry.filters.decontaminate",
        "length": "reasonry.filters.length",
        "answer": "reasonry.filters.answer",
        "difficulty": "reasonry.filters.difficulty",
        "garbled": "reasonry.filters.garbled",
        "language": "reasonry.filters.language",
        "license": "reasonry.filters.license",
        "parts": "reasonry.filters.parts",
        "proof": "reasonry.filters.proof",
        "references": "reasonry.filters.references",
    },
    "trace_filter": {
        "format": "reasonry.trace_filters.format",
        "language": "reasonry.trace_filters.language",
        "length": "reasonry.trace_filters.length",
        "placeholder": "reasonry.trace_filters.placeholder",
        "refusal": "reasonry.trace_filters.refusal",
        "repetition": "reasonry.trace_filters.repetition",
        "self_reference": "reasonry.trace_filters.self_reference",
    },
    "exporter": {
        "hub": "reasonry.exporters.hub",
        "sharegpt": "reasonry.exporters.llamafactory",
        "alpaca": "reasonry.exporters.llamafactory",
    },
    "trainer": {"tiny": "reasonry.trainers.tiny", "trl": "reasonry.trainers.trl"},
    "benchmark": {
        "jsonl": "reasonry.benchmarks.files",
        "procedural": "reasonry.benchmarks.procedural",
        "aime24": "reasonry.benchmarks.published",
        "aime25": "reasonry.benchmarks.published",
        "amc23": "reasonry.benchmarks.published",
        "gpqa_diamond": "reasonry.benchmarks.published",
        "gsm8k": "reasonry.benchmarks.published",
        "math500": "reasonry.benchmarks.published",
        "humaneval": "reasonry.benchmarks.programs",
        "humaneval_plus": "reasonry.benchmarks.programs",
        "mbpp": "reasonry.benchmarks.programs",
        "mbpp_plus": "reasonry.benchmarks.programs",
        "livecodebench": "reasonry.benchmarks.livecodebench",
    },
    "executor": {"local": "reasonry.executors.local", "ray": "reasonry.executors.ray"},
}

Callable_ = TypeVar("Callable_", bound=Callable[..., Any])
_ATTRIBUTE = "__reasonry_part__"
_loaded: dict[tuple[Kind, str], Part] = {}


@dataclass(frozen=True, slots=True)
class Input:
    """Something outside the recipe that decides what a part yields: a file, a dataset revision.

    `digest` enters the stage's key; `name` is what lineage shows (never a folder of this machine).
    """

    name: str
    digest: str
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A named, versioned piece of the line.

    `inputs` lists what its results depend on beyond its options; `needs` raises PartError where a library lacks, so
    that a run says so before it has spent anything. `rules` names the rules by which a filter drops, each with what it
    means; empty: it does not say.
    """

    kind: Kind
    name: str
    version: int
    call: Callable[..., Any]
    options: type[Section] | None = None
    inputs: Callable[[Any], Sequence[Input]] | None = None
    needs: Callable[[], None] | None = None
    rules: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def summary(self) -> str:
        return (self.call.__doc__ or "").strip().split("\n", 1)[0]


def part(
    kind: Kind,
    name: str,
    *,
    version: int = 1,
    options: type[Section] | None = None,
    inputs: Callable[[Any], Sequence[Input]] | None = None,
    needs: Callable[[], None] | None = None,
    rules: Mapping[str, str] | None = None,
) -> Callable[[Callable_], Callable_]:
    """Make a callable a part. Raise the version whenever its results may change.

    ```python
    @part("verifier", "roman", version=1)
    def roman(question: Question, response: str) -> Verdict: ...
    ```
    """

    def register(call: Callable_) -> Callable_:
        made = Part(kind, name, version, call, options, inputs, needs, rules or {})
        setattr(call, _ATTRIBUTE, made)
        _loaded[(kind, name)] = made
        return call

    return register


def part_of(call: Callable[..., Any]) -> Part:
    """The part that a decorated callable is. Raises PartError for a plain one."""
    made = getattr(call, _ATTRIBUTE, None)
    if not isinstance(made, Part):
        name = getattr(call, "__name__", repr(call))
        raise PartError(f"{name} is not a part", hint="decorate it with @part(kind, name)")
    return made


def inputs_of(found: Part, options: Section | None) -> list[Input]:
    """What a part depends on beyond its options: files, dataset revisions, versions of libraries."""
    return list(found.inputs(options)) if found.inputs else []


def library_input(package: str) -> Input:
    """A library whose version decides what a part makes of the same data. Raises PartError where it lacks."""
    try:
        return Input(package, digest("version", package, version_of(package)))
    except PackageNotFoundError as exc:
        raise PartError(f"{package} is not installed", hint="`reasonry doctor` says what is missing") from exc


def names(kind: Kind) -> list[str]:
    """The names of all parts of a kind, ours and installed ones, without importing any."""
    return sorted({*BUILTIN[kind], *(entry.name for entry in _entry_points(kind))})


def find(kind: Kind, name: str) -> Part:
    """The part of that kind and name. Raises PartError, with the nearest name, where there is none."""
    if name in BUILTIN[kind]:
        importlib.import_module(BUILTIN[kind][name])
        return _loaded[(kind, name)]
    for entry in _entry_points(kind):
        if entry.name == name:
            return _load(kind, entry)
    raise PartError(f"unknown {kind} '{name}'", hint=nearest_hint(name, names(kind)))


def all_parts() -> Iterator[Part | PartError]:
    """Every part, imported; an installed part that cannot be imported comes as its error."""
    for kind in KINDS:
        for name in names(kind):
            try:
                yield find(kind, name)
            except PartError as error:
                yield error


def run_verifier(verifier: Part, question: Question, response: str) -> Verdict:
    """Verify one response: stamped with name@version, timed, and total.

    An exception in the verifier is our failure, so it becomes `error`, never `incorrect`.
    """
    start = time.perf_counter()
    try:
        verdict = verifier.call(question, response)
        if not isinstance(verdict, Verdict):
            raise TypeError(f"returned a {type(verdict).__name__}, not a Verdict")
    except Exception as exc:  # noqa: BLE001 - the boundary where a part's failure is attributed, once
        verdict = Verdict(Status.ERROR, detail=f"{type(exc).__name__}: {exc}"[:500])
    status, extracted, detail, evidence = verdict.status, verdict.extracted, verdict.detail, verdict.evidence
    return Verdict(status, verifier.label, extracted, detail, evidence, time.perf_counter() - start)


def _entry_points(kind: Kind) -> list[EntryPoint]:
    return sorted(entry_points(group=f"reasonry.{kind}s"), key=lambda entry: entry.name)


def _load(kind: Kind, entry: EntryPoint) -> Part:
    try:
        loaded = part_of(entry.load())
    except PartError:
        raise
    except Exception as exc:
        raise PartError(
            f"the {kind} '{entry.name}' cannot be imported: {exc}",
            place=entry.value,
            hint="reinstall or remove the package that provides it",
        ) from exc
    if loaded.kind != kind:
        raise PartError(f"'{entry.name}' is a {loaded.kind}, not a {kind}", place=entry.value)
    return loaded
