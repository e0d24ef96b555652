"""What an endpoint's response headers say: how long to wait, and how much is left of a rate limit.

Every value is read leniently, since providers differ: seconds, a duration such as `6m0s` or `20ms`, an HTTP date, an
RFC 3339 time, or a Unix time. What cannot be read is unknown, never an error.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from reasonry.contracts import Headroom

__all__ = ["RateHeaders", "headroom_in", "retry_after_in", "retry_after_s", "seconds_in"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_SECONDS_IN = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_EPOCH_SECONDS = 1e9  # a number as large as this is a time, not a duration: 2001 in seconds
_EPOCH_MILLISECONDS = 1e12
_LONGEST_TEXT = 40
_LONGEST_S = 86_400.0  # nobody means more than a day; and a pause must end


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """The names of the headers that say what is left of a rate limit."""

    requests: str | None = None
    requests_reset: str | None = None
    tokens: str | None = None
    tokens_reset: str | None = None


def headroom_in(headers: Mapping[str, str], names: RateHeaders) -> Headroom | None:
    """What the headers of one response say; None where they say nothing that can be read."""
    requests = _count(headers, names.requests)
    tokens = _count(headers, names.tokens)
    if requests is None and tokens is None:
        return None
    return Headroom(
        requests=requests,
        requests_reset_s=_reset(headers, names.requests_reset),
        tokens=tokens,
        tokens_reset_s=_reset(headers, names.tokens_reset),
    )


def retry_after_in(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait before another try: `retry-after-ms` where there is one, as it is the finer, else Retry-After."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return _pause(milliseconds / 1000)
    return retry_after_s(headers.get("Retry-After"))


def retry_after_s(header: str | None) -> float | None:
    """Seconds to wait, from a Retry-After header: a number or an HTTP date (RFC 9110, section 10.2.3)."""
    if header is None:
        return None
    seconds = _number(header)
    if seconds is None:
        seconds = _seconds_until(header)
    return _pause(seconds) if math.isfinite(seconds) else None


def _pause(seconds: float) -> float:
    return min(max(0.0, seconds), _LONGEST_S)


def seconds_in(text: str) -> float | None:
    """Seconds from now, however a provider writes them; None for what cannot be read."""
    text = text.strip()
    number = _number(text)
    if number is not None:
        return _from_now(number)
    if len(text) > _LONGEST_TEXT:
        return None
    return _duration(text) if _DURATION.match(text) and "T" not in text else _until(text)


def _from_now(number: float) -> float:
    if number >= _EPOCH_MILLISECONDS:
        number = number / 1000 - time.time()
    elif number >= _EPOCH_SECONDS:
        number -= time.time()
    return _pause(number)


def _duration(text: str) -> float | None:
    """`1m26.4s`: a sequence of numbers with units, and nothing else."""
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        return None
    return _pause(sum(float(number) * _SECONDS_IN[unit] for number, unit in parts))


def _until(text: str) -> float | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return _pause((at - datetime.now(UTC)).total_seconds())


def _seconds_until(date: str) -> float:
    try:
        at = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return math.nan
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at - datetime.now(UTC)).total_seconds()


def _count(headers: Mapping[str, str], name: str | None) -> int | None:
    """A whole number that is not negative. Some endpoints say -1 for "no limit"."""
    text = headers.get(name) if name else None
    number = _number(text) if text is not None else None
    return int(number) if number is not None and number >= 0 else None


def _reset(headers: Mapping[str, str], name: str | None) -> float | None:
    text = headers.get(name) if name else None
    return seconds_in(text) if text is not None else None


def _number(text: str) -> float | None:
    if len(text) > _LONGEST_TEXT:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
