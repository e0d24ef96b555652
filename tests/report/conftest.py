"""One whole run on disk for the tests that only read it."""

from __future__ import annotations

import pytest

from tests.exporters.run_folder import RunFolder, build_run


@pytest.fixture(scope="session")
def nasty_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return build_run(tmp_path_factory.mktemp("nasty") / "run")
