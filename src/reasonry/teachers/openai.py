"""Any OpenAI-compatible chat endpoint, spoken to over HTTP without a library in between.

The key is read from the environment when a teacher is made, travels in the Authorization header alone, and is cut
out of every error text. Redirects are refused, so that it never reaches another host.
"""

from __future__ import annotations

import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from reasonry.env import read, secret
from reasonry.errors import TeacherError, UsageError
from reasonry.identity import digest
from reasonry.registry import part
from reasonry.sections import OUT_OF_KEY, DistilSection
from reasonry.teachers.addresses import Address, address_of
from reasonry.teachers.answers import MAX_BODY_BYTES, read_answer, refusal
from reasonry.teachers.asking import Waits
from reasonry.types import JsonMap, Question, Reply, Request

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Connection", "OpenAIOptions", "OpenAITeacher", "openai"]

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_OURS = frozenset({"model", "messages", "temperature", "top_p", "max_tokens", "seed", "stream", "n"})
_CONNECT_S = 30.0
_ERROR_BYTES = 1 << 16


def _without_query(base_url: str) -> str:
    """A recipe is published, and some endpoints take their key as a query: that belongs in the environment."""
    address_of(base_url)
    if "?" in base_url:
        raise UsageError("the base_url has a query in it", hint="put it into OPENAI_BASE_URL, which is not published")
    return base_url


class OpenAIOptions(DistilSection):
    """An OpenAI-compatible endpoint, and what it is asked for beyond the usual sampling."""

    paid: ClassVar[bool] = True

    model: str = Field(min_length=1)
    base_url: Annotated[str | None, OUT_OF_KEY] = Field(
        default=None, description=f"up to and with /v1; default: OPENAI_BASE_URL, else {DEFAULT_BASE_URL}"
    )
    served_by: str | None = Field(
        default=None,
        description="the endpoint's name in keys; default: the base_url. Name it where the address changes but "
        "the endpoint stays the same (a port, a mirror)",
    )
    api_key_env: Annotated[str, OUT_OF_KEY] = Field(
        default="OPENAI_API_KEY", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="the variable that holds the key"
    )
    timeout_s: Annotated[float, Field(gt=0), OUT_OF_KEY] = Field(default=600.0, description="seconds for one try")
    retry_wait_s: Annotated[float, Field(ge=0), OUT_OF_KEY] = Field(
        default=0.5, description="longest first pause before another try, in seconds; doubled with every try"
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
        try:
            return base_url if base_url is None else _without_query(base_url)
        except UsageError as exc:
            raise PydanticCustomError("bad_address", "{what}", {"what": exc.message}) from exc

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

    @property
    def address(self) -> Address:
        """Where requests go. Raises UsageError for an OPENAI_BASE_URL that is no address."""
        return address_of(self.base_url or read("OPENAI_BASE_URL") or DEFAULT_BASE_URL)

    def key_content(self) -> dict[str, Any]:
        """With the endpoint's name in force, wherever the address came from."""
        return {**super().key_content(), "served_by": self.served_by or self.address.name}

    def content(self) -> dict[str, Any]:
        return {**super().content(), "served_by": self.served_by or self.address.name}


@dataclass(frozen=True, slots=True)
class Connection:
    """All that a client needs to know. `identity` is the model's name in keys."""

    address: Address
    model: str
    identity: str
    served_by: str
    key: str | None = field(default=None, repr=False)
    key_variable: str = "OPENAI_API_KEY"
    extra: JsonMap = field(default_factory=dict[str, Any])
    send_index: bool = True
    timeout_s: float = 600.0
    pool: int = 16
    waits: Waits = field(default_factory=Waits)


class OpenAITeacher(AbstractAsyncContextManager["OpenAITeacher"]):
    """A client with one pool of connections; an async context manager."""

    paid = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session: aiohttp.ClientSession | None = None

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

    async def __aenter__(self) -> OpenAITeacher:
        import aiohttp

        connection = self._connection
        headers = {"User-Agent": "reasonry", "Accept": "application/json"}
        if connection.key is not None:
            headers["Authorization"] = f"Bearer {connection.key}"
        timeout = aiohttp.ClientTimeout(total=connection.timeout_s, sock_connect=min(_CONNECT_S, connection.timeout_s))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connection.pool),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            timeout=timeout,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __call__(self, request: Request) -> Reply:
        """One try."""
        if self._session is None:
            raise TeacherError("the teacher is not open", hint="use it as an async context manager")
        try:
            return await self._post(self._session, self._body(request))
        except TeacherError as exc:
            exc.place = self.served_by
            raise

    async def _post(self, session: aiohttp.ClientSession, body: JsonMap) -> Reply:
        import aiohttp

        try:
            async with session.post(self._connection.address.chat, json=body, allow_redirects=False) as response:
                if not response.ok or response.status >= 300:
                    beginning = await _read(response, _ERROR_BYTES, cut=True)
                    raise refusal(
                        response.status,
                        self._without_key(beginning),
                        response.headers.get("Retry-After"),
                        self._connection.key_variable,
                    )
                raw = await _read(response, MAX_BODY_BYTES)
        except TimeoutError as exc:
            raise TeacherError(f"no answer within {self._connection.timeout_s:g} s", retryable=True) from exc
        except (aiohttp.ClientConnectorCertificateError, aiohttp.InvalidURL) as exc:
            raise TeacherError(f"no connection: {type(exc).__name__}", fatal=True, hint="check base_url") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise TeacherError(f"no connection: {type(exc).__name__}: {exc}"[:300], retryable=True) from exc
        return read_answer(self._without_key(raw), self._connection.model)

    def _body(self, request: Request) -> dict[str, Any]:
        sampling = request.sampling
        chosen: dict[str, Any] = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.index if self._connection.send_index else None,
        }
        given = {name: value for name, value in chosen.items() if value is not None}
        return {
            "model": self._connection.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            **given,
            **self._connection.extra,
        }

    def _without_key(self, body: bytes) -> bytes:
        """Some endpoints quote the key they refuse, and a model may be made to say what it was sent."""
        key = self._connection.key
        return body.replace(key.encode(), b"[key]") if key else body


@part("teacher", "openai", version=1, options=OpenAIOptions)
def openai(options: OpenAIOptions) -> OpenAITeacher:
    """Any OpenAI-compatible chat endpoint.

    What is in `extra` (and `send_index`, when off) changes the answers, so it becomes part of the model's name in
    ledger keys. Raises UsageError where the key is missing.
    """
    address = options.address
    changed: dict[str, Any] = dict(options.extra)
    if not options.send_index:
        changed["seed"] = None
    return OpenAITeacher(
        Connection(
            address=address,
            model=options.model,
            identity=f"{options.model}+{digest('extra', changed)[:12]}" if changed else options.model,
            served_by=options.served_by or address.name,
            key=_key(options.api_key_env, address),
            key_variable=options.api_key_env,
            extra=options.extra,
            send_index=options.send_index,
            timeout_s=options.timeout_s,
            pool=options.most_in_flight,
            waits=Waits(first_s=options.retry_wait_s),
        )
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


async def _read(response: aiohttp.ClientResponse, limit: int, *, cut: bool = False) -> bytes:
    """The body, unpacked, of at most `limit` bytes; a longer one is cut or refused."""
    read = bytearray()
    async for block in response.content.iter_chunked(1 << 16):
        read += block
        if len(read) > limit:
            if cut:
                break
            raise TeacherError(f"the answer is larger than {limit / 1e6:.0f} MB")
    return bytes(read[:limit])
