"""The measuring of the maths verifier: what is counted, what is left out, what is killed. Never how fast it is."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.verify_math import __main__ as program
from benchmarks.verify_math import speed
from benchmarks.verify_math.accuracy import BARS, FileResult, Tally, counted, failures, result_of, sample_of
from benchmarks.verify_math.caches import clear_caches, without_caches
from benchmarks.verify_math.data import LABELLED, UNLABELLED, Label, Pair, find_data, missing, pairs_of
from benchmarks.verify_math.excluded import EXCLUDED
from benchmarks.verify_math.hostile import PAYLOADS, hostile
from benchmarks.verify_math.page import page
from benchmarks.verify_math.peers import OURS, PEERS, Grade, Grader
from benchmarks.verify_math.process import CannotStart, Process
from benchmarks.verify_math.respell import RESPELLINGS, is_mathematics, mutated, unwrapped
from benchmarks.verify_math.runner import GRADERS
from benchmarks.verify_math.speed import Speed, mixture

from benchmarks import metamorphic, pathological
from reasonry.verifiers import math

EQUAL, DIFFERENT = Grade(equal=True), Grade(equal=False)


def pair(*, label: Label, name: str = "a") -> Pair:
    return Pair(name, "file", "1", "1", label)


def write_rows(data: Path, rows: list[dict[str, Any]]) -> Path:
    """The same few rows under the name of every file."""
    import zstandard

    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (data / "maths").mkdir()
    for file in (*LABELLED[:-1], *UNLABELLED, "pathological"):
        (data / "maths" / f"{file}.jsonl").write_text(lines, encoding="utf-8")
    for folder, name in (("verifier-cases", "math_equivalence"), ("questions", "math_one")):
        (data / folder).mkdir()
        compressed = zstandard.ZstdCompressor().compress(lines.encode())
        (data / folder / f"{name}.jsonl.zst").write_bytes(compressed)
    return data


ROWS: list[dict[str, Any]] = [
    {"id": "same", "answer": "\\frac{1}{2}", "response": "0.5", "label": True},
    {"id": "other", "answer": "\\frac{1}{2}", "response": "0.6", "label": False},
    {"id": "wrong label", "answer": "3", "response": "4", "label": True},
    {"id": "rounded", "answer": "\\frac{1}{3}", "response": "0.3", "label": "approx"},
    {"id": "unknown", "answer": "1", "response": "2", "label": None},
]


# --- counting


def test_false_positives_and_false_negatives_are_apart() -> None:
    tally = Tally()
    for label, grade in ((True, EQUAL), (True, DIFFERENT), (False, EQUAL), (False, EQUAL), (False, DIFFERENT)):
        tally.add(pair(label=label), grade)
    assert (tally.right, tally.false_negatives, tally.false_positives, tally.labelled) == (2, 1, 2, 5)
    assert tally.accuracy == 40.0


def test_a_hung_pair_is_not_equal_and_counted_as_hung() -> None:
    tally = Tally()
    tally.add(pair(label=True), Grade(equal=False, outcome="hung"))
    tally.add(pair(label=False), Grade(equal=False, outcome="error"))
    assert (tally.hung, tally.errors, tally.false_negatives, tally.right) == (1, 1, 1, 1)


def test_rounded_answers_are_no_part_of_the_accuracy() -> None:
    tally = Tally()
    tally.add(pair(label="approx"), EQUAL)
    tally.add(pair(label="approx"), DIFFERENT)
    assert (tally.approx_accepted, tally.labelled) == (1, 0)


def test_rows_without_a_label_and_excluded_rows_are_left_out_and_counted() -> None:
    pairs = [pair(label=None), pair(label=True, name=next(iter(EXCLUDED))), pair(label=True, name="kept")]
    assert [one.id for one in counted(pairs)] == ["kept"]
    result = result_of("file", pairs, {OURS: [EQUAL]})
    assert (result.rows, result.unlabelled, len(result.excluded)) == (3, 1, 1)


def test_a_disagreement_says_who_said_what() -> None:
    said = {"status": "incorrect", "compared": "number", "extracted": "4"}
    ours = Grade(equal=False, said=said)
    result = result_of("file", [pair(label=True)], {OURS: [ours], "exact": [EQUAL]})
    (row,) = result.disagreements
    assert (row["ours"], row["rung"], row["peers"]) == ("incorrect", "number", {"exact": "equal"})


def test_a_file_below_its_bar_and_one_with_more_false_positives_than_the_rival_are_missed() -> None:
    low = FileResult("adj_odyssey", tallies={OURS: Tally(right=1, false_negatives=1)})
    rival = {OURS: Tally(right=9, false_positives=1), "math-verify": Tally(right=10)}
    assert [line.split(":")[0] for line in failures([low, FileResult("openai_gsm8k", tallies=rival)])] == [
        "adj_odyssey",
        "openai_gsm8k",
    ]


def test_a_sample_is_seeded_and_keeps_the_order(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "id": f"{i:03}"} for i in range(50)]
    data = write_rows(tmp_path, rows)
    chosen = [one.id for one in sample_of(data, "hardverify", 10)]
    assert chosen == [one.id for one in sample_of(data, "hardverify", 10)]
    assert (len(chosen), chosen) == (10, sorted(chosen))


# --- the program


def test_the_program_prints_the_tables_and_writes_the_disagreements(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, listed, figures = write_rows(tmp_path, ROWS), tmp_path / "list.jsonl", tmp_path / "figures.json"
    given = ["accuracy", "--data", str(data), "--files", "hardverify", "--peers", "exact"]
    assert program.main([*given, "--list", str(listed), "--json", str(figures)]) == 1  # the wrong label
    row = json.loads(listed.read_text("utf-8"))
    assert (row["id"], row["ours"], row["peers"]) == ("wrong label", "incorrect", {"exact": "different"})
    found = json.loads(figures.read_text("utf-8"))["accuracy"][0]
    assert (found["rows"], found["unlabelled"], found["approx"]) == (5, 1, 1)
    assert found["tallies"]["exact"]["false_negatives"] == 2
    printed = capsys.readouterr().out
    assert "66.67 (0/1)" in printed
    assert "hardverify: 1 rows without a label left out" in printed


@pytest.mark.parametrize("main", [program.main, pathological.main, metamorphic.main])
def test_absent_data_end_with_two_and_a_hint(main: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("error: no ")
    assert "\n\nhint: " in errors


def test_verdicts_of_peers_are_remembered_and_ours_never(tmp_path: Path) -> None:
    data, memory = write_rows(tmp_path, ROWS), tmp_path / "memory.json"
    given = ["accuracy", "--data", str(data), "--files", "hardverify", "--peers", "exact", "--remember", str(memory)]
    program.main(given)
    known = json.loads(memory.read_text("utf-8"))
    assert {json.loads(key)[0] for key in known} == {"exact"}
    memory.write_text(json.dumps({key: [True, "ok"] for key in known}), encoding="utf-8")
    figures = tmp_path / "figures.json"
    program.main([*given, "--json", str(figures)])
    tallies = json.loads(figures.read_text("utf-8"))["accuracy"][0]["tallies"]
    assert (tallies["exact"]["false_positives"], tallies[OURS]["false_positives"]) == (1, 0)


# --- processes


def test_what_takes_too_long_is_killed_and_started_again() -> None:
    loop = "import sys, time\nprint('{\"pid\": 1}', flush=True)\nfor line in sys.stdin:\n"
    loop += "    time.sleep(60) if 'sleep' in line else print(line, end='', flush=True)\n"
    with Process([sys.executable, "-c", loop], limit_s=0.5) as process:
        assert process.ask({"text": "\ud800"}) == {"text": "\ud800"}
        assert process.ask({"text": "sleep"}) is None
        assert process.ask({"text": "again"}) == {"text": "again"}


def test_a_process_that_dies_gives_no_reply() -> None:
    once = "import sys\nprint('{}', flush=True)\nsys.stdin.readline()\n"
    with Process([sys.executable, "-c", once], limit_s=5) as process:
        assert process.ask({}) is None


def test_a_grader_that_cannot_be_loaded_says_so() -> None:
    with pytest.raises(CannotStart), Process([sys.executable, "-c", "raise SystemExit(1)"], limit_s=1):
        pass


def test_our_verifier_answers_with_its_rung_and_a_library_of_ours_with_a_verdict() -> None:
    with Grader(OURS) as ours:
        grade = ours.grade("\\frac{1}{2}", "The answer is \\boxed{0.5}.")
    assert grade.said is not None
    assert (grade.equal, grade.said["status"], bool(grade.said["compared"])) == (True, "correct", True)
    with Grader("math-verify") as rival:
        assert rival.version.startswith("0.9")
        assert [rival.grade("1/2", given).equal for given in ("0.5", "0.6")] == [True, False]


def test_every_peer_has_a_runner() -> None:
    assert set(PEERS) == set(GRADERS)


# --- speed


def test_the_mixture_weights_files_by_their_rows_and_pairs_by_their_counts() -> None:
    fast, slow = Speed([0.1, 0.3], [3, 1]), Speed([1.0], [1])
    assert fast.mean_s == pytest.approx(0.15)
    assert mixture({"fast": fast, "slow": slow}, {"fast": 9, "slow": 1}) == pytest.approx(10 / (9 * 0.15 + 1.0))


def test_the_time_of_helpers_is_counted() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\nprint(1, flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as helper:
        assert helper.stdout is not None
        found = speed.timed([lambda: None, helper.stdout.readline])
        helper.kill()
    assert found.helped == [1]
    assert found.seconds[1] > 0.2


def test_caches_are_taken_away_and_put_back() -> None:
    kept = dict(vars(math))
    with without_caches():
        bounded = [one for one in vars(math).values() if hasattr(one, "cache_info") and one.cache_info().maxsize]
        assert not bounded
        assert math.judge("\\frac{1}{2}", "0.5").status.value == "correct"
    assert dict(vars(math)) == kept
    clear_caches()


# --- hostile inputs


def test_hostile_inputs_are_many_and_can_all_be_made(tmp_path: Path) -> None:
    texts = hostile(tmp_path / "executed")
    assert len(texts) >= 80 + len(PAYLOADS)
    assert all(isinstance(make(), str) for make in texts.values())


def test_a_probe_tells_time_memory_and_verdict_and_nothing_is_executed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    requests: list[dict[str, Any]] = [
        {"name": f"payload: {name}", "place": place} for name in ("import os", "shell") for place in ("answer", "boxed")
    ]
    found = pathological.run(requests, marker)
    assert {probe.status for probe in found} <= {"incorrect", "error", "unparsed", "timeout"}
    assert not any(probe.executed or probe.raised for probe in found)
    assert all(probe.wall_ms > 0 and probe.peak_mb > 1 for probe in found)


def test_what_raises_what_is_slow_and_what_was_executed_is_missed() -> None:
    probe = pathological.Probe
    bad = [
        probe("a", "answer", "raised", raised="ValueError: no"),
        probe("b", "answer", "correct", compared="number", cpu_ms=51.0),
        probe("c", "answer", "incorrect", executed=True),
        probe("d", "answer", "incorrect", peak_mb=101.0),
    ]
    assert len(pathological.failures(bad)) == len(bad)
    assert pathological.failures([], watched_mb=101.0)
    assert not pathological.failures([probe("e", "answer", "correct", compared="symbolic", cpu_ms=1_999.0)])


# --- respellings


@pytest.mark.parametrize(
    ("way", "text", "expected"),
    [
        ("spaces around signs", "x+1", {"x + 1", "x  +   1"}),
        ("LaTeX spaces", "x=5", {"x\\,=\\,5", "x\\;=\\;5", "x\\!=\\!5", "x~=~5", "x\\ =\\ 5"}),
        ("size of fractions", "\\frac{1}{2}", {"\\dfrac{1}{2}", "\\tfrac{1}{2}"}),
        ("sized brackets", "(1,2]", {"\\left(1,2\\right]"}),
        ("unsized brackets", "\\left(x\\right)", {"(x)"}),
        ("signs of products", "3\\cdot 4", {"3*4", "3\\times 4"}),
        ("braces of exponents", "x^2", {"x^{2}"}),
        ("braces of fractions", "\\frac{1}{2}", {"\\frac12"}),
        ("thousands", "-12345", {"-12,345", "-12{,}345", "-12\\,345"}),
        ("decimal zero", "7", {"7.0", "7.00"}),
        ("full-width digits", "12", {"１２"}),
        ("degrees", "30^\\circ", {"30°", "30^{\\circ}"}),
    ],
)
def test_a_way_of_writing(way: str, text: str, expected: set[str]) -> None:
    assert {RESPELLINGS[way](text, random.Random(i)) for i in range(40)} == expected


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ("thousands", "999"),
        ("decimal zero", "1.5"),
        ("braces of exponents", "x^23"),
        ("sized brackets", "\\sqrt[3]{2}(x)"),
        ("sized brackets", "\\text{(E)}"),
        ("roots", "\\sqrt{2}x"),
        ("spaces around signs", "\\text{a+b}"),
    ],
)
def test_what_would_leave_a_doubt_is_not_respelled(way: str, text: str) -> None:
    assert RESPELLINGS[way](text, random.Random(1)) is None


@pytest.mark.parametrize("text", ["", "the larger one", "x where x > 0", "{1", "rac{1}{2}", "Alice", "5$ and $6"])
def test_prose_and_torn_latex_are_no_mathematics(text: str) -> None:
    assert not is_mathematics(text)


def test_delimiters_around_all_of_a_reference_are_taken_off() -> None:
    assert [unwrapped(text) for text in ("$5$.", "\\(x\\)", " 7 ", "$1$ and $2$")] == ["5", "x", "7", "$1$ and $2$"]


def test_a_mutation_changes_one_digit() -> None:
    for seed in range(100):
        changed = mutated("\\frac{12}{35}+7x^2", random.Random(seed))
        assert changed is not None
        different = [(a, b) for a, b in zip("\\frac{12}{35}+7x^2", changed, strict=True) if a != b]
        assert len(different) == 1
        assert different[0][1] in "123456789"


@pytest.mark.parametrize("text", ["x_1", "a_{12}", "0", "\\sin 30", "x^0", "5!", "\\binom{5}{2}", "2^{0}"])
def test_digits_that_may_not_count_are_not_mutated(text: str) -> None:
    assert all(mutated(text, random.Random(seed)) is None for seed in range(30))


def test_variants_are_seeded_and_even_over_the_ways() -> None:
    texts = [f"\\frac{{{i}}}{{{i + 1}}}+x" for i in range(10, 60)]
    first, again = (metamorphic.respellings_of(texts, 100, 3) for _ in range(2))
    assert first == again
    assert {variant.way for variant in first} >= {"dollars", "a box", "size of fractions", "full-width digits"}
    assert len(metamorphic.mutations_of(texts, 20, 3)) == 20


def test_the_metamorphic_program_ends_with_zero_where_all_is_well(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "answer": f"\\frac{{{i}}}{{7}}"} for i in range(10, 20)]
    given = ["--data", str(write_rows(tmp_path, rows)), "--peers", "none", "--respellings", "30", "--mutations", "10"]
    assert metamorphic.main([*given, "--json", str(tmp_path / "out.json")]) == 0
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["respelled"][0]["total"] == 30


def test_the_page_shows_the_figures_of_the_three_programs() -> None:
    tally = {"right": 9, "false_positives": 1, "false_negatives": 0, "errors": 2, "timeouts": 0, "hung": 0}
    tally["approx_accepted"] = 3
    excluded = next(iter(EXCLUDED))
    file = {"file": "hardverify", "approx": 4, "unlabelled": 5, "excluded": [excluded, excluded]}
    verified = {"versions": {OURS: "1", "exact": ""}, "accuracy": [{**file, "tallies": {OURS: tally, "exact": tally}}]}
    probe = {"name": "a", "compared": "text", "cpu_ms": 1.25, "peak_mb": 50.0, "raised": "", "executed": False}
    hostile_report = {"probes": [{**probe, "status": "correct"}], "watched_mb": 0.0, "missed": []}
    outcome = {"grader": OURS, "total": 1_000, "wrong": [{}]}
    shown = page(verified, hostile_report, {"respelled": [outcome], "mutated": [outcome]})
    assert "| hardverify | 10 | 90.0 | 90.00 (1/0, 2 failed) | 90.00 (1/0, 2 failed) |" in shown
    assert "| hardverify | 4 | 3 | 3 |" in shown
    assert shown.count(excluded) == 1
    assert "CPU time: 1.2 ms" in shown
    assert "| reasonry | 1 (0.10%) of 1,000 | 1 (0.10%) of 1,000 |" in shown


# --- the shared data, where they are


@pytest.mark.skipif(bool(missing(find_data(), LABELLED)), reason="shared/data/maths is not here")
def test_every_excluded_row_exists_and_every_bar_has_its_file() -> None:
    known = {one.id for file in LABELLED for one in pairs_of(find_data(), file)}
    assert set(EXCLUDED) <= known
    assert set(BARS) <= set(LABELLED)
