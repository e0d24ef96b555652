"""Options that several verbs share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reasonry.recipe import Recipe, load_recipe

__all__ = [
    "AnyPath",
    "json_option",
    "ledger_option",
    "load",
    "out_option",
    "print_json",
    "quiet_option",
    "recipe_argument",
    "run_argument",
    "run_folder",
    "set_option",
    "workers_option",
]

AnyPath = click.Path(path_type=Path)

recipe_argument: Callable[[Any], Any] = click.argument("recipe", type=AnyPath)
run_argument: Callable[[Any], Any] = click.argument("run", type=AnyPath)
json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
set_option: Callable[[Any], Any] = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key of the recipe: distil.samples=4."
)
out_option: Callable[[Any], Any] = click.option(
    "--out", type=AnyPath, help="The run folder. Default: runs/NAME. An existing one is resumed."
)
ledger_option: Callable[[Any], Any] = click.option(
    "--ledger", type=AnyPath, help="The ledger file. Default: REASONRY_LEDGER, or in the run folder."
)
quiet_option: Callable[[Any], Any] = click.option("--quiet", is_flag=True, help="Only errors and warnings.")
workers_option: Callable[[Any], Any] = click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Worker processes. Default: the processors of this machine (or cluster).",
)


def load(path: Path, overrides: tuple[str, ...]) -> Recipe:
    return load_recipe(path, overrides)


def run_folder(recipe: Recipe, out: Path | None) -> Path:
    """Where a run lives: --out, or runs/ and the recipe's name."""
    return out if out is not None else Path("runs") / recipe.name


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")
