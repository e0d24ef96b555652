"""The JSON schema of a recipe, for editors; `recipe.schema.json` is generated from here and checked in CI."""

from __future__ import annotations

from typing import Any, cast

from pydantic.json_schema import GenerateJsonSchema

from reasonry.recipe import SECTIONS, SEVERAL, RecipeHead
from reasonry.registry import BUILTIN, Kind, find
from reasonry.sections import Section

__all__ = ["recipe_schema"]

Raw = dict[str, Any]


def recipe_schema() -> Raw:
    """The JSON schema of a recipe, with the options of every part in this repository.

    Parts installed from elsewhere are checked by `reasonry run`; the schema lets their names pass.
    """
    definitions: Raw = {}
    properties: Raw = dict(_schema_of(RecipeHead, definitions)["properties"])
    for name, (base, kind) in SECTIONS.items():
        table = _part_union(base, kind, definitions) if kind else _schema_of(base, definitions)
        if name in SEVERAL:
            many: Raw = {"type": "array", "items": table, "minItems": 1}
            table = many if name in ("questions", "gates") else {"anyOf": [table, many]}
        properties[name] = table
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Reasonry recipe",
        "type": "object",
        "properties": properties,
        "required": ["name", "questions"],
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def _part_union(base: type[Section], kind: Kind, definitions: Raw) -> Raw:

    key = cast("str", base.part_field)
    tables: list[Raw] = []
    for name in sorted(BUILTIN[kind]):
        table = _schema_of(find(kind, name).options or base, definitions)
        table["properties"] = {**table["properties"], key: {"const": name}}
        tables.append(table)
    other: Raw = {"type": "object", "required": [key], "properties": {key: {"not": {"enum": sorted(BUILTIN[kind])}}}}
    return {"anyOf": [*tables, other]}


def _schema_of(model: type[Section], definitions: Raw) -> Raw:
    schema = model.model_json_schema(ref_template="#/$defs/{model}", schema_generator=GenerateJsonSchema)
    definitions.update(schema.pop("$defs", {}))
    return schema
