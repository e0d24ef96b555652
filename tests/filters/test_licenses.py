"""Licences by name, however they are written; and difficulties by number."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.filters.asking import dropped, options_of, question, rules


def of_license(*names: str, allow: list[str]) -> list[str | None]:
    return rules("license", [question("?", license=name) for name in names], allow=allow)


def test_spelling_makes_no_other_license() -> None:
    allow = ["apache-2.0", "MIT", "CC-BY-4.0"]
    same = [
        "Apache-2.0",
        "Apache License 2.0",
        "Apache License, Version 2.0",
        "the MIT License",
        "cc by 4.0",
        "CC_BY-4.0",
    ]
    assert of_license(*same, allow=allow) == [None] * len(same)


def test_other_licenses_stay_apart() -> None:
    others = ["Apache-1.1", "CC-BY-SA-4.0", "CC-BY-3.0", "CC-BY-NC-4.0", "GPL-3.0", "MIT-0", "other"]
    assert of_license(*others, allow=["Apache-2.0", "MIT", "CC-BY-4.0"]) == ["license_not_allowed"] * len(others)


def test_unknown_is_allowed_only_where_it_is_listed() -> None:
    assert of_license("unknown", "", "NOASSERTION", allow=["MIT"]) == ["license_unknown"] * 3
    assert of_license("unknown", "", "other", allow=["MIT", "Unknown"]) == [None, None, "license_not_allowed"]


def test_expressions_are_read() -> None:
    assert of_license("MIT OR GPL-3.0", "GPL-3.0 or (MIT)", allow=["mit"]) == [None, None]
    assert of_license("MIT AND GPL-3.0", "MIT AND Apache-2.0", allow=["MIT", "Apache-2.0"]) == [
        "license_not_allowed",
        None,
    ]


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(ValidationError):
        options_of("filter", "license", allow=[])


def test_difficulty_is_the_number_that_came_with_the_question() -> None:
    rows = [question("?", meta={"difficulty": value}) for value in (1, 2, 3.5, 4, 4.5)] + [question("?")]
    assert rules("difficulty", rows, min=2, max=4) == ["too_easy", None, None, None, "too_hard", None]
    assert rules("difficulty", rows[-1:], unknown="drop") == ["difficulty_unknown"]
    (drop,) = dropped("difficulty", rows[:1], min=2)
    assert drop is not None
    assert drop.reason == "difficulty 1, below 2"


def test_limits_that_keep_nothing_are_refused() -> None:
    with pytest.raises(ValidationError, match="nothing would be kept"):
        options_of("filter", "difficulty", min=3, max=2)
