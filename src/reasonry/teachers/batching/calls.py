"""The calls of OpenAI's batch API: upload a file, create a batch, look at it, list them, download what it wrote.

Failures that may pass are waited out where waiting costs nothing (looking, downloading), and told to the caller
where it may: nobody knows whether a batch was created when the connection broke before the answer came.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, TypeVar, cast

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, stop_after_delay

from reasonry.errors import TeacherError
from reasonry.teachers.http.bodies import read_body
from reasonry.types import JsonMap, Question, Reply, Request

if TYPE_CHECKING:
    import aiohttp

__all__ = ["BatchCalls", "BatchClient", "BatchProblem", "BatchState"]

T = TypeVar("T")

CHAT = "/v1/chat/completions"
TOKEN = "reasonry_batch"  # noqa: S105 - the name of a batch's metadata field
_OVER = frozenset({"completed", "failed", "expired", "cancelled"})
_REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 410, 413, 415, 422})
_PAGE = 100
_MOST_PAGES = 1_000
_LARGEST_ANSWER = 16_000_000
_BLOCK = 1 << 20
_SILENCE_S = 300.0  # without a byte from the endpoint
_PATIENCE_S = 3_600.0  # an endpoint that is away for longer ends the run, which can be resumed
_UPLOAD_TRIES = 4
_NEW_TRIES = 4  # a batch that was just created may not be known everywhere yet
_LONGEST_WAIT_S = 60.0


class BatchClient(Protocol):
    """What a client of an OpenAI-compatible endpoint lends to its batches, once it is open.

    `url` gives the full address of a path such as `/batches`; the session sends the key. `refused` makes the error of
    a status, with the key cut out of what the endpoint said.
    """

    @property
    def model(self) -> str: ...
    @property
    def served_by(self) -> str: ...
    @property
    def paid(self) -> bool: ...
    @property
    def session(self) -> aiohttp.ClientSession: ...
    def recorded(self, question: Question) -> int | None: ...
    def url(self, path: str) -> str: ...
    def body(self, request: Request) -> JsonMap:
        """What is posted to ask one request, without streaming."""
        ...

    def read(self, raw: bytes, request: Request) -> Reply: ...
    def refused(self, status: int, body: bytes, retry_after: str | None) -> TeacherError: ...
    def without_secrets(self, text: str) -> str:
        """What the endpoint said beside answers, with the key cut out of it."""
        ...


@dataclass(frozen=True, slots=True)
class BatchProblem:
    """Why a batch was not begun. `line` counts from 1 in its file; None where the whole batch is meant."""

    code: str
    message: str
    line: int | None

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        return f"{where}{self.message or self.code}"


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch as the endpoint tells it. `ended` counts the requests that have a line in one of its files."""

    id: str
    status: str
    input_file: str | None
    files: tuple[str, ...]
    token: str | None
    created_at: float | None
    ended: int
    problems: tuple[BatchProblem, ...]

    @property
    def is_over(self) -> bool:
        return self.status in _OVER


class BatchCalls:
    """The calls, at one endpoint. All raise TeacherError. `poll_s` sets the scale of pauses."""

    def __init__(self, client: BatchClient, poll_s: float) -> None:
        self._client = client
        self._first_wait_s = min(poll_s, 1.0)
        self._longest_wait_s = min(max(poll_s, 0.1), _LONGEST_WAIT_S)

    async def upload(self, file: IO[bytes], name: str) -> str:
        """The id of the uploaded file. Tried a few times: a file that was uploaded in vain costs nothing."""

        async def once() -> str:
            return await self._upload(file, name)

        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_pass), stop=stop_after_attempt(_UPLOAD_TRIES), wait=self._wait, reraise=True
        )
        return await retrying(once)

    async def create(self, file: str, token: str, window: str) -> BatchState:
        """One try. An error that `may_have_created` leaves it open whether the batch exists."""
        given = {
            "input_file_id": file,
            "endpoint": CHAT,
            "completion_window": window,
            "metadata": {TOKEN: token},
        }
        return _state(await self._json("POST", "/batches", json=given))

    async def retrieve(self, batch_id: str) -> BatchState:
        """How a batch stands. An endpoint that is away for a while is waited for."""

        def may_pass(error: BaseException, state: RetryCallState) -> bool:
            is_new = isinstance(error, TeacherError) and error.http_status == 404 and state.attempt_number < _NEW_TRIES
            return is_new or _may_pass(error)

        return _state(await self._patiently(lambda: self._json("GET", f"/batches/{batch_id}"), may_pass))

    async def listed(self) -> AsyncIterator[BatchState]:
        """Every batch of the account, in the endpoint's order: the newest first, as a rule."""
        after = ""
        for _ in range(_MOST_PAGES):
            page = await self._patiently(lambda after=after: self._json("GET", f"/batches?limit={_PAGE}{after}"))
            states = [_state(cast("dict[str, Any]", one)) for one in _list(page.get("data")) if isinstance(one, dict)]
            for state in states:
                yield state
            if not states or page.get("has_more") is not True:
                return
            after = f"&after={states[-1].id}"

    async def download(self, file: str, into: IO[bytes]) -> None:
        """Append the whole file, or nothing."""
        begin = into.seek(0, os.SEEK_END)

        async def once() -> None:
            into.seek(begin)
            into.truncate()
            async with self._call("GET", f"/files/{file}/content") as response:
                async for block in response.content.iter_chunked(_BLOCK):
                    into.write(block)

        await self._patiently(once)

    async def _patiently(
        self,
        call: Callable[[], Awaitable[T]],
        may_pass: Callable[[BaseException, RetryCallState], bool] = lambda error, _: _may_pass(error),
    ) -> T:
        def again(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            return error is not None and may_pass(error, state)

        async def once() -> T:
            return await call()

        retrying = AsyncRetrying(retry=again, stop=stop_after_delay(_PATIENCE_S), wait=self._wait, reraise=True)
        return await retrying(once)

    def _wait(self, state: RetryCallState) -> float:
        """Doubled with every try, and random, so that many who wait do not come back together."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, TeacherError) else None
        pause = min(self._first_wait_s * 2.0 ** min(state.attempt_number - 1, 16), self._longest_wait_s)
        return max(pause * random.uniform(0.5, 1.0), min(asked or 0.0, 10 * _LONGEST_WAIT_S))

    async def _upload(self, file: IO[bytes], name: str) -> str:
        import aiohttp

        form = aiohttp.FormData()
        form.add_field("purpose", "batch")
        # The form closes what it has sent; a further try needs the file again.
        with os.fdopen(os.dup(file.fileno()), "rb") as handle:
            handle.seek(0)
            form.add_field("file", handle, filename=name, content_type="application/jsonl")
            answer = await self._json("POST", "/files", data=form)
        return _id_in(answer, "a file")

    async def _json(self, method: Literal["GET", "POST"], path: str, **given: Any) -> dict[str, Any]:
        async with self._call(method, path, **given) as response:
            raw = await read_body(response, _LARGEST_ANSWER)
        try:
            answer = json.loads(self._client.without_secrets(raw.decode("utf-8", "replace")))
        except (ValueError, RecursionError) as exc:
            raise TeacherError(f"{path}: the answer is not JSON", retryable=True, http_status=200) from exc
        if not isinstance(answer, dict):
            raise TeacherError(f"{path}: the answer is not a JSON object", retryable=True, http_status=200)
        return cast("dict[str, Any]", answer)

    @asynccontextmanager
    async def _call(
        self, method: Literal["GET", "POST"], path: str, **given: Any
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        import aiohttp

        client = self._client
        bare, _, query = path.partition("?")
        url = client.url(bare)
        url = f"{url}{'&' if '?' in url else '?'}{query}" if query else url
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=30.0, sock_read=_SILENCE_S)
        try:
            async with client.session.request(method, url, timeout=timeout, allow_redirects=False, **given) as response:
                if not 200 <= response.status < 300:
                    body = await read_body(response, 1 << 16, cut=True)
                    raise client.refused(response.status, body, response.headers.get("Retry-After"))
                yield response
        except TimeoutError as exc:
            raise TeacherError(f"{bare}: no answer within {_SILENCE_S:g} s", retryable=True) from exc
        except (aiohttp.ClientConnectorCertificateError, aiohttp.InvalidURL) as exc:
            raise TeacherError(f"no connection: {type(exc).__name__}", fatal=True, hint="check base_url") from exc
        except aiohttp.ClientError as exc:
            raise TeacherError(f"{bare}: no connection: {type(exc).__name__}", retryable=True) from exc


def may_have_created(error: TeacherError) -> bool:
    """Whether a batch may exist although creating it failed: not where the endpoint itself refused it for good.

    What stands before an endpoint says 408, 429 or 499 also where its call was done.
    """
    status = error.http_status
    return status is None or not (300 <= status < 400 or status in _REFUSALS)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, TeacherError) and error.retryable and not error.fatal


def _state(answer: JsonMap) -> BatchState:
    metadata, counts = answer.get("metadata"), answer.get("request_counts")
    token = cast("dict[str, Any]", metadata).get(TOKEN) if isinstance(metadata, dict) else None
    ended = 0
    if isinstance(counts, dict):
        numbers = (cast("dict[str, Any]", counts).get(name) for name in ("completed", "failed"))
        ended = sum(number for number in numbers if isinstance(number, int))
    created = answer.get("created_at")
    return BatchState(
        id=_id_in(answer, "a batch"),
        status=str(answer.get("status")),
        input_file=_text(answer.get("input_file_id")),
        files=tuple(file for name in ("output_file_id", "error_file_id") if (file := _text(answer.get(name)))),
        token=_text(token),
        created_at=float(created) if isinstance(created, int | float) else None,
        ended=ended,
        problems=tuple(_problems(answer.get("errors"))),
    )


def _problems(errors: object) -> list[BatchProblem]:
    """From `{"data": [...]}`, or from a bare list of errors."""
    data = cast("dict[str, Any]", errors).get("data") if isinstance(errors, dict) else errors
    found: list[BatchProblem] = []
    for one in _list(data):
        if isinstance(one, dict):
            problem = cast("dict[str, Any]", one)
            line = problem.get("line")
            text = " ".join(str(problem.get("message") or "").split())[:300]
            found.append(BatchProblem(str(problem.get("code") or ""), text, line if isinstance(line, int) else None))
    return found


def _id_in(answer: JsonMap, what: str) -> str:
    name = answer.get("id")
    if not isinstance(name, str) or not name or not name.isprintable() or any(mark in name for mark in "/?#% "):
        raise TeacherError(f"the endpoint gave {what} no usable id", http_status=200)
    return name


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
