"""Estimates and previews as lines for a person, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from reasonry.console import dollars, duration, visible
from reasonry.estimating import Estimate, Range, Unknown
from reasonry.plan import Planned
from reasonry.previewing import Preview
from reasonry.recipe import Recipe

__all__ = ["estimate_json", "estimate_lines", "preview_json", "preview_lines"]

_NAME = 14
_NO_PRICE = "unknown: the recipe has no price (distil.price)"


def estimate_lines(planned: Planned, recipe: Recipe) -> Iterator[str]:
    """The block of one stage; nothing for a stage that has no estimate."""
    found = planned.estimate
    if isinstance(found, Unknown):
        yield f"estimate of {planned.step.name}: unknown: {found.reason}"
    elif found is not None:
        yield f"estimate of {planned.step.name}, from {found.basis}, for {found.questions:,} (95% intervals)"
        rows = [*_counts(found), *_money(found, recipe, planned), *_time(found), *_notes(found)]
        yield from (f"  {name:<{_NAME}}{text}" for name, text in rows)


def _counts(found: Estimate) -> Iterator[tuple[str, str]]:
    most = "" if found.most_requests is None else f", at most {found.most_requests:,}"
    paid = f", of which {found.paid_requests:,.0f} are answered already" if found.paid_requests else ""
    yield "requests", _range(found.requests, _count) + most + paid
    yield "rows", _range(found.rows, _count)
    for name, tokens in (("tokens in", found.tokens_in), ("tokens out", found.tokens_out)):
        yield name, "unknown: the teacher does not count them" if tokens is None else _range(tokens, _count)


def _money(found: Estimate, recipe: Recipe, planned: Planned) -> Iterator[tuple[str, str]]:
    if found.cost_usd is None:
        responders = recipe.distil.responders if recipe.distil else []
        has_price = all(one.tariff is not None for one in responders)
        yield "cost", "unknown: the teacher does not count its tokens" if has_price else _NO_PRICE
        return
    most = "" if found.most_usd is None else f", at most about {dollars(found.most_usd)}"
    yield "cost", _range(found.cost_usd, dollars) + most
    if found.paid_usd and found.remaining_usd is not None:
        yield "paid already", dollars(found.paid_usd)
        yield "still to pay", _range(found.remaining_usd, dollars)
    if recipe.budget is not None and planned.step.stage == "distil":
        yield "budget", f"{dollars(recipe.budget.usd)}: {_enough(recipe.budget.usd, found)}"


def _enough(budget: float, found: Estimate) -> str:
    cost, left = found.cost_usd, found.remaining_usd
    if cost is None or budget >= cost.high or (left is not None and left.high <= 0):
        return "enough"
    return "may not be enough" if budget >= cost.low else "not enough: the run will stop at it, and can be resumed"


def _time(found: Estimate) -> Iterator[tuple[str, str]]:
    if found.request_seconds is None:
        yield "time", "unknown: no request was timed"
    elif found.seconds is None:
        yield "time", f"{_range(found.request_seconds, duration)} ÷ the requests in flight (rough)"
    else:
        at = "" if found.in_flight in (None, 1.0) else f" at {found.in_flight:,.0f} in flight"
        yield "time", f"{_range(found.seconds, duration)}{at} (rough)"
    if found.bytes is not None:
        yield "text", f"{_bytes(found.bytes)}"


def _notes(found: Estimate) -> Iterator[tuple[str, str]]:
    if found.is_rough:
        yield "", "rough: as if its questions were like those that were seen"


def _range(figure: Range, shown: Any) -> str:
    if figure.low == figure.high:
        return shown(figure.estimate)
    high = "?" if math.isinf(figure.high) else shown(figure.high)
    return f"{shown(figure.estimate)} [{shown(figure.low)}, {high}]".replace("[$", "[").replace(", $", ", ")


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _bytes(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:.0f} bytes"


def estimate_json(found: Estimate | Unknown | None) -> dict[str, Any] | None:
    """With `known` false and the reason where nothing can be said. An interval without an end has null there."""
    if found is None:
        return None
    if isinstance(found, Unknown):
        return {"known": False, "reason": found.reason}
    return {"known": True, **_finite(asdict(found))}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def preview_lines(previews: Sequence[Preview]) -> Iterator[str]:
    """What would be sent, with whatever could steer a terminal made visible."""
    for number, shown in enumerate(previews, 1):
        if number > 1:
            yield ""
        yield visible(
            f"{number}. {shown.question_id}  domain {shown.domain}, verifier {shown.verifier}, from {shown.source}"
        )
        yield f"   prompt        {visible(shown.rule)}"
        yield f"   temperature   {_temperatures(shown.temperatures)}"
        if shown.top_p is not None:
            yield f"   top_p         {shown.top_p:g}"
        yield f"   max_tokens    {'left to the endpoint' if shown.max_tokens is None else f'{shown.max_tokens:,}'}"
        for message in shown.messages:
            yield f"   {message.role}:"
            yield from (f"     {line}" for line in visible(message.content).split("\n"))


def _temperatures(values: Sequence[float | None]) -> str:
    named = ["left to the endpoint" if value is None else f"{value:g}" for value in values]
    if len(set(named)) == 1:
        return named[0]
    return ", ".join(f"{name} (sample {index})" for index, name in enumerate(named))


def preview_json(previews: Sequence[Preview]) -> list[dict[str, Any]]:
    return [asdict(shown) for shown in previews]
