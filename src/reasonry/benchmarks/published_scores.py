"""Scores that others published, with the conditions as far as they were stated, and where they stand.

The figures are in `published_scores.toml`; a file of one's own has the same form. A condition that was not stated is
unknown: it is left out here, and matches nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from reasonry.errors import InputError

__all__ = ["PublishedScore", "published_scores"]

_OURS = Path(__file__).with_name("published_scores.toml")

Text = Annotated[str, StringConstraints(min_length=1)]
Percentage = Annotated[float, Field(ge=0, le=100, strict=True)]


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """One model's score on one benchmark. `value` is a share; `conditions` holds what was stated, and nothing else."""

    model: str
    benchmark: str
    value: float
    conditions: Mapping[str, Any]
    source: str
    url: str
    date: str
    second_hand: str | None = None
    """By whom the figures were quoted, where they were not read in their source."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Conditions(_Strict):
    harness: Text | None = None
    question_count: Annotated[int, Field(ge=1)] | None = None
    samples: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    system_prompt: str | None = None
    prompt: Text | None = None
    special: Text | None = None

    def stated(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class _Table(_Strict):
    source: Text
    url: Annotated[str, StringConstraints(pattern=r"^https?://")]
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}(-\d{2}){0,2}$")]
    second_hand: Text | None = None
    conditions: _Conditions = _Conditions()
    on: dict[str, _Conditions] = {}
    scores: dict[Text, dict[Text, Percentage]]

    def listed(self) -> Iterator[PublishedScore]:
        for model, scores in self.scores.items():
            for benchmark, value in scores.items():
                special = self.on[benchmark].stated() if benchmark in self.on else {}
                conditions = {**self.conditions.stated(), **special}
                yield PublishedScore(
                    model, benchmark, value / 100, conditions, self.source, self.url, self.date, self.second_hand
                )


class _File(_Strict):
    tables: list[_Table]


def published_scores(path: Path | None = None) -> list[PublishedScore]:
    """The scores of a file, in its order; without one those that ship with Reasonry. Raises InputError."""
    place = path or _OURS
    try:
        read = _File.model_validate(tomllib.loads(place.read_text(encoding="utf-8")))
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise InputError(f"{where}: {first['msg']}", place=str(place), hint="docs/comparing.md has the form") from exc
    except (OSError, ValueError) as exc:
        raise InputError(f"published scores cannot be read: {exc}", place=str(place)) from exc
    return [score for table in read.tables for score in table.listed()]
