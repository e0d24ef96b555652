"""The select stage: every trace is an example or a drop, in order, by the rule that took it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonry.errors import PartError, StoreError
from reasonry.registry import part, part_of
from reasonry.sections import TraceFilterSection
from reasonry.stages.selecting.fates import Fate, through
from reasonry.stages.selecting.spool import spool
from reasonry.types import Candidate, Drop, Status
from tests.stages.selecting import (
    FAILED,
    RIGHT,
    UNPARSED,
    WRONG,
    Asked,
    Sample,
    candidates_of,
    sealed,
    selected,
    selected_from,
)

SAMPLES = st.builds(
    Sample,
    status=st.sampled_from(Status),
    extracted=st.sampled_from(["7", "8", "0.5", "1/2", None]),
    tokens=st.none() | st.integers(1, 9),
    characters=st.integers(0, 9),
    teacher=st.sampled_from(["t", "u"]),
)
ASKED = st.lists(
    st.builds(
        Asked,
        samples=st.lists(SAMPLES, max_size=4),
        domain=st.sampled_from(["math", "code", "law"]),
        source=st.sampled_from(["a", "b"]),
        difficulty=st.none() | st.integers(1, 5),
    ),
    max_size=12,
)
MIXES: list[dict[str, Any] | None] = [
    None,
    {"total": 5},
    {"by": "domain", "temperature": 0.0},
    {"by": "source", "targets": {"a": 2, "*": 1}},
    {"by": "teacher", "total": 6, "shares": {"t": 3, "u": 1}, "caps": {"source": 3}},
    {"by": "domain", "total": 4, "temperature": 0.5, "within": {"by": "difficulty", "temperature": 0}},
    {"caps": {"domain": {"math": 1}, "source": 2}},
]
DIFFICULTIES: list[dict[str, Any]] = [
    {"levels": {"hard": 0.5, "easy": 1.0}},
    {"levels": {"hard": 0.5, "easy": 1.0}, "max": 0.9, "unknown": "drop"},
    {"measure": "judge", "min": 2, "levels": {"easy": 3, "hard": 5}},
]


def _possible(section: dict[str, Any]) -> dict[str, Any]:
    is_idle = section["per_question"] is None and section["mix"] is None
    return {**section, "best": "first"} if is_idle else section


SECTIONS = st.fixed_dictionaries(
    {
        "keep": st.sampled_from(["correct", "all", "majority"]),
        "per_question": st.none() | st.integers(1, 3),
        "best": st.sampled_from(["first", "shortest", "longest", "random"]),
        "mix": st.sampled_from(MIXES),
        "difficulty": st.sampled_from(DIFFICULTIES),
    }
).map(_possible)


@given(ASKED, SECTIONS)
def test_every_trace_has_one_fate_in_its_order(asked: list[Asked], section: dict[str, Any]) -> None:
    done = selected(asked, **section)
    assert [fate.candidate for fate in done.fates] == done.candidates
    for fate in done.fates:
        assert fate.drop is None or (fate.drop.row_id, fate.drop.stage) == (fate.candidate.trace.id, "select")
        assert fate.because if fate.drop is None else fate.drop.reason


@given(ASKED, SECTIONS)
def test_the_figures_add_up(asked: list[Asked], section: dict[str, Any]) -> None:
    done = selected(asked, **section)
    metrics, standing = done.metrics, done.standing
    assert metrics["examples"] == len(standing)
    assert metrics["questions"] == len({fate.candidate.question.id for fate in standing})
    assert metrics["questions"] + sum(metrics["questions_lost"].values()) == len(asked)
    lines = {tuple(line["group"]): line for line in metrics["mix"]["groups"]}
    assert sum(line["kept"] for path, line in lines.items() if len(path) == 1) == len(standing)
    for path, line in lines.items():
        inner = [below["kept"] for other, below in lines.items() if other[:-1] == path]
        assert sum(inner) == line["kept"] or not inner
        assert line["kept"] <= line["available"] - line["capped"]


@given(ASKED, SECTIONS, st.randoms(use_true_random=False))
def test_in_another_order_of_the_questions_the_same_traces_stay(
    asked: list[Asked], section: dict[str, Any], shuffler: Random
) -> None:
    rows = candidates_of(asked)
    groups = [[row for row in rows if row.question.id == one] for one in dict.fromkeys(r.question.id for r in rows)]
    shuffler.shuffle(groups)
    turned = selected_from([row for group in groups for row in group], len(asked), **section)
    assert set(turned.kept) == set(selected(asked, **section).kept)


@given(ASKED, st.sampled_from(["correct", "all"]), st.integers(1, 3), st.sampled_from(["first", "shortest", "random"]))
def test_no_question_has_more_than_its_limit_nor_fewer_than_it_could(
    asked: list[Asked], keep: str, limit: int, best: str
) -> None:
    free, limited = selected(asked, keep=keep), selected(asked, keep=keep, per_question=limit, best=best)
    for number in range(len(asked)):
        could = sum(question == number for question, _ in free.kept)
        assert sum(question == number for question, _ in limited.kept) == min(limit, could)


@settings(max_examples=15)
@given(ASKED, SECTIONS)
def test_the_tables_hold_what_the_rules_decided(
    tmp_path_factory: pytest.TempPathFactory, asked: list[Asked], section: dict[str, Any]
) -> None:
    done, table = selected(asked, **section), sealed(tmp_path_factory.mktemp("tables"), asked, **section)
    assert [e.trace_id for e in table.examples] == [fate.candidate.trace.id for fate in done.standing]
    assert [e.kept_because for e in table.examples] == done.because
    assert table.drops == done.drops
    assert table.warnings == done.remarks
    assert table.manifest.rows_in == len(done.fates)


def test_only_correct_ones_stay_and_the_others_say_what_they_were() -> None:
    done = selected([Asked([RIGHT, WRONG, UNPARSED, FAILED, Sample(Status.SKIPPED, None)])])
    assert done.kept == [(0, 0)]
    assert done.rules == ["not_correct_incorrect", "not_correct_unparsed", "not_correct_error", "not_correct_skipped"]
    assert done.because == ["correct by math@3"]


def test_a_trace_without_a_text_is_no_example() -> None:
    assert selected([Asked([Sample(characters=0)])], keep="all").rules == ["empty"]


def test_all_are_kept_where_asked_with_what_the_verdict_was() -> None:
    done = selected([Asked([RIGHT, WRONG])], keep="all")
    assert done.because == ["keep = all, correct by math@3", "keep = all, incorrect by math@3"]


def test_a_lost_question_counts_for_the_rule_that_took_its_last_trace() -> None:
    asked = [
        Asked([WRONG, UNPARSED]),
        Asked([UNPARSED, RIGHT]),
        Asked([]),
        Asked([RIGHT, RIGHT], domain="law"),
        Asked([RIGHT, FAILED, WRONG]),
    ]
    section: dict[str, Any] = {"mix": {"targets": {"math": 9}}, "per_question": 1}
    strict = selected(asked, difficulty={"max": 0.9}, **section)
    assert strict.metrics["questions_lost"] == {"no_trace": 1, "not_correct_incorrect": 1, "too_easy": 1}
    mild = selected(asked, **section)
    assert mild.metrics["questions_lost"] == {"mix": 1, "no_trace": 1, "not_correct_incorrect": 1}


def test_the_table_without_a_mix_is_by_domain() -> None:
    asked = [Asked([Sample(tokens=10), Sample(tokens=20)]), Asked([Sample(characters=30)], domain="code")]
    table = selected(asked).groups
    assert table["math"] == {
        "group": ["math"], "by": "domain", "available": 2, "capped": 0, "wanted": None,
        "kept": 2, "questions": 1, "mean_tokens": 15.0, "mean_characters": 10.0,
    }  # fmt: skip
    assert (table["code"]["mean_tokens"], table["code"]["mean_characters"]) == (None, 30.0)


def test_what_waits_between_two_walks_is_read_back_from_disk_as_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, section = [Asked([RIGHT, WRONG, UNPARSED])] * 9, {"mix": {"total": 4}, "per_question": 1}
    in_memory = selected(asked, **section)
    monkeypatch.setattr("reasonry.stages.selecting.spool.IN_MEMORY", 1)
    assert selected(asked, **section).fates == in_memory.fates


def test_a_disk_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("reasonry.stages.selecting.spool.IN_MEMORY", 1)
    with spool(tmp_path / "nowhere") as notes, pytest.raises(StoreError, match="cannot be written"):
        notes.write(Fate(candidates_of([Asked()])[0]))


class Ahead(TraceFilterSection):
    """How many rows the filter reads before it gives one."""

    rows: int


@part("trace_filter", "odd_samples", options=Ahead)
def odd_samples(candidates: Iterable[Candidate], options: Ahead) -> Iterator[Candidate | Drop]:
    """Drop every second sample, in batches."""
    batch: list[Candidate] = []
    for candidate in candidates:
        batch.append(candidate)
        if len(batch) == options.rows:
            yield from map(_odd, batch)
            batch = []
    yield from map(_odd, batch)


def _odd(candidate: Candidate) -> Candidate | Drop:
    return Drop(candidate.trace.id, "select", "odd", "an odd one") if candidate.trace.index % 2 else candidate


@given(ASKED, st.integers(1, 9), st.integers(0, 3))
def test_a_filter_that_reads_ahead_decides_the_same_in_the_same_order(asked: list[Asked], rows: int, gap: int) -> None:
    before = [
        Fate(candidate).dropped("before", "before") if n % (gap + 1) else Fate(candidate)
        for n, candidate in enumerate(candidates_of(asked))
    ]
    after = list(through(iter(before), part_of(odd_samples), Ahead(filter="odd_samples", rows=rows)))
    assert [fate.candidate for fate in after] == [fate.candidate for fate in before]
    for one, other in zip(before, after, strict=True):
        if one.drop is not None:
            assert other == one
        else:
            assert other.is_standing == (other.candidate.trace.index % 2 == 0)


def _short(rows: list[Candidate]) -> Iterator[Candidate]:
    yield from rows[:-1]


def _long(rows: list[Candidate]) -> Iterator[Candidate]:
    yield from (*rows, rows[-1])


def _twisted(rows: list[Candidate]) -> Iterator[Candidate]:
    yield from reversed(rows)


@pytest.mark.parametrize(("give", "said"), [(_short, "fewer rows"), (_long, "more rows"), (_twisted, "where it was")])
def test_a_filter_that_breaks_its_contract_is_told_by_name(give: Any, said: str) -> None:
    @part("trace_filter", "broken", version=4)
    def broken(candidates: Iterable[Candidate], options: TraceFilterSection) -> Iterator[Candidate | Drop]:
        return give(list(candidates))

    fates = [Fate(candidate) for candidate in candidates_of([Asked([RIGHT, RIGHT])])]
    with pytest.raises(PartError, match=rf"the filter 'broken@4' .*{said}"):
        list(through(fates, part_of(broken), TraceFilterSection(filter="broken")))


def test_a_filter_that_stops_reading_is_told() -> None:
    @part("trace_filter", "lazy")
    def lazy(candidates: Iterable[Candidate], options: TraceFilterSection) -> Iterator[Candidate | Drop]:
        yield next(iter(candidates))

    fates = [Fate(candidate) for candidate in candidates_of([Asked([RIGHT, RIGHT])])]
    with pytest.raises(PartError, match="did not read all rows"):
        list(through(fates, part_of(lazy), TraceFilterSection(filter="lazy")))
