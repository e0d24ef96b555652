"""OpenAI's batch API for the simulated endpoint: files, batches, and what goes wrong with them.

`add_batch_routes(application, answer)` adds `/v1/files` and `/v1/batches`. What is kept is in memory; what was
answered is counted by request, so that a test can prove that no request was in two batches.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import Field

from reasonry.identity import digest
from reasonry.sections import Section

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["BatchFaults", "BatchedServed", "add_batch_routes"]

Rate = Annotated[float, Field(ge=0, le=1)]
_PAGE = 20


class BatchFaults(Section):
    """What the simulated endpoint does with batches. Shares are of lines; which ones is decided by a digest."""

    seed: int = 0
    delay_s: Annotated[float, Field(ge=0)] = Field(default=0.0, description="seconds from creation to the end")
    create_s: Annotated[float, Field(ge=0)] = Field(default=0.0, description="a batch exists so long before it is told")
    failed: Rate = Field(default=0.0, description="lines that fail with 429 or 500")
    refused: Rate = Field(default=0.0, description="lines that fail with 400, at every try")
    missing: Rate = Field(default=0.0, description="lines without a result")
    malformed: Rate = Field(default=0.0, description="results that are cut in the middle")
    repeated: Rate = Field(default=0.0, description="results that come twice")
    unknown: Annotated[int, Field(ge=0)] = Field(default=0, description="results of requests that nobody sent")
    answered: Rate = Field(default=1.0, description="share that is answered before the batch expires, if below 1")
    invalid: str | None = Field(default=None, description="the code with which batches are refused")
    invalid_lines: tuple[int, ...] = Field(default=(), description="the lines that are refused; none: the whole batch")
    tries: Annotated[int, Field(ge=0)] = Field(default=1, description="only the first tries of a request meet a fault")
    batches: Annotated[int, Field(ge=0)] = Field(default=1, description="only the first batches expire or are refused")


@dataclass(slots=True)
class _Batch:
    id: str
    input_file: str
    window: str
    metadata: Mapping[str, str]
    created: float
    status: str = "validating"
    output: str | None = None
    errors: str | None = None
    problems: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    total: int = 0
    completed: int = 0
    failed: int = 0

    def told(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "errors": {"object": "list", "data": self.problems} if self.problems else None,
            "input_file_id": self.input_file,
            "completion_window": self.window,
            "status": self.status,
            "output_file_id": self.output,
            "error_file_id": self.errors,
            "created_at": int(self.created),
            "request_counts": {"total": self.total, "completed": self.completed, "failed": self.failed},
            "metadata": dict(self.metadata),
        }


@dataclass(slots=True)
class BatchedServed:
    """What went through. `submitted` and `answers` count by digest of a request's body."""

    submitted: Counter[str] = field(default_factory=Counter[str])
    answers: Counter[str] = field(default_factory=Counter[str])
    calls: Counter[str] = field(default_factory=Counter[str])
    sizes: list[int] = field(default_factory=list[int])
    faults: BatchFaults = field(default_factory=BatchFaults)
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    batches: dict[str, _Batch] = field(default_factory=dict[str, _Batch])

    def in_batches(self) -> Counter[str]:
        """How many batches each request was submitted in, by its `custom_id`."""
        files = (self.files[batch.input_file] for batch in self.batches.values())
        return Counter(json.loads(line)["custom_id"] for file in files for line in file.splitlines())


def add_batch_routes(
    application: web.Application,
    answer: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    faults: BatchFaults | None = None,
) -> BatchedServed:
    """Serve files and batches. `answer(body)` is the completion; what it raises with a `status` fails its line."""
    served = BatchedServed(faults=faults or BatchFaults())
    api = _BatchApi(served, answer)
    router = application.router
    router.add_post("/v1/files", api.upload)
    router.add_get("/v1/files/{id}/content", api.content)
    router.add_post("/v1/batches", api.create)
    router.add_get("/v1/batches", api.list)
    router.add_get("/v1/batches/{id}", api.get)
    router.add_post("/v1/batches/{id}/cancel", api.cancel)
    return served


class _BatchApi:
    """The handlers. A batch is worked on when it is looked at after its time."""

    def __init__(self, served: BatchedServed, answer: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        self._served = served
        self._answer = answer

    async def upload(self, request: web.Request) -> web.Response:
        from aiohttp import BodyPartReader

        self._served.calls["upload"] += 1
        purpose, content = "", b""
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "purpose":
                purpose = (await part.read()).decode()
            elif isinstance(part, BodyPartReader) and part.name == "file":
                content = bytes(await part.read())
        if purpose != "batch":
            return _problem(400, f"no purpose {purpose!r}")
        name = self._keep(content)
        return _json({"id": name, "object": "file", "bytes": len(content), "purpose": purpose})

    async def content(self, request: web.Request) -> web.Response:
        from aiohttp import web

        self._served.calls["content"] += 1
        content = self._served.files.get(request.match_info["id"])
        if content is None:
            return _problem(404, "no such file")
        return web.Response(body=content, content_type="application/jsonl")

    async def create(self, request: web.Request) -> web.Response:
        self._served.calls["create"] += 1
        given = await request.json()
        if given.get("input_file_id") not in self._served.files:
            return _problem(400, "no such file")
        batch = _Batch(
            f"batch_{len(self._served.batches):06d}",
            given["input_file_id"],
            str(given.get("completion_window")),
            given.get("metadata") or {},
            time.time(),
        )
        self._served.batches[batch.id] = batch
        if self._served.faults.create_s:
            await asyncio.sleep(self._served.faults.create_s)
        return _json(batch.told())

    async def list(self, request: web.Request) -> web.Response:
        """The newest first, a page at a time."""
        self._served.calls["list"] += 1
        newest = list(reversed(self._served.batches))
        after, limit = request.query.get("after"), int(request.query.get("limit", _PAGE))
        begin = newest.index(after) + 1 if after in newest else 0
        page = newest[begin : begin + limit]
        data = [self._served.batches[name].told() for name in page]
        return _json({"object": "list", "data": data, "has_more": begin + limit < len(newest)})

    async def get(self, request: web.Request) -> web.Response:
        self._served.calls["get"] += 1
        batch = self._served.batches.get(request.match_info["id"])
        if batch is None:
            return _problem(404, "no such batch")
        self._go_on(batch)
        return _json(batch.told())

    async def cancel(self, request: web.Request) -> web.Response:
        batch = self._served.batches.get(request.match_info["id"])
        if batch is None:
            return _problem(404, "no such batch")
        if batch.status in ("validating", "in_progress"):
            self._work(batch, 0.0, "cancelled")
        return _json(batch.told())

    def _go_on(self, batch: _Batch) -> None:
        faults = self._served.faults
        if batch.status not in ("validating", "in_progress"):
            return
        if time.time() < batch.created + faults.delay_s:
            batch.status = "in_progress"
            return
        is_faulty = list(self._served.batches).index(batch.id) < faults.batches
        if is_faulty and faults.invalid is not None:
            batch.status = "failed"
            batch.problems = [
                {"code": faults.invalid, "message": f"refused: {faults.invalid}", "param": None, "line": line}
                for line in faults.invalid_lines or (None,)
            ]
        elif is_faulty and faults.answered < 1:
            self._work(batch, faults.answered, "expired")
        else:
            self._work(batch, 1.0, "completed")

    def _work(self, batch: _Batch, share: float, status: str) -> None:
        """Answer that share of the lines, in a random order, and end."""
        lines = self._served.files[batch.input_file].splitlines()
        generator = random.Random(int(digest("batch", self._served.faults.seed, batch.id), 16))
        generator.shuffle(lines)
        batch.total = len(lines)
        self._served.sizes.append(len(lines))
        output, errors = list[bytes](), list[bytes]()
        for number, line in enumerate(lines):
            given = cast("dict[str, Any]", json.loads(line))
            if number >= share * len(lines):
                code = f"batch_{status}"
                errors.append(_line(given, None, {"code": code, "message": "this request was not executed"}))
                batch.failed += 1
                continue
            self._answer_line(batch, given, output, errors)
        for number in range(self._served.faults.unknown):
            output.append(_line({"custom_id": f"unknown-{number}"}, {"status_code": 200, "body": {}}, None))
        batch.output = self._keep(b"".join(output)) if output else None
        batch.errors = self._keep(b"".join(errors)) if errors else None
        batch.status = status

    def _answer_line(self, batch: _Batch, given: Mapping[str, Any], output: list[bytes], errors: list[bytes]) -> None:
        body = cast("Mapping[str, Any]", given["body"])
        asked = digest("body", body)
        self._served.submitted[asked] += 1
        status, answer = self._result(asked, body)
        result = _line(given, {"status_code": status, "request_id": asked[:8], "body": answer}, None)
        batch.completed += status == 200
        batch.failed += status != 200
        if status != 200:
            errors.append(result)
            return
        if self._draws("missing", asked):
            return
        if self._draws("malformed", asked):
            output.append(result[: len(result) // 2] + b"\n")
            return
        self._served.answers[asked] += 1
        output.extend([result, result] if self._draws("repeated", asked) else [result])

    def _result(self, asked: str, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        if self._served.faults.refused > self._share("refused", asked):
            return 400, _error(400, "this request cannot be answered")
        if self._draws("failed", asked):
            status = random.Random(asked).choice((429, 500))
            return status, _error(status, "try again")
        try:
            return 200, self._answer(body)
        except Exception as exc:  # noqa: BLE001 - a line that cannot be answered is a line that failed
            status = getattr(exc, "status", 400)
            return status, _error(status, str(exc))

    def _draws(self, fault: str, asked: str) -> bool:
        faults = self._served.faults
        is_early = self._served.submitted[asked] <= faults.tries
        return is_early and self._share(fault, asked) < getattr(faults, fault)

    def _share(self, fault: str, asked: str) -> float:
        return random.Random(int(digest("fault", self._served.faults.seed, fault, asked), 16)).random()

    def _keep(self, content: bytes) -> str:
        name = f"file-{len(self._served.files):06d}"
        self._served.files[name] = content
        return name


def _line(given: Mapping[str, Any], response: Mapping[str, Any] | None, error: Mapping[str, Any] | None) -> bytes:
    custom_id = given.get("custom_id")
    line = {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": response, "error": error}
    return json.dumps(line).encode() + b"\n"


def _error(status: int, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "code": status}}


def _problem(status: int, message: str) -> web.Response:
    return _json(_error(status, message), status)


def _json(body: Mapping[str, Any], status: int = 200) -> web.Response:
    from aiohttp import web

    return web.json_response(body, status=status)
