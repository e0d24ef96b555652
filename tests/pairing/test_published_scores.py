"""Published scores as data, and a run beside them: comparable only where every condition is known and the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reasonry.benchmarks.published_scores import PublishedScore, published_scores
from reasonry.errors import InputError, UsageError
from reasonry.pairing import beside_published
from reasonry.registry import find
from tests.pairing.tables import CONDITIONS, answers, row, seal
from tests.pairing.tables import OURS as FAILED

STATED = {
    "harness": "reasonry math@3",
    "question_count": 30,
    "samples": 1,
    "temperature": 0.6,
    "top_p": 0.95,
    "max_tokens": 32768,
    "system_prompt": "",
    "prompt": "{prompt}",
}


def _published(value: float = 0.5, **changed: Any) -> PublishedScore:
    conditions = {name: stated for name, stated in {**STATED, **changed}.items() if stated is not None}
    return PublishedScore("them", "aime24", value, conditions, "a paper", "https://example.org", "2025")


def test_ours_are_cited_and_of_benchmarks_that_there_are() -> None:
    scores = published_scores()
    assert {find("benchmark", one.benchmark).name for one in scores} >= {"aime24", "math500", "livecodebench"}
    assert {one.model for one in scores} == {
        "Bespoke-Stratos-32B",
        "Bespoke-Stratos-7B",
        "DeepSeek-R1-Distill-Qwen-32B",
        "DeepSeek-R1-Distill-Qwen-7B",
        "LIMO-32B",
        "OpenThinker-32B",
        "OpenThinker-7B",
        "OpenThinker2-32B",
        "OpenThinker2-7B",
        "OpenThinker3-7B",
        "s1-32B",
        "s1.1-32B",
    }
    assert all(0 < one.value < 1 and one.source and one.url.startswith("https://") for one in scores)
    listed = [(one.source, one.model, one.benchmark) for one in scores]
    assert len(set(listed)) == len(listed)
    assert {one.model for one in scores if one.second_hand} == {"OpenThinker-7B", "OpenThinker2-7B", "OpenThinker3-7B"}
    assert all("OpenThinker3-7B model card" in one.source for one in scores if one.second_hand)


def test_what_a_source_states_of_one_benchmark_is_added_to_what_it_states_of_all() -> None:
    (found,) = [
        one
        for one in published_scores()
        if one.model == "OpenThinker-32B" and one.benchmark == "aime25" and one.date == "2025-02-12"
    ]
    assert found.value == pytest.approx(0.533)
    assert found.conditions["question_count"] == 15
    assert found.conditions["harness"] == "Evalchemy"
    assert "top_p" not in found.conditions


def test_the_same_conditions_are_comparable(tmp_path: Path) -> None:
    run = seal(tmp_path, answers(range(15)))
    (score,) = beside_published(run, [_published(0.52), _published(0.95)])
    near, far = score.published
    assert near.is_comparable
    assert score.verdict(near) == "-2.0 points: within the run's interval, no difference shown"
    assert score.verdict(far) == "-45.0 points: outside the run's interval"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"samples": 64}, "differs: samples 64 (here 1)"),
        ({"harness": "Evalchemy"}, "differs: harness Evalchemy (here 'reasonry math@3')"),
        ({"prompt": None}, "not stated there: prompt"),
        ({"temperature": None, "top_p": None}, "not stated there: temperature, top_p"),
        ({"special": "budget forcing"}, "differs: special 'budget forcing' (here none)"),
    ],
)
def test_what_differs_or_is_unknown_is_listed(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    (score,) = beside_published(seal(tmp_path, answers(range(15))), [_published(**changed)])
    assert not score.published[0].is_comparable
    assert score.published[0].why_not() == said


def test_a_recording_is_comparable_only_in_what_was_stated(tmp_path: Path) -> None:
    conditions = {**CONDITIONS, "served_by": "replay", "prompt": None}
    run = seal(tmp_path, answers(range(15)), conditions=conditions, coverage=0.9)
    (score,) = beside_published(run, [_published()])
    assert score.published[0].why_not() == "differs: coverage 1.0 (here 0.9); not stated here: system_prompt, prompt"


def test_where_nothing_is_drawn_top_p_decides_nothing(tmp_path: Path) -> None:
    run = seal(tmp_path, answers(range(15)), conditions={**CONDITIONS, "temperature": 0.0, "top_p": None})
    (score,) = beside_published(run, [_published(temperature=0.0)])
    assert score.published[0].is_comparable


def test_another_benchmark_has_no_published_score_and_nothing_scored_is_refused(tmp_path: Path) -> None:
    other = seal(tmp_path / "other", answers(range(15)), conditions={**CONDITIONS, "benchmark": "jsonl"})
    (score,) = beside_published(other, published_scores())
    assert score.published == []
    nothing = seal(tmp_path / "nothing", [row(0, FAILED)])
    with pytest.raises(UsageError, match="nothing could be scored"):
        beside_published(nothing, published_scores())


GOOD = """[[tables]]
source = "a paper"
url = "https://example.org"
date = "2025"
scores.them = { aime24 = 50.0 }
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[tables", "cannot be read"),
        ("\x00", "cannot be read"),
        ("", "tables"),
        (GOOD.replace("50.0", "101.0"), "aime24"),
        (GOOD.replace("50.0", "nan"), "aime24"),
        (GOOD.replace("50.0", '"50"'), "aime24"),
        (GOOD.replace('url = "https://example.org"\n', ""), "url"),
        (GOOD.replace('"2025"', '"last year"'), "date"),
        (GOOD + "conditions = { temprature = 0.6 }\n", "temprature"),
        (GOOD + "conditions = { samples = 0 }\n", "samples"),
    ],
)
def test_a_file_that_does_not_hold_is_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "scores.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        published_scores(path)
    assert caught.value.place == str(path)


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scores.toml"
    path.write_text(GOOD)
    (score,) = published_scores(path)
    assert (score.model, score.benchmark, score.value, score.conditions) == ("them", "aime24", 0.5, {})
    with pytest.raises(InputError, match="cannot be read"):
        published_scores(tmp_path / "none.toml")
