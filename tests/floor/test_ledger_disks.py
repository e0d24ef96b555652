"""Bad disks: each is one clear error, and what was acknowledged before is readable."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from reasonry.errors import LedgerError
from reasonry.ledger import Ledger
from reasonry.ledger.checking import check
from reasonry.ledger.upkeep import compact, facts
from tests.floor.ledgers import filled, overwrite, page_of, real_entry, tear

COUNT = 300

in_own_mounts = ["unshare", "--mount", "--propagation", "private", "--"]


def can_mount() -> bool:
    command = [*in_own_mounts, "sh", "-c", "mount -t tmpfs none /mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


needs_mounts = pytest.mark.skipif(not can_mount(), reason="no right to mount a small or read-only disk")


def assert_clear(error: LedgerError, path: Path, *said: str) -> None:
    assert error.place == str(path)
    assert error.hint
    assert error.exit_code == 1
    for text in said:
        assert text in f"{error.message} {error.hint}", (error.message, error.hint)


def texts_of(path: Path) -> int:
    """The offset of bytes in the middle of a reply."""
    return path.read_bytes().index(b"hm hm hm", path.stat().st_size // 2)


def test_a_changed_byte_of_a_reply_is_never_replayed(tmp_path: Path) -> None:
    """SQLite itself sees nothing: the text is as long as before and valid."""
    path = tmp_path / "l.sqlite"
    entries = filled(path, map(real_entry, range(COUNT)))
    overwrite(path, texts_of(path), b"mh")
    with Ledger(path) as ledger:
        with pytest.raises(LedgerError) as caught:
            ledger.answered(entry.key for entry in entries)
        assert_clear(caught.value, path, "damaged", f"reasonry ledger check {path} --salvage")
        with pytest.raises(LedgerError):
            list(ledger.entries())
        whole = 0
        for entry in entries:
            try:
                whole += ledger.answered([entry.key]) == {entry.key: entry}
            except LedgerError:
                continue
        assert whole == COUNT - 1


@pytest.mark.parametrize("name", ["answered", "attempts"])
def test_a_torn_root_page_is_a_clear_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    entries = filled(path, map(real_entry, range(COUNT)))
    offset, size = page_of(path, name)
    overwrite(path, offset, b"\xaa" * size)
    with Ledger(path) as ledger, pytest.raises(LedgerError) as caught:
        ledger.answered([entries[0].key])
    assert_clear(caught.value, path, "damaged", "--salvage")


def test_a_torn_page_costs_the_rows_on_it_and_no_other(tmp_path: Path) -> None:
    """Whatever page is torn: an answer is told as written, or it is an error; the salvage holds all that is whole."""
    generator = random.Random(4)
    salvaged: list[int] = []
    for number in range(12):
        path, out = tmp_path / f"{number}.sqlite", tmp_path / f"{number}-out.sqlite"
        entries = {entry.key: entry for entry in filled(path, map(real_entry, range(COUNT)))}
        tear(path, generator.uniform(0.02, 0.999))
        try:
            with Ledger(path) as ledger:
                for key, entry in entries.items():
                    try:
                        assert ledger.answered([key]) in ({key: entry}, {})
                    except LedgerError as error:
                        assert_clear(error, path, "damaged", "--salvage")
        except LedgerError as error:
            assert_clear(error, path, "damaged", "--salvage")
        checked = check(path, out)
        assert not checked.is_whole
        with Ledger(out) as ledger:
            found = ledger.answered(entries)
        assert all(entries[key] == entry for key, entry in found.items())
        assert checked.salvaged == len(found) == checked.answered
        salvaged.append(len(found))
    assert sorted(salvaged)[6] > COUNT * 0.9, salvaged
    assert all(count > COUNT * 0.5 for count in salvaged), salvaged


def test_a_torn_end_of_the_table_does_not_end_the_salvage(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    filled(path, map(real_entry, range(COUNT)))
    with closing(sqlite3.connect(path)) as connection:
        pages = connection.execute("select count(*) from attempts").fetchone()
    assert pages == (COUNT,)
    last = path.read_bytes().rindex(real_entry(COUNT - 1).key.encode())
    overwrite(path, last // 8192 * 8192, b"\x55" * 8192)
    checked = check(path, tmp_path / "out.sqlite")
    assert checked.salvaged is not None
    assert COUNT * 0.9 < checked.salvaged < COUNT


def test_a_file_whose_first_page_is_gone_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    filled(path, map(real_entry, range(COUNT)))
    overwrite(path, 0, b"\x55" * 4096)
    for use in (Ledger, check, facts):
        with pytest.raises(LedgerError) as caught:
            use(path)
        assert_clear(caught.value, path, "not a database", "first page")


WRITER = """
import sys, time
from pathlib import Path
from reasonry.ledger import Ledger
from tests.floor.ledgers import real_entry
ledger = Ledger(Path(sys.argv[1]))
for i in range(int(sys.argv[2]), 10**6):
    ledger.submit(real_entry(i)).result(60)
    print(i, flush=True)
"""


def killed(path: Path, first: int, acknowledged: int) -> int:
    """A process that writes, killed after so many acknowledgements; the number of the last one it gave."""
    command = [sys.executable, "-c", WRITER, str(path), str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(acknowledged)]
    os.kill(process.pid, signal.SIGKILL)
    lines += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    return int(next(line for line in reversed(lines) if line.endswith("\n")))


def test_no_kill_loses_what_was_acknowledged(tmp_path: Path) -> None:
    path, next_one = tmp_path / "l.sqlite", 0
    for acknowledged in (1, 7, 40, 3, 90, 20):
        next_one = killed(path, next_one, acknowledged) + 1
        with Ledger(path) as ledger:
            wanted = {(entry := real_entry(i)).key: entry for i in range(next_one)}
            assert ledger.answered(wanted) == wanted
    assert check(path).is_whole


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.999])
def test_a_truncated_log_costs_the_newest_answers_and_no_other(share: float, tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    filled(path, map(real_entry, range(50)))
    last = killed(path, 50, 60)
    log = path.with_name("l.sqlite-wal")
    os.truncate(log, int(log.stat().st_size * share))
    with Ledger(path) as ledger:
        found = list(ledger.entries())
    assert found == [real_entry(i) for i in range(len(found))]
    assert 50 <= len(found) <= last + 2
    assert check(path).is_whole


LIMITED = """
import resource, sys
from pathlib import Path
from reasonry.errors import LedgerError
from reasonry.ledger import Ledger
from tests.floor.ledgers import real_entry
path, limit = Path(sys.argv[1]), int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
with Ledger(path) as ledger:
    for i in range(100_000):
        try:
            ledger.submit(real_entry(i)).result(60)
        except LedgerError as error:
            print(i, error.place, error.message, error.hint, sep="|")
            break
    again = [real_entry(k).key for k in range(i)]
    print(len(ledger.answered(again)))
    try:
        ledger.submit(real_entry(0)).result(60)
        print("written")
    except LedgerError as error:
        print("refused")
"""


def told_of_a_full_disk(done: subprocess.CompletedProcess[str], path: str) -> int:
    """Checks what the program said, and gives the number of answers that were acknowledged."""
    assert done.returncode == 0, done.stderr
    first, readable, again = done.stdout.splitlines()[:3]
    count, place, message, hint = first.split("|")
    assert place == path
    assert "cannot be written" in message
    assert "free some space" in hint
    assert again in ("refused", "written")
    assert int(count) == int(readable) > 0
    return int(count)


def test_a_disk_that_takes_no_more_is_a_clear_error_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    command = [sys.executable, "-c", LIMITED, str(path), str(600_000)]
    count = told_of_a_full_disk(subprocess.run(command, capture_output=True, text=True, check=False), str(path))
    with Ledger(path) as ledger:
        assert [real_entry(i) for i in range(count)] == list(ledger.entries())[:count]
        ledger.submit(real_entry(count)).result(60)
    assert check(path).is_whole


FULL = """
set -e
mount -t tmpfs -o size={size} none {folder}
{python} -c "$PROGRAM" {folder}/l.sqlite 0
echo full > {folder}/filler 2>/dev/null || true
dd if=/dev/zero of={folder}/filler bs=4096 2>/dev/null || true
{python} -m reasonry ledger show {folder}/l.sqlite --json
"""


@needs_mounts
def test_a_full_disk_is_a_clear_error_and_the_ledger_on_it_can_be_read(tmp_path: Path) -> None:
    import json

    script = FULL.format(size="1500k", folder=tmp_path, python=sys.executable)
    done = subprocess.run(
        [*in_own_mounts, "bash", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PROGRAM": LIMITED},
    )
    count = told_of_a_full_disk(done, f"{tmp_path}/l.sqlite")
    shown = json.loads(done.stdout.split("\n", 3)[3])
    assert shown["answered"] >= count


READ_ONLY = """
set -e
mount --bind {folder} {folder}
mount -o remount,ro,bind {folder}
{python} -c "$PROGRAM" {folder}/l.sqlite
"""
READER = """
import sys
from pathlib import Path
from reasonry.errors import LedgerError
from reasonry.ledger import Ledger
from reasonry.ledger.checking import check
from reasonry.ledger.upkeep import facts
path = Path(sys.argv[1])
try:
    Ledger(path)
except LedgerError as error:
    print(error.place, error.message, error.hint, sep="|")
try:
    print(facts(path)["answered"], check(path).is_whole)
except LedgerError as error:
    print(error.place, error.message, error.hint, sep="|")
"""


def on_a_read_only_disk(folder: Path) -> list[str]:
    done = subprocess.run(
        [*in_own_mounts, "bash", "-c", READ_ONLY.format(folder=folder, python=sys.executable)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PROGRAM": READER},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs_mounts
def test_a_read_only_disk_is_a_clear_error_and_the_ledger_on_it_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    filled(path, map(real_entry, range(20)))
    refused, shown = on_a_read_only_disk(tmp_path)
    assert refused.split("|")[0] == str(path)
    assert "cannot be opened" in refused
    assert "writable" in refused
    assert shown == "20 True"


@needs_mounts
@pytest.mark.parametrize("leaves", ["log and index", "log"])
def test_a_killed_ledger_on_a_read_only_disk_is_read_with_its_log_or_not_at_all(leaves: str, tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    last = killed(path, 0, 30)
    assert path.with_name("l.sqlite-wal").stat().st_size > 0
    if leaves == "log":
        path.with_name("l.sqlite-shm").unlink()
    _, shown = on_a_read_only_disk(tmp_path)
    if leaves == "log":
        assert "copy it and l.sqlite-wal" in shown
    else:
        answered, is_whole = shown.split()
        assert last + 1 <= int(answered) <= last + 2
        assert is_whole == "True"


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "l.sqlite"
    with pytest.raises(LedgerError) as caught:
        Ledger(path)
    assert_clear(caught.value, path, "cannot be opened")


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table bookmarks (url)")
    uses: list[Callable[[Path], object]] = [Ledger, facts, check, compact]
    for use in uses:
        with pytest.raises(LedgerError, match="something else"):
            use(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("bookmarks",)]


def test_a_damaged_ledger_is_not_compacted(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    filled(path, map(real_entry, range(COUNT)))
    tear(path, 0.5)
    torn = path.read_bytes()
    with pytest.raises(LedgerError) as caught:
        compact(path)
    assert_clear(caught.value, path, "--salvage")
    assert path.read_bytes()[8192:] == torn[8192:]
