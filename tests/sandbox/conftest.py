"""A sandbox that the tests of a process share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reasonry.sandbox import Sandbox, SandboxUnavailable, Tier

CONFINED: tuple[Tier, ...] = ("namespaces", "landlock")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Tier A, or the reason why this machine has none."""
    with Sandbox(tier="namespaces") as sandbox:
        try:
            assert sandbox.tier == "namespaces"
        except SandboxUnavailable as exc:
            pytest.skip(str(exc))
        yield sandbox
        assert sandbox.left_running == 0
