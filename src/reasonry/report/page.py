"""From facts to one HTML file: no script, no network, and whatever stands in the data is shown, never obeyed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from reasonry.console import dollars, visible
from reasonry.report.model import Facts, Score
from reasonry.report.plots import Line, Whisker, line_chart, whisker_chart
from reasonry.types import Status

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["both_widths", "page_environment", "render"]

WIDE, NARROW = 960, 326
HISTOGRAM_BARS = 16


def render(facts: Facts) -> str:
    """The page, as text. It is a function of the facts alone."""
    return (
        page_environment()
        .get_template("page.html.j2")
        .render(
            facts=facts,
            statuses=[status.value for status in Status],
            largest=max((step.rows_out + sum(step.dropped.values()) for step in facts.funnel), default=0) or 1,
            histogram=(histogram := _histogram(facts)),
            most_questions=max((questions for _, questions in histogram), default=1),
            loss_plots=_loss_plots(facts),
            score_plots=list(_score_plots(facts)),
            traces_by_status=_grouped(facts.traces, "status"),
            completions_by_student=_grouped(facts.completions, "benchmark", "student"),
            hits_by_how=_grouped(facts.contamination.hits, "how") if facts.contamination else [],
            drops_by_stage=_grouped(facts.drops, "stage"),
        )
    )


def page_environment() -> Any:
    """Where templates live, with the filters that they use; whatever they show is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reasonry.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": _number,
        "percent": _percent,
        "dollars": _dollars,
        "duration": _duration,
        "moment": _moment,
        "shown": _shown,
        "short": _short,
    }
    return environment


def _histogram(facts: Facts) -> list[tuple[str, int]]:
    """Traces per question by number; where there are many numbers, those above in ranges of equal width."""
    if facts.economy is None or facts.economy.samples is None:
        return []
    samples = facts.economy.samples
    width = max(1, -(-samples.most // HISTOGRAM_BARS))
    if width == 1:
        return [(str(count), questions) for count, questions in samples.histogram]
    bars: dict[int, int] = {}
    for count, questions in samples.histogram:
        bars[count // width] = bars.get(count // width, 0) + questions
    return [(f"{bar * width}–{bar * width + width - 1}", questions) for bar, questions in sorted(bars.items())]


def _grouped(rows: Sequence[Any], *names: str) -> list[tuple[str, list[Any]]]:
    """Neighbouring rows with the same values of these fields, under those values."""

    def heading(row: Any) -> str:
        return ": ".join(str(getattr(row, name)) for name in names)

    return [(key, list(group)) for key, group in groupby(rows, key=heading)]


def _loss_plots(facts: Facts) -> Mapping[str, Markup] | None:
    lines = [Line(curve.student, curve.points) for curve in facts.training]
    if not any(y is not None for line in lines for _, y in line.points):
        return None
    return both_widths(
        lambda width: line_chart(lines, x_label="step", y_label="loss, nats per token", width=width, height=250)
    )


def _score_plots(facts: Facts) -> Iterator[tuple[str, Mapping[str, Markup]]]:
    """One chart for each benchmark: every student before and after training."""
    students = list(dict.fromkeys(score.student for score in facts.scores))
    for benchmark in dict.fromkeys(score.benchmark for score in facts.scores):
        chosen = [score for score in facts.scores if score.benchmark == benchmark]
        whiskers = [w for score in chosen if (w := _whisker(score, students.index(score.student))) is not None]
        if whiskers:
            yield benchmark, both_widths(lambda width, rows=whiskers: _accuracy_chart(rows, width))


def _accuracy_chart(whiskers: Sequence[Whisker], width: int) -> str:
    return whisker_chart(whiskers, x_label="accuracy, with 95% interval", width=width)


def _whisker(score: Score, color: int) -> Whisker | None:
    if score.accuracy is None:
        return None
    low = score.accuracy if score.low is None else score.low
    high = score.accuracy if score.high is None else score.high
    name = f"{_shown(score.student)[:28]}{', before training' if score.untrained else ''}"
    text = f"{_percent(score.accuracy)} of {_number(score.n)}"
    return Whisker(name, text, score.accuracy, low, high, score.untrained, color)


def both_widths(draw: Any) -> Mapping[str, Markup]:
    """The same plot for a screen and for a phone. Its text is escaped where it is drawn."""
    from markupsafe import Markup

    return {"wide": Markup(draw(WIDE)), "narrow": Markup(draw(NARROW))}  # noqa: S704


def _shown(value: object) -> str:
    """Text with its invisible characters made visible."""
    text = str(value).replace("\r\n", "\n")
    return visible(text)


def _number(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _short(digest: str) -> str:
    return digest[:12]


def _percent(share: float | None) -> str:
    return "no score" if share is None else f"{100 * share:.1f}%"


def _dollars(value: float | None) -> str:
    return "unknown" if value is None else dollars(value)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _moment(at: float | None) -> str:
    return "unknown" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
