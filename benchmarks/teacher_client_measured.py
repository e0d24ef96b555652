"""One client, measured in this process: the floor, or ours. Prints one line of JSON.

    python -m benchmarks.teacher_client_measured ours --base-url URL --requests 2000 --concurrency 500

One request warms up: imports and what is made once are not measured. Measured is the time from before the first request
until the last reply is there; for ours, until the ledger is closed. `right` counts the replies that have content; ours
are counted in the ledger, opened anew.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import aiohttp

from benchmarks.teacher_client_common import (
    MAX_TOKENS,
    MODEL,
    TEMPERATURE,
    Clock,
    Spent,
    body_of,
    prompts,
    raise_open_files,
)
from reasonry import Question
from reasonry.ledger import Ledger
from reasonry.registry import find
from reasonry.teachers.asking.ask import Answered, ask_all
from reasonry.types import Message, Request, Sampling

__all__ = ["CLIENTS", "floor", "ours", "requests_of", "teacher_at"]


def floor(base_url: str, requests: int, concurrency: int, _: Path) -> tuple[Spent, int]:
    """The least that asking costs in Python with aiohttp: a session, a semaphore, and nothing kept."""
    clock = Clock()
    right = asyncio.run(_bare(base_url, requests, concurrency))
    return clock.spent(), right


async def _bare(base_url: str, requests: int, concurrency: int) -> int:
    slots = asyncio.Semaphore(concurrency)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:

        async def ask(prompt: str) -> bool:
            async with slots, session.post(f"{base_url}/chat/completions", json=body_of(prompt)) as response:
                answer = await response.json()
            return bool(answer["choices"][0]["message"]["content"])

        return sum(await asyncio.gather(*(ask(prompt) for prompt in prompts(requests))))


def ours(base_url: str, requests: int, concurrency: int, folder: Path) -> tuple[Spent, int]:
    """The engine with the `openai` teacher, and a ledger on disk."""
    teacher = teacher_at(base_url, concurrency)
    path = folder / "ledger.sqlite"
    clock = Clock()
    with Ledger(path) as ledger:
        for outcome in ask_all(teacher, requests_of(requests), ledger, concurrency=concurrency):
            assert isinstance(outcome, Answered), outcome
    spent = clock.spent()
    with Ledger(path) as ledger:
        right = sum(entry.outcome == "answered" and bool(entry.reply) for entry in ledger.entries())
    return spent, right


def teacher_at(base_url: str, concurrency: int) -> Any:
    """The `openai` teacher, as a recipe would make it."""
    part = find("teacher", "openai")
    assert part.options is not None
    given = {"teacher": "openai", "model": MODEL, "base_url": base_url, "concurrency": concurrency}
    return part.call(part.options.model_validate(given))


def requests_of(count: int) -> Iterator[Request]:
    """As the distil stage makes them, one at a time."""
    sampling = Sampling(temperature=TEMPERATURE, max_tokens=MAX_TOKENS)
    for prompt in prompts(count):
        yield Request((Message("user", prompt),), sampling, Question(prompt, None, "exact"))


CLIENTS = {"floor": floor, "ours": ours}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    parser.add_argument("--folder", type=Path, help="where the ledger lies meanwhile; on a real disk")
    given = parser.parse_args()
    raise_open_files()
    with tempfile.TemporaryDirectory(dir=cast("Path | None", given.folder)) as folder:
        ask = CLIENTS[given.client]
        ask(given.base_url, 1, given.concurrency, Path(folder) / "warm")
        spent, right = ask(given.base_url, given.requests, given.concurrency, Path(folder))
    print(json.dumps({**asdict(spent), "right": right}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
