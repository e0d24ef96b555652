"""The options of a teacher behind HTTP: which provider, at which addresses, and what it is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from reasonry.contracts import RateLimits
from reasonry.env import read
from reasonry.errors import UsageError
from reasonry.sections import OUT_OF_KEY, DistilSection, PriceOptions, Section
from reasonry.teachers.batching.teacher import BatchOptions
from reasonry.teachers.http.addresses import Address, address_of
from reasonry.teachers.http.providers import Provider, provider_at, provider_named

__all__ = ["DEFAULT_BASE_URL", "EndpointOptions", "LimitOptions", "OpenAIOptions", "Site"]

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_DEFAULT_KEY = "OPENAI_API_KEY"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_OURS = frozenset(
    {"model", "messages", "system", "temperature", "top_p", "max_tokens", "seed", "stream", "stream_options", "n"}
)


def _checked_url(base_url: str) -> str:
    """A recipe is published, and some endpoints take their key as a query: that belongs in the environment."""
    try:
        address_of(base_url)
    except UsageError as exc:
        raise PydanticCustomError("bad_address", "{what}", {"what": exc.message}) from exc
    if "?" in base_url:
        raise PydanticCustomError("bad_address", "the base_url has a query in it: put it into OPENAI_BASE_URL", {})
    return base_url


class LimitOptions(Section):
    """What an endpoint allows by the minute. Without it, what its headers say and how it behaves decides."""

    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    tokens_per_minute: Annotated[float, Field(gt=0)] | None = None

    @property
    def rates(self) -> RateLimits:
        return RateLimits(self.requests_per_minute, self.tokens_per_minute)


class EndpointOptions(Section):
    """One of several addresses that serve the same model."""

    base_url: str
    weight: Annotated[float, Field(gt=0)] = Field(default=1.0, description="its share, relative to the others'")
    api_key_env: str | None = Field(default=None, pattern=_VARIABLE)
    limits: LimitOptions | None = None

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, base_url: str) -> str:
        return _checked_url(base_url)


@dataclass(frozen=True, slots=True)
class Site:
    """One address in force, with all that belongs to it."""

    address: Address
    provider: Provider
    key_variable: str
    weight: float = 1.0
    limits: RateLimits = RateLimits()


class OpenAIOptions(DistilSection):
    """An endpoint that speaks OpenAI's format or Anthropic's, and what it is asked for beyond the usual sampling."""

    paid: ClassVar[bool] = True
    default_provider: ClassVar[str | None] = None

    model: str = Field(min_length=1)
    provider: Annotated[str | None, OUT_OF_KEY] = Field(
        default=None, description="whose endpoint it is, for its address, key, prices and ways; default: by base_url"
    )
    base_url: Annotated[str | None, OUT_OF_KEY] = Field(
        default=None,
        description=f"up to and with /v1; default: the provider's, else OPENAI_BASE_URL, else {DEFAULT_BASE_URL}",
    )
    endpoints: Annotated[Annotated[list[EndpointOptions], Field(min_length=1)] | None, OUT_OF_KEY] = Field(
        default=None, description="several addresses of one model, in the place of base_url"
    )
    served_by: str | None = Field(
        default=None,
        description="the endpoint's name in keys; default: the base_url. Name it where the address changes but "
        "the endpoint stays the same (a port, a mirror, one of several)",
    )
    api_key_env: Annotated[str | None, OUT_OF_KEY] = Field(
        default=None,
        pattern=_VARIABLE,
        description=f"the variable that holds the key; default: the named provider's, else {_DEFAULT_KEY}",
    )
    limits: Annotated[LimitOptions, OUT_OF_KEY] = Field(
        default_factory=LimitOptions, description="of each endpoint that has none of its own"
    )
    price: PriceOptions | Literal["listed"] | None = Field(  # pyright: ignore[reportIncompatibleVariableOverride]
        default=None, description='"listed": what the provider charges by our table, which has its date'
    )
    stream: Annotated[bool, OUT_OF_KEY] = Field(
        default=False, description="receive answers as they are written: a silent connection is noticed sooner"
    )
    timeout_s: Annotated[float, Field(gt=0), OUT_OF_KEY] = Field(default=600.0, description="seconds for one try")
    idle_timeout_s: Annotated[float, Field(gt=0), OUT_OF_KEY] = Field(
        default=120.0, description="longest silence of a streamed answer, in seconds"
    )
    retry_wait_s: Annotated[float, Field(ge=0), OUT_OF_KEY] = Field(
        default=0.5, description="longest first pause before another try, in seconds; doubled with every try"
    )
    batch: Annotated[BatchOptions | None, OUT_OF_KEY] = Field(
        default=None, description="ask by batches: cheaper, and answered within hours"
    )
    send_index: bool = Field(
        default=True,
        description="send the sample's index as `seed`, so that an endpoint that honours it draws a sample of its "
        "own for each index; false where an endpoint refuses the field",
    )
    extra: dict[str, Any] = Field(default_factory=dict[str, Any], description="further fields of the request's body")

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, base_url: str | None) -> str | None:
        return base_url if base_url is None else _checked_url(base_url)

    @field_validator("provider")
    @classmethod
    def _is_provider(cls, provider: str | None) -> str | None:
        try:
            return provider if provider is None else provider_named(provider).name
        except UsageError as exc:
            raise PydanticCustomError("unknown", "{what}: {hint}", {"what": exc.message, "hint": exc.hint}) from exc

    @field_validator("extra")
    @classmethod
    def _is_json(cls, extra: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(_OURS & extra.keys()):
            raise PydanticCustomError("taken", "'{name}' cannot be set here", {"name": taken[0]})
        try:
            json.dumps(extra, allow_nan=False)
        except (TypeError, ValueError) as exc:
            raise PydanticCustomError("not_json", "not JSON: {why}", {"why": str(exc)}) from exc
        return extra

    @model_validator(mode="after")
    def _fit_together(self) -> OpenAIOptions:
        if self.endpoints is not None and self.base_url is not None:
            raise PydanticCustomError("both", "base_url and endpoints: give one of them", {})
        if self.endpoints is not None and len(self.endpoints) > 1 and self.served_by is None:
            what = "several endpoints need served_by, the one name that they have in keys"
            raise PydanticCustomError("no_name", what, {})
        if self.provider_in_force.wire == "anthropic" and self.max_tokens is None:
            raise PydanticCustomError("no_max", "max_tokens: Anthropic's API wants it; add max_tokens = 16384", {})
        if self.continuations and self.provider_in_force.continues is None:
            what = "continuations: nobody knows how '{name}' goes on with a cut answer; name another provider"
            raise PydanticCustomError("no_way_on", what, {"name": self.provider_in_force.name})
        if self.batch is not None and self.provider_in_force.wire == "anthropic":
            raise PydanticCustomError("no_batch", "batch: Anthropic's batch API is not spoken; leave it out", {})
        if self.batch is not None and self.price == "listed":
            raise PydanticCustomError("no_price", "price: only that of single calls is listed; give it in figures", {})
        if self.price == "listed":
            try:
                self.provider_in_force.price_of(self.model)
            except UsageError as exc:
                what = "price: {what} ({hint})"
                raise PydanticCustomError("no_price", what, {"what": exc.message, "hint": exc.hint}) from exc
        return self

    @property
    def tariff(self) -> PriceOptions | None:
        if self.price == "listed":
            return self.provider_in_force.price_of(self.model).options
        return self.price

    @property
    def provider_in_force(self) -> Provider:
        """The provider that the recipe names, else the one whose address the first endpoint has."""
        return self._provider_at(self._base_urls()[0])

    @property
    def address(self) -> Address:
        """Where requests go first. Raises UsageError for an OPENAI_BASE_URL that is no address."""
        return address_of(self._base_urls()[0])

    @property
    def sites(self) -> Sequence[Site]:
        """Every address in force."""
        if self.endpoints is None:
            return [self._site(EndpointOptions.model_construct(base_url=url)) for url in self._base_urls()]
        return [self._site(endpoint) for endpoint in self.endpoints]

    def _site(self, endpoint: EndpointOptions) -> Site:
        provider = self._provider_at(endpoint.base_url)
        own = provider.key_variable if self._named is not None else _DEFAULT_KEY
        return Site(
            address=address_of(endpoint.base_url),
            provider=provider,
            key_variable=endpoint.api_key_env or self.api_key_env or own,
            weight=endpoint.weight,
            limits=(endpoint.limits or self.limits).rates,
        )

    @property
    def _named(self) -> str | None:
        return self.provider or type(self).default_provider

    def _base_urls(self) -> Sequence[str]:
        if self.endpoints is not None:
            return [endpoint.base_url for endpoint in self.endpoints]
        own = provider_named(self._named).base_url if self._named is not None else read("OPENAI_BASE_URL")
        return [self.base_url or own or DEFAULT_BASE_URL]

    def _provider_at(self, base_url: str) -> Provider:
        return provider_named(self._named) if self._named is not None else provider_at(base_url)

    def key_content(self) -> dict[str, Any]:
        """With what is in force, wherever it came from: the endpoint's name, its provider, the price in figures."""
        price = self.tariff and self.tariff.key_content()
        return {**super().key_content(), **self._in_force(), "price": price}

    def content(self) -> dict[str, Any]:
        return {**super().content(), **self._in_force(), "price": self.tariff and self.tariff.content()}

    def _in_force(self) -> dict[str, Any]:
        return {
            "served_by": self.served_by or self.address.name,
            "provider": self.provider_in_force.name,
        }
