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
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from reasonry.errors import TeacherError, UsageError
from reasonry.ledger import Ledger
from reasonry.teachers.asking.ask import Answered, ask_all
from reasonry.teachers.asking.entries import read_reply
from reasonry.teachers.simulator.bodies import request_digest
from reasonry.teachers.simulator.capacity import CapacityOptions, Refused
from reasonry.teachers.simulator.endpoint import Served, SimulatedEndpoint, main, serve_simulated
from reasonry.teachers.simulator.faults import FaultKind, FaultOptions
from reasonry.teachers.simulator.simulation import Behaviour, simulate
from reasonry.types import Reply, Request, conversation
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


def within(seconds: float, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_a_fault_ends_in_the_right_answer(kind: FaultKind, ledger: Ledger) -> None:
    requests = arithmetic_requests(6)
    short = {"slow_s": 0.01, "hang_s": 0.02, "retry_after_s": 0.01}
    faults = FaultOptions.model_validate({kind: 1.0, "tries": 2, **short})
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
        brief = got(served.base_url.removesuffix("/v1") + "/stats?brief")
    counted = {name: stats[name] for name in ("served", "distinct", "received", "abandoned", "faults", "requests")}
    answers = {"served": 5, "distinct": 5, "received": 5, "abandoned": 0, "faults": {}}
    assert counted == {**answers, "requests": dict(served.answers)}
    assert list(stats["requests"].values()) == [1] * 5
    assert sum(stats["served_by_second"].values()) == 5
    assert stats["refused_by_second"] == {}
    assert stats["in_flight"]["now"] == 0
    assert 1 <= stats["in_flight"]["most"] <= 5
    assert brief.keys() == stats.keys() - {"requests"}


def test_refusals_are_counted_by_status_and_second(ledger: Ledger) -> None:
    faults = FaultOptions(http_429=0.5, http_500=0.5, tries=1, retry_after_s=0.01)
    with serve_simulated(BEHAVIOUR, faults=faults) as served:
        asked(served, arithmetic_requests(20), ledger)
        stats = served.stats()
    refused = {status: sum(by_second.values()) for status, by_second in stats["refused_by_second"].items()}
    assert refused == {"429": stats["faults"]["http_429"], "500": stats["faults"]["http_500"]}
    assert sum(refused.values()) == 20


def test_a_hanging_connection_is_given_up_by_the_client_and_then_by_the_endpoint(ledger: Ledger) -> None:
    with serve_simulated(BEHAVIOUR, faults=FaultOptions(hang=1.0, tries=1)) as served:
        start = time.monotonic()
        assert asked(served, arithmetic_requests(4), ledger, timeout_s=0.3) == expected(arithmetic_requests(4))
        assert time.monotonic() - start < 20
        assert (served.received, served.abandoned, served.in_flight) == (8, 4, 0)
    assert sorted(served.answers.values()) == [1] * 4


def test_a_client_that_goes_while_it_waits_has_nothing_counted(ledger: Ledger) -> None:
    slow = CapacityOptions(at_once=1, latency_s=30)
    with serve_simulated(BEHAVIOUR, capacity=slow) as served:
        one = client(served.base_url, timeout_s=0.3)
        outcomes = list(ask_all(one, arithmetic_requests(3), ledger, attempts=1, waits=SOON))
        assert not any(isinstance(outcome, Answered) for outcome in outcomes)
        within(5, lambda: served.in_flight == 0)
        assert (served.abandoned, served.answers.total()) == (3, 0)


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


def test_an_answer_in_a_batch_is_counted_with_the_others() -> None:
    endpoint = SimulatedEndpoint(BEHAVIOUR)
    body = {"model": "simulated-v1", "messages": [{"role": "user", "content": "Compute 1 + 2."}], "seed": 1}
    reply = simulate(BEHAVIOUR, conversation("Compute 1 + 2."), 1)
    assert endpoint.answer(body)["choices"][0]["message"]["content"] == reply.response
    assert dict(endpoint.served.answers) == {request_digest(body): 1}
    with pytest.raises(Refused) as caught:
        endpoint.answer({**body, "model": "gpt"})
    assert caught.value.status == 404
    with serve_simulated(BEHAVIOUR) as served:
        assert got(f"{served.base_url}/batches")["data"] == []


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
    "arguments",
    [
        ["--host", "0.0.0.0"],
        ["--faults", '{"rain": 1}'],
        ["--faults", "{"],
        ["--faults", "mayhem"],
        ["--mistakes", '{"typo": 1}'],
        ["--capacity", '{"then": "explode"}'],
        ["--capacity", "none"],
    ],
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
    assert FaultOptions(cut=1.0, tries="all").drawn("request", 1000) == "cut"


def test_chaos_is_a_table_by_name_that_may_be_changed() -> None:
    chaos = FaultOptions.model_validate("chaos")
    assert FaultOptions.model_validate({"mode": "chaos"}) == chaos
    rates = {kind: chaos.rate(kind) for kind in get_args(FaultKind)}
    assert rates == {
        "http_429": 0.1, "http_500": 0.05, "cut": 0.05, "hang": 0.02, "invalid_json": 0.02, "empty": 0.01, "slow": 0.0
    }  # fmt: skip
    assert chaos.tries != "all", "a run must come to an end"
    changed = FaultOptions.model_validate({"mode": "chaos", "hang": 0.0, "tries": 2})
    assert (changed.hang, changed.tries, changed.cut) == (0.0, 2, 0.05)
    assert FaultOptions.model_validate(chaos.model_dump()) == chaos, "what is in force can be given again"
    assert FaultOptions.model_validate_json(changed.model_dump_json()) == changed
    with pytest.raises(ValidationError):
        FaultOptions.model_validate("mayhem")


def test_chaos_meets_each_kind_at_its_rate() -> None:
    chaos = FaultOptions.model_validate("chaos")
    drawn = Counter(chaos.drawn(f"request {i}", 1) for i in range(20_000))
    for kind in get_args(FaultKind):
        assert abs(drawn[kind] / 20_000 - chaos.rate(kind)) < 0.007, kind


# A run in a process of its own, killed while it asks.

RUN = """
import sys
from pathlib import Path
from reasonry.ledger import Ledger
from reasonry.teachers.asking.ask import ask_all
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
    with program(
        "-m", "reasonry.teachers.simulator.endpoint", "--seed", "9", "--accuracy", "0.5", "--faults", faults
    ) as process:
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
