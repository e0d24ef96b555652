"""What a sealed table is made of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Contents", "Manifest", "Shard", "StoredFile"]

Contents = Literal["rows", "drops"]


@dataclass(frozen=True, slots=True)
class Shard:
    """One Parquet file. `digest` is of its rows, `sha256` of its bytes."""

    path: str
    contents: Contents
    rows: int
    bytes: int
    digest: str
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file beside the rows (a checkpoint's weights), relative to the table's folder."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a sealed table is made of and what it came from. Its presence means the table is whole."""

    stage: str
    key: str
    digest: str
    section: Mapping[str, Any]
    parts: Sequence[str]
    inputs: Mapping[str, str]
    sources: Sequence[Mapping[str, Any]]
    shards: Sequence[Shard]
    files: Sequence[StoredFile]
    rows_in: int
    rows_out: int
    dropped: Mapping[str, int]
    metrics: Mapping[str, Any]
    cost_usd: float | None
    environment: Mapping[str, str]
    started_at: float
    seconds: float
    label: str = ""
    schema: int = 1

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        plain = json.loads(text)
        plain["shards"] = [Shard(**shard) for shard in plain["shards"]]
        plain["files"] = [StoredFile(**stored) for stored in plain["files"]]
        return cls(**plain)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True, ensure_ascii=False)
