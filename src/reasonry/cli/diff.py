"""diff: two runs side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from reasonry.cli.options import AnyPath, json_option, print_json
from reasonry.comparing import Difference, Group, StageDifference, compare_runs
from reasonry.console import visible

_SHOWN = 12  # reasons on a terminal
_DETAIL = 100  # characters of what is said of one row


@click.command("diff")
@click.argument("run_a", type=AnyPath)
@click.argument("run_b", type=AnyPath)
@click.option("--stage", metavar="STAGE", help="Only this one: curate, select, train:steps, ...")
@click.option(
    "--examples", type=click.IntRange(min=0), default=3, show_default=True, help="Rows shown for each reason."
)
@click.option("--exit-code", is_flag=True, help="End with 1 where the runs differ.")
@json_option
def diff_verb(run_a: Path, run_b: Path, *, stage: str | None, examples: int, exit_code: bool, as_json: bool) -> int:
    """Show which rows entered, left or changed from RUN_A to RUN_B at each stage, and why.

    `reasonry explain RUN ID` tells the story of any of them.
    """
    found = compare_runs(run_a, run_b, stage=stage, examples=examples)
    if as_json:
        print_json(found.as_json())
    else:
        for line in _lines(found):
            click.echo(visible(line))
    return int(exit_code and not found.is_same)


def _lines(found: Difference) -> Iterator[str]:
    for name, run in (("A", found.a), ("B", found.b)):
        yield f"{name}  {run['run']}  {run['status']}  digest {run['digest']}  {run['folder']}"
    for stage in found.stages:
        yield from _stage_lines(stage)


def _stage_lines(stage: StageDifference) -> Iterator[str]:
    if stage.is_same:
        rows = "not done in either" if stage.rows_a is None else f"the same {stage.rows_a:,} rows"
        yield f"{stage.name:<8} {rows}"
    else:
        yield f"{stage.name:<8} {_count(stage.rows_a)} -> {_count(stage.rows_b)} rows"
    yield from (f"         because {why}" for why in stage.why)
    for sign, what, groups in (
        ("+", "entered", stage.entered),
        ("-", "left", stage.left),
        ("~", "changed", stage.changed),
        ("!", "dropped", stage.dropped),
    ):
        yield from _group_lines(sign, what, groups)


def _group_lines(sign: str, what: str, groups: Sequence[Group]) -> Iterator[str]:
    for group in groups[:_SHOWN]:
        yield f"  {sign} {group.rows:>9,} {what}: {group.reason}"
        yield from (f"      {one.id}  {_clipped(one.detail)}".rstrip() for one in group.examples)
    if len(groups) > _SHOWN:
        rows = sum(group.rows for group in groups[_SHOWN:])
        yield f"  {sign} {rows:>9,} {what} for {len(groups) - _SHOWN:,} other reasons (--json has all)"


def _clipped(detail: str) -> str:
    return detail if len(detail) <= _DETAIL else f"{detail[: _DETAIL - 3]}..."


def _count(rows: int | None) -> str:
    return "not done" if rows is None else f"{rows:,}"
