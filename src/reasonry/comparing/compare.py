"""The comparison itself: stage by stage, in the order of work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.comparing.causes import causes, unchanged_files
from reasonry.comparing.difference import Difference, Group, Instance, StageDifference
from reasonry.comparing.rows import LABELLED, LINE, Compared
from reasonry.errors import UsageError, nearest_hint
from reasonry.querying import MEMORY_MB, THREADS, Connection, View, connected, empty_views, literal, views_of
from reasonry.run import load_run
from reasonry.store import Manifest, Store

__all__ = ["STAGES", "compare_runs"]

STAGES: Sequence[str] = (*LINE, *LABELLED)


def compare_runs(
    a: Path,
    b: Path,
    *,
    stage: str | None = None,
    examples: int = 3,
    memory_mb: int = MEMORY_MB,
    threads: int = THREADS,
) -> Difference:
    """What changed from run A to run B: at every stage, or at one (`train`, or `train:steps` for one student).

    Raises UsageError where a folder is no run, or neither run has such a stage; StoreError for a damaged table.
    """
    facts_a, facts_b = load_run(a), load_run(b)
    steps = _steps(_manifests(a, facts_a), _manifests(b, facts_b))
    wanted = [step for step in steps if stage in (None, step.stage, step.name)]
    if not wanted:
        known = [*STAGES, *(step.name for step in steps)]
        raise UsageError(f"no stage '{stage}' to compare", place="--stage", hint=nearest_hint(stage or "", known))
    views = {"a": _views(a), "b": _views(b)}
    with connected(views, memory_mb=memory_mb, threads=threads) as connection:
        comparison = _Comparison(connection, examples)
        for step in steps:
            if step.stage in LINE:
                comparison.find_gone(step)
        stages = [comparison.of(step) for step in wanted]
    return Difference(_head(a, facts_a), _head(b, facts_b), stages)


@dataclass(frozen=True, slots=True)
class _Step:
    """One table of both runs, or of one of them."""

    stage: str
    label: str
    a: Manifest | None
    b: Manifest | None

    @property
    def name(self) -> str:
        return f"{self.stage}:{self.label}" if self.label else self.stage

    @property
    def is_same(self) -> bool:
        return self.a is not None and self.b is not None and self.a.digest == self.b.digest

    def side(self, name: str) -> Manifest | None:
        return self.a if name == "a" else self.b

    @property
    def compared(self) -> Compared:
        return LINE[self.stage] if self.stage in LINE else LABELLED[self.stage]


def _steps(a: Mapping[tuple[str, str], Manifest], b: Mapping[tuple[str, str], Manifest]) -> list[_Step]:
    """The stages of the line, which every run has, then those that one of the two has."""
    others = [key for key in dict.fromkeys((*a, *b)) if key[0] in LABELLED]
    others.sort(key=lambda key: STAGES.index(key[0]))
    return [_Step(*key, a.get(key), b.get(key)) for key in (*((stage, "") for stage in LINE), *others)]


def _head(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"folder": str(folder), **{name: facts.get(name) for name in ("run", "status", "digest")}}


def _manifests(folder: Path, facts: Mapping[str, Any]) -> dict[tuple[str, str], Manifest]:
    store = Store(folder / "tables")
    found = (store.sealed(str(done["stage"]), str(done["key"])) for done in facts["stages"])
    return {(manifest.stage, manifest.label): manifest for manifest in found if manifest is not None}


def _views(folder: Path) -> list[View]:
    """The run's views, and an empty one for each table that it has not."""
    return list(({view.name: view for view in empty_views()} | {view.name: view for view in views_of(folder)}).values())


class _Comparison:
    """Asks the database that sees both runs."""

    def __init__(self, connection: Connection, examples: int) -> None:
        self._connection = connection
        self._examples = examples

    def find_gone(self, step: _Step) -> None:
        """Keep what is in one run and not in the other, with the reason, for this stage and those after it."""
        for here, there in (("a", "b"), ("b", "a")):
            selected = self._gone(step, here, there)
            self._connection.execute(f"create temp table gone_{there}_{step.stage} as {selected}")

    def of(self, step: _Step) -> StageDifference:
        """What differs at one stage."""
        why = list(causes(step.a, step.b))
        rows_a, rows_b = (None if manifest is None else manifest.rows_out for manifest in (step.a, step.b))
        if step.is_same or (step.a is None and step.b is None):
            return StageDifference(step.stage, step.label, why, rows_a, rows_b)
        moved = {there: self._moved(step, here, there) for here, there in (("a", "b"), ("b", "a"))}
        is_in_both = step.a is not None and step.b is not None
        return StageDifference(
            step.stage,
            step.label,
            why,
            rows_a,
            rows_b,
            entered=moved["a"],
            left=moved["b"],
            changed=self._changed(step) if is_in_both else [],
            dropped=self._dropped(step) if is_in_both else [],
        )

    def _moved(self, step: _Step, here: str, there: str) -> list[Group]:
        if step.stage in LINE:
            return self._groups(f"select * from gone_{there}_{step.stage}")
        return self._groups(self._gone(step, here, there))

    def _gone(self, step: _Step, here: str, there: str) -> str:
        rows = step.compared.rows
        if step.is_same or step.side(here) is None:
            return "select null::varchar as id, null::varchar as reason, null::varchar as detail where false"
        if step.side(there) is None:
            reason = f"run {there.upper()} has not come to it"
            return self._filled(f"select id, '{reason}' as reason, '' as detail from {rows}", step, side=here)
        return self._filled(step.compared.gone, step, here=here, there=there)

    def _changed(self, step: _Step) -> list[Group]:
        """The rows that are in both, and not the same."""
        compared = step.compared
        a, b = (compared.rows.replace("{side}", side) for side in ("a", "b"))
        sql = f"""
            select * from (select a.id, {compared.changed} as reason, {compared.changed_detail} as detail
                           from {a} a join {b} b on a.id = b.id)
            where reason is not null"""
        return self._groups(self._filled(sql, step))

    def _dropped(self, step: _Step) -> list[Group]:
        """The rows that left at this stage in both runs, by another rule; or in one, while the other never had them."""
        where = " where label = {label}" if step.label else ""
        one = "(select row_id, min(rule) as rule, arg_min(reason, rule) as reason from {side}.{stage}_drops{where}"
        a, b = (one.format(side=side, stage=step.stage, where=where) + " group by row_id)" for side in ("a", "b"))
        compared = step.compared
        kept_a, kept_b = (
            f"select 1 from {compared.rows.replace('{side}', kept)} r where {compared.drop_id} = {drop}.row_id"
            for kept, drop in (("a", "b"), ("b", "a"))
        )
        sql = f"""
            select coalesce(a.row_id, b.row_id) as id, coalesce(b.reason, a.reason) as detail,
                case when b.rule is null then a.rule || ' in A only' when a.rule is null then b.rule || ' in B only'
                     else a.rule || ' -> ' || b.rule end as reason
            from {a} a full join {b} b on a.row_id = b.row_id
            where a.rule is distinct from b.rule and (a.rule is not null or not exists ({kept_a}))
                and (b.rule is not null or not exists ({kept_b}))"""
        return self._groups(self._filled(sql, step))

    def _filled(self, sql: str, step: _Step, **sides: str) -> str:
        files = unchanged_files(step.a, step.b) if step.a is not None and step.b is not None else []
        unchanged = f"[{', '.join(map(literal, files))}]::varchar[]"
        return sql.format(label=literal(step.label), unchanged=unchanged, **sides)

    def _groups(self, sql: str) -> list[Group]:
        """By reason, the largest first."""
        grouped = f"""
            select reason, count(*), list_sort(min(struct_pack(id := id, detail := detail), {max(self._examples, 1)}))
            from ({sql}) group by reason order by 2 desc, 1"""
        return list(self._made(self._connection.execute(grouped).rows()))

    def _made(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[Group]:
        for reason, count, examples in rows:
            shown = examples[: self._examples]
            yield Group(str(reason), count, [Instance(one["id"], _one_line(one["detail"])) for one in shown])


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
