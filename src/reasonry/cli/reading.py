"""show, explain, report: what a run left on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from reasonry.cli.options import json_option, ledger_option, print_json, run_argument
from reasonry.cli.story import story_lines
from reasonry.console import Console, dollars, visible
from reasonry.explain import explain
from reasonry.report import write_report
from reasonry.report.economy import economy_of
from reasonry.report.model import Economy
from reasonry.report.reading import open_run
from reasonry.run import load_run


@click.command("show")
@run_argument
@json_option
def show_verb(run: Path, *, as_json: bool) -> None:
    """Show the stages, drops, scores and gates of RUN, a run folder."""
    facts = load_run(run)
    economy = economy_of(open_run(run))
    if as_json:
        print_json({**facts, "economy": None if economy is None else asdict(economy)})
        return
    click.echo(visible(f"{facts['run']}  {facts['status']}  digest {facts['digest']}"))
    for stage in facts["stages"]:
        click.echo(visible(_stage_line(stage)))
        for rule, count in stage["dropped"].items():
            click.echo(f"    {count:>9,} dropped: {rule}")
    for line in _economy_lines(economy):
        click.echo(line)
    for score in facts["scores"]:
        if score["accuracy"] is not None:
            before = " (before training)" if score["untrained"] else ""
            click.echo(
                f"score {score['benchmark']} / {score['student']}{before}: {score['accuracy']:.1%} "
                f"[{score['low']:.1%}, {score['high']:.1%}], n = {score['n']}"
            )
    for gate in facts["gates"]:
        click.echo(f"gate {gate['metric']}: {'passed' if gate['passed'] else 'missed: ' + gate['detail']}")


def _economy_lines(economy: Economy | None) -> Iterator[str]:
    """What a correct trace cost, and how many traces a question has."""
    if economy is None or economy.correct is None:
        return
    if economy.correct == 0:
        yield "cost per correct trace: no trace is correct"
    else:
        cost, tokens = economy.cost_per_correct_usd, economy.tokens_per_correct
        shown = "unknown" if cost is None else dollars(cost)
        yield f"cost per correct trace: {shown}, tokens {'unknown' if tokens is None else f'{tokens:,.0f}'}"
    if (samples := economy.samples) is not None:
        yield (
            f"traces per question: mean {samples.mean:.2f}, p10 {samples.p10}, median {samples.median}, "
            f"p90 {samples.p90}, most {samples.most}"
        )


def _stage_line(stage: dict[str, Any]) -> str:
    name = f"{stage['stage']}:{stage['label']}" if stage["label"] else stage["stage"]
    cost = "" if stage["cost_usd"] is None else f"  ${stage['cost_usd']:.4f}"
    return f"{name:<34} {stage['rows_in']:>9,} in {stage['rows_out']:>9,} out  {stage['key'][:12]}{cost}"


@click.command("explain")
@run_argument
@click.argument("row_id", metavar="ID")
@ledger_option
@json_option
def explain_verb(run: Path, row_id: str, ledger: Path | None, *, as_json: bool) -> None:
    """Tell the story of one row of RUN. ID is a question, trace, verdict, example or dropped row."""
    story = explain(run, row_id, ledger)
    if as_json:
        print_json(story.as_json())
        return
    for line in story_lines(story):
        click.echo(line)


@click.command("report")
@run_argument
@json_option
def report_verb(run: Path, *, as_json: bool) -> None:
    """Write report.html and report.json of RUN again from its tables."""
    load_run(run)
    files = write_report(run)
    if as_json:
        print_json({"schema": 1, "html": str(files.html), "json": str(files.json)})
    Console().done(f"report: {files.html}")
