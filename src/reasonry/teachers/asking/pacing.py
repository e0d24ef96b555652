"""When the next request may go to one endpoint: declared limits by the minute, and what the endpoint itself said.

Times are seconds of a clock that never goes back; nothing here sleeps.
"""

from __future__ import annotations

from reasonry.contracts import Headroom, RateLimits

__all__ = ["Pace"]

_BURST_S = 1.0  # a limit by the minute is kept by the second
_LONGEST_PAUSE_S = 600.0  # then it is asked again: nothing waits a day in silence
_LONGEST_RESET_S = 60.0  # a full reset may be far, and room for one request near
_CHARACTERS_PER_TOKEN = 4


class Pace:
    """Two leaky buckets (requests, tokens) for what is declared, two for what was told, and a pause."""

    def __init__(self, limits: RateLimits) -> None:
        self._requests = _Bucket(limits.requests_per_minute)
        self._tokens = _Bucket(limits.tokens_per_minute)
        self._is_bound = limits != RateLimits()  # by anything but a pause: most endpoints are not
        self._told_requests = _Told()
        self._told_tokens = _Told()
        self._not_before = 0.0
        self._tokens_out = 0.0  # what an answer has on average

    def wait_s(self, characters: int, now: float) -> float:
        """How long until a request of so many characters may go; 0: now."""
        pause = max(0.0, self._not_before - now)
        if not self._is_bound:
            return pause
        tokens = self._needed(characters)
        return max(
            pause,
            self._requests.wait_s(1, now),
            self._tokens.wait_s(tokens, now),
            self._told_requests.wait_s(1, now),
            self._told_tokens.wait_s(tokens, now),
        )

    def take(self, characters: int, now: float) -> float:
        """Count a request as sent; the tokens that were counted for it."""
        tokens = self._needed(characters)
        if not self._is_bound:
            return tokens
        self._requests.take(1, now)
        self._tokens.take(tokens, now)
        self._told_requests.take(1)
        self._told_tokens.take(tokens)
        return tokens

    def settle(self, counted: float, tokens_in: int | None, tokens_out: int | None, now: float) -> None:
        """Put in place of what was counted what was really used."""
        if tokens_out is not None:
            self._tokens_out += 0.05 * (tokens_out - self._tokens_out) if self._tokens_out else tokens_out
        if tokens_in is not None and tokens_out is not None:
            self._tokens.take(tokens_in + tokens_out - counted, now)

    def give_back(self, counted: float, now: float) -> None:
        """Take back what was counted for a request that was not answered."""
        self._tokens.take(-counted, now)

    def pause(self, seconds: float, now: float) -> None:
        """The endpoint asked not to be asked for so long."""
        self._not_before = max(self._not_before, now + min(seconds, _LONGEST_PAUSE_S))

    def note(self, headroom: Headroom, sent_since: int, age_s: float, now: float) -> None:
        """What the endpoint's headers said is left, of a request after which so many were sent, `age_s` ago."""
        self._is_bound = True
        if headroom.requests is not None and headroom.requests_reset_s:
            self._told_requests.told(headroom.requests, headroom.requests_reset_s, sent_since, age_s, now)
        if headroom.tokens is not None and headroom.tokens_reset_s:
            used = sent_since * self._tokens_out
            self._told_tokens.told(headroom.tokens, headroom.tokens_reset_s, used, age_s, now)

    def _needed(self, characters: int) -> float:
        return characters / _CHARACTERS_PER_TOKEN + self._tokens_out


class _Bucket:
    """Fills by the minute's share; may be overdrawn, and then waits."""

    def __init__(self, per_minute: float | None) -> None:
        self._per_s = None if per_minute is None else per_minute / 60
        self._room = max(1.0, (self._per_s or 0.0) * _BURST_S)
        self._level = self._room
        self._at: float | None = None

    def wait_s(self, amount: float, now: float) -> float:
        if self._per_s is None:
            return 0.0
        self._fill(now)
        # More than the bucket holds can only be had by overdrawing a full one.
        return max(0.0, min(amount, self._room) - self._level) / self._per_s

    def take(self, amount: float, now: float) -> None:
        if self._per_s is not None:
            self._fill(now)
            self._level = min(self._room, self._level - amount)

    def _fill(self, now: float) -> None:
        if self._per_s is not None and self._at is not None:
            self._level = min(self._room, self._level + (now - self._at) * self._per_s)
        self._at = now


class _Told:
    """What is left by an endpoint's own count, and how fast it fills.

    Headers say what is left and when it is whole again. What whole is, is the most that was ever left.
    """

    def __init__(self) -> None:
        self._whole = 0.0
        self._left: float | None = None
        self._per_s = 0.0
        self._at = 0.0

    def told(self, left: float, reset_s: float, used_since: float, age_s: float, now: float) -> None:
        self._whole = max(self._whole, left + 1)  # the request that was told has taken one
        self._per_s = max(self._whole - left, 1.0) / reset_s
        self._left = min(self._whole, left + self._per_s * age_s) - used_since
        self._at = now

    def take(self, amount: float) -> None:
        if self._left is not None:
            self._left -= amount

    def wait_s(self, amount: float, now: float) -> float:
        if self._left is None:
            return 0.0
        missing = min(amount, self._whole) - (self._left + self._per_s * (now - self._at))
        return min(missing / self._per_s, _LONGEST_RESET_S - (now - self._at)) if missing > 0 else 0.0
