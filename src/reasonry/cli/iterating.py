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
from reasonry.iterating import SAMPLES, TEMPERATURE, iterate
from reasonry.report import write_iteration


@click.command("iterate")
@recipe_argument
@click.option("--rounds", type=click.IntRange(0, 100), default=3, show_default=True, help="At most, after round 0.")
@click.option(
    "--questions",
    type=click.IntRange(min=1),
    help="New questions of each round. Default: as many as the recipe starts with.",
)
@click.option(
    "--slices",
    default="domain",
    show_default=True,
    metavar="BY",
    help="Where weakness is looked for: domain, difficulty, source or meta.KEY.",
)
@click.option(
    "--student-samples",
    type=click.IntRange(min=0),
    help=f"The student of the round before answers each question too, so often; what is verified is learned from. "
    f"Default: {SAMPLES}, and 0 where select.keep is not correct.",
)
@click.option(
    "--student-temperature", type=click.FloatRange(min=0), help=f"How freely it answers. Default: {TEMPERATURE}."
)
@click.option(
    "--control",
    type=click.Choice(["even"]),
    help="After the rounds, one more run with as many new questions spread evenly, and the difference.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="How often each run is trained; with several a gain's interval holds the training's own spread.",
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
    slices: str,
    student_samples: int | None,
    student_temperature: float | None,
    control: str | None,
    seeds: int,
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
        made = iterate(
            loaded,
            folder,
            rounds=rounds,
            questions=questions,
            slices=slices,
            student_samples=student_samples,
            student_temperature=student_temperature,
            has_control=control is not None,
            seeds=seeds,
            workers=workers,
            console=console,
        )
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
        yield from _run_lines(one)
    yield facts["stopped_words"]
    if facts["control"] is not None:
        yield f"control, spread evenly: accuracy {_share(facts['control']['accuracy']).strip()}"
        yield from _run_lines(facts["control"])
    if facts["control_words"] is not None:
        yield facts["control_words"]


def _run_lines(one: Mapping[str, Any]) -> Iterator[str]:
    if len(one["by_seed"]) > 1:
        yield f"  by seed: {', '.join(f'{accuracy:.1%}' for accuracy in one['by_seed'])}"
    names = [*(each["name"] for each in one["slices"]), *(each["name"] for each in one["authors"])]
    width = max(map(len, names))
    for each in one["slices"]:
        yield (
            f"  {each['name']:<{width}}  {_share(each['accuracy'])}"
            f"  {each['examples']:>7,} examples  {each['added']:>6,} questions more"
        )
    for each in one["authors"]:
        role = "student" if each["is_student"] else "teacher"
        yield (
            f"  {each['name']:<{width}}  {_share(each['rate'])}"
            f"  {each['examples']:>7,} examples  of {each['traces']:,} answers as {role}"
        )
    yield from (f"  warning: {warning}" for warning in one["warnings"])


def _share(share: Mapping[str, Any] | None) -> str:
    if share is None:
        return f"{'no score':<24}"
    return f"{share['estimate']:6.1%} [{share['low']:6.1%}, {share['high']:6.1%}]"
