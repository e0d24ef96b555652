"""The math verifier on real responses: agreement with their labels, and inputs made to hang it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reasonry.contracts import Limits
from reasonry.executors.local import LocalExecutor
from reasonry.types import Question, Status
from reasonry.verifiers.batch import VerifyItem, verify_all

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "response_agreement.py"


def test_agreement_with_the_labels_of_recorded_responses(shared_data: Path, tmp_path: Path) -> None:
    listed = tmp_path / "disagreements.jsonl"
    command = [sys.executable, str(BENCHMARK), str(shared_data), "--list", str(listed)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in listed.read_text().splitlines()]
    counted = [row["id"] for row in rows if row["file"] != "odyssey_math"]  # its labels are noisy: shown, not counted
    assert len(counted) <= 10, counted  # of 31,773 labelled rows


def test_the_benchmark_says_where_it_looked_when_the_data_are_absent(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(BENCHMARK), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: no zeroeval_gsm8k.jsonl.zst")
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
