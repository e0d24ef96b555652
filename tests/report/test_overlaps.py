"""Contamination and duplicates in the report: each hit with both texts, each cluster with who stayed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reasonry.recipe import load_recipe
from reasonry.report import write_report
from reasonry.run import run
from tests.filters.benchmarked import BAKER, BENCHMARK, FORMULA, LENS
from tests.report.test_report import ALLOWED_TAGS, Page

RECIPE = """
name = "overlaps"
[[questions]]
source = "jsonl"
path = "questions.jsonl"
verifier = "math"
[curate]
deduplicate = {{ method = "minhash" }}
decontaminate = {{ against = ["sums.jsonl"], numbers_changed = "{numbers_changed}" }}
"""
SCRIPT = "<script>alert(1)</script>"
EMBEDDED = f"A note {SCRIPT} from the class of 3b, who liked it. {BAKER} Thank you for the answer."
OTHER_NUMBERS = BAKER.replace("48", "96").replace("36", "63")
TANK = "A tank in Orrivale holds 730 litres of rain water and loses 14 litres a day. What is left after 9 days?"
TANK_AGAIN = "A tank in Orrivale holds 730 litres of rain water; it loses 14 litres a day. What is left after 9 days?"
UNTOUCHED = "How many legs have 7 spiders and 3 dogs in the yard of the mill, all in all?"
ROWS = (EMBEDDED, FORMULA, OTHER_NUMBERS, TANK, TANK_AGAIN, TANK.upper(), UNTOUCHED)


def _report(home: Path, numbers_changed: str) -> dict[str, Any]:
    _write(home / "questions.jsonl", [{"prompt": prompt, "answer": "7"} for prompt in ROWS])
    _write(home / "sums.jsonl", [{"prompt": prompt} for prompt in BENCHMARK])
    (home / "recipe.toml").write_text(RECIPE.format(numbers_changed=numbers_changed), encoding="utf-8")
    run(load_recipe(home / "recipe.toml"), home / "run", workers=1)
    write_report(home / "run")
    return json.loads((home / "run" / "report.json").read_text(encoding="utf-8"))


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("overlaps")


@pytest.fixture(scope="module")
def twin(home: Path) -> dict[str, Any]:
    return _report(home, "drop")


@pytest.fixture(scope="module")
def page(home: Path, twin: dict[str, Any]) -> Page:
    assert twin
    return Page((home / "run" / "report.html").read_text(encoding="utf-8"))


def _hit(twin: dict[str, Any], benchmark_text: str, rule: str) -> dict[str, Any]:
    hits = twin["contamination"]["hits"]
    (found,) = [hit for hit in hits if hit["benchmark_text"] == benchmark_text and hit["rule"] == rule]
    return found


def test_every_hit_has_the_row_the_span_and_the_benchmark_s_text(twin: dict[str, Any]) -> None:
    assert twin["contamination"]["rows"] == 3
    hit = _hit(twin, BAKER, "contaminated")
    assert hit["before"] + hit["text"] + hit["after"] == EMBEDDED
    assert hit["text"].strip(" .") == BAKER.strip(" .")
    assert (hit["benchmark"], hit["row"], hit["is_kept"]) == ("sums.jsonl", "1", False)
    assert hit["score"] > 0.9


def test_other_numbers_are_a_class_of_their_own(twin: dict[str, Any]) -> None:
    assert _hit(twin, BAKER, "contaminated_numbers_changed")["text"] in OTHER_NUMBERS
    counted = {(line["rule"], line["how"]): line["count"] for line in twin["contamination"]["counts"]}
    assert sum(count for (rule, _), count in counted.items() if rule == "contaminated_numbers_changed") == 1


def test_a_group_has_who_stayed_and_who_left_with_how_alike_they_are(twin: dict[str, Any]) -> None:
    assert (twin["duplicates"]["rows"], twin["duplicates"]["clusters"]) == (2, 1)
    (group,) = twin["duplicates"]["shown"]
    members = {row["prompt"]: row["similarity"] for row in group["members"]}
    assert {group["prompt"], *members} == {TANK, TANK_AGAIN, TANK.upper()}
    assert group["size"] == 2
    assert all(similarity is None or 0.6 <= similarity < 1 for similarity in members.values())


def test_both_stand_in_the_page_inert_and_with_the_question_marked(home: Path, page: Page) -> None:
    assert {tag for tag, _ in page.elements} <= ALLOWED_TAGS | {"mark"}
    assert not page.unbalanced
    assert SCRIPT in page.text
    assert {"#contamination", "#duplicates"} <= {attrs.get("href") for tag, attrs in page.elements if tag == "a"}
    html = (home / "run" / "report.html").read_text(encoding="utf-8")
    marked = html.partition("<mark>")[2].partition("</mark>")[0]
    assert marked
    assert LENS not in page.text


def test_rows_that_are_kept_with_other_numbers_are_shown_too(tmp_path: Path) -> None:
    twin = _report(tmp_path, "keep")
    (kept,) = [hit for hit in twin["contamination"]["hits"] if hit["is_kept"]]
    assert kept["text"] == OTHER_NUMBERS
    assert kept["benchmark"] == "sums.jsonl"


def test_a_run_without_them_has_neither_section(tmp_path: Path) -> None:
    _write(tmp_path / "questions.jsonl", [{"prompt": UNTOUCHED, "answer": "68"}])
    recipe = RECIPE.partition("[curate]")[0].replace("{{", "{").replace("}}", "}")
    (tmp_path / "recipe.toml").write_text(recipe, encoding="utf-8")
    run(load_recipe(tmp_path / "recipe.toml"), tmp_path / "run", workers=1)
    write_report(tmp_path / "run")
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert 'id="contamination"' not in html
    assert 'id="duplicates"' not in html
