"""Providers: what differs between endpoints that speak the same two formats, as data.

The facts stand in `providers.toml`, beside this file; nothing in the code asks for a provider by name. A provider is
named in the recipe (`provider = "deepseek"`) or known by its address; any other endpoint is taken to speak OpenAI's
format in the most common way.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from reasonry.errors import UsageError, nearest_hint
from reasonry.sections import PriceOptions
from reasonry.teachers.http.headers import RateHeaders

__all__ = ["OTHER", "Continues", "ListedPrice", "Provider", "provider_at", "provider_named", "provider_names"]

Continues = Literal["prefix", "continue_final_message", "prefill"]

_OPENAI_HEADERS = RateHeaders(
    requests="x-ratelimit-remaining-requests",
    requests_reset="x-ratelimit-reset-requests",
    tokens="x-ratelimit-remaining-tokens",
    tokens_reset="x-ratelimit-reset-tokens",
)


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """What a model cost on a day, in US dollars per million tokens, and where that stood."""

    input_per_million: float
    output_per_million: float
    as_of: date
    source: str

    @property
    def options(self) -> PriceOptions:
        return PriceOptions(input_per_million=self.input_per_million, output_per_million=self.output_per_million)


@dataclass(frozen=True, slots=True)
class Provider:
    """How one provider is spoken to.

    `reasoning` names the message's fields that may hold the reasoning, in the order of trust; where none does, a
    leading `<think>` block is it. `seed` is the field that takes the sample's index, None where there is none.
    `continues` says how a cut answer goes on, and `continues_at` at which base URL, where that is another one.
    """

    name: str
    base_url: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    wire: Literal["openai", "anthropic"] = "openai"
    reasoning: tuple[str, ...] = ("reasoning_content", "reasoning")
    max_tokens: str = "max_tokens"
    seed: str | None = "seed"
    stream_options: bool = True
    continues: Continues | None = None
    continues_at: str | None = None
    rate_limits: RateHeaders = _OPENAI_HEADERS
    batches: bool = False
    prices: Mapping[str, ListedPrice] = field(default_factory=dict[str, ListedPrice])
    sources: tuple[str, ...] = ()

    def price_of(self, model: str) -> ListedPrice:
        """The listed price of a model. Raises UsageError, with what is listed, for a model that is not."""
        if model in self.prices:
            return self.prices[model]
        known = ", ".join(sorted(self.prices)) or "none"
        raise UsageError(
            f"no price is listed for '{model}' of {self.name}",
            hint=f"listed: {known}; or price = {{ input_per_million = ..., output_per_million = ... }}",
        )


OTHER = Provider("other")


def provider_named(name: str) -> Provider:
    """The provider of that name. Raises UsageError, with the nearest name, where there is none."""
    known = _providers()
    if name not in known:
        raise UsageError(f"unknown provider '{name}'", place="provider", hint=nearest_hint(name, known))
    return known[name]


def provider_names() -> list[str]:
    return sorted(_providers())


def provider_at(base_url: str) -> Provider:
    """The provider whose own host that is; OTHER for every other one, this machine's servers included."""
    given = _host(base_url)
    for provider in _providers().values():
        own = provider.base_url
        if own is not None and own.startswith("https://") and _host(own) == given:
            return provider
    return OTHER


def _host(url: str) -> str:
    return url.split("://", 1)[-1].split("/", 1)[0].lower()


@lru_cache(maxsize=1)
def _providers() -> dict[str, Provider]:
    text = files("reasonry.teachers.http").joinpath("providers.toml").read_text(encoding="utf-8")
    return {name: _provider(name, table) for name, table in tomllib.loads(text).items()}


def _provider(name: str, table: Mapping[str, Any]) -> Provider:
    """One table of the file. A seed of "" says that there is none, since TOML has no null."""
    facts = dict(table)
    prices = {model: ListedPrice(**price) for model, price in facts.pop("prices", {}).items()}
    if "rate_limits" in facts:
        facts["rate_limits"] = RateHeaders(**facts["rate_limits"])
    if "seed" in facts:
        facts["seed"] = facts["seed"] or None
    for names in ("reasoning", "sources"):
        if names in facts:
            facts[names] = tuple(facts[names])
    return Provider(name, prices=prices, **facts)
