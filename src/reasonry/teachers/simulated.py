"""The simulated teacher: no model, but traces of known quality for the procedural problems."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from reasonry.registry import part
from reasonry.sections import OUT_OF_KEY, DistilSection
from reasonry.teachers.asking.ask import Waits
from reasonry.teachers.http.addresses import address_of
from reasonry.teachers.http.providers import OTHER
from reasonry.teachers.openai import Connection, OpenAITeacher
from reasonry.teachers.simulator.capacity import CapacityOptions
from reasonry.teachers.simulator.faults import FaultOptions
from reasonry.teachers.simulator.simulation import MODEL, Behaviour, Mistake, simulate
from reasonry.types import Question, Reply, Request

__all__ = ["SimulatedOptions", "SimulatedTeacher", "simulated"]

_PROVIDER = replace(OTHER, name="simulated", continues="prefill")
_FIRST_WAIT_S = 0.05  # an endpoint in this process is not spared by waiting longer


_Faults = Annotated[
    FaultOptions, BeforeValidator(lambda given: given, json_schema_input_type=FaultOptions | Literal["chaos"])
]


class SimulatedOptions(DistilSection):
    """How the simulated teacher behaves, and whether it is asked over HTTP."""

    seed: int | None = Field(default=None, description="default: derived from the recipe's seed")
    accuracy: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.6, description="share of traces that are right in every step"
    )
    mistakes: dict[Mistake, Annotated[float, Field(ge=0)]] = Field(
        default_factory=lambda: {"slip": 1.0}, description="the other traces: kinds of mistake by weight"
    )
    over_http: bool = Field(
        default=False,
        description="ask it through a loopback endpoint and the ledger, like a real one; the answers are the same, "
        "but traces then have ledger keys",
    )
    faults: Annotated[_Faults, OUT_OF_KEY] = Field(
        default_factory=FaultOptions,
        description='what the loopback endpoint does wrong; "chaos": the table of that mode',
    )
    capacity: Annotated[CapacityOptions, OUT_OF_KEY] = Field(
        default_factory=CapacityOptions, description="how much the loopback endpoint can do"
    )
    timeout_s: Annotated[float, Field(gt=0), OUT_OF_KEY] = Field(
        default=60.0, description="seconds for one try over loopback"
    )

    @field_validator("mistakes")
    @classmethod
    def _has_weight(cls, mistakes: dict[Mistake, float]) -> dict[Mistake, float]:
        if not any(mistakes.values()):
            raise PydanticCustomError("no_weight", "no kind of mistake has a weight above 0", {})
        return mistakes

    @property
    def paid(self) -> bool:
        """Over HTTP its answers go through the ledger, as if they cost something."""
        return self.over_http

    @property
    def behaviour(self) -> Behaviour:
        return Behaviour(self.seed or 0, self.accuracy, self.mistakes)


class SimulatedTeacher(AbstractAsyncContextManager["SimulatedTeacher"]):
    """The simulated teacher, in this process or behind its loopback endpoint. Named "simulated" everywhere."""

    def __init__(self, options: SimulatedOptions) -> None:
        self._options = options
        self._behaviour = options.behaviour
        self._client: OpenAITeacher | None = None
        self._stack = AsyncExitStack()

    @property
    def model(self) -> str:
        return MODEL

    @property
    def served_by(self) -> str:
        """With a digest of the behaviour: another seed or accuracy is another teacher to the ledger."""
        return f"simulated/{self._behaviour.digest}"

    @property
    def paid(self) -> bool:
        return self._options.over_http

    @property
    def waits(self) -> Waits:
        return Waits(first_s=_FIRST_WAIT_S)

    def recorded(self, question: Question) -> int | None:
        return None

    async def __aenter__(self) -> SimulatedTeacher:
        if self._options.over_http:
            from reasonry.teachers.simulator.endpoint import serving

            options = self._options
            served = await self._stack.enter_async_context(serving(self._behaviour, options.faults, options.capacity))
            connection = Connection(
                address=address_of(served.base_url),
                model=MODEL,
                identity=self.model,
                served_by=self.served_by,
                provider=_PROVIDER,
                timeout_s=options.timeout_s,
                pool=options.most_in_flight,
            )
            self._client = await self._stack.enter_async_context(OpenAITeacher(connection))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client = None
        await self._stack.aclose()

    async def __call__(self, request: Request) -> Reply:
        if self._client is not None:
            return await self._client(request)
        sampling = request.sampling
        return simulate(self._behaviour, request.messages, sampling.index, sampling.max_tokens)


@part("teacher", "simulated", version=1, options=SimulatedOptions)
def simulated(options: SimulatedOptions) -> SimulatedTeacher:
    """A simulated teacher for the procedural problems, wrong on purpose at a known rate; also over loopback HTTP."""
    return SimulatedTeacher(options)
