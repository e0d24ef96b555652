"""Evaluate one model on one benchmark, outside a recipe: what `reasonry eval` does, as functions.

The model is a checkpoint folder, a model behind an endpoint, or answers that were recorded. Each evaluation is a sealed
table under the folder given, with every completion; what is sealed is not done again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reasonry.console import Console
from reasonry.errors import UsageError
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


def options_from(kind: Any, name: str, values: Mapping[str, Any], key: str) -> Any:
    """The options of a part from plain values, relative to the current folder. Raises UsageError."""
    part = find(kind, name)
    model: Any = part.options
    try:
        return model.model_validate({key: name, **values}, context={"folder": Path.cwd()})
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        where = ".".join(str(step) for step in error["loc"])
        option = "--set" if kind == "benchmark" else "--ask"
        raise UsageError(f"{where}: {error['msg']}", place=f"{kind} '{name}'", hint=f"{option} key=value") from exc


def evaluate_checkpoint(
    checkpoint: Path, section: EvaluateSection, folder: Path, *, workers: int, console: Console
) -> Manifest:
    """Score a checkpoint folder."""
    if not any(checkpoint.glob("*.safetensors")):
        raise UsageError("no checkpoint: there are no *.safetensors in it", place=str(checkpoint))
    name = checkpoint.resolve().name
    options = evaluate.EvaluateOptions(section, "student", name, checkpoint=checkpoint)
    identity = {"checkpoint": checkpoint_digest(checkpoint), "name": name}
    return _sealed(options, identity, folder, workers=workers, console=console)


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
