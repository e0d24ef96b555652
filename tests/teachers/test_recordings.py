"""Recordings on disk: found again whatever their digests, held by nobody, and gone with the process."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasonry.errors import InputError, StoreError, TeacherError
from reasonry.ledger import Ledger
from reasonry.teachers.asking.ask import Answered, Unanswered, ask_all
from reasonry.teachers.packing import packed, unpacked
from reasonry.teachers.recorded_rows import Recorded, read_rows
from reasonry.teachers.recordings import Recordings
from reasonry.teachers.replay import ReplayTeacher, replay
from reasonry.teachers.spool import Spool
from reasonry.types import Question, Reply
from tests.teachers.fakes import FakeTeacher, request_of, requests_of
from tests.teachers.test_replay import options, written

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
COUNTS = st.none() | st.integers(0, (1 << 53) - 1)
ROWS = 2_000
REPLY = "x" * 20_000
UNUSED = ("reasoning", "model", "finish", "tokens_in", "tokens_out")


def recordings_of(rows: Sequence[tuple[str, str]], folder: Path | None = None) -> Recordings:
    recordings = Recordings(folder)
    for prompt, response in rows:
        recordings.add(Recorded(prompt, "m", packed(Reply(response))))
    recordings.finish()
    return recordings


@given(st.builds(Reply, TEXTS, TEXTS, st.just("length"), TEXTS, COUNTS, COUNTS))
def test_a_reply_comes_back_as_it_was_packed(reply: Reply) -> None:
    assert unpacked(packed(reply)) == reply


@given(st.lists(st.tuples(st.sampled_from(["a", " a", "a ", "b  c", "b c", "d"]), TEXTS), max_size=30))
def test_the_rows_of_a_prompt_are_those_that_a_search_through_all_would_find(rows: list[tuple[str, str]]) -> None:
    recordings = recordings_of(rows)
    for prompt in ("a", " a", "a\n", "b c", "b  c", "e"):
        exact = [response for one, response in rows if one == prompt]
        spaced = [response for one, response in rows if one.split() == prompt.split()]
        found = [recordings.reply(row).response for row in recordings.of_prompt(prompt)]
        assert found == (exact or spaced)


def test_a_digest_that_ends_in_nul_is_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {prompt: prompt.encode().ljust(16, b"\0") for prompt in ("a", "a\0", "ab", "\0", "b")}
    monkeypatch.setattr("reasonry.teachers.recordings._digest_of", lambda prompt: digests[prompt])
    recordings = recordings_of([(prompt, str(n)) for n, prompt in enumerate(("b", "a", "ab", "a"))])
    assert [list(recordings.of_prompt(prompt)) for prompt in ("a", "ab", "b", "\0")] == [[1, 3], [2], [0], []]


def long_rows(path: Path) -> Path:
    rows = ({"question": f"question {n}", "response": f"{n} {REPLY}"} for n in range(ROWS))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_replies_are_on_disk_and_not_in_memory(tmp_path: Path) -> None:
    path = long_rows(tmp_path / "r.jsonl")
    teacher = replay(options(path))
    tracemalloc.start()
    assert teacher.recorded(Question("question 7", None, "exact")) == 1
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < path.stat().st_size / 4
    assert held < 2_000_000 + 100 * ROWS
    assert teacher.recall(request_of(f"question {ROWS - 1}")).response.startswith(f"{ROWS - 1} x")


def test_nobody_sees_the_file_and_it_is_gone_with_the_process_that_is_killed(tmp_path: Path) -> None:
    long_rows(tmp_path / "r.jsonl")
    (tmp_path / "spool").mkdir()
    program = f"""
from pathlib import Path
from reasonry.teachers.replay import replay
from tests.teachers.test_replay import options
from reasonry.types import Question
teacher = replay(options(Path({str(tmp_path / "r.jsonl")!r})))
teacher.spool_in(Path({str(tmp_path / "spool")!r}))
teacher.recorded(Question("a", None, "exact"))
print("read", flush=True)
input()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "read\n"
        assert not list((tmp_path / "spool").iterdir())
        process.send_signal(signal.SIGKILL)
    assert not list((tmp_path / "spool").iterdir())


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be put aside"):
        Spool(tmp_path / "not there")


def test_recordings_are_read_when_they_are_wanted_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.zst"
    path.write_bytes(b"not packed")
    teacher = replay(options(path))
    assert not teacher.paid

    async def enter() -> None:
        await teacher.__aenter__()

    with pytest.raises(InputError):
        asyncio.run(enter())


def test_who_does_not_want_to_wait_for_the_reading_can_cancel_it(tmp_path: Path) -> None:
    teacher = replay(options(long_rows(tmp_path / "r.jsonl")))

    async def enter() -> None:
        task = asyncio.create_task(teacher.__aenter__())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(enter())
    assert teacher.recorded(Question("question 0", None, "exact")) == 1, "another try reads them from the start"


def test_every_request_has_its_outcome_in_order(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", *({"question": f"question {n}", "response": str(n)} for n in range(0, 20, 2)))
    outcomes = list(ask_all(replay(options(path)), requests_of(20), None))
    assert [outcome.request.question.prompt for outcome in outcomes] == [f"question {n}" for n in range(20)]
    assert [o.reply.response for o in outcomes if isinstance(o, Answered)] == [str(n) for n in range(0, 20, 2)]
    assert all(not outcome.error.retryable for outcome in outcomes if isinstance(outcome, Unanswered))


def test_an_answer_that_left_its_ledger_ends_the_work(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        list(ask_all(FakeTeacher(), requests_of(3), ledger))
    teacher = replay(options(path))
    assert teacher.recorded(Question("question 1", None, "exact")) == 1
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("delete from attempts")
    with pytest.raises(TeacherError, match="is gone") as caught:
        list(ask_all(teacher, requests_of(3), None))
    assert caught.value.fatal


def test_answers_of_ledgers_and_rows_of_files_stand_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        list(ask_all(FakeTeacher(), [request_of("a")], ledger))
    rows = written(tmp_path / "r.jsonl", {"question": "a", "response": "file 0"}, {"question": "a", "response": "1"})
    outcomes = list(ask_all(replay(options(rows, path)), [request_of("a", 0), request_of("a", 1)], None))
    assert [o.reply.response for o in outcomes if isinstance(o, Answered)] == ["answer to a", "1"]


def test_rows_set_aside_are_read_back_one_at_a_time(tmp_path: Path) -> None:
    teacher = replay(options(written(tmp_path / "r.jsonl", *({"question": n} for n in range(5)))))
    aside = teacher.set_aside
    assert [drop.row_id for drop in aside] == [f"r.jsonl:{n}" for n in range(1, 6)]
    assert (len(aside), aside[-1].row_id, [drop.row_id for drop in aside[1:3]]) == (
        5,
        "r.jsonl:5",
        ["r.jsonl:2", "r.jsonl:3"],
    )
    with pytest.raises(IndexError):
        aside[5]


def parquet(path: Path, rows: list[dict[str, Any]], **more: Any) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path, **more)
    return path


def test_of_a_parquet_file_only_the_columns_of_a_recording_are_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    broken = pa.array([b"\xff", b"\xfe"]).view(pa.string())
    table = pa.table({"question": ["a", "b"], "response": ["1", "2"], "never wanted": broken})
    pq.write_table(table, tmp_path / "r.parquet")
    teacher = replay(options(tmp_path / "r.parquet"))
    assert not teacher.set_aside
    assert teacher.recall(request_of("b")).response == "2"


@pytest.mark.parametrize("group", [3, 1000])
def test_a_parquet_row_that_cannot_be_used_is_shown_with_all_its_columns(tmp_path: Path, group: int) -> None:
    rows = [{"question": "a", "response": None if n % 5 == 3 else "1", "other": f"row {n}"} for n in range(1, 701)]
    teacher = replay(options(parquet(tmp_path / "r.parquet", rows, row_group_size=group)))
    aside = teacher.set_aside
    assert len(aside) == 140
    for drop in aside:
        number = int(drop.row_id.partition(":")[2])
        assert json.loads(drop.content)["other"] == f"row {number}"


def test_a_column_within_a_column_is_read(tmp_path: Path) -> None:
    rows = [{"question": {"text": "a", "id": 1}, "response": "1"}]
    columns = {"prompt": "question.text"}
    teacher = replay(options(parquet(tmp_path / "r.parquet", rows), fields=columns))
    assert teacher.recall(request_of("a")).response == "1"


def test_a_file_without_any_of_the_columns_says_so_row_by_row(tmp_path: Path) -> None:
    teacher = replay(options(parquet(tmp_path / "r.parquet", [{"q": "a"}, {"q": "b"}])))
    assert [drop.reason for drop in teacher.set_aside] == ["'response' is missing"] * 2


def test_a_row_group_as_large_as_the_file_is_not_held(tmp_path: Path) -> None:
    import pyarrow as pa

    rows = [{"question": f"question {n}", "response": random.randbytes(10_000).hex()} for n in range(4_000)]
    path = parquet(tmp_path / "r.parquet", rows, row_group_size=len(rows), use_dictionary=False)
    before, most = pa.total_allocated_bytes(), 0
    tracemalloc.start()  # what is read of the file is Python's
    for _ in read_rows(path, {"prompt": "question", "response": "response", **dict.fromkeys(UNUSED)}):
        most = max(most, pa.total_allocated_bytes() - before)
    most += tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 40_000_000
    assert most < 60_000_000, "some batches and pages"


def test_half_a_character_is_found_in_whichever_column_it_is(tmp_path: Path) -> None:
    lines = ['{"question": "a\\ud800", "response": "1"}', '{"question": "a", "response": "1", "why": "\\udc00"}']
    (tmp_path / "r.jsonl").write_text("\n".join(lines))
    teacher = replay(options(tmp_path / "r.jsonl", fields={"reasoning": "why"}))
    assert [drop.reason for drop in teacher.set_aside] == [
        "'question' holds half a character (a lone surrogate)",
        "'why' holds half a character (a lone surrogate)",
    ]


def test_a_teacher_answers_again_after_it_was_closed(tmp_path: Path) -> None:
    teacher: ReplayTeacher = replay(options(written(tmp_path / "r.jsonl", {"question": "a", "response": "1"})))
    for _ in range(2):
        (outcome,) = ask_all(teacher, [request_of("a")], None)
        assert isinstance(outcome, Answered)
    assert teacher.unmatched([Question("a", None, "exact")]) == 0
