"""Claims: what one process asks for, no other does; and a process that dies leaves none behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reasonry.ledger.claims as claims_module
from reasonry.errors import LedgerError
from reasonry.ledger import Ledger
from reasonry.ledger.checking import check
from reasonry.ledger.claims import Claims
from reasonry.ledger.exchange import export_ledger, import_file
from reasonry.ledger.upkeep import facts
from tests.floor.ledgers import filled, real_entry

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="claims are granted to all where Linux's locks are not")

HOLDER = """
import sys, time
from pathlib import Path
from reasonry.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
print(*[ledger.claim(key) for key in sys.argv[2:]], flush=True)
time.sleep(60)
"""


def holder(path: Path, *keys: str) -> tuple[subprocess.Popen[str], list[str]]:
    """A process that claims keys and holds them, and what it was granted."""
    command = [sys.executable, "-c", HOLDER, str(path), *keys]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    granted = process.stdout.readline().split()
    process.stdout.close()
    return process, granted


def test_a_key_is_claimed_by_one_ledger_until_it_is_released(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as one, Ledger(tmp_path / "l.sqlite") as other:
        keys = [real_entry(i).key for i in range(50)]
        assert all(map(one.claim, keys))
        assert not any(map(other.claim, keys))
        one.release(keys[7])
        assert [key for key in keys if other.claim(key)] == [keys[7]]
        assert not one.claim(keys[7])


def test_the_same_ledger_may_claim_a_key_again(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert ledger.claim("r-1")
        assert ledger.claim("r-1")


def test_closing_releases_all(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as other:
        with Ledger(tmp_path / "l.sqlite") as one:
            assert one.claim("r-1")
            assert not other.claim("r-1")
        assert other.claim("r-1")


def test_a_killed_process_leaves_no_claim(tmp_path: Path) -> None:
    path, keys = tmp_path / "l.sqlite", [real_entry(i).key for i in range(5)]
    process, granted = holder(path, *keys)
    with Ledger(path) as ledger:
        assert granted == ["True"] * 5
        assert not any(map(ledger.claim, keys))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert all(map(ledger.claim, keys))


def test_a_program_that_is_started_meanwhile_inherits_no_claim(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as other:
        with Ledger(tmp_path / "l.sqlite") as one:
            assert one.claim("r-1")
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        try:
            assert other.claim("r-1")
        finally:
            child.kill()
            child.wait()


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from("abcdef0123456789")), max_size=60))
def test_claims_are_those_of_a_model(steps: list[tuple[bool, bool, str]]) -> None:
    """Two ledgers claim and release at random: each sees what a table of owners says."""
    owner: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "l.sqlite"
        with Ledger(path) as one, Ledger(path) as other:
            for is_claim, is_other, digit in steps:
                who, key = int(is_other), f"r-{digit * 32}"
                ledger = (one, other)[who]
                if is_claim:
                    assert ledger.claim(key) == (owner.get(key, who) == who)
                    owner.setdefault(key, who)
                else:
                    ledger.release(key)
                    if owner.get(key) == who:
                        del owner[key]


def test_claims_add_no_byte_to_the_disk(tmp_path: Path) -> None:
    for openings in (1, 2, 3):
        with Ledger(tmp_path / "l.sqlite") as ledger:
            for number in range(100):
                ledger.claim(real_entry(number).key)
            assert (tmp_path / "l.sqlite.claims").stat().st_size == openings


def test_who_is_alone_knows_it_until_another_comes_and_for_good_then(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    Ledger(path).close()
    with Ledger(path) as one:
        assert one.is_alone
        assert one.claim("r-1")
        one.submit(real_entry(1)).result(10)
        assert one.is_alone
        with Ledger(path) as other:
            assert not one.is_alone
            assert not other.is_alone
        assert not one.is_alone, "the other may have answered something before it left"
    with Ledger(path) as one:
        assert one.is_alone


def test_looking_at_a_ledger_takes_nobodys_peace(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as one:
        one.submit(real_entry(1)).result(10)
        assert facts(one.path)["answered"] == 1
        assert check(one.path).is_whole
        assert one.is_alone


def test_a_killed_process_is_no_company(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    process, _ = holder(path, "r-1")
    process.kill()
    process.wait()
    with Ledger(path) as ledger:
        assert ledger.is_alone


def test_of_many_that_arrive_at_once_none_believes_to_be_alone(tmp_path: Path) -> None:
    from threading import Barrier, Thread

    path, count = tmp_path / "l.sqlite.claims", 8
    for _ in range(50):
        opened: list[Claims] = []
        barrier = Barrier(count)

        def arrive(barrier: Barrier = barrier, opened: list[Claims] = opened) -> None:
            barrier.wait()
            opened.append(Claims(path))

        threads = [Thread(target=arrive) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(claims.is_alone for claims in opened) <= 1
        for claims in opened:
            claims.make_room()
        assert not any(claims.is_alone for claims in opened)
        assert [claims.claim("r-1") for claims in opened].count(True) == 1
        for claims in opened:
            claims.close()


def test_a_claim_is_cheap_beside_2000_others(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        keys = [real_entry(i).key for i in range(2000)]
        for key in keys:
            ledger.claim(key)
        began = time.process_time()
        for key in keys[:500]:
            ledger.release(key)
            assert ledger.claim(key)
        assert (time.process_time() - began) / 1000 < 0.0005  # 12 millionths of a second on an idle machine


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_there_are_no_such_locks_every_claim_is_granted(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(claims_module, "fcntl", refuse)
    with Ledger(tmp_path / "l.sqlite") as one, Ledger(tmp_path / "l.sqlite") as other:
        assert one.claim("r-1")
        assert other.claim("r-1")
        one.release("r-1")
        assert not one.is_alone


def test_where_the_file_cannot_be_made_every_claim_is_granted(tmp_path: Path) -> None:
    (tmp_path / "l.sqlite.claims").mkdir()
    with Ledger(tmp_path / "l.sqlite") as one, Ledger(tmp_path / "l.sqlite") as other:
        assert one.claim("r-1")
        assert other.claim("r-1")
        assert not one.is_alone


RACER = """
import sys, time, random
from dataclasses import replace
from pathlib import Path
from reasonry.ledger import Ledger
from tests.floor.ledgers import real_entry
path, seed = Path(sys.argv[1]), int(sys.argv[2])
entries = [real_entry(i) for i in range(int(sys.argv[3]))]
random.Random(seed).shuffle(entries)
left = entries
asked = []
with Ledger(path) as ledger:
    while left:
        known = ledger.holds(entry.key for entry in left)
        left = [entry for entry in left if entry.key not in known]
        for entry in left[:20]:
            if not ledger.claim(entry.key):
                continue
            if not ledger.holds([entry.key]):
                asked.append(entry.key)
                time.sleep(0.0005)
                ledger.submit(replace(entry, detail=str(seed))).result(60)
            ledger.release(entry.key)
print(*asked)
"""


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_that_claim_ask_for_each_key_once(tmp_path: Path, processes: int) -> None:
    path, count = tmp_path / "l.sqlite", 150
    running = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(path), str(seed), str(count)], stdout=subprocess.PIPE, text=True
        )
        for seed in range(processes)
    ]
    asked = [process.communicate(timeout=120)[0].split() for process in running]
    assert [process.returncode for process in running] == [0] * processes
    every = [key for keys in asked for key in keys]
    assert len(every) == len(set(every)) == count
    with Ledger(path) as ledger:
        stored = {entry.key: entry.detail for entry in ledger.entries()}
    assert stored == {key: str(seed) for seed, keys in enumerate(asked) for key in keys}


STORM = """
import sys
from dataclasses import replace
from pathlib import Path
from reasonry.ledger import Ledger
from tests.floor.ledgers import real_entry
with Ledger(Path(sys.argv[1])) as ledger:
    futures = []
    for i in range(400):
        futures.append(ledger.submit(replace(real_entry(i), detail=sys.argv[2])))
        if i % 7 == 0:
            futures[-1].result(60)
            ledger.answered([real_entry(i).key])
    for future in futures:
        future.result(60)
"""


def test_processes_that_write_the_same_keys_without_claims_are_never_told_the_file_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    running = [
        subprocess.Popen([sys.executable, "-c", STORM, str(path), str(i)], stderr=subprocess.PIPE, text=True)
        for i in range(3)
    ]
    said = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    with Ledger(path) as ledger:
        assert sorted(entry.key for entry in ledger.entries()) == sorted(real_entry(i).key for i in range(400))


def test_a_ledger_behind_a_link_has_the_same_claims(tmp_path: Path) -> None:
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "l.sqlite")
    with Ledger(tmp_path / "l.sqlite") as one, Ledger(tmp_path / "link.sqlite") as other:
        assert not other.is_alone
        assert one.claim("r-1")
        assert not other.claim("r-1")
    assert not (tmp_path / "link.sqlite.claims").exists()


def test_a_disk_that_loses_the_file_of_claims_stops_no_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_: int) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert ledger.claim("r-1")
        monkeypatch.setattr(claims_module.os, "fstat", lost)
        time.sleep(0.3)
        monkeypatch.undo()
        ledger.submit(real_entry(1)).result(5)
        assert not ledger.is_alone
        with Ledger(tmp_path / "l.sqlite") as other:
            assert not other.claim("r-1")


def test_a_disk_that_grants_no_further_lock_keeps_those_it_granted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(tmp_path / "l.sqlite") as one, Ledger(tmp_path / "l.sqlite") as other:
        assert one.claim("r-1")

        def refuse(*_: Any) -> None:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        monkeypatch.setattr(claims_module, "fcntl", refuse)
        assert one.claim("r-2")
        one.release("r-3")
        monkeypatch.undo()
        assert not other.claim("r-1")


STOPPED = """
import sys, time
from pathlib import Path
from reasonry.ledger import Ledger
with Ledger(Path(sys.argv[1])) as ledger:
    print("alone" if ledger.is_alone else "not alone", flush=True)
    sys.stdin.readline()
"""


def test_nothing_is_imported_behind_the_back_of_a_process_that_is_stopped(tmp_path: Path) -> None:
    filled(tmp_path / "s.sqlite", [real_entry(1)])
    export_ledger(tmp_path / "s.sqlite", tmp_path / "s.jsonl")
    owner = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(tmp_path / "l.sqlite")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    try:
        assert owner.stdout.readline() == "alone\n"
        owner.send_signal(signal.SIGSTOP)
        with Ledger(tmp_path / "l.sqlite") as ledger:
            with pytest.raises(LedgerError, match="does not answer"):
                import_file(ledger, tmp_path / "s.jsonl", lambda *_: None)
            owner.send_signal(signal.SIGCONT)
            deadline = time.monotonic() + 10
            while not ledger.is_seen and time.monotonic() < deadline:
                time.sleep(0.02)
            assert import_file(ledger, tmp_path / "s.jsonl", lambda *_: None).added == 1
    finally:
        owner.send_signal(signal.SIGCONT)
        owner.communicate("\n", timeout=20)
