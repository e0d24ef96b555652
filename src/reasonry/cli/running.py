"""init, plan, run."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import click

from reasonry.cli.options import (
    AnyPath,
    json_option,
    load,
    print_json,
    recipe_argument,
    run_folder,
    set_option,
    workers_option,
)
from reasonry.console import Console
from reasonry.errors import UsageError
from reasonry.plan import Planned, make_plan, planned
from reasonry.report import write_report
from reasonry.run import hold_gates, run
from reasonry.store import Store


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
@click.option("--out", type=AnyPath, help="The run folder to compare with. Default: runs/NAME.")
@set_option
@json_option
def plan_verb(recipe: Path, out: Path | None, overrides: tuple[str, ...], *, as_json: bool) -> None:
    """Show every stage of RECIPE: whether it is sealed already, and if not, why it has to be done."""
    loaded = load(recipe, overrides)
    found = planned(make_plan(loaded), Store(run_folder(loaded, out) / "tables"))
    if as_json:
        print_json({"schema": 1, "run": loaded.run_id, "stages": [_plan_row(p) for p in found]})
        return
    for p in found:
        rows = "?" if p.rows is None else f"{p.rows:,}"
        click.echo(f"{p.step.name:<34} {p.step.key[:12]}  {rows:>9} rows  {p.why}")


def _plan_row(p: Planned) -> dict[str, Any]:
    return {
        "stage": p.step.stage,
        "label": p.step.label,
        "key": p.step.key,
        "cached": p.manifest is not None,
        "why": p.why,
        "rows": p.rows,
        "parts": list(p.step.parts),
        "cost_usd": p.cost_usd,
    }


@click.command("run")
@recipe_argument
@click.option("--out", type=AnyPath, help="The run folder. Default: runs/NAME. An existing one is resumed.")
@click.option("--ledger", type=AnyPath, help="The ledger file. Default: REASONRY_LEDGER, or in the run folder.")
@workers_option
@set_option
@json_option
@click.option("--quiet", is_flag=True, help="Only errors and warnings.")
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
