"""An endpoint and a client in virtual time, so that what takes minutes is tried in milliseconds."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from reasonry.teachers.asking.control import Control, Sent

__all__ = ["Play", "VirtualEndpoint", "play"]


@dataclass(frozen=True, slots=True)
class VirtualEndpoint:
    """Serves `at_once`; what is beyond is refused, or waits in line. `at_once` may change with time."""

    at_once: Callable[[float], int]
    beyond: Literal["refuse", "queue"]
    latency: Callable[[random.Random], float]
    refused_share: float = 0.0  # whatever the load
    failed_share: float = 0.0
    answer_s: float = 0.01  # a refusal's way there and back


@dataclass(slots=True)
class Play:
    """What happened: for each result its time, and whether it was an answer."""

    seconds: float
    answers: list[float] = field(default_factory=list[float])
    refusals: list[float] = field(default_factory=list[float])
    limits: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])

    def rate(self, since: float = 0.0) -> float:
        return sum(at >= since for at in self.answers) / (self.seconds - since)

    def longest_over(self, share: float, window_s: float) -> float:
        """The longest stretch for which more than `share` of a window's results were refusals, in seconds."""
        longest = stretch = 0.0
        at = window_s
        while at <= self.seconds:
            bad = sum(at - window_s <= t < at for t in self.refusals)
            good = sum(at - window_s <= t < at for t in self.answers)
            stretch = stretch + 0.5 if bad > share * max(1, bad + good) else 0.0
            longest = max(longest, stretch)
            at += 0.5
        return longest


def play(endpoint: VirtualEndpoint, control: Control, seconds: float, seed: int = 1) -> Play:
    """A client that always has something to ask, under a control."""
    return _Player(endpoint, control, seconds, random.Random(seed)).play()


class _Player:
    def __init__(self, endpoint: VirtualEndpoint, control: Control, seconds: float, draw: random.Random) -> None:
        self._endpoint = endpoint
        self._control = control
        self._draw = draw
        self._result = Play(seconds)
        self._events: list[tuple[float, int, str, Sent]] = []
        self._line: deque[Sent] = deque()  # at the endpoint
        self._in_flight = self._serving = self._number = 0
        self._now = 0.0

    def play(self) -> Play:
        self._send()
        while self._events:
            self._now, _, kind, sent = heapq.heappop(self._events)
            if self._now > self._result.seconds:
                break
            self._in_flight -= 1
            self._ended(kind, sent)
            if not self._result.limits or self._result.limits[-1][1] != self._control.limit:
                self._result.limits.append((self._now, self._control.limit))
            self._send()
        return self._result

    def _ended(self, kind: str, sent: Sent) -> None:
        if kind == "answered":
            self._serving -= 1
            while self._line and self._serving < self._endpoint.at_once(self._now):
                self._serve(self._line.popleft())
            self._result.answers.append(self._now)
            self._control.answered(sent, self._in_flight, self._now)
        elif kind == "refused":
            self._result.refusals.append(self._now)
            self._control.refused(sent, self._number + 1)
        else:
            self._control.failed(sent, self._number + 1)

    def _send(self) -> None:
        endpoint, draw = self._endpoint, self._draw
        while self._in_flight < self._control.limit:
            self._in_flight += 1
            self._number += 1
            sent = Sent(self._number, self._in_flight)
            if draw.random() < endpoint.refused_share:
                self._later(endpoint.answer_s, "refused", sent)
            elif draw.random() < endpoint.failed_share:
                self._later(endpoint.answer_s, "failed", sent)
            elif self._serving < endpoint.at_once(self._now):
                self._serve(sent)
            elif endpoint.beyond == "queue":
                self._line.append(sent)
            else:
                self._later(endpoint.answer_s, "refused", sent)

    def _serve(self, sent: Sent) -> None:
        self._serving += 1
        self._later(self._endpoint.latency(self._draw), "answered", sent)

    def _later(self, seconds: float, kind: str, sent: Sent) -> None:
        heapq.heappush(self._events, (self._now + seconds, sent.number, kind, sent))
