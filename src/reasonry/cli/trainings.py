"""What a training needs, as lines for a person and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from reasonry.console import dollars, duration
from reasonry.estimating import Range, Unknown
from reasonry.trainers.fitting import ROOM
from reasonry.trainers.needs import GPUS
from reasonry.training_needs import Tokens, TrainingNeeds

__all__ = ["needs_json", "needs_lines"]

_NAME = 14


def needs_lines(name: str, needs: TrainingNeeds | None) -> Iterator[str]:
    """The block of one training; nothing where nothing is said of it."""
    if needs is None:
        return
    where = f" on {needs.gpus:,} x {needs.gpu}" if needs.gpu else ""
    yield f"needs of {name}: {needs.model}{where}"
    rows = [*_size(needs), *_memory(needs), *_data(needs), *_time(needs)]
    yield from (f"  {label:<{_NAME}}{text}" for label, text in rows)


def _size(needs: TrainingNeeds) -> Iterator[tuple[str, str]]:
    if isinstance(needs.parameters, Unknown):
        yield "parameters", f"unknown: {needs.parameters.reason}"
        return
    most = "at most " if needs.model == "tiny" else ""
    some = needs.trained is not None and needs.trained < needs.parameters
    yield "parameters", f"{most}{needs.parameters:,}" + (f"; {needs.trained:,} in adapters are trained" if some else "")


def _memory(needs: TrainingNeeds) -> Iterator[tuple[str, str]]:
    if (memory := needs.memory) is None:
        return
    parts = f"states {_gigabytes(memory.states)}, activations {_gigabytes(memory.activations)}"
    total, logits = _gigabytes(memory.total), _gigabytes(memory.logits)
    yield "memory", f"at least {total} GB on each GPU ({parts}, logits {logits})"
    if needs.gpu_bytes is None:
        yield "fits", f"unknown: set train.gpu ({', '.join(GPUS)})"
        return
    room = f"into {ROOM:.0%} of {needs.gpu_bytes / 1e9:.0f} GB"
    yield "fits", f"yes, {room}" if needs.fits else f"no, not {room}"
    for number, remedy in enumerate(needs.remedies):
        yield "" if number else "would fit", remedy
    if not needs.fits and not needs.remedies:
        yield "would fit", "nothing tried here: a smaller max_length, another GPU, offloading"


def _data(needs: TrainingNeeds) -> Iterator[tuple[str, str]]:
    if isinstance(needs.tokens, Unknown):
        yield "tokens", f"unknown: {needs.tokens.reason}"
    else:
        yield "tokens", _tokens(needs.tokens)
    steps = "unknown" if needs.steps is None else f"{_most(needs)}{needs.steps:,}"
    yield "steps", f"{steps}, {needs.sequences:,} sequences each"


def _tokens(tokens: Tokens) -> str:
    most = "at most " if tokens.is_most else ""
    left_out = f"; {tokens.too_long:,} longer than max_length are left out" if tokens.too_long else ""
    return f"{most}{tokens.tokens:,} in {tokens.rows:,} examples ({tokens.basis}){left_out}"


def _most(needs: TrainingNeeds) -> str:
    return "at most " if isinstance(needs.tokens, Tokens) and needs.tokens.is_most else ""


def _time(needs: TrainingNeeds) -> Iterator[tuple[str, str]]:
    if needs.hours is None or needs.utilization is None:
        if needs.memory is not None:
            yield "time", "unknown" + ("" if needs.gpu else ": set train.gpu")
        return
    seconds = needs.hours.over(1 / 3600)
    yield "time", f"{_most(needs)}{_range(seconds, duration)} at {_range(needs.utilization, _percent)} of the peak"
    if needs.cost_usd is None:
        yield "cost", "unknown: set train.gpu_usd_per_hour"
    else:
        yield "cost", f"{_most(needs)}{_range(needs.cost_usd, dollars)}"


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f}" if count >= 1e9 else f"{count / 1e9:.2g}"


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _range(figure: Range, shown: Callable[[float], str]) -> str:
    if figure.low == figure.high:
        return shown(figure.estimate)
    return f"{shown(figure.estimate)} [{shown(figure.low)}, {shown(figure.high)}]"


def needs_json(needs: TrainingNeeds | None) -> dict[str, Any] | None:
    """With null for what is unknown, and `unknown` saying why, by field."""
    if needs is None:
        return None
    reasons = {
        name: value.reason
        for name, value in (("parameters", needs.parameters), ("tokens", needs.tokens))
        if isinstance(value, Unknown)
    }
    return {"schema": 1, **asdict(needs), **dict.fromkeys(reasons), "unknown": reasons}
