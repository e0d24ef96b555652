"""An endpoint in chaos and a run that is killed: nothing lost, nothing paid twice, the same tables in the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.chaos import Setting, calm_run, chaotic_run, problems_of
from benchmarks.full_endpoint import longest_above

from reasonry.ledger import Ledger
from reasonry.teachers.asking.ask import Answered, Unanswered, ask_all
from reasonry.teachers.simulator.endpoint import serve_simulated
from reasonry.teachers.simulator.faults import FaultOptions
from reasonry.teachers.simulator.simulation import Behaviour, simulate
from tests.teachers.fakes import SOON, arithmetic_requests, client

SMALL = Setting(questions=150, samples=2, kills=2, concurrency=16, timeout_s=1.5)


@pytest.mark.slow
@pytest.mark.long
def test_a_run_in_chaos_killed_twice_ends_as_a_calm_one(tmp_path: Path) -> None:
    calm = calm_run(tmp_path / "calm", SMALL)
    chaos = chaotic_run(tmp_path / "chaos", SMALL)
    assert problems_of(chaos, calm, SMALL) == []
    assert len(chaos.kills) == 2
    assert 0 < chaos.kills[0].answered < SMALL.requests, "the first kill came while the teacher was answering"
    assert chaos.faults.keys() >= {"http_429", "http_500", "cut", "hang", "invalid_json"}
    assert calm.attempts == {"answered": SMALL.requests}
    assert chaos.attempts["answered"] == SMALL.requests

    # What the checks are there to find.
    lost = replace(chaos, digests={**chaos.digests, "distil": "another"})
    assert problems_of(lost, calm, SMALL) == ["tables differ from the calm run's: distil"]
    twice = replace(chaos, counts=chaos.counts + Counter([next(iter(chaos.counts))]))
    assert len(problems_of(twice, calm, SMALL)) == 1
    assert problems_of(replace(chaos, unaccounted=["q-1#0"]), calm, SMALL) == ["q-1#0 unaccounted for"]


def test_with_too_few_tries_each_question_has_its_answer_or_a_reason(tmp_path: Path) -> None:
    """Chaos without end: what is answered is right, and what is not says why, and harms no other."""
    requests, behaviour = arithmetic_requests(200), Behaviour(9, 0.5)
    faults = FaultOptions.model_validate({"mode": "chaos", "tries": "all", "retry_after_s": 0.01})
    with Ledger(tmp_path / "ledger.sqlite") as ledger, serve_simulated(behaviour, faults=faults) as served:
        one = client(served.base_url, timeout_s=0.5)
        outcomes = list(ask_all(one, requests, ledger, concurrency=64, attempts=1, waits=SOON))
        assert max(served.answers.values()) == 1
    assert [outcome.request for outcome in outcomes] == requests
    answered = [outcome for outcome in outcomes if isinstance(outcome, Answered)]
    assert [o.reply for o in answered] == [simulate(behaviour, o.request.messages) for o in answered]
    assert 0 < len(answered) < 200
    assert all(str(outcome.error) for outcome in outcomes if isinstance(outcome, Unanswered))


def test_moments_are_spread_over_the_run_and_the_last_is_after_the_teacher() -> None:
    *early, last = Setting(questions=500, samples=2, kills=10, seed=3).moments()
    assert last is None
    assert len(early) == 9
    for part, moment in enumerate(early):
        assert moment is not None
        assert part * 1000 / 9 - 1 <= moment < (part + 1) * 1000 / 9
    assert Setting(seed=3).moments() == Setting(seed=3).moments() != Setting(seed=4).moments()


def test_the_longest_time_with_too_many_errors() -> None:
    answered = dict.fromkeys(range(100), 100)
    assert longest_above(answered, {}, 0, 99, window=10) == 0
    assert longest_above(answered, {5: 1}, 0, 99, window=1) == 0, "1 of 101 is below 1%"
    assert longest_above(answered, {5: 2}, 0, 99, window=1) == 1
    assert longest_above(answered, {5: 8}, 0, 99, window=10) == 2, "8 of 608, 8 of 708, then 8 of 808 and less"
    assert longest_above(answered, {5: 50}, 0, 99, window=10) == 10
    assert longest_above(answered, dict.fromkeys(range(20, 25), 50), 0, 99, window=10) == 14
    assert longest_above({}, {3: 1}, 0, 9, window=1) == 1
    assert longest_above({}, {}, 0, 9, window=10) == 0
