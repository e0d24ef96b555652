"""Programs that mean harm: none has an effect, each ends as it should, and the box is well after each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from reasonry.sandbox import Call, Ended, Limits, Sandbox
from reasonry.verifiers.code_output import OutputRule, compare_output, compare_value
from tests.sandbox.conftest import CONFINED
from tests.sandbox.forgeries import CALL_FORGERIES, HARNESS, HARNESS_FORGERIES, STDIN_FORGERIES, Forgery
from tests.sandbox.hostile import HOSTILE
from tests.sandbox.places import USERS, run_as

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "hostile" / "programs.json"
LIMITS = Limits(cpu_s=1.0, wall_s=3.0, memory_mb=512)
CANARY = Path("/tmp/sbx_canary")


def places() -> list[Any]:
    """Any two of user, tier and set meet in half of all places; the other half is left to the long tests."""
    sets = {"own": "own", "shared": str(SHARED)}
    return [
        pytest.param(user, tier, path, id=f"{user}-{tier}-{name}", marks=[pytest.mark.long] if (i + j + k) % 2 else [])
        for i, user in enumerate(USERS)
        for j, tier in enumerate(CONFINED)
        for k, (name, path) in enumerate(sets.items())
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("user", "tier", "which"), places())
def test_no_hostile_program_has_an_effect(user: str, tier: str, which: str) -> None:
    if os.geteuid() != 0 and user == "root":
        pytest.skip("the tests are not run by root")
    if which != "own" and not SHARED.exists():
        pytest.skip("the shared data is not here")
    CANARY.write_text("a secret of the host\n")
    results = run_as(user, "tests.sandbox.run_hostile", tier, which)
    assert len(results) >= (len(HOSTILE) if which == "own" else 50)
    assert [result for result in results if result[3]] == []


def test_there_are_thirty_programs_of_our_own() -> None:
    assert len({hostile.source for hostile in HOSTILE}) >= 30


@pytest.mark.parametrize("forgery", STDIN_FORGERIES, ids=lambda forgery: forgery.name)
def test_no_forgery_passes_a_stdin_test(forgery: Forgery, sandbox: Sandbox) -> None:
    outcome = sandbox.run(forgery.source, stdin="20 22\n", limits=LIMITS)
    is_right = compare_output(outcome.stdout, "42\n", OutputRule()) is None
    assert not (outcome.ended is Ended.OK and is_right)


@pytest.mark.parametrize("forgery", CALL_FORGERIES, ids=lambda forgery: forgery.name)
def test_no_forgery_passes_a_call(forgery: Forgery, sandbox: Sandbox) -> None:
    (outcome,) = sandbox.call_tests(forgery.source, "add", [Call((20, 22))], LIMITS)
    is_right = compare_value(outcome.value, 42, rel_tol=None, abs_tol=None) is None
    assert not (outcome.ended is Ended.OK and is_right)


@pytest.mark.parametrize("forgery", HARNESS_FORGERIES, ids=lambda forgery: forgery.name)
def test_no_forgery_passes_a_harness(forgery: Forgery, sandbox: Sandbox) -> None:
    checker, _ = sandbox.check(forgery.source, HARNESS, limits=LIMITS)
    assert checker.ended is not Ended.OK
    assert not checker.cannot_judge


def test_a_right_program_passes_where_forgeries_do_not(sandbox: Sandbox) -> None:
    right = "def add(a, b):\n    return a + b\n"
    reads = right + "print(add(*map(int, input().split())))"
    assert compare_output(sandbox.run(reads, stdin="20 22\n").stdout, "42\n", OutputRule()) is None
    assert sandbox.call(right, "add", [20, 22]).value == 42
    assert sandbox.check(right, HARNESS)[0].ended is Ended.OK
