"""`reasonry verify`: one verdict for each row, in order, whatever is wrong with a row."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.cli.test_cli import assert_clear, reasonry
from tests.processes import children_of, gone_within

ROWS: list[dict[str, Any]] = [
    {"id": 1, "answer": "4", "response": "2 + 2 = 4, so \\boxed{4}"},
    {"id": "b", "answer": "4", "response": "<think>maybe 4</think> The answer is 5."},
    {"id": 3, "answer": "1/2", "response": "\\boxed{0.5}"},
    {"id": 4, "answer": "4", "response": ""},
    {"id": 5, "answer": "B", "response": "(B)", "verifier": "choice", "spec": {"choices": ["x", "y"]}},
    {"id": 6, "answer": 4, "response": "4"},
]
STATUSES = ["correct", "incorrect", "correct", "unparsed", "correct", "correct"]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def verdicts(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", ["in.jsonl", "in.jsonl.gz", "in.jsonl.zst", "in.parquet"])
def test_every_format_gives_the_same_verdicts(name: str, tmp_path: Path) -> None:
    rows = [{**row, "id": str(row["id"]), "answer": str(row["answer"])} for row in ROWS]
    if name.endswith(".parquet"):
        plain = [{**row, "spec": json.dumps(row["spec"]) if "spec" in row else None} for row in rows]
        pq.write_table(pa.Table.from_pylist([{"verifier": None, **row} for row in plain]), tmp_path / name)
    else:
        pack = {"l": bytes, "z": gzip.compress, "t": zstandard.ZstdCompressor().compress}[name[-1]]
        (tmp_path / name).write_bytes(pack(lines(rows)))
    done = reasonry("verify", name, "-o", "out.jsonl", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = verdicts(tmp_path / "out.jsonl")
    assert [row["id"] for row in out] == [row["id"] for row in rows]
    assert [row["status"] for row in out] == STATUSES
    assert all(set(row) == {"id", "status", "verifier", "extracted", "detail", "seconds"} for row in out)
    counts = json.loads(done.stdout)
    assert (counts["rows"], counts["correct"], counts["incorrect"], counts["unparsed"]) == (6, 4, 1, 1)
    assert "6 rows" in done.stderr


BAD_ROWS = [
    b"not json",
    b'{"id": 1}',
    b'{"id": 2, "answer": "4"}',
    b'{"id": 3, "answer": "4", "response": 4}',
    b'{"id": 4, "answer": true, "response": "4"}',
    b'{"id": 5, "answer": "4", "response": "4", "verifier": "maht"}',
    b'{"id": 6, "answer": "4", "response": "4", "verifier": 7}',
    b'{"id": 7, "answer": "4", "response": "4", "spec": "{"}',
    b'{"id": 8, "answer": "4", "response": "4", "spec": [1]}',
    b'{"id": 9, "answer": "4", "response": "4", "prompt": 3}',
    b"[1, 2]",
    b"\xff\xfe",
    b'{"id": 10, "answer": "4", "response": null}',
]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_bad_row_is_an_error_with_its_line_and_stops_no_other(workers: str, tmp_path: Path) -> None:
    good = b'{"id": "good", "answer": "4", "response": "4"}\n'
    (tmp_path / "in.jsonl").write_bytes(good + b"".join(row + b"\n" + good for row in BAD_ROWS))
    done = reasonry("verify", "in.jsonl", "-o", "out.jsonl", "--workers", workers, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = verdicts(tmp_path / "out.jsonl")
    assert [row["status"] for row in out] == ["correct"] + ["error", "correct"] * len(BAD_ROWS)
    for number, row in enumerate(out):
        if row["status"] == "error":
            assert f"line {number + 1}: " in row["detail"]
    assert f"{len(BAD_ROWS)} rows could not be used" in done.stderr


def test_verdicts_go_to_stdout_where_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(lines(ROWS))
    done = reasonry("verify", "in.jsonl", cwd=tmp_path)
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == STATUSES


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_dash_reads_rows_from_stdin(pack: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reasonry", "verify", "-"]
    done = subprocess.run(command, input=pack(lines(ROWS)), capture_output=True, cwd=tmp_path, check=True)
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == STATUSES


def test_a_spec_that_json_cannot_say_is_that_rows_error(tmp_path: Path) -> None:
    specs = [{"unit": b"m"}, None]
    rows = [{"id": n, "answer": "4", "response": "4", "spec": spec} for n, spec in enumerate(specs)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    done = reasonry("verify", "in.parquet", cwd=tmp_path)
    out = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["status"] for row in out] == ["error", "correct"]
    assert "line 1: spec holds what JSON cannot" in out[0]["detail"]


def test_stdin_may_be_a_socket(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(lines(ROWS))
        ours.shutdown(socket.SHUT_WR)
        command = [sys.executable, "-m", "reasonry", "verify", "-"]
        done = subprocess.run(command, stdin=theirs.fileno(), capture_output=True, cwd=tmp_path, check=True)
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == STATUSES


def test_stdin_goes_on_where_another_stopped_reading(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(lines(ROWS))
    with (tmp_path / "in.jsonl").open("rb", buffering=0) as file:
        file.readline()
        command = [sys.executable, "-m", "reasonry", "verify", "-"]
        done = subprocess.run(command, stdin=file, capture_output=True, cwd=tmp_path, check=True)
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [row["id"] for row in ROWS[1:]]


def test_an_empty_stdin_is_a_clear_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reasonry", "verify", "-"]
    done = subprocess.run(command, input="", capture_output=True, text=True, cwd=tmp_path, check=False)
    assert_clear(done, 2, "no rows")


def test_a_row_that_was_cut_off_needs_a_declared_answer(tmp_path: Path) -> None:
    row = {"id": 1, "answer": "5", "response": "We get 3 + 2 = 5"}
    rows = [row, {**row, "finish": "length"}, {**row, "finish": None}, {**row, "finish": "cut"}]
    (tmp_path / "in.jsonl").write_bytes(lines(rows))
    done = reasonry("verify", "in.jsonl", cwd=tmp_path)
    out = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["status"] for row in out] == ["correct", "unparsed", "correct", "error"]
    assert "finish is 'cut'" in out[3]["detail"]


def test_a_named_verifier_overrides_the_rows(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(lines([{"id": 1, "answer": "1/2", "response": "0.5", "verifier": "math"}]))
    done = reasonry("verify", "in.jsonl", "--verifier", "exact", cwd=tmp_path)
    assert json.loads(done.stdout)["status"] == "incorrect"
    assert json.loads(done.stdout)["verifier"].startswith("exact@")


def test_a_damaged_file_is_a_clear_error_and_leaves_no_output(tmp_path: Path) -> None:
    packed = zstandard.ZstdCompressor().compress(lines(ROWS * 1000))
    (tmp_path / "in.jsonl.zst").write_bytes(packed[: len(packed) // 2])
    done = reasonry("verify", "in.jsonl.zst", "-o", "out.jsonl", cwd=tmp_path)
    assert_clear(done, 2, "in.jsonl.zst")
    assert not (tmp_path / "out.jsonl").exists()


def test_the_output_never_replaces_the_input_or_a_device(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(lines(ROWS))
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "in.jsonl")
    for out in ("in.jsonl", "link.jsonl"):
        assert_clear(reasonry("verify", "in.jsonl", "-o", out, cwd=tmp_path), 2, "replace the input")
    assert_clear(reasonry("verify", "in.jsonl", "-o", "out.jsonl.gz", cwd=tmp_path), 2, "JSONL")
    assert (tmp_path / "in.jsonl").read_bytes() == lines(ROWS)
    done = reasonry("verify", "in.jsonl", "-o", "/dev/stdout", cwd=tmp_path)
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == STATUSES


def test_a_file_without_one_usable_row_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('[\n  {"id": 1}\n]\n')
    assert_clear_last(reasonry("verify", "in.jsonl", "-o", "out.jsonl", cwd=tmp_path))


def assert_clear_last(done: Any) -> None:
    assert done.returncode == 2
    assert "no row of the file could be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(lines(ROWS * 2000))
    command = f"{sys.executable} -m reasonry verify in.jsonl 2>/dev/null | head -1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", command], cwd=tmp_path, check=False).returncode == 0


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks its children up in /proc")
def test_an_interrupt_leaves_no_worker_and_no_half_a_file(tmp_path: Path) -> None:
    rows = lines([{"id": 1, "answer": "4", "response": f"{n} so \\boxed{{4}}"} for n in range(5_000)])
    command = [sys.executable, "-m", "reasonry", "verify", "-", "-o", "out.jsonl", "--workers", "2"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(rows)  # and no end: it waits for more
        process.stdin.flush()
        end = time.monotonic() + 30
        while len(workers := children_of(process.pid)) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(workers) == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert b"Traceback" not in process.stderr.read()
    assert gone_within(5, workers)
    assert list(tmp_path.iterdir()) == []
