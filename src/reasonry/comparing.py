"""Two runs side by side: which rows entered, left or changed from one to the other at each stage, and why.

Ids are digests of content, so the same row has the same id in every run, and a run needs to know nothing of the other.
Why a row is in one run and not in the other is what the other says of it: the drop with its rule, or that it was not
read at all. The work is done by DuckDB over both runs' tables: memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reasonry.errors import UsageError, nearest_hint
from reasonry.plan import changes
from reasonry.querying import MEMORY_MB, THREADS, connected, empty_views, views_of
from reasonry.run import load_run
from reasonry.store import Manifest, Store

if TYPE_CHECKING:
    import duckdb

__all__ = ["STAGES", "Difference", "Group", "StageDifference", "compare_runs"]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that entered, left or changed for one reason. `examples` are the first of their ids."""

    reason: str
    rows: int
    examples: Sequence[str]


@dataclass(frozen=True, slots=True)
class StageDifference:
    """One stage of both runs. `why` says what in the recipes, parts or inputs made them differ; rows None: not done."""

    stage: str
    why: Sequence[str]
    rows_a: int | None
    rows_b: int | None
    entered: Sequence[Group]
    left: Sequence[Group]
    changed: Sequence[Group]

    @property
    def is_same(self) -> bool:
        return self.rows_a == self.rows_b and not (self.entered or self.left or self.changed)


@dataclass(frozen=True, slots=True)
class Difference:
    """Run A against run B: what entered is in B and was not in A."""

    a: Mapping[str, Any]
    b: Mapping[str, Any]
    stages: Sequence[StageDifference]

    @property
    def is_same(self) -> bool:
        """Whether every row of every stage is the same (the runs may differ in what was not compared: see `stages`)."""
        return all(stage.is_same for stage in self.stages)

    def as_json(self) -> dict[str, Any]:
        return {"schema": 1, "a": dict(self.a), "b": dict(self.b), "same": self.is_same} | {
            "stages": [{**asdict(stage), "same": stage.is_same} for stage in self.stages]
        }


@dataclass(frozen=True, slots=True)
class _Compared:
    """How the rows of a stage are told apart: `here` has them, `there` does not; both stand for a schema.

    `reason` may use the drop `d` that `there` has of the row or its question, and whatever `beside` joins.
    """

    table: str
    key: str
    reason: str
    dropped: str  # whose drop: a column of the row
    beside: str = ""
    changed: str = ""  # the reason of a row that is in both, null where it is the same; may use `a` and `b`


_DROPPED = "d.stage || ': ' || d.rule"
_QUESTION = _Compared(
    table="questions",
    key="id",
    reason="case when o.prompt is not null then 'asked with another answer, verifier or spec' else 'not read' end",
    dropped="id",
    beside="left join (select distinct prompt from {there}.questions) o on o.prompt = r.prompt",
    changed="""nullif(concat_ws(', ',
        case when a.domain != b.domain then 'domain ' || a.domain || ' -> ' || b.domain end,
        case when a.source != b.source then 'source ' || a.source || ' -> ' || b.source end,
        case when a.license != b.license then 'license ' || a.license || ' -> ' || b.license end,
        case when json_extract(a.meta, '$.origin') != json_extract(b.meta, '$.origin') then 'read from elsewhere'
             when a.meta != b.meta then 'meta' end), '')""",
)
STAGES: Mapping[str, _Compared] = {
    "collect": _QUESTION,
    "curate": _Compared(
        table="curated",
        key="id",
        reason=f"coalesce({_DROPPED}, 'not among the questions')",
        dropped="id",
        changed=_QUESTION.changed,
    ),
    "distil": _Compared(
        table="traces",
        key="id",
        reason=f"""case when o.id is not null then 'answered otherwise'
            when q.id is null then 'its question left' else coalesce({_DROPPED}, 'not asked') end""",
        dropped="question_id || '#' || r.index",
        beside="""left join {there}.curated q on q.id = r.question_id
            left join {there}.traces o on o.question_id = r.question_id and o.index = r.index
            and o.teacher = r.teacher""",
    ),
    "verify": _Compared(
        table="verdicts",
        key="trace_id",
        reason="'its trace left'",
        dropped="trace_id",
        changed="""case when a.status != b.status
            then a.status || ' by ' || a.verifier || ' -> ' || b.status || ' by ' || b.verifier
            when a.extracted is distinct from b.extracted then 'another answer read, ' || b.verifier end""",
    ),
    "select": _Compared(
        table="examples",
        key="trace_id",
        reason=f"case when t.id is null then 'its trace left' else coalesce({_DROPPED}, 'not among the examples') end",
        dropped="trace_id",
        beside="left join {there}.traces t on t.id = r.trace_id",
        changed="""case when a.id != b.id then 'other messages' when a.kept_because != b.kept_because then
            a.kept_because || ' -> ' || b.kept_because end""",
    ),
}


def compare_runs(
    a: Path,
    b: Path,
    *,
    stage: str | None = None,
    examples: int = 3,
    memory_mb: int = MEMORY_MB,
    threads: int = THREADS,
) -> Difference:
    """What changed from run A to run B. Raises UsageError where a folder is no run, or a stage is not compared."""
    if stage is not None and stage not in STAGES:
        raise UsageError(f"no stage '{stage}' to compare", place="--stage", hint=nearest_hint(stage, STAGES))
    facts_a, facts_b = load_run(a), load_run(b)
    tables_a, tables_b = _manifests(a, facts_a), _manifests(b, facts_b)
    views = {"a": _views(a), "b": _views(b)}
    with connected(views, memory_mb=memory_mb, threads=threads) as connection:
        wanted = [name for name in STAGES if stage in (None, name)]
        stages = [_stage(connection, name, tables_a.get(name), tables_b.get(name), examples) for name in wanted]
    return Difference(_head(a, facts_a), _head(b, facts_b), stages)


def _head(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"folder": str(folder), **{name: facts.get(name) for name in ("run", "status", "digest")}}


def _manifests(folder: Path, facts: Mapping[str, Any]) -> dict[str, Manifest]:
    store = Store(folder / "tables")
    found = (store.sealed(str(done["stage"]), str(done["key"])) for done in facts["stages"])
    return {manifest.stage: manifest for manifest in found if manifest is not None}


def _views(folder: Path) -> list[Any]:
    """The run's views, and an empty one for each table that it has not."""
    views = {view.name: view for view in empty_views()} | {view.name: view for view in views_of(folder)}
    return list(views.values())


def _stage(
    connection: duckdb.DuckDBPyConnection, name: str, a: Manifest | None, b: Manifest | None, examples: int
) -> StageDifference:
    rows_a, rows_b = (None if manifest is None else manifest.rows_out for manifest in (a, b))
    why = list(_why(a, b))
    if a is not None and b is not None and a.digest == b.digest:
        return StageDifference(name, why, rows_a, rows_b, [], [], [])
    compared = STAGES[name]
    entered = _moved(connection, compared, here="b", there="a", examples=examples)
    left = _moved(connection, compared, here="a", there="b", examples=examples)
    changed = _changed(connection, compared, examples)
    return StageDifference(name, why, rows_a, rows_b, entered, left, changed)


def _why(a: Manifest | None, b: Manifest | None) -> Iterator[str]:
    """What in the recipes, parts or files made the stage another one."""
    if a is None or b is None:
        if a is not b:
            yield f"run {'A' if a is None else 'B'} has not come to it"
        return
    if a.key == b.key:
        return
    yield from changes("", a.section, b.section)
    for part in sorted({*a.parts, *b.parts} - ({*a.parts} & {*b.parts})):
        yield f"{part} {'left' if part in a.parts else 'entered'}"
    yield from (f"its input {name} is another" for name in a.inputs if a.inputs[name] != b.inputs.get(name))
    yield from _other_files(a, b)


def _other_files(a: Manifest, b: Manifest) -> Iterator[str]:
    files_a, files_b = ({str(f["name"]): f["digest"] for f in manifest.sources} for manifest in (a, b))
    for name in sorted({*files_a, *files_b}):
        if files_a.get(name) != files_b.get(name):
            what = "changed" if name in files_a and name in files_b else "left" if name in files_a else "entered"
            yield f"the file {name} {what}"


def _moved(
    connection: duckdb.DuckDBPyConnection, compared: _Compared, *, here: str, there: str, examples: int
) -> list[Group]:
    """The rows that are here and not there, by what there says of them."""
    beside = compared.beside.format(there=there)
    table, key = compared.table, compared.key
    sql = f"""
        with r as (select * from {here}.{table} x
                   where not exists (select 1 from {there}.{table} y where y.{key} = x.{key})),
             d as (select row_id, any_value(stage) as stage, any_value(rule) as rule from {there}.drops group by row_id)
        select {compared.reason} as reason, r.{key} as id
        from r left join d on d.row_id = r.{compared.dropped} {beside}"""
    return _groups(connection, sql, examples)


def _changed(connection: duckdb.DuckDBPyConnection, compared: _Compared, examples: int) -> list[Group]:
    """The rows that are in both, and not the same."""
    if not compared.changed:
        return []
    sql = f"""
        select {compared.changed} as reason, a.{compared.key} as id
        from a.{compared.table} a join b.{compared.table} b on a.{compared.key} = b.{compared.key}
        where {compared.changed} is not null"""
    return _groups(connection, sql, examples)


def _groups(connection: duckdb.DuckDBPyConnection, sql: str, examples: int) -> list[Group]:
    """By reason, the largest first."""
    grouped = f"""
        select reason, count(distinct id), list_sort(min(id, {max(examples, 1)}))
        from ({sql}) group by reason order by 2 desc, 1"""
    found = connection.execute(grouped).fetchall()
    return [Group(str(reason), int(rows), list(ids)[:examples]) for reason, rows, ids in found]
