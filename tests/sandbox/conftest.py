"""One sandbox for each tier, shared by the tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reasonry.sandbox import Sandbox, SandboxUnavailable, Tier

CONFINED: tuple[Tier, ...] = ("namespaces", "landlock")


def sandbox_of(tier: Tier) -> Iterator[Sandbox]:
    """A sandbox, or the reason why this machine has none."""
    with Sandbox(tier=tier) as sandbox:
        try:
            assert sandbox.tier == tier
        except SandboxUnavailable as exc:
            pytest.skip(str(exc))
        yield sandbox
        assert sandbox.left_running == 0


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Tier A."""
    yield from sandbox_of("namespaces")


@pytest.fixture(scope="session", params=CONFINED)
def any_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Tier A, then tier B."""
    yield from sandbox_of(request.param)
