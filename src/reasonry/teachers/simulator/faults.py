"""Faults on demand: what the simulated endpoint does wrong, how often, and on which tries."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from reasonry.identity import digest
from reasonry.sections import Section

__all__ = ["FaultKind", "FaultMode", "FaultOptions"]

FaultKind = Literal["http_429", "http_500", "slow", "cut", "invalid_json", "empty", "hang"]
FaultMode = Literal["calm", "chaos"]
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
Rate = Annotated[float, Field(ge=0, le=1)]

_RATES: Mapping[FaultMode, Mapping[str, float]] = {
    "calm": {},
    "chaos": {"http_429": 0.10, "http_500": 0.05, "cut": 0.05, "hang": 0.02, "invalid_json": 0.02, "empty": 0.01},
}


class FaultOptions(Section):
    """Shares of tries that meet a fault. Which ones is decided by a digest of the request and of the try's number.

    A mode's name alone stands for the table with that mode.
    """

    mode: FaultMode = Field(
        default="calm",
        description="chaos: 10% 429, 5% 500, 5% cut, 2% hang, 2% invalid JSON, 1% empty; each may be set otherwise",
    )
    seed: int = 0
    http_429: Rate = Field(default=0.0, description="too many requests, with Retry-After")
    http_500: Rate = Field(default=0.0, description="a server error")
    slow: Rate = Field(default=0.0, description="a right answer, late")
    cut: Rate = Field(default=0.0, description="the connection ends in the middle of the answer")
    invalid_json: Rate = Field(default=0.0, description="status 200, and a body that is not JSON")
    empty: Rate = Field(default=0.0, description="an answer without text")
    hang: Rate = Field(default=0.0, description="the connection stays open, and nothing comes")
    tries: Annotated[int, Field(ge=0)] | Literal["all"] = Field(
        default=4, description='only the first tries of a request meet a fault; "all": there is no such end'
    )
    slow_s: Annotated[float, Field(ge=0)] = Field(default=0.2, description="seconds")
    hang_s: Annotated[float, Field(ge=0)] = Field(default=60.0, description="seconds until a hanging one is closed")
    retry_after_s: Annotated[float, Field(ge=0)] = Field(default=0.05, description="seconds")

    @model_validator(mode="before")
    @classmethod
    def _by_mode(cls, given: Any) -> Any:
        if isinstance(given, str):
            given = {"mode": given}
        if not isinstance(given, Mapping):
            return given
        table = dict(cast("Mapping[str, Any]", given))
        mode = table.get("mode", "calm")
        rates = next((_RATES[known] for known in _RATES if known == mode), {})
        return {**rates, **table}

    @model_validator(mode="after")
    def _is_share(self) -> FaultOptions:
        if sum(self.rate(kind) for kind in KINDS) > 1 + 1e-9:
            raise PydanticCustomError("rates", "the shares of all faults together exceed 1", {})
        return self

    def rate(self, kind: FaultKind) -> float:
        return getattr(self, kind)

    def drawn(self, request: str, attempt: int) -> FaultKind | None:
        """The fault that this try of a request meets. `request` is a digest; `attempt` counts from 1."""
        if self.tries != "all" and attempt > self.tries:
            return None
        left = random.Random(int(digest("fault", self.seed, request, attempt), 16)).random()
        for kind in KINDS:
            if left < (rate := self.rate(kind)):
                return kind
            left -= rate
        return None
