"""The corpus of the curation benchmarks: the same by seed, and its truth true."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from benchmarks.corpus.__main__ import main, make
from benchmarks.corpus.bases import Grammar, right_answer
from benchmarks.corpus.draw import Draw, Stream, seed_of
from benchmarks.corpus.latex import relatexed
from benchmarks.corpus.rewording import reworded
from benchmarks.corpus.spelling import edited, formatted, pieces
from benchmarks.corpus.template import TEMPLATES, Template, respelled
from benchmarks.curation_measured import Found
from benchmarks.curation_report import Corpus
from benchmarks.curation_rows import Truth, read_truth, store, stored_rows
from benchmarks.decontamination import score as contamination_score
from benchmarks.deduplication import score

from reasonry.registry import find
from reasonry.types import Question, Status

ROWS = 3_000
ALL = [template for templates in TEMPLATES.values() for template in templates]
_NUMBER = re.compile(r"-?\d+")


def made(folder: Path, *, rows: int = ROWS, seed: int = 7, trace_bytes: int | None = None) -> Path:
    out = folder / f"{rows}-{seed}-{trace_bytes}"
    make(out, rows=rows, seed=seed, benchmark_rows=400, trace_bytes=trace_bytes)
    return out


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def rows(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    stored = tmp_path_factory.mktemp("stored")
    store(corpus, stored)
    found: dict[str, Any] = {row.id: row for row in stored_rows(stored)}
    return found


@cache
def benchmark(corpus: Path) -> dict[str, dict[str, Any]]:
    lines = (corpus / "benchmark.jsonl").read_text(encoding="utf-8").split("\n")
    return {row["id"]: row for row in map(json.loads, filter(None, lines))}


def planted(corpus: Path, plant: str, kind: str) -> list[tuple[str, Truth]]:
    found = [
        (row_id, truth) for row_id, truth in read_truth(corpus).items() if (truth.plant, truth.kind) == (plant, kind)
    ]
    assert found, f"none of {plant}/{kind}"
    return found


def folded(text: str) -> str:
    return " ".join(text.split())


def test_the_same_seed_gives_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    assert digests(made(tmp_path)) == digests(corpus)


def test_another_seed_gives_other_questions(corpus: Path, tmp_path: Path) -> None:
    other = made(tmp_path, seed=8)
    assert not set(read_truth(other)) & set(read_truth(corpus))


def test_sizes_are_what_was_asked_for(corpus: Path, rows: dict[str, Any]) -> None:
    assert len(rows) == ROWS
    assert len(benchmark(corpus)) == 400
    plants = Counter(truth.plant for truth in read_truth(corpus).values())
    assert 0.10 < plants["duplicate"] / ROWS < 0.22
    assert 0.03 < plants["hard_negative"] / ROWS < 0.09
    assert 0.015 < plants["contaminated"] / ROWS < 0.025
    domains = Counter(row.domain for row in rows.values())
    assert 0.5 < (domains["maths_words"] + domains["maths_latex"]) / ROWS < 0.7
    assert 0.2 < domains["choice"] / ROWS < 0.3


def test_every_planted_row_and_its_original_are_there(corpus: Path, rows: dict[str, Any]) -> None:
    for row_id, truth in read_truth(corpus).items():
        assert row_id in rows
        assert truth.of in (benchmark(corpus) if truth.plant.startswith("contamina") else rows)


def test_an_exact_duplicate_has_the_text_of_its_original_and_another_source(corpus: Path, rows: dict[str, Any]) -> None:
    for row_id, truth in planted(corpus, "duplicate", "exact"):
        assert folded(rows[row_id].question) == folded(rows[truth.of].question)
        assert rows[row_id].source != rows[truth.of].source


@pytest.mark.parametrize("kind", ["format", "latex", "edit", "reword"])
def test_another_duplicate_has_another_text_and_the_same_answer(corpus: Path, rows: dict[str, Any], kind: str) -> None:
    for row_id, truth in planted(corpus, "duplicate", kind):
        assert rows[row_id].question != rows[truth.of].question
        if truth.answer == "same":
            assert rows[row_id].answer == rows[truth.of].answer


def test_clusters_are_of_many_sizes(tmp_path: Path) -> None:
    truth = read_truth(made(tmp_path, rows=4_000)).values()
    sizes = Counter(Counter(entry.cluster for entry in truth if entry.plant == "duplicate").values())
    assert {1, 2, 3} <= set(sizes)
    assert 14 <= max(sizes) <= 39
    assert sizes[1] > sizes[2] > 0


def test_a_numbers_negative_differs_in_nothing_but_numbers_and_their_answer(corpus: Path, rows: dict[str, Any]) -> None:
    for row_id, truth in planted(corpus, "hard_negative", "numbers"):
        one, other = rows[row_id], rows[truth.of]
        assert _NUMBER.findall(one.question) != _NUMBER.findall(other.question)
        assert right(one) != right(other)


@pytest.mark.parametrize("kind", ["asked", "operator", "entity_swap"])
def test_a_hard_negative_has_another_answer(corpus: Path, rows: dict[str, Any], kind: str) -> None:
    for row_id, truth in planted(corpus, "hard_negative", kind):
        one, other = rows[row_id], rows[truth.of]
        assert one.question != other.question
        assert right(one) != right(other)


def test_a_choices_negative_has_the_same_stem_and_other_choices(corpus: Path, rows: dict[str, Any]) -> None:
    for row_id, truth in planted(corpus, "hard_negative", "choices"):
        one, other = rows[row_id], rows[truth.of]
        assert len(set(one.choices) - set(other.choices)) >= 2
        assert one.question.split("\n")[0] == other.question.split("\n")[0]


def right(row: Any) -> str | None:
    if row.choices and row.answer and len(row.answer) == 1:
        return row.choices["ABCDEFGHIJ".index(row.answer)]
    return row.answer


def test_verbatim_and_embedded_contaminations_hold_the_benchmarks_text(corpus: Path, rows: dict[str, Any]) -> None:
    for kind in ("verbatim", "embedded"):
        for row_id, truth in planted(corpus, "contaminated", kind):
            assert benchmark(corpus)[truth.of]["question"] in rows[row_id].question


def test_a_shuffled_contamination_has_the_same_choices_in_another_order(corpus: Path, rows: dict[str, Any]) -> None:
    for row_id, truth in planted(corpus, "contaminated", "shuffled"):
        one, other = rows[row_id], benchmark(corpus)[truth.of]
        assert sorted(one.choices) == sorted(other["choices"])
        assert one.choices != other["choices"]
        letters = "ABCDEFGHIJ"
        if len(one.answer) == 1 and len(other["answer"]) == 1:
            assert one.choices[letters.index(one.answer)] == other["choices"][letters.index(other["answer"])]


def test_no_unplanted_question_is_a_benchmarks(corpus: Path, rows: dict[str, Any]) -> None:
    known = {folded(row["question"]) for row in benchmark(corpus).values()}
    truth = read_truth(corpus)
    assert not [row for row in rows.values() if row.id not in truth and folded(row.question) in known]


def test_unplanted_questions_are_all_different(corpus: Path, rows: dict[str, Any]) -> None:
    truth = read_truth(corpus)
    texts = [(folded(row.question), tuple(row.choices or ())) for row in rows.values() if row.id not in truth]
    assert len(texts) == len(set(texts))


def test_no_meaning_is_drawn_twice() -> None:
    grammar = Grammar(3)
    seen: dict[str, set[Any]] = defaultdict(set)
    for _ in range(1_500):
        base = grammar.draw("questions")
        assert base is not None
        signature = base.draw.signature()
        assert signature not in seen[base.family]
        seen[base.family].add(signature)


def test_the_grammar_has_many_templates_of_which_a_benchmark_has_its_own() -> None:
    assert len(ALL) >= 60
    assert len({template.name for template in ALL}) == len(ALL)
    assert {"questions", "benchmark", "both"} == {template.use for template in ALL}


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.name)
def test_a_template_repeats_and_its_answer_is_among_its_choices(template: Template) -> None:
    for seed in range(20):
        one, again = (template.make(Draw(seed_of(template.name, seed))) for _ in range(2))
        assert one == again
        assert one.text.strip()
        assert one.choices is None or right_answer(one) in one.choices
        assert (one.answer is None) == (one.tests is not None)


def test_changing_one_stream_leaves_the_draws_of_the_others() -> None:
    draw, other = Draw(5), Draw(5).anew("numbers")
    for each in (draw, other):
        each.words.between(1, 1 << 40)
        each.numbers.between(1, 1 << 40)
    assert draw.words.drawn == other.words.drawn
    assert draw.numbers.drawn != other.numbers.drawn


def test_a_twist_changes_one_draw_only() -> None:
    plain, twisted = Stream(9), Stream(9, (2, 4))
    for each in (plain, twisted):
        for _ in range(5):
            each.below(100)
    assert [a == b for a, b in zip(plain.drawn, twisted.drawn, strict=True)] == [True, True, False, True, True]


@pytest.mark.parametrize("change", [formatted, edited, reworded])
def test_prose_changes_leave_maths_and_numbers_alone(change: Any) -> None:
    text = "Find the sum of the roots of $x^2 - 17x + 4 = 0$, which are colours, and then buys it at random."
    for seed in range(200):
        changed, names = change(Stream(seed), text)
        if "wrapped" not in names and "html" not in names:
            assert "$x^2 - 17x + 4 = 0$" in changed
        assert "sum" in changed.lower().replace("*", "").replace("_", "")


def test_maths_is_written_in_other_ways_with_the_same_numbers() -> None:
    text = "Compute $\\frac{12}{35} \\cdot x^{2}$ for $\\left|x\\right| \\le 7$."
    texts = {done[0] for seed in range(100) if (done := relatexed(Stream(seed), text)) is not None}
    assert len(texts) > 30
    raised = str.maketrans("²", "2")
    assert {tuple(_NUMBER.findall(changed.translate(raised))) for changed in texts} == {("12", "35", "2", "7")}


def test_money_is_no_maths() -> None:
    assert not any(piece.is_maths for piece in pieces("Two pens at $3.50 each and a pad at $4 cost how much of $20?"))


@pytest.mark.parametrize(
    ("answer", "form"), [("1/2", "\\frac{1}{2}"), ("\\frac{1}{2}", "0.5"), ("1234", "1,234"), ("B", "(B)")]
)
def test_an_answer_has_other_spellings(answer: str, form: str) -> None:
    assert form in respelled(answer)


# -- traces ------------------------------------------------------------------------------------------------------

VERIFIERS = {"choice": "choice", "code": "code", "code_output": "exact", "puzzle": "exact"}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("traced"), rows=600, trace_bytes=3_000)


def traces(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("traces-*.parquet")) for row in pq.read_table(path).to_pylist()]


def told(folder: Path) -> dict[str, dict[str, Any]]:
    lines = (folder / "trace_truth.jsonl").read_text(encoding="utf-8").split("\n")
    return {row["id"]: row for row in map(json.loads, filter(None, lines))}


def test_every_question_has_a_trace_in_another_order(traced: Path, tmp_path: Path) -> None:
    store(traced, tmp_path)
    asked = [row.id for row in stored_rows(tmp_path)]
    answered = [row["question_id"] for row in traces(traced)]
    assert set(answered) == set(asked)
    assert list(dict.fromkeys(answered)) != asked


def test_traces_repeat_by_seed(traced: Path, tmp_path: Path) -> None:
    assert digests(made(tmp_path, rows=600, trace_bytes=3_000)) == digests(traced)


def test_the_mean_length_is_near_what_was_asked_for(traced: Path) -> None:
    sizes = [len(row["response"].encode()) for row in traces(traced)]
    assert 2_000 < sum(sizes) / len(sizes) < 4_500


def test_traces_have_the_defects_that_are_told(traced: Path) -> None:
    truth = told(traced)
    by_defect: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in traces(traced):
        by_defect[truth[row["id"]]["defect"]].append(row)
    assert {"none", "unclosed_think", "cut_off"} <= set(by_defect)
    assert all("</think>" in row["response"] for row in by_defect["none"])
    assert all("</think>" not in row["response"] for row in by_defect["unclosed_think"])
    assert all(row["finish"] == "length" for row in by_defect["cut_off"])
    assert all(not row["response"].replace("<think>", "").replace("</think>", "").strip() for row in by_defect["empty"])


def test_a_right_trace_verifies_and_a_wrong_one_does_not(traced: Path, tmp_path: Path) -> None:
    store(traced, tmp_path)
    rows = {row.id: row for row in stored_rows(tmp_path) if row.domain != "code"}
    truth = told(traced)
    judged = [
        (truth[trace["id"]]["right"], verified(rows[trace["question_id"]], trace["response"]))
        for trace in traces(traced)
        if trace["question_id"] in rows
    ]
    assert [is_right for is_right, status in judged if is_right != (status is Status.CORRECT)] == []
    assert 0.6 < sum(is_right for is_right, _ in judged) / len(judged) < 0.8


def verified(row: Any, response: str) -> Status:
    verifier = VERIFIERS.get(row.domain, "math")
    spec = {"choices": row.choices} if row.choices else {}
    return find("verifier", verifier).call(Question(row.question, row.answer, verifier, spec), response).status


def test_the_recipe_names_the_files_that_are_there(traced: Path) -> None:
    recipe = tomllib.loads((traced / "recipe.toml").read_text(encoding="utf-8"))
    assert all((traced / section["path"]).exists() for section in recipe["questions"])
    assert all((traced / path).exists() for path in recipe["distil"]["path"])


def test_an_existing_folder_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--rows", "10"]) == 2
    assert "exists" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_real_questions_serve_as_bases(tmp_path: Path) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    lines = [
        {"question": f"A farmer has {n} cows and buys {n * n} more. How many?", "gold": str(n + n * n)}
        for n in range(2, 600)
    ]
    (folder / "math_farm.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    out = tmp_path / "out"
    make(out, rows=400, seed=7, benchmark_rows=50, real=folder)
    store(out, tmp_path)
    texts = {row.id: row.question for row in stored_rows(tmp_path)}
    assert len(texts) == 400
    for row_id, truth in planted(out, "duplicate", "exact"):
        assert texts[row_id] == texts[truth.of]


# -- scores ------------------------------------------------------------------------------------------------------


def small(truth: dict[str, Truth], ids: Sequence[str]) -> Corpus:
    return Corpus(Path(), Path(), truth, list(ids))


def copy_of(base: str, kind: str = "exact", answer: str = "same") -> Truth:
    return Truth("duplicate", kind, base, base, answer)


CLUSTER = {"b": copy_of("a"), "c": copy_of("a", "edit"), "n": Truth("hard_negative", "numbers", "a", "a", "other")}


def test_a_cluster_that_leaves_one_row_has_full_recall_whichever_row_stays() -> None:
    for kept in range(3):
        others: dict[int, set[int] | None] = {place: {kept} for place in range(3) if place != kept}
        result = score(small(CLUSTER, "abcn"), others)
        assert (result.gone.total(), result.planted.total(), result.right, result.wrong.total()) == (2, 2, 2, 0)


def test_a_missed_duplicate_lowers_the_recall_of_its_kind() -> None:
    result = score(small(CLUSTER, "abcn"), {1: {0}})
    assert (result.gone["exact"], result.gone["edit"], result.recall) == (1, 0, "0.500")


def test_a_hard_negative_that_is_dropped_is_wrong_by_its_kind() -> None:
    result = score(small(CLUSTER, "abcn"), {3: {0}})
    assert (result.right, dict(result.wrong), result.precision(real=False)) == (0, {"numbers": 1}, "0.000")


def test_a_duplicate_dropped_for_another_question_is_wrong() -> None:
    result = score(small(CLUSTER, "abcnx"), {1: {4}})
    assert result.wrong.total() == 1


def test_conflicting_answers_are_counted_apart() -> None:
    result = score(small({"b": copy_of("a", answer="conflict")}, "ab"), {1: {0}})
    assert (result.conflicts, result.conflicts_gone, result.planted.total(), result.right) == (1, 1, 0, 0)


def test_contamination_is_scored_by_kind_and_changed_numbers_apart() -> None:
    def of(kind: str) -> Truth:
        return Truth("contaminated", kind, "z", "z", "same")

    corpus = small({"a": of("latex"), "b": of("numbers_changed"), "c": of("reword")}, "abcd")
    findings = [Found(0, "z", "contaminated"), Found(1, "z", "numbers_changed"), Found(3, "z", "contaminated")]
    result = contamination_score(corpus, findings, set())
    assert (result.recall("latex"), result.recall("reword"), result.numbers_planted) == ("1.000", "0.000", 1)
    assert (result.right, result.flagged, dict(result.wrong)) == (1, 2, {"unplanted": 1})
