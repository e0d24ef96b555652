"""From a raw record to a question: which column holds what, and which rows cannot become one.

A row that cannot is a `Drop` with one of these rules: `missing_field`, `wrong_type`, `empty_prompt`, `nul_character`,
`lone_surrogate` (and those of `reasonry.records` for rows that could not be read). An answer that is null or blank
is no answer: the question is kept, with answer None. A column named "" is no column (`answer = ""` is how a recipe
says that its questions have no answers).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from reasonry.errors import nearest_hint
from reasonry.records import MISSING, LongInteger, Record, SetAside, WrittenFloat, decode_json, field_value
from reasonry.records.rows import NUL_CHARACTER, is_unicode, valid_unicode
from reasonry.sections import FieldMap
from reasonry.types import Drop, JsonMap, Question, with_origin

__all__ = ["Mapped", "drop_of", "question_from"]

EMPTY_PROMPT = "empty_prompt"
LONE_SURROGATE = "lone_surrogate"
MISSING_FIELD = "missing_field"
WRONG_TYPE = "wrong_type"

_NAMES_SHOWN = 12
_MAX_DEPTH = 50  # deeper specs would exhaust the interpreter's stack when they are digested


@dataclass(frozen=True, slots=True)
class Mapped:
    """How the records of one source become questions. What a row does not say is said here."""

    fields: FieldMap
    verifier: str
    domain: str = "unknown"
    license: str = "unknown"
    name: str | None = None
    spec: JsonMap = field(default_factory=dict[str, Any])
    stage: str = "collect"


class _Unusable(Exception):
    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


def question_from(record: Record, mapped: Mapped, origin: JsonMap) -> Question | Drop:
    """The question that a record states, with `origin` as its place; a Drop where it states none."""
    try:
        return _question(record, mapped, origin)
    except _Unusable as exc:
        return Drop(
            f"{record.file}:{record.row}", mapped.stage, exc.rule, valid_unicode(exc.reason), content=record.content
        )


def drop_of(row: SetAside, stage: str) -> Drop:
    """A row that could not be read, as the row of the drop table it becomes."""
    return Drop(f"{row.file}:{row.row}", stage, row.rule, row.reason, content=row.content)


def _question(record: Record, mapped: Mapped, origin: JsonMap) -> Question:
    values, fields = record.values, mapped.fields
    return Question(
        prompt=_prompt(values, fields.prompt),
        answer=_optional(values, fields.answer, _answer, '; if there are no answers, say fields.answer = ""'),
        verifier=mapped.verifier,
        spec=_spec(values, mapped),
        domain=_optional(values, fields.domain, _text) or mapped.domain,
        source=mapped.name or record.file,
        license=_optional(values, fields.license, _text) or mapped.license,
        meta=with_origin(_meta(values, fields), origin),
    )


def _meta(values: dict[str, Any], fields: FieldMap) -> JsonMap:
    """What a row says of its question beside the question itself, as far as the recipe names columns for it."""
    told = {
        "id": _optional(values, fields.id, _answer),
        "verified": _optional(values, fields.verified, _truth),
        "difficulty": _optional(values, fields.difficulty, _number),
        **{name: _optional(values, column, _plain) for name, column in fields.meta.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def _prompt(values: dict[str, Any], name: str) -> str:
    text = _text(_present(values, name), name)
    if not text.strip():
        raise _Unusable(EMPTY_PROMPT, f"'{name}' is blank")
    return text


def _spec(values: dict[str, Any], mapped: Mapped) -> JsonMap:
    spec = dict(mapped.spec)
    if given := _optional(values, mapped.fields.spec, _object):
        spec.update(given)
    if choices := _optional(values, mapped.fields.choices, _choices):
        spec["choices"] = choices
    return spec


def _optional(values: dict[str, Any], name: str | None, read: Callable[[Any, str], Any], advice: str = "") -> Any:
    """The value of a column that may be unmapped, null or blank: None in each case."""
    if not name:
        return None
    value = _present(values, name, advice)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return read(value, name)


def _present(values: dict[str, Any], name: str, advice: str = "") -> Any:
    if (value := field_value(values, name)) is not MISSING:
        return value
    names = list(values)[:_NAMES_SHOWN]
    near = nearest_hint(name, names)
    near = f"; {near}" if near.startswith("did") else ""
    listed = ", ".join(shown[:80] for shown in names) + (", ..." if len(values) > len(names) else "")
    raise _Unusable(MISSING_FIELD, f"no field '{name}' (there are: {listed or 'none'}){near}{advice}")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or isinstance(value, LongInteger):
        raise _Unusable(WRONG_TYPE, f"'{name}' is {_kind(value)}, not text")
    return _clean(value, name)


def _clean(text: str, name: str) -> str:
    """Text that every file format and terminal can hold."""
    if "\0" in text:
        raise _Unusable(NUL_CHARACTER, f"'{name}' holds a NUL character")
    if not is_unicode(text):
        raise _Unusable(LONE_SURROGATE, f"'{name}' holds a lone surrogate, which is no character")
    return text


def _answer(value: Any, name: str) -> str:
    """Text or a number; a number as the file wrote it."""
    if isinstance(value, str):
        return _clean(str(value), name)
    if isinstance(value, WrittenFloat):
        return value.written
    finite = isinstance(value, float | Decimal) and math.isfinite(value)
    if finite or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise _Unusable(WRONG_TYPE, f"'{name}' is {_kind(value)}, not text or a number")


def _truth(value: Any, name: str) -> bool:
    """True or false; a CSV's "true" and "false" too."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, bool):
        return value
    raise _Unusable(WRONG_TYPE, f"'{name}' is {_kind(value)}, not true or false")


def _number(value: Any, name: str) -> float:
    """A finite number, as a number or as text."""
    try:
        number = float(_answer(value, name))
    except (ValueError, OverflowError) as exc:
        raise _Unusable(WRONG_TYPE, f"'{name}' is no number") from exc
    if not math.isfinite(number):
        raise _Unusable(WRONG_TYPE, f"'{name}' is no finite number")
    return number


def _choices(value: Any, name: str) -> list[str]:
    value = _decoded(value, name)
    if not isinstance(value, list) or not value:
        raise _Unusable(WRONG_TYPE, f"'{name}' is {_kind(value)}, not a list of choices")
    return [_answer(item, f"{name}[{i}]") for i, item in enumerate(cast("list[Any]", value))]


def _object(value: Any, name: str) -> dict[str, Any]:
    value = _decoded(value, name)
    if not isinstance(value, dict):
        raise _Unusable(WRONG_TYPE, f"'{name}' is {_kind(value)}, not an object")
    return _json_value(value, name, 0)


def _decoded(value: Any, name: str) -> Any:
    """Formats without lists and objects (CSV) hold them as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return decode_json(value)
    except RecursionError as exc:
        raise _Unusable(WRONG_TYPE, f"'{name}' is nested too deeply") from exc
    except ValueError as exc:
        raise _Unusable(WRONG_TYPE, f"'{name}' is text, but not JSON: {exc}") from exc


def _plain(value: Any, name: str) -> Any:
    return _json_value(value, name, 0)


def _json_value(value: Any, name: str, depth: int) -> Any:
    """A plain copy of a JSON value, all of which can be stored and digested."""
    if depth > _MAX_DEPTH:
        raise _Unusable(WRONG_TYPE, f"'{name}' is nested too deeply")
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value).items()
        return {_clean(key, name): _json_value(item, name, depth + 1) for key, item in items}
    if isinstance(value, list):
        return [_json_value(item, name, depth + 1) for item in cast("list[Any]", value)]
    if isinstance(value, str) and not isinstance(value, LongInteger):
        return _clean(value, name)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    raise _Unusable(WRONG_TYPE, f"'{name}' holds {_kind(value)}, which JSON cannot")


def _kind(value: Any) -> str:
    """A value's type in a reader's words."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} (no number)"
    if isinstance(value, LongInteger):
        return "a number of very many digits"
    names = {type(None): "null", bool: "true or false", list: "a list", dict: "an object", str: "text"}
    names |= {int: "a number", float: "a number", WrittenFloat: "a number", bytes: "binary data"}
    return names.get(type(value), f"a {type(value).__name__}")
