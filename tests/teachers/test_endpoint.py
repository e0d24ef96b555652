"""The simulated endpoint over real HTTP: its faults, its counts, and runs that are killed while they ask it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest

from reasonry.errors import TeacherError, UsageError
from reasonry.ledger import Ledger
from reasonry.teachers.asking import Answered, ask_all
from reasonry.teachers.endpoint import Served, main, serve_simulated
from reasonry.teachers.entries import read_reply
from reasonry.teachers.faults import FaultKind, FaultOptions
from reasonry.teachers.simulation import Behaviour, simulate
from reasonry.types import Reply, Request
from tests.teachers.fakes import SOON, arithmetic_requests, client

BEHAVIOUR = Behaviour(seed=9, accuracy=0.5)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def expected(requests: list[Request]) -> list[Reply]:
    return [simulate(BEHAVIOUR, request.messages, request.sampling.index) for request in requests]


def asked(served: Served, requests: list[Request], ledger: Ledger, **given: Any) -> list[Reply]:
    outcomes = list(ask_all(client(served.base_url, **given), requests, ledger, waits=SOON))
    assert all(isinstance(outcome, Answered) for outcome in outcomes), outcomes
    return [outcome.reply for outcome in outcomes if isinstance(outcome, Answered)]


def got(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_a_fault_ends_in_the_right_answer(kind: FaultKind, ledger: Ledger) -> None:
    requests = arithmetic_requests(6)
    faults = FaultOptions.model_validate({kind: 1.0, "tries": 2, "slow_s": 0.01, "retry_after_s": 0.01})
    with serve_simulated(BEHAVIOUR, faults=faults) as served:
        assert asked(served, requests, ledger) == expected(requests)
    # A slow answer is a right one, at the first try.
    tries = 1 if kind == "slow" else 3
    assert served.received == tries * 6
    assert served.stats()["faults"] == {kind: 6 if kind == "slow" else 12}
    assert sorted(served.answers.values()) == [1] * 6
    assert [entry.outcome for entry in ledger.entries()].count("failed") == (tries - 1) * 6


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "think"])
def test_reasoning_comes_apart_in_every_way_it_is_sent(field: Any, ledger: Ledger) -> None:
    requests, behaviour = arithmetic_requests(10), Behaviour(9, 0.5, {"truncation": 1.0})
    with serve_simulated(behaviour, reasoning_field=field) as served:
        replies = asked(served, requests, ledger)
    assert replies == [simulate(behaviour, request.messages) for request in requests]
    assert {reply.finish for reply in replies} == {"stop", "length"}
    assert all(reply.reasoning for reply in replies)


def test_each_sample_is_one_of_its_own(ledger: Ledger) -> None:
    from dataclasses import replace

    request = arithmetic_requests(1)[0]
    requests = [replace(request, sampling=replace(request.sampling, index=i)) for i in range(12)]
    with serve_simulated(BEHAVIOUR) as served:
        replies = asked(served, requests, ledger)
    assert replies == expected(requests)
    assert len({reply.reasoning for reply in replies}) > 3


def test_the_counts_tell_what_was_paid_for(ledger: Ledger) -> None:
    requests = arithmetic_requests(5)
    with serve_simulated(BEHAVIOUR) as served:
        asked(served, requests, ledger)
        asked(served, requests, ledger)
        stats = got(served.base_url.removesuffix("/v1") + "/stats")
    assert stats == {"served": 5, "received": 5, "requests": dict(served.answers), "faults": {}}
    assert list(stats["requests"].values()) == [1] * 5


def test_a_wrong_key_ends_the_run_at_once_and_is_shown_nowhere(ledger: Ledger) -> None:
    wrong, right = "sk-wrong-0123456789", "sk-right-0123456789"
    with serve_simulated(BEHAVIOUR, key=right) as served:
        with pytest.raises(TeacherError) as caught:
            list(ask_all(client(served.base_url, wrong), arithmetic_requests(200), ledger, concurrency=4))
        assert served.received <= 4
        assert caught.value.http_status == 401
        assert "OPENAI_API_KEY" in (caught.value.hint or "")
        assert wrong not in f"{caught.value!r} {caught.value}"
        assert len(asked(served, arithmetic_requests(3), ledger, key=right)) == 3
    ledger.close()
    for file in ledger.path.parent.iterdir():
        assert b"sk-" not in file.read_bytes(), file


def test_an_unknown_model_ends_the_run(ledger: Ledger) -> None:
    with serve_simulated(BEHAVIOUR) as served, pytest.raises(TeacherError, match="no model 'gpt'") as caught:
        asked(served, arithmetic_requests(3), ledger, model="gpt")
    assert caught.value.fatal


def test_the_model_is_listed() -> None:
    with serve_simulated(BEHAVIOUR) as served:
        assert [model["id"] for model in got(f"{served.base_url}/models")["data"]] == ["simulated-v1"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"model": "simulated-v1"}', b'{"messages": 5}', b'{"messages": [5]}', b"\xff", b'"x"']
)
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    with serve_simulated(BEHAVIOUR) as served:
        asking = urllib.request.Request(
            f"{served.base_url}/chat/completions", body, {"Content-Type": "application/json"}
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(asking, timeout=10)
        assert caught.value.code == 400
        caught.value.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(UsageError, match="loopback only"), serve_simulated(BEHAVIOUR, host=host):
        pass


@pytest.mark.parametrize(
    "arguments", [["--host", "0.0.0.0"], ["--faults", '{"rain": 1}'], ["--mistakes", '{"typo": 1}'], ["--faults", "{"]]
)
def test_the_program_refuses_what_it_cannot_do(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")


def test_faults_are_drawn_at_their_rates_and_the_same_each_time() -> None:
    faults = FaultOptions(http_429=0.2, cut=0.3)
    drawn = [faults.drawn(f"request {i}", 1) for i in range(2000)]
    assert drawn == [faults.drawn(f"request {i}", 1) for i in range(2000)]
    assert 0.17 < drawn.count("http_429") / 2000 < 0.23
    assert 0.27 < drawn.count("cut") / 2000 < 0.33
    assert set(drawn) == {"http_429", "cut", None}
    assert FaultOptions(cut=1.0, tries=2).drawn("request", 3) is None


# A run in a process of its own, killed while it asks.

RUN = """
import sys
from pathlib import Path
from reasonry.ledger import Ledger
from reasonry.teachers.asking import ask_all
from tests.teachers.fakes import SOON, arithmetic_requests, client

with Ledger(Path(sys.argv[2])) as ledger:
    for outcome in ask_all(client(sys.argv[1]), arithmetic_requests(120), ledger, concurrency=4, waits=SOON):
        print(outcome.key, flush=True)
"""
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def program(*arguments: str) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def slow_endpoint() -> Generator[str]:
    faults = '{"slow": 0.8, "slow_s": 0.02, "http_500": 0.1, "cut": 0.1}'
    with program("-m", "reasonry.teachers.endpoint", "--seed", "9", "--accuracy", "0.5", "--faults", faults) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["base_url"]


def begun(process: subprocess.Popen[str], lines: int) -> list[str]:
    """The keys of the first outcomes that were handed out."""
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(lines)]


def test_a_killed_run_pays_for_nothing_twice_but_what_was_under_way(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    kills = [5, 40, 77]
    with slow_endpoint() as base_url:
        for lines in kills:
            with program("-c", RUN, base_url, str(path)) as process:
                keys = begun(process, lines)
                process.send_signal(signal.SIGKILL)
                process.communicate()
            with Ledger(path) as ledger:
                assert set(keys) <= ledger.answered(keys).keys(), "handed out, and not on disk"
        requests = arithmetic_requests(120)
        with Ledger(path) as ledger:
            outcomes = list(ask_all(client(base_url), requests, ledger, waits=SOON))
            kept = {e.key: read_reply(e.reply or "") for e in ledger.entries() if e.outcome == "answered"}
        stats = got(base_url.removesuffix("/v1") + "/stats")
    replies = [outcome.reply for outcome in outcomes if isinstance(outcome, Answered)]
    assert replies == expected(requests)
    assert sorted(kept.values(), key=str) == sorted(replies, key=str)
    assert len(stats["requests"]) == 120
    paid_twice = stats["served"] - 120
    assert 0 <= paid_twice <= 4 * len(kills), "no more than was under way at each kill"


def test_an_interrupted_run_ends_at_once_and_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with slow_endpoint() as base_url, program("-c", RUN, base_url, str(path)) as process:
        keys = begun(process, 10)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert time.monotonic() - start < 10
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert not re.search(r"never (awaited|retrieved)|unclosed|InvalidState|Exception ignored", errors), errors
    with Ledger(path) as ledger:
        assert set(keys) <= ledger.answered(keys).keys()
