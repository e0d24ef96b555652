"""The verify stage: what it tells the verifiers of a trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from reasonry.store import Store
from reasonry.types import VerdictRow
from tests.stages.test_line import small_run

RECIPE = """\
name = "cut"
[[questions]]
source = "jsonl"
path = "q.jsonl"
verifier = "math"
[distil]
teacher = "replay"
path = "r.jsonl"
samples = 3
[distil.fields]
finish = "finish"
"""


def test_a_trace_that_was_cut_off_counts_only_with_a_declared_answer(
    write_recipe: Callable[[str], Path], tmp_path: Path
) -> None:
    recorded = [("We get 3 + 2 = 5", "stop"), ("We get 3 + 2 = 5", "length"), ("So \\boxed{5}, or", "length")]
    rows = [{"question": "What is 3 + 2?", "response": text, "finish": finish} for text, finish in recorded]
    (tmp_path / "q.jsonl").write_text(json.dumps({"prompt": "What is 3 + 2?", "answer": "5"}) + "\n")
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = small_run(write_recipe(RECIPE), tmp_path / "out")
    table = next(stage for stage in done.stages if stage.stage == "verify")
    store = Store(tmp_path / "out" / "tables")
    manifest = store.sealed("verify", table.key)
    assert manifest is not None
    assert [row.status.value for row in store.rows(manifest, VerdictRow)] == ["correct", "unparsed", "correct"]
