"""Who may be asked now: one gate for each endpoint of a teacher, and the choice between them.

A request that waits for its turn holds no connection and no task: the engine asks `take` for a gate when it has
something to send, and `ready_in_s` when it should ask again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from reasonry.contracts import Endpoint, Headroom, RateLimits, Served, Teacher
from reasonry.errors import TeacherError
from reasonry.teachers.asking.control import Control, Sent
from reasonry.teachers.asking.pacing import Pace
from reasonry.types import Reply, Request

__all__ = ["Admission", "Gate", "Turn"]

_REFUSALS = frozenset({429, 503, 529})
_SPOKE = frozenset({200, 429})  # what came is of no use, but the endpoint is up
_BREAK_AFTER = 8  # failures in a row, with no answer between them
_FIRST_REST_S, _LONGEST_REST_S = 1.0, 60.0
_GIVE_UP_S = 1800.0  # an endpoint that failed for so long, with a try a minute, is not coming back by itself
_NEVER_THERE_S = 60.0  # one that never answered is probably not there


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to send one request to one gate's endpoint."""

    gate: Gate
    sent: Sent
    counted_tokens: float
    at: float


class Gate:
    """One endpoint: how many it serves at once, how fast, and whether it is up."""

    def __init__(
        self,
        call: Callable[[Request], Awaitable[Reply]],
        name: str,
        weight: float,
        control: Control | int,
        pace: Pace,
        say: Callable[[str], None],
    ) -> None:
        self.call = call
        self.name = name
        self.in_flight = 0
        self._weight = weight
        self._control = control
        self._pace = pace
        self._breaker = _Breaker()
        self._numbers = 0
        self._noted: Headroom | None = None
        self._shut: TeacherError | None = None
        self._say = say
        self._has_answered = False

    @property
    def limit(self) -> int:
        return self._control if isinstance(self._control, int) else self._control.limit

    @property
    def load(self) -> float:
        return (self.in_flight + 1) / self._weight

    @property
    def is_up(self) -> bool:
        """Whether it answers, as far as is known."""
        return self._shut is None and not self._breaker.is_open

    @property
    def shut_by(self) -> TeacherError | None:
        """The error that would meet every further request."""
        return self._shut

    def wait_s(self, characters: int, now: float) -> float | None:
        """How long until it takes another; None: until one in flight has ended, or never."""
        if self._shut is not None or self.in_flight >= min(self.limit, self._breaker.most):
            return None
        return max(self._breaker.wait_s(now), self._pace.wait_s(characters, now))

    def take(self, characters: int, now: float) -> Turn:
        self.in_flight += 1
        self._numbers += 1
        return Turn(self, Sent(self._numbers, self.in_flight), self._pace.take(characters, now), now)

    def ended(self, turn: Turn, result: Reply | TeacherError | None, now: float) -> None:
        """What came of a turn; None where it was given up by ourselves."""
        self.in_flight -= 1
        if isinstance(result, Reply):
            self._pace.settle(turn.counted_tokens, result.tokens_in, result.tokens_out, now)
            self._has_answered = True
            if self._breaker.is_open:
                self._say(f"{self.name} answers again")
            self._breaker.answered()
            if not isinstance(self._control, int):
                self._control.answered(turn.sent, self.in_flight, now)
        elif result is not None:
            self._pace.give_back(turn.counted_tokens, now)
            self._failed(turn, result, now)
        headroom = getattr(self.call, "headroom", None)
        if headroom is not None and headroom is not self._noted:  # what was said once is not said again by a failure
            self._noted = headroom
            self._pace.note(headroom, self._numbers - turn.sent.number, now - turn.at, now)

    def _failed(self, turn: Turn, error: TeacherError, now: float) -> None:
        if error.fatal:
            self._shut = error
        elif isinstance(self._control, int):
            return
        elif error.http_status in _REFUSALS:
            is_load = self._control.refused(turn.sent, self._numbers + 1)
            if error.retry_after_s and not is_load:  # else this request waits, and the others take the places there are
                self._pace.pause(error.retry_after_s, now)
            if turn.sent.in_flight == 1:  # refused though it was alone: that is no matter of load
                self._broke(turn, error, now)
        elif not error.retryable:
            self._breaker.answered()  # it works, and will not have this request
        else:
            if error.http_status != 200:
                self._control.failed(turn.sent, self._numbers + 1)
            self._broke(turn, error, now)

    def _broke(self, turn: Turn, error: TeacherError, now: float) -> None:
        """Count a failure. Else an endpoint that fails at once, having little to do, would draw most requests."""
        is_down = error.http_status not in _SPOKE
        was_open = self._breaker.is_open
        gone_s = self._breaker.failed(turn.sent.number, self._numbers + 1, now, is_down=is_down)
        if self._breaker.is_open and not was_open:
            self._say(f"{self.name} does not answer ({error.message}); it is tried again, one request at a time")
        if gone_s > (_GIVE_UP_S if self._has_answered else _NEVER_THERE_S):
            hint = "see whether it is up; every answer so far is in the ledger: run again to resume"
            if not self._has_answered:
                hint = "is it started? check base_url; then run again"
            self._shut = TeacherError(
                f"no answer for {gone_s:.0f} s: {error.message}", place=self.name, fatal=True, hint=hint
            )
            self._say(f"{self.name} is given up: {self._shut.message}")


class Admission:
    """All gates of a teacher, and how many requests may be in flight altogether."""

    def __init__(self, gates: Sequence[Gate], most: int) -> None:
        self.gates = gates
        self._most = most

    @classmethod
    def of(cls, teacher: Teacher, most: int, *, seeks_knee: bool, say: Callable[[str], None]) -> Admission:
        """A gate for each endpoint of a served teacher, each at `most`; one without control for any other teacher."""
        if not isinstance(teacher, Served):
            return cls([Gate(teacher, teacher.served_by, 1.0, most, Pace(RateLimits()), say)], most)
        return cls([_gate(endpoint, Control(most, seeks_knee=seeks_knee), say) for endpoint in teacher.endpoints], most)

    @property
    def in_flight(self) -> int:
        return sum(gate.in_flight for gate in self.gates)

    def take(
        self, characters: int, now: float, failed_at: Gate | None = None, *, elsewhere: bool = False
    ) -> Turn | None:
        """A turn at the gate with the least to do for its weight; None where none is open now.

        At the gate where the request failed last only if no other is open, and with `elsewhere` only if no other is up:
        an endpoint that fails at once has the least to do, and would meet all tries of one request.
        """
        if len(self.gates) == 1:
            (gate,) = self.gates
            return gate.take(characters, now) if gate.wait_s(characters, now) == 0 else None
        if self.in_flight >= self._most:
            return None
        ready = [gate for gate in self._open_to(failed_at, elsewhere) if gate.wait_s(characters, now) == 0]
        return min(ready, key=lambda gate: (gate is failed_at, gate.load)).take(characters, now) if ready else None

    def ready_in_s(
        self, characters: int, now: float, failed_at: Gate | None = None, *, elsewhere: bool = False
    ) -> float | None:
        """When to ask again, though nothing in flight has ended until then; None: not before something has."""
        if self.in_flight >= self._most:
            return None
        gates = self._open_to(failed_at, elsewhere)
        waits = [wait for gate in gates if (wait := gate.wait_s(characters, now)) is not None]
        return min(waits) if waits else None

    def _open_to(self, failed_at: Gate | None, elsewhere: bool) -> Sequence[Gate]:
        others = [gate for gate in self.gates if gate is not failed_at and gate.is_up] if elsewhere else []
        return others or self.gates

    def without_hope(self) -> TeacherError | None:
        """The error that meets every request, where every gate is shut."""
        shut = [gate.shut_by for gate in self.gates]
        return shut[0] if all(shut) else None


def _gate(endpoint: Endpoint, control: Control, say: Callable[[str], None]) -> Gate:
    return Gate(endpoint, endpoint.name, endpoint.weight, control, Pace(endpoint.limits), say)


class _Breaker:
    """Opens after failures in a row; then one request at a time is let through, ever more rarely, until an answer."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._rest_s = _FIRST_REST_S
        self._not_before = 0.0
        self._since: float | None = None
        self._opened_at = 0  # the number of the first request that was sent since

    @property
    def most(self) -> int:
        """In flight while it is open: one."""
        return 1 if self.is_open else 1 << 30

    @property
    def is_open(self) -> bool:
        return self._in_a_row >= _BREAK_AFTER

    def wait_s(self, now: float) -> float:
        return max(0.0, self._not_before - now) if self.is_open else 0.0

    def answered(self) -> None:
        if self._in_a_row:
            self._in_a_row, self._rest_s, self._since = 0, _FIRST_REST_S, None

    def failed(self, number: int, next_number: int, now: float, *, is_down: bool) -> float:
        """Count a request's failure; for how long it has been down, in seconds. One that is up rests no longer."""
        self._since = (now if self._since is None else self._since) if is_down else None
        if not self.is_open or number >= self._opened_at:  # else sent before it opened: it tells nothing new
            self._in_a_row += 1
            if self.is_open:
                self._opened_at = next_number
                self._not_before = now + self._rest_s
                self._rest_s = min(2 * self._rest_s, _LONGEST_REST_S) if is_down else _FIRST_REST_S
        return 0.0 if self._since is None else now - self._since
