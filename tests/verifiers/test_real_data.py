"""The math verifier on real responses: agreement with their labels, and inputs made to hang it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.response_labels import WRONG
from benchmarks.response_parts import PARTS, cases_of, path_of

from reasonry.contracts import Limits
from reasonry.executors.local import LocalExecutor
from reasonry.types import Question, Status
from reasonry.verifiers.batch import VerifyItem, verify_all

ROOT = Path(__file__).resolve().parents[2]
BENCHMARK = [sys.executable, "-m", "benchmarks.response_agreement"]


@pytest.mark.parametrize("most", [pytest.param(None, marks=pytest.mark.long), 2])
def test_agreement_with_the_labels_of_recorded_responses(shared_data: Path, tmp_path: Path, most: int | None) -> None:
    listed = tmp_path / "disagreements.jsonl"
    parts = [name for name, part in PARTS.items() if not part.is_noisy][:most]
    command = [*BENCHMARK, str(shared_data), "--list", str(listed), "--only", *parts]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line)["id"] for line in listed.read_text().splitlines()]
    assert len(rows) <= 50, rows  # of 37,390 labelled rows


def test_every_row_that_is_left_out_by_name_has_one_reason_and_is_there(shared_data: Path) -> None:
    there = {case.id for part in PARTS.values() for case in cases_of(path_of(shared_data, part), part)}
    assert set(WRONG) <= there


def test_the_benchmark_says_where_it_looked_when_the_data_are_absent(tmp_path: Path) -> None:
    done = subprocess.run([*BENCHMARK, str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr.startswith("error: no dynamic_cheatsheet.jsonl.zst")
    assert "hint:" in done.stderr


@pytest.mark.slow
def test_inputs_made_to_hang_end_within_their_limits(shared_data: Path) -> None:
    lines = (shared_data / "maths" / "pathological.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    items = [VerifyItem(Question("", row["answer"], "math"), row["response"]) for row in rows]
    with LocalExecutor(2) as executor:
        verdicts = list(verify_all(items, executor, Limits(1.0, 1024)))
    by_id = {row["id"]: verdict for row, verdict in zip(rows, verdicts, strict=True)}
    assert by_id["tower9^9^9^9"].status is Status.TIMEOUT
    assert by_id["integral"].status is Status.TIMEOUT
    assert by_id["tiny 2^-99 vs 2^-98"].status is Status.INCORRECT
    assert by_id["fullwidth"].status is Status.CORRECT
    unsafe = [name for name, verdict in by_id.items() if verdict.status is Status.SKIPPED]
    died = [name for name, verdict in by_id.items() if verdict.evidence.get("failure") in ("died", "raised")]
    assert not unsafe
    assert not died
