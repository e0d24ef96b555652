"""Is it a query, and nothing but a query?

DuckDB's own bars (no other file, no network, locked settings) stand behind this. But a statement that writes may stand
within one that reads (`with x as (copy ... to ...) select ...`), and the files behind the views have to stay open; and
some of its functions take the address of memory. So the syntax tree is looked at, and what is not known to do no harm
is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from reasonry.errors import UsageError
from reasonry.querying.connecting import Connection

__all__ = ["refuse_all_but_reading"]

_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_TABLE_FUNCTIONS = frozenset(
    {
        "duckdb_columns",
        "duckdb_functions",
        "duckdb_types",
        "duckdb_views",
        "generate_series",
        "histogram",
        "histogram_values",
        "json_each",
        "json_tree",
        "range",
        "repeat",
        "repeat_row",
        "summary",
        "unnest",
    }
)


def refuse_all_but_reading(connection: Connection, sql: str) -> None:
    """Raises UsageError for anything but one statement that reads views."""
    connection.parse(sql)
    (answer,) = next(connection.execute("select json_serialize_sql(?::varchar)", [sql]).rows())
    tree: dict[str, Any] = json.loads(answer)
    statements = tree.get("statements", [])
    if tree.get("error"):  # it writes out SELECT statements, and no others
        raise _refused("only SELECT is taken: a run's tables are sealed")
    if len(statements) != 1:
        raise _refused(f"{len(statements)} statements in the place of one")
    for node in _nodes(statements):
        kind = str(node.get("type", ""))
        if (kind.endswith("_NODE") and kind not in _NODES) or "info_type" in node or "file_path" in node:
            raise _refused("a part of this query writes: a run's tables are sealed")
        if kind == "TABLE_FUNCTION" and (name := _function(node)) not in _TABLE_FUNCTIONS:
            raise _refused(f"{name}() is not taken: a query reads a run's tables, and nothing else")


def _refused(what: str) -> UsageError:
    return UsageError(what, place="sql", hint='"select ..." from what `reasonry sql RUN --tables` lists')


def _function(node: dict[str, Any]) -> str:
    return str(node.get("function", {}).get("function_name", "")).lower()


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree. It may be deep, so without recursion."""
    waiting: list[Any] = [tree]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            node = cast("dict[str, Any]", here)
            yield node
            waiting.extend(node.values())
        elif isinstance(here, list):
            waiting.extend(cast("list[Any]", here))
