"""What the card says of the selection, from the manifest alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reasonry.exporters.card_selection import MOST_LINES, selection_of
from reasonry.store import Manifest
from tests.stages.selecting import RIGHT, WRONG, Asked, sealed


def manifest(folder: Path, asked: list[Asked], **section: Any) -> Manifest:
    return sealed(folder, asked, **section).manifest


def test_the_smallest_of_very_many_groups_are_not_shown(tmp_path: Path) -> None:
    asked = [Asked(source=f"s{n:03}") for n in range(MOST_LINES + 5)] + [Asked(source="s064")]
    shown = selection_of(manifest(tmp_path, asked, mix={"by": "source", "temperature": 1.0}))
    assert (len(shown.lines), shown.more) == (MOST_LINES, 5)
    assert shown.lines[-1].name == "s064"
    assert [line.name for line in shown.lines] == sorted(line.name for line in shown.lines)


def test_every_rule_in_force_is_named(tmp_path: Path) -> None:
    section: dict[str, Any] = {
        "keep": "majority",
        "difficulty": {"measure": "judge", "min": 2.5},
        "per_question": 2,
        "best": "random",
    }
    assert selection_of(manifest(tmp_path, [Asked(difficulty=3)], **section)).rules == [
        "keep: majority",
        "difficulty by judge: min 2.5",
        "at most 2 of each question, drawn by lot",
    ]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"keep": "all"}, "kept whatever their verdict"),
        ({"keep": "majority"}, "Agreement is no proof"),
        ({"difficulty": {"max": 0.9}}, "scored samples are few (questions: 1 with 2)"),
        ({"mix": {"targets": {"math": 3}}}, "2 examples short"),
    ],
)
def test_what_to_beware_of_is_said_where_it_holds(section: dict[str, Any], said: str, tmp_path: Path) -> None:
    (caveat,) = selection_of(manifest(tmp_path, [Asked([RIGHT, WRONG])], **section)).caveats
    assert said in caveat


def test_a_table_of_an_older_run_says_what_it_can(tmp_path: Path) -> None:
    older = replace(manifest(tmp_path, [Asked()]), section={"keep": "correct"}, metrics={"examples": 1})
    selection = selection_of(older)
    assert (selection.rules, selection.lines, selection.lost) == (["keep: correct"], [], {})
