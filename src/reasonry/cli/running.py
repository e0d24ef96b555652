"""init, plan, run."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import click

from reasonry.cli.estimates import estimate_json, estimate_lines, preview_json, preview_lines
from reasonry.cli.options import (
    AnyPath,
    json_option,
    ledger_option,
    load,
    out_option,
    print_json,
    quiet_option,
    recipe_argument,
    run_folder,
    set_option,
    workers_option,
)
from reasonry.cli.resuming import resumable
from reasonry.cli.trainings import needs_json, needs_lines
from reasonry.console import Console
from reasonry.errors import LedgerError, UsageError
from reasonry.estimating import FEWEST
from reasonry.history import estimates
from reasonry.ledger import Ledger
from reasonry.piloting import ledger_path
from reasonry.piloting import pilot as ask_pilot
from reasonry.plan import Planned, make_plan, planned
from reasonry.previewing import Preview, preview
from reasonry.report import write_report
from reasonry.run import hold_gates, run
from reasonry.store import Store
from reasonry.training_needs import TrainingNeeds, training_needs


@click.command("init")
@click.argument("path", type=AnyPath, default=Path("recipe.toml"))
def init_verb(path: Path) -> None:
    """Write a recipe to PATH (default: recipe.toml) that runs as it is, with notes on what to change."""
    if path.exists():
        raise UsageError("there is a file already", place=str(path), hint="reasonry init another.toml")
    text = resources.files("reasonry.cli").joinpath("starter.toml").read_text(encoding="utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise UsageError(f"cannot be written: {exc.strerror}", place=str(path)) from exc
    Console().done(f"wrote {path}; next: reasonry run {path}")


@click.command("plan")
@recipe_argument
@out_option
@ledger_option
@click.option(
    "--pilot",
    type=click.IntRange(min=FEWEST),
    metavar="N",
    help="Ask N questions first, so that the rest can be estimated.",
)
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Show what would be sent for N questions.")
@set_option
@json_option
@quiet_option
def plan_verb(
    recipe: Path,
    out: Path | None,
    ledger: Path | None,
    pilot: int | None,
    sample: int | None,
    overrides: tuple[str, ...],
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show every stage of RECIPE: whether it is sealed already, and if not, why it has to be done.

    A stage that asks a teacher comes with what it will cost and take, as far as that is known from a pilot or from
    answers of the same teacher. A pilot's answers go into the run's ledger: the run does not pay for them again.
    A training comes with what it needs: memory of a GPU, tokens, steps, hours.
    """
    console = Console(quiet=quiet)
    loaded = load(recipe, overrides)
    folder = run_folder(loaded, out)
    store, steps = Store(folder / "tables"), make_plan(loaded, only_to_show=True)
    if sample is not None:
        _show_prompts(preview(loaded, steps, store, sample), as_json=as_json)
        return
    if pilot is not None:
        with resumable(loaded):
            ask_pilot(loaded, steps, folder, pilot, console=console, ledger=ledger)
    with _existing(ledger_path(folder, ledger), console) as opened:
        known = estimates(steps, store, opened)
    found, needs = planned(steps, store, known), training_needs(steps, store, known)
    if as_json:
        stages = [_plan_row(p, needs.get(p.step.name)) for p in found]
        print_json({"schema": 1, "run": loaded.run_id, "stages": stages})
        return
    for p in found:
        rows = "?" if p.rows is None else f"{p.rows:,}"
        key = p.step.key[:12] if p.step.is_key_known else "?"
        click.echo(f"{p.step.name:<34} {key:<12}  {rows:>9} rows  {p.why}")
    for p in found:
        lines = [*estimate_lines(p, loaded), *needs_lines(p.step.name, needs.get(p.step.name))]
        if lines:
            click.echo("\n" + "\n".join(lines))


def _show_prompts(previews: Sequence[Preview], *, as_json: bool) -> None:
    if as_json:
        print_json({"schema": 1, "prompts": preview_json(previews)})
        return
    for line in preview_lines(previews):
        click.echo(line)


@contextmanager
def _existing(path: Path, console: Console) -> Generator[Ledger | None]:
    """The ledger, where there is one: to plan makes no file. One that cannot be opened is no reason not to plan."""
    with ExitStack() as stack:
        ledger = None
        if path.is_file():
            try:
                ledger = stack.enter_context(Ledger(path))
            except LedgerError as exc:
                console.warn(f"{exc}: planned without it")
        yield ledger


def _plan_row(p: Planned, needs: TrainingNeeds | None) -> dict[str, Any]:
    return {
        "stage": p.step.stage,
        "label": p.step.label,
        "key": p.step.key if p.step.is_key_known else None,
        "cached": p.manifest is not None,
        "why": p.why,
        "rows": p.rows,
        "parts": list(p.step.parts),
        "cost_usd": p.cost_usd,
        "estimate": estimate_json(p.estimate),
        "needs": needs_json(needs),
    }


@click.command("run")
@recipe_argument
@out_option
@ledger_option
@workers_option
@set_option
@json_option
@quiet_option
def run_verb(
    recipe: Path,
    out: Path | None,
    ledger: Path | None,
    workers: int | None,
    overrides: tuple[str, ...],
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run RECIPE to the end. The same command resumes a run that was stopped or killed."""
    console = Console(quiet=quiet)
    loaded = load(recipe, overrides)
    folder = run_folder(loaded, out)
    with resumable(loaded):
        result = run(loaded, folder, console=console, workers=workers, ledger=ledger)
    report = write_report(folder)
    console.done(f"run {result.run} is done; its tables' digest is {result.digest}")
    for score in result.scores:
        if score["accuracy"] is not None:
            who = f"{score['student']}{' before training' if score['untrained'] else ''}"
            interval = f"[{score['low']:.1%}, {score['high']:.1%}]"
            console.note(f"  {score['benchmark']}: {who} {score['accuracy']:.1%} {interval} (n = {score['n']})")
    console.note(f"  report:  {report.html}")
    if as_json:
        print_json(result.as_json())
    hold_gates(result)
