"""Questions in SQL over the tables of a run, by DuckDB.

Every sealed table of the run is a view: by its stage (`collect`, `curate`, `distil`, `verify`, `"select"`, `publish`,
`train`, `evaluate`), and by what its rows are (`questions`, `curated`, `traces`, `verdicts`, `examples`, `files`,
`steps`, `completions`). `drops` has every drop of every stage. The configs of the published dataset are
`dataset_default`, `dataset_metadata` and `dataset_rejected`.

A query reads and does nothing else: one SELECT is taken, and it reaches the run's own files and no others, no network
and no setting.
"""

from __future__ import annotations

from reasonry.querying.connecting import MEMORY_MB, THREADS, Connection, connected, literal
from reasonry.querying.query import Answer, Column, Table, query, tables_of
from reasonry.querying.views import View, empty_views, views_of

__all__ = [
    "MEMORY_MB",
    "THREADS",
    "Answer",
    "Column",
    "Connection",
    "Table",
    "View",
    "connected",
    "empty_views",
    "literal",
    "query",
    "tables_of",
    "views_of",
]
