"""compare: two models on the same questions, or a run beside published scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import click

from reasonry.benchmarks.published_scores import PublishedScore, published_scores
from reasonry.cli.options import AnyPath, json_option, print_json
from reasonry.console import Console, visible
from reasonry.errors import UsageError
from reasonry.pairing import Comparison, Flip, ScoreBeside, Side, beside_published, compare_scores, in_words

__all__ = ["compare_verb"]

_PROMPT = 200  # characters of a question on a terminal
_RESPONSE = 300  # of the end of a response: where the answer is


@click.command("compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B", required=False)
@click.option("--despite-conditions", is_flag=True, help="Compare although conditions differ, and say so.")
@click.option("--shared-questions", is_flag=True, help="Compare on the questions that both were asked.")
@click.option("--show", type=click.IntRange(min=0), default=3, show_default=True, help="Questions that flipped, shown.")
@click.option("--published", is_flag=True, help="Put A's scores beside published ones.")
@click.option("--published-from", type=AnyPath, metavar="FILE", help="The same, with published scores of your own.")
@json_option
def compare_verb(
    a: str,
    b: str | None,
    *,
    despite_conditions: bool,
    shared_questions: bool,
    show: int,
    published: bool,
    published_from: Path | None,
    as_json: bool,
) -> None:
    """Compare two models on the same questions, or A's scores with published ones.

    A and B are folders of `run` or `eval`; FOLDER:BENCHMARK/STUDENT says which score, where there are several. Scores
    under different conditions are refused (exit code 2); --shared-questions leaves it at what both were asked.
    """
    if published or published_from is not None:
        if b is not None:
            raise UsageError("published scores stand beside one run", hint="leave B out")
        _published(a, published_from, as_json=as_json)
        return
    if b is None:
        raise UsageError("compare with what?", hint="name a second folder, or say --published")
    found = compare_scores(a, b, despite_conditions=despite_conditions, shared_questions=shared_questions)
    _warn(found, Console())
    if as_json:
        print_json(found.as_json())
        return
    for line in _lines(found, show):
        click.echo(visible(line))


def _published(run: str, path: Path | None, *, as_json: bool) -> None:
    found = beside_published(run, published_scores(path))
    if as_json:
        print_json({"schema": 1, "scores": [score.as_json() for score in found]})
        return
    for score in found:
        for line in _beside_lines(score):
            click.echo(visible(line))


def _beside_lines(score: ScoreBeside) -> Iterator[str]:
    yield f"{score.sealed.label}: {score.accuracy:.1%} [{score.low:.1%}, {score.high:.1%}]"
    if not score.published:
        yield f"  no published score on '{score.sealed.part}' is known"
        return
    comparable = sum(one.is_comparable for one in score.published)
    yield f"  {comparable} of {len(score.published)} published scores are under the same conditions"
    for (source, why_not), several in groupby(score.published, lambda one: (_source_of(one.published), one.why_not())):
        yield f"  {source}"
        yield f"    not comparable; {why_not}" if why_not else "    comparable"
        for one in several:
            verdict = f": {score.verdict(one)}" if one.is_comparable else ""
            yield f"    {one.published.value:6.1%}  {one.published.model}{verdict}"


def _source_of(published: PublishedScore) -> str:
    second_hand = "" if published.second_hand is None else f" (second-hand: {published.second_hand})"
    return f"{published.source}, {published.date}, {published.url}{second_hand}"


def _warn(found: Comparison, console: Console) -> None:
    """What a reader of the difference must not miss."""
    if found.obstacles:
        console.warn(
            f"conditions that differ or are unknown: {len(found.obstacles)}; this is no difference of models alone"
        )
    for name, side in (("A", found.a), ("B", found.b)):
        if unscored := {status: count for status, count in side.unscored_rows.items() if count}:
            told = ", ".join(f"{count:,} {status}" for status, count in unscored.items())
            console.warn(
                f"{name}: {told} of {side.rows:,} answers are outside the score (our failure, not the model's)"
            )


def _lines(found: Comparison, show: int) -> Iterator[str]:
    for name, side in (("A", found.a), ("B", found.b)):
        yield f"{name}  {side.mean:6.1%}  {side.sealed.label}  {side.sealed.folder}"
    yield f"{in_words(found.difference)}; p = {found.difference.p:.2g} ({found.difference.method})"
    yield f"questions with a score on both sides: {found.difference.n:,}"
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
        yield f"  left out: {side.only_here:,} that only {name} has"
    if side.unscored_questions:
        yield f"  left out: {side.unscored_questions:,} of which {name} has no scored answer"


def _slice_lines(found: Comparison) -> Iterator[str]:
    if found.slices:
        yield f"slices (p corrected for {len(found.slices)} by Holm):"
    for one in found.slices:
        mark, found_here = "*" if one.is_clear else " ", one.difference
        low, high = found_here.low * 100, found_here.high * 100
        yield (
            f" {mark}{one.by} {one.value}: {one.mean_a:.1%} -> {one.mean_b:.1%},"
            f" {found_here.estimate * 100:+.1f} points [{low:+.1f}, {high:+.1f}],"
            f" p = {one.p_corrected:.2g}, n = {found_here.n:,}"
        )


def _flip_lines(who: str, flips: Sequence[Flip]) -> Iterator[str]:
    for flip in flips:
        yield f"  {who}: {flip.question_id}  {_one_line(flip.prompt)[:_PROMPT]}"
        yield f"    answer {flip.answer}"
        yield f"    A {flip.status_a}: {_end_of(flip.response_a)}"
        yield f"    B {flip.status_b}: {_end_of(flip.response_b)}"


def _end_of(response: str) -> str:
    line = _one_line(response)
    return line if len(line) <= _RESPONSE else f"...{line[-_RESPONSE:]}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
