"""The report: inert, whole, repeatable, and its twin says the same."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reasonry.errors import StoreError, UsageError
from reasonry.report import write_report
from reasonry.types import Question, Status, Trace, TrainStep, VerdictRow
from tests.exporters.run_folder import ALL_STAGES, PROMPTS, RECIPE, SCRIPT, RunFolder, build_run

ALLOWED_TAGS = frozenset(
    {"html", "head", "meta", "title", "style", "link", "body", "header", "nav", "main", "section", "footer"}
    | {"h1", "h2", "h3", "h4", "p", "a", "b", "i", "small", "code", "pre", "br", "ul", "li", "dl", "dt", "dd"}
    | {"div", "span", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"}
    | {"svg", "text", "line", "polyline", "circle"}
)


class Page(HTMLParser):
    """What a browser would see: elements with attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def html(nasty_run: RunFolder) -> str:
    return write_report(nasty_run.folder).html.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def twin(nasty_run: RunFolder) -> dict[str, Any]:
    return json.loads(write_report(nasty_run.folder).json.read_text(encoding="utf-8"))


def test_nothing_in_the_page_can_run(html: str, page: Page) -> None:
    assert "<script" not in html.lower()
    assert {tag for tag, _ in page.elements} <= ALLOWED_TAGS
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_the_page_asks_the_network_for_nothing(page: Page) -> None:
    links = [
        value or ""
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("href", "src", "srcset", "action", "data", "poster", "xlink:href", "background")
    ]
    assert all(link.startswith("#") or link == "data:," for link in links)
    policies = [attributes["content"] for _, attributes in page.elements if "http-equiv" in attributes]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    style = (Path(__file__).parents[2] / "src/reasonry/report/style.css").read_text()
    assert not [word for word in ("url(", "@import", "expression(") if word in style]


def test_the_page_is_well_formed(page: Page) -> None:
    assert (page.unbalanced, page.open) == ([], [])


def test_every_link_in_the_page_leads_to_a_section(page: Page) -> None:
    sections = {attributes.get("id") for _, attributes in page.elements}
    targets = {(a.get("href") or "")[1:] for tag, a in page.elements if tag == "a"}
    assert len(targets) == 9
    assert targets <= sections


def test_hostile_text_is_shown_as_text(page: Page) -> None:
    for text in (SCRIPT, "<img src=x onerror=alert(1)>", "</pre><iframe src='//evil.test'>", "{{ 7 * 7 }} {% raw %}"):
        assert text in page.text


def test_invisible_characters_are_shown_by_number(html: str, page: Page) -> None:
    assert not set(html) & {chr(c) for c in (*range(9), *range(11, 32), 0x7F, 0x85, 0x2028, 0x202E)}
    assert "⟨U+0001⟩" in page.text


def test_a_long_text_is_clipped_and_says_so(twin: dict[str, Any], page: Page) -> None:
    prompts = [trace["prompt"] for trace in twin["traces"] if trace["prompt"].startswith("Long: ")]
    left_out = len(PROMPTS[5]) - 3_600
    assert [f"[… {left_out:,} characters left out …]" in prompt for prompt in prompts] == [True] * len(prompts)
    assert f"{left_out:,} characters left out" in page.text


def test_the_same_folder_gives_the_same_bytes(nasty_run: RunFolder, tmp_path: Path) -> None:
    copied = tmp_path / "elsewhere"
    shutil.copytree(nasty_run.folder, copied)
    first, second = write_report(nasty_run.folder), write_report(copied)
    assert first.html.read_bytes() == second.html.read_bytes()
    assert first.json.read_bytes() == second.json.read_bytes()


def test_the_funnel_is_that_of_the_tables(nasty_run: RunFolder, twin: dict[str, Any], page: Page) -> None:
    assert [step["stage"] for step in twin["funnel"]] == list(ALL_STAGES[:5])
    for step in twin["funnel"]:
        manifest = nasty_run.manifests[step["stage"]]
        assert (step["rows_in"], step["rows_out"], step["dropped"]) == (
            manifest.rows_in,
            manifest.rows_out,
            manifest.dropped,
        )
        assert f"{step['stage']} {step['rows_out']} {step['noun']}" in page.text
        for rule, count in step["dropped"].items():
            assert f"{rule} {count}" in page.text


def test_no_bar_is_longer_than_its_track(html: str) -> None:
    for name, count in (("track", 7), ("stack", 5)):
        bars = re.findall(rf'<div class="{name}">(.*?)</div>', html, re.DOTALL)
        totals = [sum(float(width) for width in re.findall(r"width:([\d.]+)%", bar)) for bar in bars]
        assert len(totals) == count
        assert 99.9 < max(totals) < 100.1
        assert min(totals) > (99.9 if name == "stack" else 0)


def test_the_best_teacher_comes_first(twin: dict[str, Any]) -> None:
    assert [line["name"] for line in twin["by_teacher"]] == ["teacher-a", "priceless <i>teacher</i>"]


def test_verdicts_by_domain_add_up_to_the_table(nasty_run: RunFolder, twin: dict[str, Any], page: Page) -> None:
    counts = Counter(row.status.value for row in nasty_run.rows("verify", VerdictRow))
    for name in ("by_domain", "by_teacher"):
        total = sum((Counter(line["statuses"]) for line in twin[name]), Counter[str]())
        assert total == counts
        for line in twin[name]:
            row = [str(line["statuses"][status.value]) for status in Status]
            assert " ".join([line["name"], *row, str(line["n"])]) in page.text


def test_the_rate_leaves_our_own_failures_out(nasty_run: RunFolder, twin: dict[str, Any], page: Page) -> None:
    counts = Counter(row.status.value for row in nasty_run.rows("verify", VerdictRow))
    rate = twin["headline"]["correct"]
    assert rate["n"] == counts.total() - counts["error"] - counts["skipped"]
    assert rate["estimate"] == pytest.approx(counts["correct"] / rate["n"])
    low, high = (f"{100 * rate[end]:.1f}%" for end in ("low", "high"))
    assert f"{100 * rate['estimate']:.1f}% {low} – {high}, n = {rate['n']}" in page.text


def test_an_unknown_price_is_unknown_and_not_0(twin: dict[str, Any], page: Page) -> None:
    costs = {line["teacher"]: line["cost_usd"] for line in twin["teachers"]}
    assert costs["priceless <i>teacher</i>"] is None
    assert costs["teacher-a"] == pytest.approx(0.0055)
    assert twin["headline"]["cost_usd"] is None
    assert "cost of the traces unknown" in page.text
    assert "$0.0000" not in page.text


def test_scores_stand_in_page_and_twin_with_interval_n_and_conditions(twin: dict[str, Any], page: Page) -> None:
    names = [(score["student"], score["untrained"]) for score in twin["scores"]]
    assert names == [("steps", True), ("steps", False), ("answers-only", True), ("answers-only", False)]
    for score in twin["scores"]:
        accuracy, low, high = (f"{100 * score[name]:.1f}%" for name in ("accuracy", "low", "high"))
        name = score["student"] + (", before training" if score["untrained"] else "")
        assert f"{score['benchmark']} {name} {accuracy} {low} – {high} {score['n']} 2.5%" in page.text
        assert f"{name} {accuracy} of {score['n']}" in page.text
    assert "max_tokens 128, samples 1, temperature 0.0 (wilson)" in page.text


def test_each_student_has_a_curve_of_few_points_that_ends_at_the_last_step(
    nasty_run: RunFolder, twin: dict[str, Any], page: Page
) -> None:
    assert [curve["student"] for curve in twin["training"]] == ["steps", "answers-only"]
    for curve in twin["training"]:
        losses = [row.loss for row in nasty_run.rows(f"train:{curve['student']}", TrainStep)]
        assert len(curve["points"]) <= 240
        assert curve["points"][-1][0] == len(losses) == curve["steps"]
        assert curve["final_loss"] == losses[-1]
        assert f"{curve['student']} {curve['target']} 108,000" in page.text
    widths = [attributes["width"] for tag, attributes in page.elements if tag == "svg"]
    assert widths == ["960", "326"] * 2


def test_gates_say_whether_they_held(twin: dict[str, Any], page: Page) -> None:
    assert [gate["passed"] for gate in twin["gates"]] == [True, False]
    assert "✓ passed verify.correct_rate is 0.5294, wanted at least 0.5" in page.text
    assert "✗ missed evaluate.heldout/nobody.accuracy is not a figure of this run, wanted at least 0.9" in page.text


def test_every_status_that_occurs_is_shown_with_its_own_question(nasty_run: RunFolder, twin: dict[str, Any]) -> None:
    questions = {question.id: question for question in nasty_run.rows("collect", Question)}
    verdicts = {row.trace_id: row for row in nasty_run.rows("verify", VerdictRow)}
    assert {trace["status"] for trace in twin["traces"]} == {row.status.value for row in verdicts.values()}
    for trace in twin["traces"]:
        verdict = verdicts[trace["trace_id"]]
        assert (trace["status"], trace["extracted"], trace["detail"]) == (
            verdict.status.value,
            verdict.extracted,
            verdict.detail,
        )
        assert trace["reference"] == questions[trace["question_id"]].answer
        assert trace["prompt"][:100] == questions[trace["question_id"]].prompt[:100]


def test_right_and_wrong_answers_of_each_student_are_shown(twin: dict[str, Any], page: Page) -> None:
    shown = {(row["student"], row["status"] == "correct") for row in twin["completions"]}
    assert {("steps", True), ("steps", False), ("answers-only", True), ("steps/untrained", False)} <= shown
    assert "heldout: steps/untrained" in page.text


def test_every_rule_that_dropped_rows_is_listed_with_its_count(
    nasty_run: RunFolder, twin: dict[str, Any], page: Page
) -> None:
    expected = {(m.stage, rule): count for m in nasty_run.manifests.values() for rule, count in m.dropped.items()}
    assert {(group["stage"], group["rule"]): group["count"] for group in twin["drops"]} == expected
    for group in twin["drops"]:
        assert 1 <= len(group["samples"]) == min(5, group["count"])
        assert f"{group['count']} {group['rule']}" in page.text


def test_a_dropped_row_says_what_it_was(twin: dict[str, Any]) -> None:
    samples = {group["rule"]: group["samples"][0] for group in twin["drops"]}
    assert samples["no_prompt"]["content"].startswith('{"q"')
    assert samples["decontaminate"]["content"] == PROMPTS[-1]
    assert samples["unanswered"]["content"] == PROMPTS[0]
    assert "The answer is" in samples["per_question"]["content"]


def test_lineage_names_every_table_input_and_file(nasty_run: RunFolder, twin: dict[str, Any], page: Page) -> None:
    tables = {(m.stage, m.label, m.key, m.digest) for m in nasty_run.manifests.values()}
    assert {(s["stage"], s["label"], s["key"], s["digest"]) for s in twin["stages"]} == tables
    assert twin["sources"] == [{"stage": "collect", "name": "nasty.jsonl", "digest": "ab" * 32, "bytes": 12345}]
    assert "ab" * 32 in page.text
    assert "llamafactory/alpaca.jsonl" in page.text
    assert twin["environment"]["python"] in page.text


def test_the_recipe_is_shown_as_it_is(page: Page, twin: dict[str, Any]) -> None:
    assert twin["recipe"] == RECIPE
    assert " ".join(RECIPE.split()) in page.text


@pytest.mark.parametrize("count", range(len(ALL_STAGES)))
def test_a_run_that_stopped_early_has_a_report(tmp_path: Path, count: int) -> None:
    run = build_run(tmp_path / "run", ALL_STAGES[:count], samples=1, prompts=PROMPTS[:3])
    files = write_report(run.folder)
    page = Page(files.html.read_text(encoding="utf-8"))
    assert (page.unbalanced, page.open) == ([], [])
    twin = json.loads(files.json.read_text(encoding="utf-8"))
    assert list(dict.fromkeys(stage["stage"] for stage in twin["stages"])) == list(ALL_STAGES[:count])
    assert (twin["headline"]["examples"] is None) == (count < 5)


def test_a_run_without_dataset_or_gates_has_a_report(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", [stage for stage in ALL_STAGES if stage != "publish"], prompts=PROMPTS[:3])
    facts = json.loads((run.folder / "run.json").read_text())
    for name in ("gates", "scores", "seconds", "started_at", "recipe_digest"):
        del facts[name]
    (run.folder / "run.json").write_text(json.dumps(facts))
    (run.folder / "recipe.toml").unlink()
    twin = json.loads(write_report(run.folder).json.read_text(encoding="utf-8"))
    assert (twin["published"], twin["gates"], twin["recipe"]) == ([], [], "")
    assert len(twin["scores"]) == 4


def test_tables_of_other_recipes_in_the_folder_are_left_out(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", ALL_STAGES[:2], prompts=PROMPTS[:3])
    run.seal("train", TrainStep, [TrainStep(1, 1.0, 0.1, 5)], label="stranger")
    twin = json.loads(write_report(run.folder).json.read_text(encoding="utf-8"))
    assert (twin["training"], [stage["stage"] for stage in twin["stages"]]) == ([], ["collect", "curate"])


def test_a_loss_that_is_no_number_leaves_a_gap_and_valid_json(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", ALL_STAGES[:2], prompts=PROMPTS[:3])
    losses = [2.0, float("nan"), float("inf"), 1.0]
    steps = [TrainStep(i, loss, 0.1, 5) for i, loss in enumerate(losses, 1)]
    manifest = run.seal("train", TrainStep, steps, label="broken", metrics={"student": "broken"})
    facts = json.loads((run.folder / "run.json").read_text())
    facts["stages"].append({"stage": "train", "key": manifest.key})
    (run.folder / "run.json").write_text(json.dumps(facts))
    text = write_report(run.folder).json.read_text(encoding="utf-8")
    (curve,) = json.loads(text, parse_constant=pytest.fail)["training"]
    assert curve["points"] == [[1, 2.0], [2, None], [3, None], [4, 1.0]]


@pytest.mark.parametrize("content", [None, "", "[]", "{", '{"stages": [{}]}', '{"stages": 3}'])
def test_a_folder_that_is_no_run_is_a_usage_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(UsageError, match="not the folder of a run"):
        write_report(tmp_path)


def test_a_damaged_table_is_a_store_error_that_names_it(tmp_path: Path) -> None:
    run = build_run(tmp_path / "run", ALL_STAGES[:2], prompts=PROMPTS[:3])
    shard = next((run.folder / "tables" / "collect").rglob("drops-*.parquet"))
    shard.write_bytes(b"PAR1 no longer")
    with pytest.raises(StoreError, match="cannot be read") as failure:
        write_report(run.folder)
    assert failure.value.place == str(shard)


def test_the_cost_of_a_correct_trace_is_that_of_all_traces_over_the_correct_ones(
    nasty_run: RunFolder, twin: dict[str, Any], page: Page
) -> None:
    economy = twin["economy"]
    assert economy["correct"] == nasty_run.manifests["verify"].metrics["correct"]
    assert economy["cost_usd"] == nasty_run.manifests["distil"].cost_usd
    assert (economy["cost_per_correct_usd"] is None) == (economy["cost_usd"] is None)
    assert "per correct trace" in page.text


def test_samples_per_question_count_every_question(nasty_run: RunFolder, twin: dict[str, Any]) -> None:
    samples = twin["economy"]["samples"]
    assert sum(questions for _, questions in samples["histogram"]) == samples["questions"]
    assert sum(count * questions for count, questions in samples["histogram"]) == nasty_run.manifests["distil"].rows_out
    assert samples["p10"] <= samples["median"] <= samples["p90"] <= samples["most"]


@pytest.mark.parametrize(("cost_usd", "correct"), [(None, 4), (2.0, 0), (2.0, 4)])
def test_an_unknown_price_and_no_correct_trace_are_said_as_such(
    tmp_path: Path, cost_usd: float | None, correct: int
) -> None:
    run = RunFolder(tmp_path)
    traces = [Trace(f"q-{i // 3}", i % 3, "", "x", "t") for i in range(7)]
    run.seal("distil", Trace, traces, rows_in=4, cost_usd=cost_usd, metrics={"tokens_out": 800})
    run.seal("verify", VerdictRow, [], metrics={"correct": correct})
    stages = [{"stage": m.stage, "key": m.key, "label": ""} for m in run.manifests.values()]
    (tmp_path / "run.json").write_text(json.dumps({"run": "r", "status": "done", "stages": stages}), encoding="utf-8")
    files = write_report(tmp_path)
    economy = json.loads(files.json.read_text())["economy"]
    assert economy["cost_per_correct_usd"] == (0.5 if cost_usd and correct else None)
    assert economy["tokens_per_correct"] == (200 if correct else None)
    assert economy["samples"]["histogram"] == [[0, 1], [1, 1], [3, 2]]
    text = Page(files.html.read_text(encoding="utf-8")).text
    expected = "unknown" if cost_usd is None else "$0.5000" if correct else "none is correct"
    assert f"per correct trace {expected}" in text
