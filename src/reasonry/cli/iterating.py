"""iterate: rounds of evaluating, asking where the student is weak, and training again."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from reasonry.cli.options import (
    AnyPath,
    json_option,
    load,
    print_json,
    quiet_option,
    recipe_argument,
    set_option,
    workers_option,
)
from reasonry.cli.resuming import resumable
from reasonry.console import Console, visible
from reasonry.errors import BudgetReached
from reasonry.iterating import iterate
from reasonry.report import write_iteration


@click.command("iterate")
@recipe_argument
@click.option("--rounds", type=click.IntRange(0, 100), default=3, show_default=True, help="At most, after round 0.")
@click.option(
    "--questions",
    type=click.IntRange(min=1),
    help="New questions of each round. Default: as many as the recipe starts with.",
)
@click.option("--out", type=AnyPath, help="Where the rounds live. Default: runs/NAME-iteration. Resumed where it is.")
@workers_option
@set_option
@json_option
@quiet_option
def iterate_verb(
    recipe: Path,
    rounds: int,
    questions: int | None,
    out: Path | None,
    workers: int | None,
    overrides: tuple[str, ...],
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run RECIPE, then again with more questions where its first student is weak, until no gain is seen.

    Each round is a run of its own, trained from base and scored on the same test. The same command resumes.
    """
    console = Console(quiet=quiet)
    loaded = load(recipe, overrides)
    folder = out if out is not None else Path("runs") / f"{loaded.name}-iteration"
    with resumable(loaded), _page_at_the_budget(folder):
        made = iterate(loaded, folder, rounds=rounds, questions=questions, workers=workers, console=console)
    page = write_iteration(folder)
    if as_json:
        print_json(dict(made.facts))
    else:
        for line in _lines(made.facts):
            click.echo(visible(line))
    count = len(made.facts["rounds"])
    console.done(f"{count} {'round' if count == 1 else 'rounds'}; digest {made.digest}")
    console.note(f"  report:  {page}")


@contextmanager
def _page_at_the_budget(folder: Path) -> Generator[None]:
    """The rounds that were finished when the budget was reached are shown too."""
    try:
        yield
    except BudgetReached:
        if (folder / "iteration.json").is_file():
            write_iteration(folder)
        raise


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    for one in facts["rounds"]:
        yield one["words"]
        width = max(len(each["name"]) for each in one["slices"])
        for each in one["slices"]:
            share = each["accuracy"]
            yield (
                f"  {each['name']:<{width}}  {share['estimate']:6.1%} [{share['low']:6.1%}, {share['high']:6.1%}]"
                f"  {each['examples']:>7,} examples  {each['added']:>6,} questions more"
            )
        yield from (f"  warning: {warning}" for warning in one["warnings"])
    yield facts["stopped_words"]
