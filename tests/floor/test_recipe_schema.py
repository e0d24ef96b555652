"""The JSON schema: in step with the models, and it knows good recipes from bad ones."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reasonry.recipe_schema import recipe_schema
from tests.floor.test_recipe import GOOD

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return recipe_schema()


def test_the_file_in_the_repository_is_the_generated_one(schema: dict[str, Any]) -> None:
    assert json.loads((ROOT / "recipe.schema.json").read_text(encoding="utf-8")) == schema, "run: make schema"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_our_recipes_fit_the_schema(path: Path, schema: dict[str, Any]) -> None:
    jsonschema.validate(tomllib.loads(path.read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize(
    "change",
    [
        {"sed": 1},
        {"seed": "1"},
        {"questions": []},
        {"distil": {"teacher": "simulated", "sampels": 1}},
        {"select": {"keep": "corect"}},
    ],
)
def test_a_wrong_recipe_does_not_fit(change: dict[str, Any], schema: dict[str, Any]) -> None:
    good = tomllib.loads(GOOD)
    jsonschema.validate(good, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**good, **change}, schema)
