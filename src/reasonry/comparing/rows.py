"""How the rows of each stage are told apart, and what is said of a row that the other run has not, in SQL.

`{here}` has the rows, `{there}` has not; both stand for a schema, `a` or `b`. What is gone at a stage stays in a table
`gone_{there}_<stage>`, since a trace is gone where its question is: so the first cause is told at every later stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LABELLED", "LINE", "Compared"]


@dataclass(frozen=True, slots=True)
class Compared:
    """One stage.

    `rows` are the rows of a `{side}`, each with its `id`: what makes it the same one in both runs. `gone` selects
    `id, reason, detail` of those that are `{here}` and not `{there}`. `changed` is the reason why a row `a` is not as
    the row `b` with its id, null where it is; `changed_detail` is what is said of that row alone. `drop_id` is how a
    drop would name a row `r`.
    """

    rows: str
    gone: str
    changed: str
    changed_detail: str = "''"
    drop_id: str = "r.id"


def _arrow(column: str) -> str:
    """From A's value to B's, each cut where it is long."""
    a, b = (f"coalesce(left({side}.{column}::varchar, 60), 'none')" for side in ("a", "b"))
    return f"{a} || ' -> ' || {b}"


def _gone(rows: str, reason: str, detail: str, joins: str = "") -> str:
    here, there = (rows.replace("{side}", side) for side in ("{here}", "{there}"))
    return f"""
        select r.id, {reason} as reason, {detail} as detail
        from (select * from {here} x where not exists (select 1 from {there} y where y.id = x.id)) r
        {joins}"""


def _drop(table: str, row_id: str) -> str:
    """Joins the drop that the other run has of a row; of several the one whose rule comes first."""
    said = "reason || coalesce(' (' || other_id || ')', '')"
    return f"""left join (select row_id, min(rule) as rule, arg_min({said}, rule) as reason
                          from {{there}}.{table} group by row_id) d on d.row_id = {row_id}"""


_FIELDS = ("domain", "source", "license")
_QUESTION_CHANGED = f"""nullif(concat_ws(', ',
    {", ".join(f"case when a.{field} is distinct from b.{field} then '{field}' end" for field in _FIELDS)},
    case when json_extract(a.meta, '$.origin') is distinct from json_extract(b.meta, '$.origin')
         then 'read from elsewhere' when a.meta is distinct from b.meta then 'meta' end), '')"""
_QUESTION_DETAIL = (
    "concat_ws(', ', "
    + ", ".join(f"case when a.{field} is distinct from b.{field} then {_arrow(field)} end" for field in _FIELDS)
    + ")"
)

_COLLECT = """
    with gone as (select * from {here}.questions x
                  where not exists (select 1 from {there}.questions y where y.id = x.id)),
         new as (select * from {there}.questions x
                 where not exists (select 1 from {here}.questions y where y.id = x.id)),
         other as (select prompt, min(id) as id, arg_min(answer, id) as answer, arg_min(verifier, id) as verifier,
                          arg_min(spec, id) as spec, count(*) as times from new group by prompt),
         placed as (select *, json_extract_string(meta, '$.origin.file') as file,
                           json_extract_string(meta, '$.origin.row') as row from gone),
         unread as (select row_id, min(rule) as rule, arg_min(reason, rule) as reason
                    from {there}.collect_drops group by row_id)
    select r.id,
        case when o.id is null or o.answer is not distinct from r.answer then ''
             when '{here}' = 'a' then 'answer ' || left(concat(r.answer, ' -> ', o.answer), 80) || '; '
             else 'answer ' || left(concat(o.answer, ' -> ', r.answer), 80) || '; ' end || left(r.prompt, 80) as detail,
        case when o.id is not null then 'asked with another ' || coalesce(nullif(concat_ws(' and ',
                case when o.answer is distinct from r.answer then 'answer' end,
                case when o.verifier is distinct from r.verifier then 'verifier' end,
                case when o.spec is distinct from r.spec then 'spec' end), ''), 'answer')
             when d.rule is not null then 'collect: ' || d.rule
             else 'not read' end as reason
    from placed r
    left join other o on o.prompt = r.prompt
    left join unread d on d.row_id = r.file || ':' || r.row and list_contains({unchanged}, r.file)"""

_FILE, _ROW = (f"json_extract_string(r.meta, '$.origin.{field}')" for field in ("file", "row"))
_PLACE = f"case when list_contains({{unchanged}}, {_FILE}) then {_FILE} || ':' || {_ROW} end"
_QUESTIONS, _CURATED = "{side}.questions", "{side}.curated"
_TRACES = "{side}.traces"
_VERDICTS = "(select * replace (trace_id as id) from {side}.verdicts)"
_EXAMPLES = "(select * exclude (id), trace_id as id, id as example_id from {side}.examples)"
_FILES = "(select *, path as id from {side}.files)"
_STEPS = "(select *, step::varchar as id from {side}.steps where label = {label})"
_COMPLETIONS = "(select *, question_id || '#' || index as id from {side}.completions where label = {label})"

LINE: Mapping[str, Compared] = {
    "collect": Compared(_QUESTIONS, _COLLECT, _QUESTION_CHANGED, _QUESTION_DETAIL, _PLACE),
    "curate": Compared(
        _CURATED,
        _gone(
            _CURATED,
            "coalesce('curate: ' || d.rule, q.reason, 'not among the questions')",
            "coalesce(d.reason, q.detail, left(r.prompt, 80))",
            _drop("curate_drops", "r.id") + " left join gone_{there}_collect q on q.id = r.id",
        ),
        _QUESTION_CHANGED,
        _QUESTION_DETAIL,
    ),
    "distil": Compared(
        _TRACES,
        _gone(
            _TRACES,
            """coalesce(q.reason, case when o.question_id is null then null when o.teacher = r.teacher
                then 'answered otherwise' else 'answered by another teacher' end, 'distil: ' || d.rule, 'not asked')""",
            "coalesce(q.detail, d.reason, r.question_id || '#' || r.index)",
            _drop("distil_drops", "r.question_id || '#' || r.index")
            + """ left join gone_{there}_curate q on q.id = r.question_id
            left join (select question_id, index, min(teacher) as teacher from {there}.traces group by 1, 2) o
            on o.question_id = r.question_id and o.index = r.index""",
        ),
        """case when a.cost_usd is distinct from b.cost_usd then 'cost'
            when a.tokens_in is distinct from b.tokens_in or a.tokens_out is distinct from b.tokens_out then 'tokens'
            when a.ledger_key is distinct from b.ledger_key then 'ledger key' end""",
        drop_id="r.question_id || '#' || r.index",
    ),
    "verify": Compared(
        _VERDICTS,
        _gone(
            _VERDICTS,
            "coalesce(t.reason, 'not verified')",
            "coalesce(t.detail, '')",
            "left join gone_{there}_distil t on t.id = r.id",
        ),
        """case when a.status != b.status
                then a.status || ' by ' || a.verifier || ' -> ' || b.status || ' by ' || b.verifier
            when a.extracted is distinct from b.extracted then 'another answer read, by ' || b.verifier
            when a.verifier != b.verifier then a.verifier || ' -> ' || b.verifier || ', with the same verdict'
            when a.detail != b.detail or a.evidence != b.evidence then 'another detail' end""",
        f"{_arrow('extracted')} || '; ' || left(b.detail, 60)",
    ),
    "select": Compared(
        _EXAMPLES,
        _gone(
            _EXAMPLES,
            "coalesce('select: ' || d.rule, t.reason, 'not among the examples')",
            "coalesce(d.reason, t.detail, '')",
            _drop("select_drops", "r.id") + " left join gone_{there}_distil t on t.id = r.id",
        ),
        """case when a.example_id != b.example_id then 'other messages'
            when a.kept_because != b.kept_because then 'kept for another reason' end""",
        _arrow("kept_because"),
    ),
}
"""The stages that every run has, in the order of work."""

LABELLED: Mapping[str, Compared] = {
    "publish": Compared(
        _FILES,
        _gone(_FILES, "'not published'", "''"),
        "case when a.sha256 != b.sha256 then 'other bytes' end",
        f"'rows ' || {_arrow('rows')}",
    ),
    "train": Compared(
        _STEPS,
        _gone(_STEPS, "'no such step'", "''"),
        "case when a.loss != b.loss then 'another loss' end",
        _arrow("loss"),
    ),
    "evaluate": Compared(
        _COMPLETIONS,
        _gone(_COMPLETIONS, "'not asked'", "left(r.prompt, 80)"),
        """case when a.status != b.status then a.status || ' -> ' || b.status
            when a.response != b.response then 'answered otherwise'
            when a.extracted is distinct from b.extracted then 'another answer read' end""",
        _arrow("extracted"),
    ),
}
"""Stages that a run may have, of which `train` and `evaluate` have a table for each `{label}`."""
