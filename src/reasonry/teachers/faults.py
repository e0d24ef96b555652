"""Faults on demand: what the simulated endpoint does wrong, how often, and on which tries."""

from __future__ import annotations

import random
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reasonry.identity import digest
from reasonry.sections import Section

__all__ = ["FaultKind", "FaultOptions"]

FaultKind = Literal["http_429", "http_500", "slow", "cut", "invalid_json", "empty"]
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
Rate = Annotated[float, Field(ge=0, le=1)]


class FaultOptions(Section):
    """Shares of tries that meet a fault. Which ones is decided by a digest of the request and of the try's number."""

    seed: int = 0
    http_429: Rate = Field(default=0.0, description="too many requests, with Retry-After")
    http_500: Rate = Field(default=0.0, description="a server error")
    slow: Rate = Field(default=0.0, description="a right answer, late")
    cut: Rate = Field(default=0.0, description="the connection ends in the middle of the answer")
    invalid_json: Rate = Field(default=0.0, description="status 200, and a body that is not JSON")
    empty: Rate = Field(default=0.0, description="an answer without text")
    tries: Annotated[int, Field(ge=0)] = Field(default=4, description="only the first tries of a request meet a fault")
    slow_s: Annotated[float, Field(ge=0)] = Field(default=0.2, description="seconds")
    retry_after_s: Annotated[float, Field(ge=0)] = Field(default=0.05, description="seconds")

    @model_validator(mode="after")
    def _is_share(self) -> FaultOptions:
        if sum(self.rate(kind) for kind in KINDS) > 1 + 1e-9:
            raise PydanticCustomError("rates", "the shares of all faults together exceed 1", {})
        return self

    def rate(self, kind: FaultKind) -> float:
        return getattr(self, kind)

    def drawn(self, request: str, attempt: int) -> FaultKind | None:
        """The fault that this try of a request meets. `request` is a digest; `attempt` counts from 1."""
        if attempt > self.tries:
            return None
        left = random.Random(int(digest("fault", self.seed, request, attempt), 16)).random()
        for kind in KINDS:
            if left < (rate := self.rate(kind)):
                return kind
            left -= rate
        return None
