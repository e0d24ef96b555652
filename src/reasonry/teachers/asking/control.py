"""How many requests may be in flight at one endpoint, found while asking. Pure: it is told what happened.

An endpoint that serves so many at once and refuses the rest (429) tells its limit exactly: a request that was sent as
the ninth in flight and refused says that no more than eight are served. So the number grows by one with every answer
until the first refusal, falls to what that refusal says, and stays there; from then on one more is tried now and then,
ever more rarely, so that refusals stay far below one in a hundred. (Additive increase, multiplicative decrease, as in
Jacobson's congestion avoidance, 1988, with the decrease bounded by the evidence.)

Refusals that have nothing to do with the load (as many were served at once not long ago) lower the number gently, and
no further once it is seen that it does not help. Failures (5xx, connections, timeouts) lower it only where they are
many. Where the recipe leaves the number open, growth ends where more in flight no longer brings more answers a second,
as with a server that queues instead of refusing.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Control", "Sent"]

FIRST = 32  # in flight at the beginning
_GROWTH = 2.0  # per answer, before the first refusal
_REGROWTH = 0.5  # per answer, below what is known to be refused
_TOLERATED = 0.01  # of results that are refusals: no reason to change anything
_MANY_FAILURES = 0.3
_FEW = 20  # requests from which nothing is concluded yet
_PROBE_AFTER = 600  # answers since the number fell before one more is tried; doubled with every refused try
_PROBE_RARELY = 1 << 15
_CAUSE_TEST = 0.7  # a number lowered so far must have lowered the share of refusals too, or the load is not the cause
_IMMUNE = 2000  # answers for which refusals are then taken as they come
_SLOWER = 1.7  # a doubling that took so much longer than the one before brought hardly more answers a second
_KNEE_ROOM = 1.5  # in flight at the knee, above where growth still paid
_RARELY_ROUNDS = 64  # of answers, at most, until more is tried again
_LIFT = 1.25  # how far above the knee it is tried again
_GAIN = 1.08  # ... and kept if it brings so many more answers a second


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it was sent: its serial number at this endpoint, and how many were in flight, itself included."""

    number: int
    in_flight: int


@dataclass(slots=True)
class _Window:
    """What came of the requests sent since number `start`. Shares are of those sent, for answers take their time."""

    start: int = 0
    refusals: int = 0
    failures: int = 0

    def refused(self, next_number: int) -> float:
        return self.refusals / max(_FEW, next_number - self.start)

    def failed(self, next_number: int) -> float:
        return self.failures / max(_FEW, next_number - self.start)


class Control:
    """The number for one endpoint, between 1 and `most`. `seeks_knee`: growth ends where it no longer pays."""

    def __init__(self, most: int, *, seeks_knee: bool = False) -> None:
        self._most = most
        self._limit = float(min(most, FIRST))
        self._refused_at: int | None = None  # the fewest in flight that are known to be too many
        self._served_at = 0  # the most in flight of which one was answered
        self._fell_at = 0  # the serial number from which on requests tell of the present number
        self._window = _Window()
        self._answers = 0  # since the number fell
        self._is_probing = False
        self._probe_after = _PROBE_AFTER
        self._backoff = _PROBE_AFTER  # what that is after the next refused try
        self._step = 1
        self._test: tuple[float, float] | None = None  # number and share of refusals when it began to fall gently
        self._immune = 0
        self._knee = _Knee(self._limit) if seeks_knee else None

    @property
    def limit(self) -> int:
        return max(1, int(self._limit))

    def answered(self, sent: Sent, in_flight: int, now: float) -> None:
        """A request was answered. `in_flight` counts the others; `now` is in seconds of a clock that only goes on."""
        if sent.number >= self._fell_at:
            self._served_at = max(self._served_at, sent.in_flight)
        self._answers += 1
        self._immune = max(0, self._immune - 1)
        if self._knee is not None and self._knee.is_found:
            self._limit = min(float(self._most), self._knee.lift(self.limit, now))
        if in_flight + 1 >= self.limit:
            self._grow(sent, now)

    def refused(self, sent: Sent, next_number: int) -> bool:
        """A request was refused for there being too many. `next_number` is that of the next to be sent.

        True: more were in flight than were ever served, so the number says it all. False: it may have another cause.
        """
        is_load = 0 < self._served_at < sent.in_flight
        self._refused(sent, next_number)
        return is_load

    def _refused(self, sent: Sent, next_number: int) -> None:
        if sent.number < self._fell_at:
            return  # sent before the number fell: it is known already
        window = self._count(next_number)
        window.refusals += 1
        share = window.refused(next_number)
        if self._immune and share < 0.5:
            return
        self._immune = 0
        if self._is_probing and self._refused_at is not None and sent.in_flight >= self._refused_at:
            self._step, self._probe_after = 1, self._backoff
            self._backoff = min(2 * self._backoff, _PROBE_RARELY)
            self._fall(self._refused_at - 1.0, next_number)
        elif sent.in_flight > self._served_at:
            # No further than growth went in one round, for one refusal may mean nothing.
            most = 1 + _GROWTH if self._refused_at is None else 2
            self._fall(max(self._limit / most, min(self._limit, sent.in_flight - 1.0)), next_number)
        elif next_number - window.start >= max(_FEW, self._limit / 2) and share > _TOLERATED:
            self._fall_gently(share, next_number)

    def failed(self, sent: Sent, next_number: int) -> None:
        """A request failed: a server's error, a lost connection, no answer in time."""
        if sent.number < self._fell_at:
            return
        window = self._count(next_number)
        window.failures += 1
        if window.failed(next_number) > _MANY_FAILURES:
            self._limit = max(1.0, 0.7 * self._limit)
            self._start_over(next_number)

    def _count(self, next_number: int) -> _Window:
        """The window to count in, no longer than what is recent."""
        if next_number - self._window.start >= max(10 * _FEW, 2 * self.limit):
            self._window = _Window(next_number - 1)
        return self._window

    def _grow(self, sent: Sent, now: float) -> None:
        if self._refused_at is None:
            if self._knee is None or not self._knee.is_found:
                self._limit = min(float(self._most), self._limit + _GROWTH)
                if self._knee is not None:
                    self._limit = self._knee.grown(self._limit, now)
            return
        room = self._refused_at - 1.0
        if sent.in_flight >= self._refused_at and sent.number >= self._fell_at:
            self._refused_at += self._step  # one more was served after all: the endpoint serves more than it did
            self._step, self._probe_after, self._backoff = 2 * self._step, self.limit, _PROBE_AFTER
        elif self._limit < room:
            self._limit = min(room, self._limit + _REGROWTH)
        elif self._answers >= self._probe_after:
            self._limit = min(float(self._most), room + 1)
            self._answers, self._is_probing = 0, True

    def _fall(self, limit: float, next_number: int) -> None:
        self._limit = max(1.0, limit)
        self._refused_at = self.limit + 1
        self._served_at = min(self._served_at, self.limit)
        self._start_over(next_number)

    def _start_over(self, next_number: int) -> None:
        self._fell_at = next_number
        self._answers = 0
        self._is_probing = False
        self._window = _Window(next_number)

    def _fall_gently(self, share: float, next_number: int) -> None:
        """Lower the number by what the share of refusals asks for, as long as that helps.

        Where too many are in flight nearly all that is sent is refused, since refusals come at once; so among few in
        flight a small share has another cause.
        """
        if self._test is None:
            self._test = self._limit, share
        before, share_before = self._test
        is_judged = self._limit <= max(FIRST, _CAUSE_TEST * before)
        if is_judged:
            self._test = None
        if is_judged and share < 0.5 and (before <= FIRST or share >= _CAUSE_TEST * share_before):
            self._limit, self._refused_at, self._immune = before, None, _IMMUNE
            self._start_over(next_number)
            return
        factor = 0.95 if share < 0.2 else 0.8 if share < 0.5 else 0.5
        self._fall(factor * self._limit, next_number)


class _Knee:
    """Where more in flight no longer brings more answers a second.

    While the number grows by one with every answer, a doubling takes the same time for as long as answers take the
    same; at a server that is full it takes twice as long as the one before. Later a little more is tried now and then.
    """

    def __init__(self, limit: float) -> None:
        self._marks: list[tuple[float, float]] = []  # (the number, when it was reached), each twice the one before
        self._first = limit
        self.is_found = False
        self._rounds = 4  # to wait before more is tried
        self._round: tuple[float, int] | None = None  # when the present round began, and the answers still to come
        self._waited = 0
        self._tried: tuple[int, float] | None = None  # the number before the try, and its answers a second

    def grown(self, limit: float, now: float) -> float:
        """The number to go on with, while it grows."""
        due = self._marks[-1][0] * 2 if self._marks else self._first
        if limit < due:
            return limit
        self._marks.append((limit, now))
        if len(self._marks) < 4:
            return limit
        (_, a), (start, b), (_, c), (_, d) = self._marks[-4:]
        if d - c >= _SLOWER * (c - b) and c - b >= 1.1 * (b - a):
            self.is_found = True
            return _KNEE_ROOM * start
        return limit

    def lift(self, limit: int, now: float) -> float:
        """The number to go on with, once the knee was found: called for every answer."""
        if self._round is None:
            self._round = now, limit
        began, left = self._round
        if left > 1:
            self._round = began, left - 1
            return limit
        self._round = None
        rate = limit / max(now - began, 1e-9)
        return self._judged(limit, rate)

    def _judged(self, limit: int, rate: float) -> float:
        self._waited += 1
        if self._tried is not None:
            if self._waited < 2:  # the first round still has answers that were asked for before
                return limit
            before, rate_before = self._tried
            self._tried, self._waited = None, 0
            if rate >= _GAIN * rate_before:
                self._rounds = 4
                return limit
            self._rounds = min(2 * self._rounds, _RARELY_ROUNDS)
            return before
        if self._waited >= self._rounds:
            self._tried, self._waited = (limit, rate), 0
            return max(limit + 1, _LIFT * limit)
        return limit
