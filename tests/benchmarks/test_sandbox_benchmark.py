"""The sandbox's benchmark measures what it says: every way runs every test, in processes that count."""

from __future__ import annotations

import pytest
from benchmarks.sandbox import collect_ours
from benchmarks.sandbox_baselines import Measured, Options, collect
from benchmarks.sandbox_workload import apps_like

from reasonry.sandbox import Sandbox, SandboxUnavailable


@pytest.fixture(autouse=True, scope="module")
def _a_sandbox() -> None:
    with Sandbox() as sandbox:
        try:
            if sandbox.tier != "namespaces":
                pytest.skip(f"only tier {sandbox.tier} here")
        except SandboxUnavailable as exc:
            pytest.skip(str(exc))


@pytest.mark.parametrize("name", ["reasonry", "reasonry-single", "reasonry-verifier"])
def test_ours_are_right_and_their_children_count(name: str) -> None:
    found = collect_ours(name, rounds=1)
    assert isinstance(found, Measured)
    assert found.right == found.tests == 160
    assert found.cpu_s > 160 * 0.0005  # less than half a millisecond a test: somebody was left out


@pytest.mark.parametrize("name", ["fork", "fork-run", "python-I-S"])
def test_baselines_are_right(name: str) -> None:
    found = collect(name, Options(1, None, None))
    assert isinstance(found, Measured)
    assert found.right == found.tests == 160


def test_a_workload_has_other_inputs_for_each_test() -> None:
    for workload in apps_like(8, 20):
        assert len({test.stdin for test in workload.tests}) == 20
