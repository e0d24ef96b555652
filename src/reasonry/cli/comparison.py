"""compare: two models on the same questions, or a run beside published scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from reasonry.cli.options import json_option, print_json
from reasonry.console import Console, visible
from reasonry.errors import UsageError
from reasonry.pairing import Comparison, Flip, Side, compare_scores, in_words

__all__ = ["compare_verb"]

_PROMPT = 200  # characters of a question on a terminal
_RESPONSE = 300  # of the end of a response: where the answer is


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B", required=False)
@click.option("--despite-conditions", is_flag=True, help="Compare although conditions differ, and say so.")
@click.option("--show", type=click.IntRange(min=0), default=3, show_default=True, help="Questions that flipped, shown.")
@json_option
def compare_verb(a: str, b: str | None, *, despite_conditions: bool, show: int, as_json: bool) -> None:
    """Compare two models on the same questions.

    A and B are folders of `run` or `eval`; FOLDER:BENCHMARK/STUDENT says which score, where there are several. Scores
    under different conditions are refused (exit code 2).
    """
    if b is None:
        raise UsageError("compare with what?", hint="name a second folder")
    found = compare_scores(a, b, despite_conditions=despite_conditions)
    _warn(found, Console())
    if as_json:
        print_json(found.as_json())
        return
    for line in _lines(found, show):
        click.echo(visible(line))


def _warn(found: Comparison, console: Console) -> None:
    """What a reader of the difference must not miss."""
    if found.obstacles:
        console.warn(f"{len(found.obstacles)} conditions differ or are unknown: this is no difference of models alone")
    for name, side in (("A", found.a), ("B", found.b)):
        if unscored := {status: count for status, count in side.unscored_rows.items() if count}:
            told = ", ".join(f"{count:,} {status}" for status, count in unscored.items())
            console.warn(f"{name}: {told} of {side.rows:,} answers are outside the score (our failure, not the model's)")


def _lines(found: Comparison, show: int) -> Iterator[str]:
    for name, side in (("A", found.a), ("B", found.b)):
        yield f"{name}  {side.mean:6.1%}  {side.sealed.label}  {side.sealed.folder}"
    yield f"{in_words(found.difference)}; p = {found.difference.p:.2g} ({found.difference.method})"
    yield f"{found.difference.n:,} questions with a score on both sides"
    yield from (line for name, side in (("A", found.a), ("B", found.b)) for line in _left_out(name, side))
    if found.obstacles:
        yield "despite conditions that differ or are unknown:"
        yield from (f"  {obstacle}" for obstacle in found.obstacles)
    yield from _slice_lines(found)
    yield f"flipped: {len(found.gained):,} that only B solves, {len(found.lost):,} that only A solves"
    yield from _flip_lines("only B", found.gained[:show])
    yield from _flip_lines("only A", found.lost[:show])


def _left_out(name: str, side: Side) -> Iterator[str]:
    if side.only_here:
        yield f"  {side.only_here:,} questions that only {name} has: left out"
    if side.unscored_questions:
        yield f"  {side.unscored_questions:,} questions of which {name} has no scored answer: left out"


def _slice_lines(found: Comparison) -> Iterator[str]:
    if found.slices:
        yield f"slices (p corrected for {len(found.slices)} by Holm):"
    for one in found.slices:
        mark = "*" if one.is_clear else " "
        difference = one.difference
        yield (
            f" {mark}{one.by} {one.value}: {one.mean_a:.1%} -> {one.mean_b:.1%}, {difference.estimate * 100:+.1f} points"
            f" [{difference.low * 100:+.1f}, {difference.high * 100:+.1f}],"
            f" p = {one.p_corrected:.2g}, n = {difference.n:,}"
        )


def _flip_lines(who: str, flips: Sequence[Flip]) -> Iterator[str]:
    for flip in flips:
        yield f"  {who}: {flip.question_id}  {_one_line(flip.prompt)[:_PROMPT]}"
        yield f"    answer {flip.answer}"
        yield f"    A {flip.status_a}: ...{_one_line(flip.response_a)[-_RESPONSE:]}"
        yield f"    B {flip.status_b}: ...{_one_line(flip.response_b)[-_RESPONSE:]}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
