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
    """Two leaky buckets (requests, tokens) and a pause."""

    def __init__(self, limits: RateLimits) -> None:
        self._requests = _Bucket(limits.requests_per_minute)
        self._tokens = _Bucket(limits.tokens_per_minute)
        self._not_before = 0.0
        self._tokens_out = 0.0  # what an answer has on average

    def wait_s(self, characters: int, now: float) -> float:
        """How long until a request of so many characters may go; 0: now."""
        tokens = self._needed(characters)
        return max(0.0, self._not_before - now, self._requests.wait_s(1, now), self._tokens.wait_s(tokens, now))

    def take(self, characters: int, now: float) -> float:
        """Count a request as sent; the tokens that were counted for it."""
        tokens = self._needed(characters)
        self._requests.take(1, now)
        self._tokens.take(tokens, now)
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

    def note(self, headroom: Headroom, now: float) -> None:
        """What the endpoint's headers said is left."""
        if headroom.requests == 0 and headroom.requests_reset_s:
            self.pause(min(headroom.requests_reset_s, _LONGEST_RESET_S), now)
        if headroom.tokens is not None and headroom.tokens_reset_s and headroom.tokens < self._tokens_out:
            self.pause(min(headroom.tokens_reset_s, _LONGEST_RESET_S), now)

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
