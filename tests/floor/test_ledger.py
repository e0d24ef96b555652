"""The ledger: what was acknowledged is on disk, whatever happens next."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reasonry.errors import LedgerError
from reasonry.ledger import Ledger, LedgerEntry, Outcome, book


def entry(key: str, attempt: int = 1, outcome: Outcome = "answered", reply: str | None = "{}") -> LedgerEntry:
    return LedgerEntry(key, attempt, outcome, "{}", reply, "m", "s", 3, 5, 0.25, 200, "", 0.1, 1.0)


def test_an_answer_is_found_by_its_key_and_a_failure_is_not(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        asyncio.run(ledger.append(entry("a")))
        asyncio.run(ledger.append(entry("b", outcome="failed", reply=None)))
        assert set(ledger.answered(["a", "b", "c"])) == {"a"}
        assert [e.key for e in ledger.entries()] == ["a", "b"]


def test_the_first_answer_to_a_key_stands(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        asyncio.run(ledger.append(entry("a", reply='"first"')))
        asyncio.run(ledger.append(entry("a", reply='"second"')))
        assert ledger.answered(["a"])["a"].reply == '"first"'
        assert len(list(ledger.entries())) == 1


def test_an_acknowledged_answer_is_seen_by_another_connection_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        asyncio.run(ledger.append(entry("a")))
        other = sqlite3.connect(path)
        assert other.execute("select count(*) from attempts").fetchone() == (1,)
        other.close()


def test_many_answers_at_once_are_all_kept(tmp_path: Path) -> None:
    async def work(ledger: Ledger) -> None:
        await asyncio.gather(*(ledger.append(entry(f"k{i}")) for i in range(2000)))

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        asyncio.run(work(ledger))
        assert len(ledger.answered(f"k{i}" for i in range(2000))) == 2000


WRITER = """
import asyncio, sys
from pathlib import Path
from reasonry.ledger import Ledger, LedgerEntry
async def work():
    ledger = Ledger(Path(sys.argv[1]))
    for i in range(10**6):
        key = f"{sys.argv[2]}-{i}"
        await ledger.append(LedgerEntry(key, 1, "answered", "{}", "{}", "m", "s", 1, 1, 0.0, 200, "", 0.0, 0.0))
        print(i, flush=True)
asyncio.run(work())
"""


def test_what_was_acknowledged_before_a_kill_is_there(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), "k"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline() for _ in range(50)]
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    last = int(next(line for line in reversed(acknowledged) if line.endswith("\n")))
    with Ledger(path) as ledger:
        assert len(ledger.answered(f"k-{i}" for i in range(last + 1))) == last + 1


def test_two_processes_may_write_one_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    program = WRITER.replace("10**6", "100")
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(path), name], stdout=subprocess.DEVNULL)
        for name in ("one", "two")
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    with Ledger(path) as ledger:
        assert len(list(ledger.entries())) == 200


def test_a_file_that_is_no_ledger_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is not a database, but long enough to look like one" * 100)
    with pytest.raises(LedgerError) as caught:
        Ledger(path)
    assert caught.value.place == str(path)


def test_a_ledger_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(LedgerError, match="format 99"):
        Ledger(path)


def test_a_write_that_fails_is_told_to_the_one_who_waits(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("drop table attempts")
        other.close()
        with pytest.raises(LedgerError, match="cannot be written"):
            asyncio.run(ledger.append(entry("a")))


def test_what_sqlite_cannot_hold_is_refused_and_the_others_are_kept(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        futures = [ledger.submit(entry(key)) for key in ("a", "lone \ud800", "b")]
        with pytest.raises(LedgerError, match="cannot be written"):
            futures[1].result(10)
        assert [futures[i].result(10) for i in (0, 2)] == [None, None]
        asyncio.run(ledger.append(entry("c")))
        assert set(ledger.answered(["a", "b", "c"])) == {"a", "b", "c"}


def test_a_waiter_who_left_does_not_stop_the_writer(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        for i in range(50):
            ledger.submit(entry(f"left-{i}")).cancel()
        asyncio.run(ledger.append(entry("a")))
        assert "a" in ledger.answered(["a"])


def test_entries_are_read_in_chunks_and_in_order(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        for future in [ledger.submit(entry(f"{i:04}")) for i in range(1203)]:
            future.result(10)
        assert [e.key for e in ledger.entries()] == [f"{i:04}" for i in range(1203)]


def test_append_says_whether_the_answer_stands(tmp_path: Path) -> None:
    async def work(ledger: Ledger) -> list[bool]:
        entries = [entry("a"), entry("b", reply='"first"'), entry("b", reply='"second"'), entry("c", outcome="failed")]
        return await asyncio.gather(*map(ledger.append, entries))

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert asyncio.run(ledger.append(entry("a")))
        assert asyncio.run(ledger.append(entry("a")))  # the same answer: it stands
        assert not asyncio.run(ledger.append(entry("a", attempt=2)))
        assert asyncio.run(work(ledger)) == [True, True, False, True]


def test_who_stops_waiting_for_append_does_not_take_the_entry_back(tmp_path: Path) -> None:
    async def work(ledger: Ledger) -> None:
        task = asyncio.create_task(ledger.append(entry("a")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        asyncio.run(work(ledger))
        ledger.flush()
        assert ledger.holds(["a", "b"]) == {"a"}


def test_a_loop_that_is_gone_stops_no_writer(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        for i in range(20):
            loop = asyncio.new_event_loop()
            task = loop.create_task(ledger.append(entry(f"k{i}")))
            loop.run_until_complete(asyncio.sleep(0))
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
            loop.close()
        ledger.flush()
        assert len(list(ledger.entries())) == 20


def test_what_append_cannot_write_is_told_and_the_others_are_kept(tmp_path: Path) -> None:
    async def work(ledger: Ledger) -> list[bool | BaseException]:
        entries = [entry(key) for key in ("a", "lone \ud800", "b")]
        return await asyncio.gather(*map(ledger.append, entries), return_exceptions=True)

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        first, second, third = asyncio.run(work(ledger))
        assert (first, third) == (True, True)
        assert isinstance(second, LedgerError)


def test_flush_waits_for_all_that_was_handed_in(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        futures = [ledger.submit(entry(f"k{i}")) for i in range(2000)]
        ledger.flush()
        assert all(future.done() for future in futures)


def test_a_closed_ledger_takes_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.close()
    ledger.close()
    for use in (lambda: ledger.submit(entry("a")), ledger.flush):
        with pytest.raises(LedgerError, match="closed"):
            use()


def test_one_alone_is_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for company pays only where there is some."""
    monkeypatch.setattr(book, "_LINGER_S", 0.5)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        waits: list[float] = []
        for i in range(15):
            time.sleep(0.02)
            began = time.monotonic()
            ledger.submit(entry(f"k{i}")).result(10)
            waits.append(time.monotonic() - began)
        assert sorted(waits)[7] < 0.4
