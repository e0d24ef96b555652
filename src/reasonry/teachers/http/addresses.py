"""Addresses of endpoints: where requests go, and what the endpoint is called in keys."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from reasonry.errors import UsageError

__all__ = ["Address", "address_of"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_CHAT = "/chat/completions"
_PATHS = (_CHAT, "/messages")  # people copy the address of the one call that they know


@dataclass(frozen=True, slots=True)
class Address:
    """`name` is the base URL without anything that may be secret; `query` what stood behind its question mark."""

    name: str
    is_loopback: bool
    query: str = ""

    def url(self, path: str) -> str:
        """The full URL of a path below the base URL, the query included."""
        return f"{self.name}{path}?{self.query}" if self.query else f"{self.name}{path}"

    @property
    def chat(self) -> str:
        """The full URL of chat completions."""
        return self.url(_CHAT)


def address_of(base_url: str) -> Address:
    """The address that a base URL names. Raises UsageError, without quoting it, for one that cannot be used."""
    parts = _split(base_url)
    host, port = parts.hostname or "", _port(parts)
    shown = f"[{host}]" if ":" in host else host
    place = shown if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{shown}:{port}"
    path = parts.path.rstrip("/")
    for call in _PATHS:
        path = path.removesuffix(call).rstrip("/")
    return Address(f"{parts.scheme}://{place}{path}", _is_loopback(host), parts.query)


def _split(base_url: str) -> SplitResult:
    try:
        parts = urlsplit(base_url.strip())
        has_credentials = parts.username is not None or parts.password is not None
    except ValueError as exc:
        raise _unusable("the base_url is no address") from exc
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise _unusable("the base_url is no http(s) address")
    if has_credentials:
        raise _unusable("the base_url has a user or password in it")
    if any(character.isspace() for character in base_url.strip()):
        raise _unusable("the base_url has a space in it")
    return parts


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError as exc:
        raise _unusable("the base_url has a port that is no port") from exc


def _unusable(what: str) -> UsageError:
    return UsageError(what, place="base_url", hint="base_url = https://host/v1, with the key in the environment")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
