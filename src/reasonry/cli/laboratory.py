"""ablate: a matrix of runs, and what differs by more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from reasonry.ablating import Ablation, Comparison, Conclusion, Group, ablate
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
from reasonry.cli.resuming import resume_command
from reasonry.console import Console, visible
from reasonry.errors import UsageError
from reasonry.report import write_ablation
from reasonry.sections import AblateSection


@click.command("ablate")
@recipe_argument
@click.option(
    "--vary", "varied", multiple=True, metavar="KEY=[...]", help="""A factor: --vary 'distil.samples=[1,4,16]'."""
)
@click.option("--seeds", type=click.IntRange(1, 100), help="Trainings of each cell. Default: the recipe's, or 3.")
@click.option("--reseed", type=click.Choice(["train", "all"]), help="What a seed changes. Default: the training alone.")
@click.option(
    "--match",
    type=click.Choice(["steps", "examples", "tokens", "epochs"]),
    help="What all cells have in common. Default: optimiser steps.",
)
@click.option("--budget", "budget_usd", type=click.FloatRange(min=0), metavar="USD", help="Refuse a dearer matrix.")
@click.option("--out", type=AnyPath, help="Where the matrix lives. Default: runs/NAME-ablation. Resumed where it is.")
@workers_option
@set_option
@json_option
@quiet_option
def ablate_verb(
    recipe: Path,
    varied: tuple[str, ...],
    seeds: int | None,
    reseed: str | None,
    match: str | None,
    budget_usd: float | None,
    out: Path | None,
    workers: int | None,
    overrides: tuple[str, ...],
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train and evaluate RECIPE once for each combination of settings and seed, and compare.

    What the cells share is made once. The same command resumes a matrix that was stopped or killed.
    """
    console = Console(quiet=quiet)
    loaded = load(recipe, overrides)
    folder = out if out is not None else Path("runs") / f"{loaded.name}-ablation"
    given = {"seeds": seeds, "reseed": reseed, "match": match}
    section = _section(loaded.ablate, {name: value for name, value in given.items() if value is not None})
    try:
        made = ablate(
            loaded,
            folder,
            section=section,
            varied=varied,
            budget_usd=budget_usd,
            workers=workers,
            console=console,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"resume: {resume_command(click.get_current_context())}") from None
    page = write_ablation(folder)
    if as_json:
        print_json(dict(made.facts))
    else:
        for line in _lines(made):
            click.echo(visible(line))
    console.done(f"{len(made.facts['cells'])} cells; their digest is {made.digest}")
    console.note(f"  report:  {page}")


def _section(section: AblateSection | None, given: dict[str, Any]) -> AblateSection:
    base = section or AblateSection()
    try:
        return base.model_validate({**base.model_dump(), **given})
    except ValidationError as exc:
        raise UsageError(str(exc.errors(include_url=False)[0]["msg"]), place="ablate") from exc


def _lines(made: Ablation) -> Iterator[str]:
    found = made.findings
    for place in dict.fromkeys((group.benchmark, group.student) for group in found.groups):
        yield ": ".join(place)
        yield from _group_lines([group for group in found.groups if (group.benchmark, group.student) == place])
        for one in found.conclusions:
            if (one.benchmark, one.student) == place:
                yield one.words
                yield from _comparison_lines(one, found.comparisons)
        yield ""
    yield from (f"warning: {warning}" for warning in found.warnings)


def _group_lines(groups: Sequence[Group]) -> Iterator[str]:
    names = [visible(_named(group.levels)) for group in groups]
    width = max(map(len, names))
    for name, group in zip(names, groups, strict=True):
        mean = group.mean
        interval = f"[{mean.low:6.1%}, {mean.high:6.1%}]" if mean else " " * 16
        seeds = " ".join(f"{score:.1%}" for score in group.scores)
        yield f"  {name:<{width}}  {group.average:6.1%} {interval}  seeds {seeds}"


def _comparison_lines(conclusion: Conclusion, comparisons: Sequence[Comparison]) -> Iterator[str]:
    """What a conclusion over several conditions stands on: the figures of each."""
    whole = (conclusion.factor, conclusion.level, conclusion.control, conclusion.benchmark, conclusion.student)
    for one in comparisons:
        if one.others and (one.factor, one.level, one.control, one.benchmark, one.student) == whole:
            yield f"  with {_named(one.others)}: {one.words}"


def _named(levels: Mapping[str, str]) -> str:
    return ", ".join(levels.values())
