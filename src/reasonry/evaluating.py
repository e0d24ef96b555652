"""Evaluate one model on one benchmark, outside a recipe: what `reasonry eval` does, as functions.

The model is a checkpoint folder, a model behind an endpoint, or answers that were recorded. Each evaluation is a sealed
table under the folder given, with every completion; what is sealed is not done again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reasonry.console import Console
from reasonry.errors import UsageError
from reasonry.faults import fault_of
from reasonry.identity import digest
from reasonry.ledger import Ledger
from reasonry.prompts import asked_content
from reasonry.registry import find, inputs_of
from reasonry.run import locked
from reasonry.sections import DistilSection, EvaluateSection, VerifySection
from reasonry.stages import evaluate
from reasonry.stages.conditions import stated_sampling
from reasonry.stages.context import StageContext
from reasonry.store import Manifest, Store
from reasonry.teachers.local.checkpoint import checkpoint_digest

__all__ = ["evaluate_checkpoint", "evaluate_endpoint", "evaluate_replay", "options_from"]

_CHECKPOINTS_SHOWN = 3


def options_from(kind: Any, name: str, values: Mapping[str, Any], key: str) -> Any:
    """The options of a part from plain values, relative to the current folder. Raises UsageError."""
    part = find(kind, name)
    model: Any = part.options
    try:
        return model.model_validate({key: name, **values}, context={"folder": Path.cwd()})
    except ValidationError as exc:
        raise _worded(exc, model, values, kind, name) from exc


def _worded(failure: ValidationError, model: Any, values: Mapping[str, Any], kind: str, name: str) -> UsageError:
    error = min(failure.errors(include_url=False), key=lambda e: e["type"] != "no_such_file")
    fault = fault_of(error, model, "the current folder")
    where = error["loc"] if fault.is_of_a_key else _given_at(error["loc"], values)
    option = "--set" if kind == "benchmark" else "--ask"
    hint = fault.hint
    if error["type"] == "missing":
        hint = f"{option} {'.'.join(map(str, where))}=..., see `reasonry parts {kind} {name}`"
    place = f"{kind} '{name}'" + (f": {'.'.join(map(str, where))}" if where else "")
    return UsageError(fault.message, place=place, hint=hint)


def _given_at(loc: Sequence[str | int], values: Any) -> Sequence[str | int]:
    """The part of pydantic's path that the user wrote: inside a value it goes on with the arms of a union."""
    for depth, step in enumerate(loc):
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            return loc[:depth]
    return loc


def evaluate_checkpoint(
    checkpoint: Path, section: EvaluateSection, folder: Path, *, workers: int, console: Console
) -> Manifest:
    """Score a checkpoint folder."""
    if not any(checkpoint.glob("*.safetensors")):
        raise _no_checkpoint(checkpoint)
    name = checkpoint.resolve().name
    options = evaluate.EvaluateOptions(section, "student", name, checkpoint=checkpoint)
    identity = {"checkpoint": checkpoint_digest(checkpoint), "name": name}
    return _sealed(options, identity, folder, workers=workers, console=console)


def _no_checkpoint(given: Path) -> UsageError:
    """What to name instead: a run's own checkpoint, or whoever serves or recorded the model."""
    if not given.is_dir():
        hint = "of a model that is served give --base-url or --provider too, of recorded answers --replay"
        return UsageError("no such folder, and so no checkpoint", place=str(given), hint=hint)
    of_a_run = sorted(given.glob("tables/train/*/checkpoint"))
    hint = " or ".join(map(str, of_a_run[:_CHECKPOINTS_SHOWN])) or "name a folder in HuggingFace's format"
    return UsageError("no checkpoint: there are no *.safetensors in it", place=str(given), hint=hint)


def evaluate_endpoint(
    teacher: DistilSection, section: EvaluateSection, folder: Path, *, workers: int, console: Console
) -> Manifest:
    """Score a model behind an endpoint, through the ledger in `folder`."""
    options = evaluate.EvaluateOptions(section, "teacher", getattr(teacher, "model", teacher.teacher), teacher)
    return _sealed(options, {"teacher": asked_content(teacher)}, folder, workers=workers, console=console)


def evaluate_replay(
    name: str, recorded: DistilSection, section: EvaluateSection, folder: Path, *, workers: int, console: Console
) -> Manifest:
    """Score recorded answers under the name of who gave them; nothing is asked of anyone."""
    options = evaluate.EvaluateOptions(section, "teacher", name, recorded)
    files = inputs_of(find("teacher", recorded.teacher), recorded)
    identity = {"teacher": asked_content(recorded), "name": name, "recordings": [found.digest for found in files]}
    identity["stated"] = stated_sampling(section)  # decides what is known of the conditions, also by a default's value
    return _sealed(options, identity, folder, workers=workers, console=console)


def _sealed(
    options: evaluate.EvaluateOptions, identity: Mapping[str, Any], folder: Path, *, workers: int, console: Console
) -> Manifest:
    benchmark = find("benchmark", options.section.benchmark)
    verify = VerifySection()
    section = {**options.section.key_content(), **identity, "limits": verify.key_content()}
    verifier = find("verifier", getattr(options.section, "verifier", "exact"))
    sources = [*inputs_of(benchmark, options.section), *inputs_of(verifier, None)]
    parts = [f"evaluate@{evaluate.VERSION}", benchmark.label, verifier.label]
    key = digest("stage", "evaluate", section, parts, [(s.name, s.digest) for s in sources])
    store = Store(folder / "tables")
    if (sealed := store.sealed("evaluate", key)) is not None and store.is_complete(sealed):
        return sealed
    with (
        locked(folder),
        Ledger(folder / "ledger.sqlite") as ledger,
        store.write("evaluate", key, evaluate.ROWS) as writer,
    ):
        context = StageContext(
            store=store,
            upstream={},
            console=console,
            open_ledger=lambda: ledger,
            workers=workers,
            budget=None,
            verify=verify,
            name=options.name,
            run_id=f"eval-{key[:8]}",
            recipe_text="",
            overrides=(),
            folder=folder,
        )
        result = evaluate.evaluate(options, context, writer)
        return writer.seal(
            section=section,
            parts=parts,
            inputs={},
            rows_in=result.rows_in,
            metrics=result.metrics,
            cost_usd=result.cost_usd,
            label=f"{options.section.label}/{options.name}",
        )
