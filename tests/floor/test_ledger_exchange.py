"""Export and import: what is published is replayed by strangers, and strangers can plant nothing."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.errors import InputError, LedgerError, UsageError
from reasonry.identity import canonical_json
from reasonry.ledger import Ledger, LedgerEntry, Usage, read_answers
from reasonry.ledger.checking import check
from reasonry.ledger.exchange import Imported, export_ledger, import_file
from reasonry.ledger.upkeep import compact, facts
from tests.floor.ledgers import MODEL, SERVED_BY, failed_entry, filled, real_entry

COUNT = 60


def imported(path: Path, *files: Path) -> tuple[list[Imported], list[tuple[str, str]]]:
    bad: list[tuple[str, str]] = []
    with Ledger(path) as ledger:
        counts = [import_file(ledger, file, lambda place, reason: bad.append((place, reason))) for file in files]
    return counts, bad


def exported(folder: Path, numbers: range = range(COUNT)) -> list[dict[str, Any]]:
    """The lines of an export, the header first."""
    filled(folder / "made.sqlite", map(real_entry, numbers))
    export_ledger(folder / "made.sqlite", folder / "made.jsonl")
    return [json.loads(line) for line in (folder / "made.jsonl").read_text("utf-8").splitlines()]


def written(path: Path, lines: list[Any]) -> Path:
    texts = [line if isinstance(line, str) else canonical_json(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def test_what_is_exported_and_imported_is_what_was_answered(tmp_path: Path) -> None:
    entries = filled(tmp_path / "1.sqlite", [*map(real_entry, range(COUNT)), *map(failed_entry, range(5))])
    export_ledger(tmp_path / "1.sqlite", tmp_path / "e.jsonl.zst")
    counts, bad = imported(tmp_path / "2.sqlite", tmp_path / "e.jsonl.zst")
    assert (counts, bad) == ([Imported(added=COUNT)], [])
    with Ledger(tmp_path / "2.sqlite") as ledger:
        found = list(ledger.entries())
    kept = ("key", "request", "reply", "model", "served_by", "tokens_in", "tokens_out", "outcome")
    assert {tuple(getattr(entry, name) for name in kept) for entry in found} == {
        tuple(getattr(entry, name) for name in kept) for entry in entries[:COUNT]
    }
    assert {(entry.attempt, entry.cost_usd, entry.seconds) for entry in found} == {(0, None, 0.0)}


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz", "e.jsonl.zst"])
def test_equal_answers_give_equal_bytes(name: str, tmp_path: Path) -> None:
    """Whatever the order of writing, the failed attempts before, the prices, the times, and how it came here."""
    filled(tmp_path / "1.sqlite", map(real_entry, range(COUNT)))
    others = [replace(real_entry(i), at=5.0, seconds=9.0, cost_usd=None, attempt=3) for i in reversed(range(COUNT))]
    filled(tmp_path / "2.sqlite", [failed_entry(3), *others, real_entry(5)])
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        export_ledger(tmp_path / f"{number}.sqlite", tmp_path / str(number) / name)
    imported(tmp_path / "3.sqlite", tmp_path / "1" / name)
    (tmp_path / "3").mkdir()
    export_ledger(tmp_path / "3.sqlite", tmp_path / "3" / name)
    first, *rest = [(tmp_path / str(number) / name).read_bytes() for number in (1, 2, 3)]
    assert rest == [first, first]
    assert not list(tmp_path.rglob("*.partial"))


def test_the_header_has_the_count_and_the_digest_of_the_lines_below(tmp_path: Path) -> None:
    import hashlib

    header, *lines = exported(tmp_path)
    body = (tmp_path / "made.jsonl").read_bytes().split(b"\n", 1)[1]
    digest = hashlib.sha256(body).hexdigest()
    assert header == {"kind": "reasonry-ledger", "schema": 1, "count": COUNT, "digest": digest}
    assert [line["key"] for line in lines] == sorted(line["key"] for line in lines)
    assert {tuple(line) for line in lines} == {
        ("key", "model", "reply", "request", "served_by", "tokens_in", "tokens_out")
    }


def test_one_model_of_several_is_exported(tmp_path: Path) -> None:
    filled(tmp_path / "l.sqlite", [real_entry(1), real_entry(1, model="other"), real_entry(2)])
    assert export_ledger(tmp_path / "l.sqlite", tmp_path / "e.jsonl", "other").count == 1
    with pytest.raises(InputError) as caught:
        export_ledger(tmp_path / "l.sqlite", tmp_path / "f.jsonl", "another")
    assert caught.value.hint == f"answered by: {MODEL}, other"
    assert not (tmp_path / "f.jsonl").exists()


def test_an_answer_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    exported(tmp_path)
    mine = replace(real_entry(7), reply=real_entry(7, reply="mine").reply)
    filled(tmp_path / "2.sqlite", [mine])
    counts, _ = imported(tmp_path / "2.sqlite", tmp_path / "made.jsonl", tmp_path / "made.jsonl")
    assert counts == [Imported(added=COUNT - 1, kept=1), Imported(kept=COUNT)]
    with Ledger(tmp_path / "2.sqlite") as ledger:
        assert ledger.answered([mine.key]) == {mine.key: mine}


Change = Callable[[dict[str, Any]], Any]


def changed(**values: Any) -> Change:
    return lambda line: {**line, **values}


def inside(part: str, **values: Any) -> Change:
    return lambda line: {**line, part: {**line[part], **values}}


PLANTED: dict[str, tuple[Change, str]] = {
    "another question's key": (changed(key=real_entry(999).key), "not the digest"),
    "another prompt": (inside("request", messages=[{"role": "user", "content": "2 + 2?"}]), "not the digest"),
    "another sampling": (
        inside("request", sampling={"temperature": 0.5, "top_p": None, "max_tokens": 4096, "index": 0}),
        "not the digest",
    ),
    "another endpoint": (changed(served_by="https://elsewhere.example/v1"), "not the digest"),
    "another model": (changed(model="cheap"), "another model"),
    "another model in both places": (
        lambda line: {**line, "model": "cheap", "request": {**line["request"], "model": "cheap"}},
        "not the digest",
    ),
    "a key with more in it": (lambda line: {**line, "key": line["key"] + "'; drop table attempts"}, "not the digest"),
    "no key": (lambda line: {k: v for k, v in line.items() if k != "key"}, "missing: key"),
    "a key that is no text": (changed(key=5), "are text"),
    "a field too many": (changed(api_key="sk-1"), "unknown: api_key"),
    "a reply that is text": (changed(reply="hello"), "Reply"),
    "a reply that is null": (changed(reply=None), "Reply"),
    "a reply without text": (changed(reply={"reasoning": "x"}), "response"),
    "a reply with a field too many": (inside("reply", finish_reason="stop"), "finish_reason"),
    "a finish that is none": (inside("reply", finish="done"), "finish"),
    "a response that is a number": (inside("reply", response=7), "response"),
    "a token count that is text": (inside("reply", tokens_in="7"), "tokens_in"),
    "a token count below zero": (lambda line: {**inside("reply", tokens_in=-1)(line), "tokens_in": -1}, "tokens"),
    "a huge token count": (lambda line: {**inside("reply", tokens_in=10**30)(line), "tokens_in": 10**30}, "tokens"),
    "counts that contradict": (changed(tokens_out=1), "not those of its reply"),
    "a count that is true": (lambda line: {**inside("reply", tokens_in=True)(line), "tokens_in": True}, "tokens_in"),
    "a request that is a list": (changed(request=[]), "Request"),
    "messages that are text": (inside("request", messages="hi"), "messages"),
    "a message with a field too many": (
        inside("request", messages=[{"role": "user", "content": "x", "name": "y"}]),
        "name",
    ),
    "half a character": (lambda line: json.dumps(line).replace("It is", "\\ud800"), "half a character"),
    "no JSON": (lambda _: "{not json", "not JSON"),
    "a list": (lambda _: "[1]", "an object"),
    "a key twice": (lambda line: json.dumps(line)[:-1] + ', "key": "r-0"}', "twice"),
    "a deep nest": (lambda line: json.dumps(line)[:-1] + ', "x": ' + "[" * 100_000 + "]" * 100_000 + "}", "deep"),
    "not a number": (lambda line: json.dumps(line).replace("0.6", "NaN"), ""),
    "an endless number": (lambda line: json.dumps(line).replace("0.6", "1e999"), ""),
    "a long number": (lambda line: json.dumps(line).replace("0.6", "9" * 5000), ""),
    "too long a line": (inside("reply", response="x" * (17 << 20)), "longer than 16 MiB"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_line_that_is_not_what_it_says_is_set_aside_and_the_others_are_imported(name: str, tmp_path: Path) -> None:
    change, said = PLANTED[name]
    lines: list[Any] = exported(tmp_path, range(6))
    lines[3] = change(lines[3])
    counts, bad = imported(tmp_path / "2.sqlite", written(tmp_path / "e.jsonl", lines))
    assert counts == [Imported(added=5, bad=1)]
    [(place, reason)] = bad
    assert place == f"{tmp_path}/e.jsonl:4"
    assert said in reason
    assert len(reason) < 300
    assert check(tmp_path / "2.sqlite").is_whole


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
PATHS = [
    *((name,) for name in ("key", "model", "served_by", "tokens_in", "tokens_out", "request", "reply")),
    *(("reply", name) for name in ("response", "reasoning", "finish", "model", "tokens_in", "tokens_out")),
    *(("request", name) for name in ("model", "messages", "sampling")),
    *(("request", "sampling", name) for name in ("temperature", "top_p", "max_tokens", "index")),
    ("request", "messages", 0),
    ("request", "messages", 0, "role"),
    ("request", "messages", 0, "content"),
]


@cache
def two_texts() -> str:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return json.dumps(exported(Path(folder), range(2)))


def two_lines() -> list[Any]:
    """An export of two answers, to be changed."""
    return json.loads(two_texts())


@settings(max_examples=60)
@given(st.sampled_from(PATHS), Json)
def test_whatever_stands_in_a_line_it_is_imported_truly_or_set_aside(path: tuple[Any, ...], value: Any) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        lines = two_lines()
        here: Any = lines[2]
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = value
        file = Path(folder) / "e.jsonl"
        file.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
        counts, bad = imported(Path(folder) / "2.sqlite", file)
        assert counts[0].added + counts[0].kept + len(bad) >= 2
        checked = check(Path(folder) / "2.sqlite")
        assert checked.is_whole
        assert checked.answered == counts[0].added


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-1],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0], *reversed(lines[1:])],
        lambda lines: [{**lines[0], "count": 5}, *lines[1:]],
        lambda lines: [{**lines[0], "digest": None}, *lines[1:]],
    ],
)
def test_a_file_that_is_not_the_one_that_was_published_is_told(change: Callable[[Any], Any], tmp_path: Path) -> None:
    lines = change(exported(tmp_path))
    counts, bad = imported(tmp_path / "2.sqlite", written(tmp_path / "e.jsonl", lines))
    assert counts[0].bad == 1
    assert "header" in bad[0][1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no rows"),
        (b'{"question": "a", "response": "1"}\n', "no export"),
        (b"not json\n", "no export"),
        (b'{"kind": "reasonry-ledger", "schema": 2, "count": 0}\n', "schema 2"),
        (b'{"kind": "reasonry-ledger"}\n', "schema None"),
    ],
)
def test_a_file_that_is_no_export_is_an_input_error(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=said):
        imported(tmp_path / "l.sqlite", tmp_path / "e.jsonl")


def test_an_export_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    filled(tmp_path / "1.sqlite", map(real_entry, range(600)))
    export_ledger(tmp_path / "1.sqlite", tmp_path / "e.jsonl.gz")
    (tmp_path / "e.jsonl.gz").write_bytes((tmp_path / "e.jsonl.gz").read_bytes()[:-2000])
    with pytest.raises(InputError, match="cannot be read, after row"):
        imported(tmp_path / "2.sqlite", tmp_path / "e.jsonl.gz")
    checked = check(tmp_path / "2.sqlite")
    assert checked.is_whole
    assert 0 < checked.answered < 600


def test_a_small_file_that_unpacks_to_much_is_no_danger(tmp_path: Path) -> None:
    filled(tmp_path / "1.sqlite", map(real_entry, range(3)))
    export_ledger(tmp_path / "1.sqlite", tmp_path / "e.jsonl")
    bomb = (tmp_path / "e.jsonl").read_bytes() + b" " * (100 << 20) + b"\n"
    (tmp_path / "b.jsonl.zst").write_bytes(zstandard.compress(bomb))
    counts, bad = imported(tmp_path / "2.sqlite", tmp_path / "b.jsonl.zst")
    assert counts == [Imported(added=3, bad=1)]
    assert "longer than" in bad[0][1]


def test_an_entry_with_a_wrong_key_is_not_published(tmp_path: Path) -> None:
    filled(tmp_path / "l.sqlite", [replace(real_entry(1), key=real_entry(2).key)])
    with pytest.raises(LedgerError) as caught:
        export_ledger(tmp_path / "l.sqlite", tmp_path / "e.jsonl")
    assert "not the digest" in caught.value.message
    assert "--salvage" in (caught.value.hint or "")
    assert not list(tmp_path.glob("e.jsonl*"))


@pytest.mark.parametrize("name", ["e.json", "e.parquet", "e", "e.zst", "l.sqlite"])
def test_an_export_has_a_name_that_says_what_it_is(name: str, tmp_path: Path) -> None:
    filled(tmp_path / "l.sqlite", [real_entry(1)])
    with pytest.raises(UsageError, match="JSON lines"):
        export_ledger(tmp_path / "l.sqlite", tmp_path / name)


def test_packed_exports_are_what_they_say(tmp_path: Path) -> None:
    filled(tmp_path / "l.sqlite", map(real_entry, range(9)))
    for name in ("e.jsonl", "e.jsonl.gz", "e.jsonl.zst"):
        export_ledger(tmp_path / "l.sqlite", tmp_path / name)
    plain = (tmp_path / "e.jsonl").read_bytes()
    assert gzip.decompress((tmp_path / "e.jsonl.gz").read_bytes()) == plain
    assert zstandard.ZstdDecompressor().stream_reader((tmp_path / "e.jsonl.zst").read_bytes()).read() == plain


def test_compacting_drops_the_failed_attempts_of_what_was_answered_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    failures = [replace(failed_entry(i), detail="x" * 5000) for i in range(COUNT)]
    hopeless = failed_entry(COUNT + 1, None)
    entries = filled(path, [*failures, *map(real_entry, range(COUNT)), hopeless])
    done = compact(path)
    assert done.dropped == COUNT
    assert done.bytes_after < done.bytes_before / 2
    assert done.bytes_after == path.stat().st_size
    with Ledger(path) as ledger:
        assert list(ledger.entries()) == [*entries[COUNT:]]
    assert check(path).is_whole
    assert compact(path).dropped == 0


def test_a_ledger_that_is_in_use_is_not_compacted(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    entries = filled(path, [failed_entry(1), real_entry(1)])
    with Ledger(path) as ledger:
        with pytest.raises(LedgerError, match="another process has the ledger open"):
            compact(path)
        assert list(ledger.entries()) == entries
        ledger.submit(real_entry(2)).result(10)
    assert compact(path).dropped == 1


def test_facts_count_what_is_unknown_and_take_it_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    unknown = replace(real_entry(3), cost_usd=None, tokens_out=None)
    filled(path, [real_entry(1), real_entry(2, model="m"), unknown, failed_entry(4), failed_entry(4, None)])
    found = facts(path)
    assert (found["answered"], found["failed"], found["imported"]) == (3, 2, 0)
    assert found["failures"] == [{"http_status": None, "count": 1}, {"http_status": 429, "count": 1}]
    assert (found["tokens_unknown"], found["cost_unknown"], found["cost_usd"]) == (1, 1, 0.002)
    assert [model["model"] for model in found["models"]] == [MODEL, "m"]
    assert (found["first_at"], found["last_at"]) == (1_700_000_001.0, 1_700_000_004.0)
    (tmp_path / "empty.sqlite").touch()
    Ledger(tmp_path / "new.sqlite").close()
    assert facts(tmp_path / "new.sqlite")["cost_usd"] is None
    with pytest.raises(InputError, match="empty"):
        facts(tmp_path / "empty.sqlite")


def test_answers_are_read_in_the_order_of_their_keys_beside_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    entries = filled(path, [*map(real_entry, range(9)), real_entry(1, model="m"), failed_entry(20)])
    with Ledger(path) as ledger:
        ledger.submit(real_entry(9)).result(10)
        found = list(read_answers(path))
        assert found == sorted([*entries[:-1], real_entry(9)], key=lambda entry: entry.key)
        assert list(read_answers(path, "m")) == [real_entry(1, model="m")]
        assert ledger.is_alone


def test_usage_is_that_of_the_newest_answers_of_one_model(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    filled(path, [*map(real_entry, range(20)), real_entry(1, model="m"), failed_entry(30)])
    exported(tmp_path, range(40, 41))
    imported(path, tmp_path / "made.jsonl")
    with Ledger(path) as ledger:
        newest, *others = ledger.usage(MODEL, SERVED_BY)
        assert newest == Usage(real_entry(40).tokens_in, 300, None, None, len(real_entry(40).request))
        assert others == [Usage(20 + i % 7, 300, 0.001, 1.5, len(real_entry(i).request)) for i in reversed(range(20))]
        assert ledger.usage(MODEL, SERVED_BY, 3) == [newest, *others[:2]]
        assert ledger.usage(MODEL, "elsewhere") == []


def test_usage_and_lookups_read_few_rows(tmp_path: Path) -> None:
    filled(tmp_path / "l.sqlite", [real_entry(1)])
    with closing(sqlite3.connect(tmp_path / "l.sqlite")) as connection:
        plan = "explain query plan select {} from attempts where outcome = 'answered' and {}"
        usage = connection.execute(plan.format("tokens_in", "model = '' and served_by = '' order by rowid desc"))
        assert [row[3] for row in usage] == ["SEARCH attempts USING INDEX by_model (model=? AND served_by=?)"]
        holds = connection.execute(plan.format("key", "key in ('a')"))
        assert [row[3] for row in holds] == ["SEARCH attempts USING INDEX answered (key=?)"]


OLD = """
create table attempts (key, attempt, outcome, request, reply, model, served_by, tokens_in, tokens_out, cost_usd,
  http_status, detail, seconds, at);
create unique index answered on attempts (key) where outcome = 'answered';
create index by_key on attempts (key);
pragma user_version = 1;
"""


def old_ledger(path: Path, entries: list[LedgerEntry]) -> None:
    """A ledger of format 1."""
    from dataclasses import astuple

    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD)
        rows = [astuple(entry) for entry in entries]
        connection.executemany(f"insert into attempts values ({', '.join('?' * 14)})", rows)
        connection.commit()


def test_a_ledger_of_the_first_format_is_read_as_it_is_and_brought_up_to_date_when_opened(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    entries = [real_entry(i) for i in range(9)]
    old_ledger(path, entries)
    before = path.read_bytes()
    assert check(path).answered == facts(path)["answered"] == 9
    export_ledger(path, tmp_path / "old.jsonl")
    assert path.read_bytes() == before
    with Ledger(path) as ledger:
        assert list(ledger.entries()) == entries
        assert ledger.answered([entries[0].key]) == {entries[0].key: entries[0]}
        ledger.submit(real_entry(9)).result(10)
        assert len(ledger.usage(MODEL, SERVED_BY)) == 10
    export_ledger(path, tmp_path / "new.jsonl")
    assert export_ledger(path, tmp_path / "new.jsonl").count == 10


STRANGE = [
    "create trigger t after insert on attempts begin delete from attempts; end",
    "alter table attempts rename to kept; create view attempts as select * from kept",
]


@pytest.mark.parametrize("statements", STRANGE)
def test_a_ledger_that_acts_by_itself_is_not_used(statements: str, tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    filled(path, [real_entry(1)])
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statements)
    uses: list[Callable[[Path], object]] = [Ledger, facts, check, compact, lambda path: list(read_answers(path))]
    for use in uses:
        with pytest.raises(LedgerError, match="changed by something else"):
            use(path)


@pytest.mark.parametrize("column", ["key", "request", "reply"])
@pytest.mark.parametrize("value", [5, b"{}", 1.5])
def test_what_is_no_text_is_damage_and_no_crash(column: str, value: Any, tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    filled(path, [real_entry(1), real_entry(2)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"update attempts set {column} = ?, checksum = null where rowid = 1", [value])
    found = check(path, tmp_path / "saved.sqlite")
    assert (found.answered, found.damaged, found.salvaged) == (1, 1, 1)
    with pytest.raises(LedgerError, match="damaged"):
        export_ledger(path, tmp_path / "l.jsonl")


def test_figures_that_are_none_are_unknown(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    filled(path, [real_entry(1)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update attempts set tokens_in = 9e999, cost_usd = -9e999, at = 'x'")
    found = facts(path)
    assert (found["tokens_in"], found["cost_usd"], found["first_at"]) == (None, None, None)
    json.dumps(found, allow_nan=False)
