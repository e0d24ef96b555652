"""Any endpoint that speaks OpenAI's chat format, or Anthropic's, over HTTP without a library in between.

One client for all providers: what differs between them is data (`providers.toml`). The key is read from the environment
when a teacher is made, travels in its own header alone, and is cut out of every error text and every answer. Redirects
are refused, so that it never reaches another host.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from reasonry.contracts import Headroom, RateLimits
from reasonry.env import secret
from reasonry.errors import TeacherError, UsageError
from reasonry.identity import digest
from reasonry.registry import part
from reasonry.teachers.asking.ask import Waits
from reasonry.teachers.http.addresses import Address
from reasonry.teachers.http.answers import MAX_BODY_BYTES, Reading, object_in, refusal, unusable
from reasonry.teachers.http.bodies import read_body
from reasonry.teachers.http.buffers import small_read_buffers
from reasonry.teachers.http.descriptors import allow_connections
from reasonry.teachers.http.headers import headroom_in
from reasonry.teachers.http.options import EndpointOptions, OpenAIOptions, Site
from reasonry.teachers.http.providers import OTHER, Provider
from reasonry.teachers.http.secrets import Secrets
from reasonry.teachers.http.streams import collected
from reasonry.teachers.http.wires import WIRES, begun_in
from reasonry.types import JsonMap, Question, Reply, Request

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Connection", "EndpointOptions", "HttpEndpoint", "OpenAIOptions", "OpenAITeacher", "openai", "teacher_of"]

_CONNECT_S = 30.0
_KEEP_S = 4.0  # below the 5 s after which many servers hang up, so that no request meets a closing connection
_NAMES_S = 300  # how long a host's address is remembered
_ERROR_BYTES = 1 << 16
_JSON = {"Content-Type": "application/json"}
_encoded = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Connection:
    """All that a client needs to know of one endpoint. `identity` is the model's name in keys."""

    address: Address
    model: str
    identity: str
    served_by: str
    key: str | None = field(default=None, repr=False)
    key_variable: str = "OPENAI_API_KEY"
    provider: Provider = OTHER
    extra: JsonMap = field(default_factory=dict[str, Any])
    send_index: bool = True
    stream: bool = False
    timeout_s: float = 600.0
    idle_timeout_s: float = 120.0
    pool: int = 16
    weight: float = 1.0
    limits: RateLimits = RateLimits()
    waits: Waits = field(default_factory=Waits)


class HttpEndpoint:
    """One address, with a pool of connections of its own. Calling it is one try.

    For other calls to the same provider (its batches), `session` sends the key by itself; `url`, `body`, `read` and
    `refusal` are what a call needs beyond it.
    """

    def __init__(self, connection: Connection, *, place: str | None = None) -> None:
        self._connection = connection
        self._provider = connection.provider
        self._wire = WIRES[connection.provider.wire]
        self._place = place or connection.served_by
        self._reading = Reading(connection.model, connection.provider.reasoning)
        self._secrets = Secrets(connection.key, connection.address.query)
        self._session: aiohttp.ClientSession | None = None
        self.headroom: Headroom | None = None

    @property
    def name(self) -> str:
        return self._connection.address.name

    @property
    def base_url(self) -> str:
        """Without the query, which may be secret: see `url`."""
        return self._connection.address.name

    @property
    def provider(self) -> Provider:
        return self._provider

    @property
    def weight(self) -> float:
        return self._connection.weight

    @property
    def limits(self) -> RateLimits:
        return self._connection.limits

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of every request. They hold the key."""
        accepted = "text/event-stream, application/json" if self._connection.stream else "application/json"
        return {"User-Agent": "reasonry", "Accept": accepted, **self._wire.headers(self._connection.key)}

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session, with the headers in it. Raises TeacherError before it is open."""
        if self._session is None:
            raise TeacherError("the teacher is not open", hint="use it as an async context manager")
        return self._session

    def url(self, path: str) -> str:
        """The full URL of a path below the base URL: `/files`."""
        return self._connection.address.url(path)

    def body(self, request: Request) -> dict[str, Any]:
        """The JSON body that asks a request, unstreamed. Raises TeacherError for one that this provider cannot take."""
        connection = self._connection
        seed = request.sampling.index if connection.send_index else None
        return self._wire.body(self._provider, connection.model, connection.extra, seed, request)

    def read(self, raw: bytes | JsonMap, request: Request | None = None) -> Reply:
        """The reply in a response's body. Raises TeacherError for one that cannot be used.

        `request` matters only where it goes on with a cut answer.
        """
        body = object_in(self._secrets.out_of_body(raw)) if isinstance(raw, bytes) else raw
        begun = begun_in(request) if request is not None else None
        reading = self._reading if begun is None else replace(self._reading, begun=begun)
        try:
            return self._clean(self._wire.read(body, reading))
        except RecursionError as exc:
            raise unusable("an answer of parts within parts without end") from exc

    def refusal(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> TeacherError:
        """The error that a status other than 200 means."""
        shown = self.without_secrets(body.decode("utf-8", "replace")).encode("utf-8", "replace")
        return refusal(status, shown, headers or {}, self._connection.key_variable)

    def without_secrets(self, text: str) -> str:
        """What an endpoint said of a failure, as it may be shown: some quote the key they refuse."""
        return self._secrets.out_of_message(text)

    async def open(self) -> None:
        import aiohttp
        from yarl import URL

        connection = self._connection
        timeout = aiohttp.ClientTimeout(
            total=connection.timeout_s,
            sock_connect=min(_CONNECT_S, connection.timeout_s),
            sock_read=connection.idle_timeout_s if connection.stream else None,
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connection.pool, keepalive_timeout=_KEEP_S, ttl_dns_cache=_NAMES_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self.headers,
            timeout=timeout,
        )
        self._url = URL(self.url(self._wire.path))
        self._continue_url = URL(self.continuing_at)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __call__(self, request: Request) -> Reply:
        """One try."""
        import aiohttp

        session = self.session
        try:
            raw = await self._post(session, request)
            return self.read(raw, request)
        except TeacherError as exc:
            exc.message = self.without_secrets(exc.message)
            exc.args = (exc.message,)
            exc.place = self._place
            raise
        except TimeoutError as exc:
            raise self._late(exc) from exc
        except (aiohttp.ClientConnectorCertificateError, aiohttp.InvalidURL) as exc:
            what = f"no connection: {type(exc).__name__}"
            raise TeacherError(what, place=self._place, fatal=True, hint="check base_url") from exc
        except (aiohttp.ClientError, OSError) as exc:
            what = f"no connection: {_told(exc)}"
            shown = self.without_secrets(what)
            # Its text quotes the address, or what the endpoint sent: where that is secret, no traceback may show it.
            cause = exc if shown == what else None
            raise TeacherError(shown[:300], place=self._place, retryable=True) from cause

    async def _post(self, session: aiohttp.ClientSession, request: Request) -> bytes | JsonMap:
        body = self.body(request)
        if self._connection.stream:
            body["stream"] = True
            if self._wire.stream_options and self._provider.stream_options:
                body["stream_options"] = self._wire.stream_options
        url = self._url if begun_in(request) is None else self._continue_url
        data = _encoded(body).encode()
        async with session.post(url, data=data, headers=_JSON, allow_redirects=False) as response:
            self.headroom = headroom_in(response.headers, self._provider.rate_limits)
            if response.status != 200:
                beginning = await read_body(response, _ERROR_BYTES, cut=True)
                raise self.refusal(response.status, beginning, response.headers)
            if self._connection.stream and response.content_type == "text/event-stream":
                idle_s = self._connection.idle_timeout_s
                return await collected(
                    response.content.iter_any(), self._wire.collector(), self._secrets.out_of_answer, idle_s
                )
            return await read_body(response, MAX_BODY_BYTES)

    @property
    def continuing_at(self) -> str:
        """Some providers go on with cut answers at another base URL of theirs; a mirror has but one."""
        elsewhere, own = self._provider.continues_at, self._provider.base_url
        if elsewhere is None or own is None or not f"{self.base_url}/".startswith(f"{own}/"):
            return self.url(self._wire.path)
        return f"{elsewhere}{self._wire.path}"

    def _late(self, exc: TimeoutError) -> TeacherError:
        import aiohttp

        connection = self._connection
        what = f"no answer within {connection.timeout_s:g} s"
        if isinstance(exc, aiohttp.ConnectionTimeoutError):
            what = f"no connection within {min(_CONNECT_S, connection.timeout_s):g} s"
        elif isinstance(exc, aiohttp.ServerTimeoutError):
            what = f"nothing came for {connection.idle_timeout_s:g} s"
        return TeacherError(what, place=self._place, retryable=True)

    def _clean(self, reply: Reply) -> Reply:
        """Without the key, also where it came in pieces or escaped."""
        texts = (reply.response, reply.reasoning, reply.model)
        cleaned = tuple(map(self._secrets.out_of_answer, texts))
        return (
            reply if cleaned == texts else replace(reply, response=cleaned[0], reasoning=cleaned[1], model=cleaned[2])
        )


def _told(exc: Exception) -> str:
    """What a person needs of it: why a connection was refused is inside."""
    import aiohttp

    if isinstance(exc, aiohttp.ClientConnectorDNSError):
        return "the host's name is not known"
    if isinstance(exc, aiohttp.ClientConnectorError):
        number = exc.os_error.errno
        return os.strerror(number).lower() if number is not None else str(exc.os_error)
    return f"{type(exc).__name__}: {exc}"


class OpenAITeacher(AbstractAsyncContextManager["OpenAITeacher"]):
    """One model at one or more endpoints; an async context manager."""

    paid = True

    def __init__(self, connection: Connection, *others: Connection) -> None:
        self._connection = connection
        self._endpoints = [
            HttpEndpoint(one, place=f"{one.served_by} at {one.address.name}" if others else None)
            for one in (connection, *others)
        ]

    @property
    def endpoints(self) -> Sequence[HttpEndpoint]:
        return self._endpoints

    @property
    def model(self) -> str:
        return self._connection.identity

    @property
    def served_by(self) -> str:
        return self._connection.served_by

    @property
    def waits(self) -> Waits:
        return self._connection.waits

    def recorded(self, question: Question) -> int | None:
        return None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The first endpoint's: it and what follows are what batches are made with."""
        return self._endpoints[0].session

    def url(self, path: str) -> str:
        return self._endpoints[0].url(path)

    def body(self, request: Request) -> dict[str, Any]:
        return self._endpoints[0].body(request)

    def read(self, raw: bytes, request: Request) -> Reply:
        return self._endpoints[0].read(raw, request)

    def refused(self, status: int, body: bytes, retry_after: str | None) -> TeacherError:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return self._endpoints[0].refusal(status, body, headers)

    def without_secrets(self, text: str) -> str:
        return self._endpoints[0].without_secrets(text)

    async def __aenter__(self) -> OpenAITeacher:
        allow_connections(self._connection.pool)
        small_read_buffers()
        for endpoint in self._endpoints:
            await endpoint.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        for endpoint in self._endpoints:
            await endpoint.close()

    async def __call__(self, request: Request) -> Reply:
        """One try at the first endpoint."""
        return await self._endpoints[0](request)


@part("teacher", "openai", version=1, options=OpenAIOptions)
def openai(options: OpenAIOptions) -> OpenAITeacher:
    """Any OpenAI-compatible chat endpoint, or several of one model: `provider` names whose.

    What is in `extra` (and `send_index`, when off) changes the answers, so it becomes part of the model's name in
    ledger keys. Raises UsageError where a key is missing.
    """
    return teacher_of(options)


def teacher_of(options: OpenAIOptions) -> OpenAITeacher:
    """The client that the options describe, whichever provider they name."""
    changed: dict[str, Any] = dict(options.extra)
    if not options.send_index:
        changed["seed"] = None
    identity = f"{options.model}+{digest('extra', changed)[:12]}" if changed else options.model
    return OpenAITeacher(*(_connection(options, site, identity) for site in options.sites))


def _connection(options: OpenAIOptions, site: Site, identity: str) -> Connection:
    return Connection(
        address=site.address,
        model=options.model,
        identity=identity,
        served_by=options.served_by or site.address.name,
        key=_key(site.key_variable, site.address),
        key_variable=site.key_variable,
        provider=site.provider,
        extra=options.extra,
        send_index=options.send_index,
        stream=options.stream,
        timeout_s=options.timeout_s,
        idle_timeout_s=options.idle_timeout_s,
        pool=options.most_in_flight,
        weight=site.weight,
        limits=site.limits,
        waits=Waits(first_s=options.retry_wait_s),
    )


def _key(variable: str, address: Address) -> str | None:
    key = (secret(variable) or "").strip()
    if not key:
        if address.is_loopback:
            return None
        raise UsageError(
            f"no key for {address.name}: {variable} is not set",
            place="distil.api_key_env",
            hint=f"export {variable}=... (any text, where the endpoint wants no key)",
        )
    if not key.isascii() or not key.isprintable():
        raise UsageError(
            f"{variable} holds something that is no key", place="distil.api_key_env", hint="copy the key again"
        )
    return key
