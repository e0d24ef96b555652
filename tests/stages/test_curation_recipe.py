"""recipes/curation.toml, whole: what each rule takes, and the same digest at any number of workers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from reasonry.recipe import load_recipe
from reasonry.run import RunResult, run
from reasonry.store import Store
from reasonry.types import Example, Question

RECIPE = Path(__file__).resolve().parent.parent.parent / "recipes" / "curation.toml"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run(load_recipe(RECIPE), tmp_path_factory.mktemp("curation") / "run", workers=2)


def _dropped(result: RunResult, stage: str) -> dict[str, int]:
    return dict(next(outcome.dropped for outcome in result.stages if outcome.stage == stage))


def test_every_question_of_the_benchmark_leaves_and_nothing_else_for_it(finished: RunResult) -> None:
    dropped = _dropped(finished, "curate")
    assert dropped["contaminated"] == 60
    assert set(dropped) == {"contaminated", "duplicate"}


def test_of_questions_with_one_text_that_of_the_preferred_source_stays(finished: RunResult) -> None:
    store = Store(finished.folder / "tables")
    (curated,) = store.manifests("curate")
    kept = list(store.rows(curated, Question))
    texts = Counter(question.prompt for question in kept)
    assert max(texts.values()) == 1
    assert sum(question.source == "sums-a" for question in kept) == 400


def test_the_mix_has_the_shares_that_were_asked_for(finished: RunResult) -> None:
    store = Store(finished.folder / "tables")
    (curated,), (selected,) = store.manifests("curate"), store.manifests("select")
    domains = {question.id: question.domain for question in store.rows(curated, Question)}
    chosen = Counter(domains[example.question_id] for example in store.rows(selected, Example))
    assert chosen == {"sums": 133, "shopping": 67}


@pytest.mark.long
def test_one_worker_gives_the_same_digest(finished: RunResult, tmp_path: Path) -> None:
    assert run(load_recipe(RECIPE), tmp_path / "run", workers=1).digest == finished.digest
