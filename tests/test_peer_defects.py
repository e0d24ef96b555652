"""What other tools were seen to do with answers that somebody paid for, and that ours does not.

Each of these was measured on a public tool (2025): a changed system prompt or another endpoint brought back the old
answers; one HTTP 400 among fifty threw the other answers away; a run that was killed lost all of them, or hung when it
was started again; the reasoning was dropped.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from benchmarks.endpoints import endpoint_program, is_quiet_within, stats_of

from reasonry.console import Console
from reasonry.recipe import load_recipe
from reasonry.run import RunResult, run
from reasonry.store import Store
from reasonry.teachers.simulator.endpoint import Served, serve_simulated
from reasonry.teachers.simulator.simulation import Behaviour
from reasonry.types import Drop, Example, Trace
from tests.teachers.fakes import completion, http_server

RECIPE = """\
name = "defects"
seed = 3

[[questions]]
source = "procedural"
family = "chain_sum"
steps = 3
digits = 3
count = 50
verifier = "steps"

[distil]
teacher = "openai"
model = "simulated-v1"
base_url = "{base_url}"
"""


def recipe(folder: Path, base_url: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.toml"
    path.write_text(RECIPE.replace("{base_url}", base_url), encoding="utf-8")
    return path


def distilled(path: Path, *overrides: str) -> RunResult:
    """A run into the recipe's folder, with one ledger for all runs there."""
    out = path.parent / "out"
    ledger = path.parent / "ledger.sqlite"
    return run(load_recipe(path, overrides), out, console=Console(quiet=True), workers=1, ledger=ledger)


def rows(done: RunResult, stage: str, kind: type[Any]) -> list[Any]:
    store = Store(done.folder / "tables")
    manifest = store.manifests(stage)[0]
    return list(store.drops(manifest) if kind is Drop else store.rows(manifest, kind))


@pytest.fixture
def served() -> Generator[Served]:
    with serve_simulated(Behaviour(7, 0.6)) as endpoint:
        yield endpoint


def test_a_changed_system_prompt_is_asked_anew(tmp_path: Path, served: Served) -> None:
    path = recipe(tmp_path, served.base_url)
    distilled(path)
    distilled(path)
    assert served.answers.total() == 50, "nothing changed, so nothing is asked"
    distilled(path, 'distil.system="Think first."')
    assert served.answers.total() == 100
    assert max(served.answers.values()) == 1


def test_another_endpoint_is_asked_anew(tmp_path: Path, served: Served) -> None:
    path = recipe(tmp_path, served.base_url)
    first = [trace.reasoning for trace in rows(distilled(path), "distil", Trace)]
    with serve_simulated(Behaviour(8, 0.1)) as other:
        second = [
            trace.reasoning for trace in rows(distilled(path, f'distil.base_url="{other.base_url}"'), "distil", Trace)
        ]
        assert other.answers.total() == 50
    assert len(first) == len(second) == 50
    assert sum(one != another for one, another in zip(first, second, strict=True)) > 10, "not the old answers"


@pytest.mark.parametrize("key", [None, "k-0123456789abcdef0123"])
def test_a_run_says_where_it_asks_and_which_key_goes_there(
    tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str | None
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    run(load_recipe(recipe(tmp_path, served.base_url)), tmp_path / "out", console=Console(), workers=1)
    said = capsys.readouterr().err
    with_key = ", with the key in OPENAI_API_KEY" if key is not None else ""
    assert f"asking simulated-v1 at {served.base_url}{with_key}\n" in said
    assert key is None or key not in said


def test_one_refused_request_costs_one_row(tmp_path: Path) -> None:
    asked = 0

    async def refuses_the_seventh(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        if asked == 7:
            return web.json_response({"error": {"message": "too long"}}, status=400)
        return web.json_response(completion("The answer is 5.", reasoning_content="2 + 3 = 5"))

    with http_server(refuses_the_seventh) as base_url:
        done = distilled(recipe(tmp_path, base_url))
    assert len(rows(done, "distil", Trace)) == 49
    (drop,) = rows(done, "distil", Drop)
    assert drop.rule == "refused"
    assert "HTTP 400: " in drop.reason
    assert asked == 50


@pytest.mark.long
def test_a_killed_run_loses_nothing_and_starts_again(tmp_path: Path) -> None:
    with endpoint_program("--faults", json.dumps({"slow": 1.0, "slow_s": 0.1, "tries": 1})) as base_url:
        path = recipe(tmp_path, base_url)
        command = [sys.executable, "-m", "reasonry", "run", str(path), "--out", str(tmp_path / "out"), "--quiet"]
        command += ["--set", "distil.concurrency=4"]
        with subprocess.Popen(command) as process:
            while stats_of(base_url)["served"] < 20:
                assert process.poll() is None, "it ended by itself"
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
        assert is_quiet_within(base_url, 10)
        at_kill = stats_of(base_url)["served"]
        assert 20 <= at_kill < 50
        subprocess.run(command, check=True, timeout=60)
        requests = stats_of(base_url, brief=False)["requests"]
    assert len(requests) == 50
    again = sum(requests.values()) - 50
    assert again <= 4, "at most what was in flight at the kill"
    assert len(rows_in(tmp_path / "out")) == 50


def rows_in(folder: Path) -> list[Trace]:
    store = Store(folder / "tables")
    (manifest,) = store.manifests("distil")
    return list(store.rows(manifest, Trace))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "think"])
def test_the_reasoning_reaches_the_dataset(tmp_path: Path, field: Any, stream: bool) -> None:
    with serve_simulated(Behaviour(7, 1.0), reasoning_field=field) as served:
        done = distilled(recipe(tmp_path, served.base_url), f"distil.stream={str(stream).lower()}")
    examples = rows(done, "select", Example)
    assert len(examples) == 50
    for example in examples:
        text = example.messages[-1].content
        thought, _, answer = text.partition("</think>")
        assert thought.startswith("<think>\n")
        assert len(thought.splitlines()) >= 3
        assert "\\boxed{" in answer
