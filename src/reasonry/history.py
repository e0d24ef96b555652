"""History: what asking this teacher took before (pilots, sealed tables, the ledger), and what is paid already."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reasonry.errors import ReasonryError
from reasonry.estimating import Estimate, Observed, Seen, Unknown, estimate
from reasonry.identity import digest
from reasonry.ledger import Ledger, LedgerEntry
from reasonry.ledger.entry import IMPORTED
from reasonry.plan import Step
from reasonry.registry import find
from reasonry.sections import DistilSection, PriceOptions
from reasonry.stages.evaluate import EvaluateOptions
from reasonry.stages.sampling import QuestionSeries
from reasonry.store import Manifest, Store
from reasonry.types import Question

__all__ = ["PILOT", "drawn", "estimates"]

PILOT = "pilot"
"""The stage under which a pilot's traces are sealed. Its metrics say of which distil table it is a part (`of`)."""

_MOST_QUESTIONS = 1000  # of a table: more narrow the interval no further than the next run's chance
_MOST_LOOKED_UP = 20_000  # requests looked up in the ledger; of more, these stand for the rest
_HOW_OFTEN = frozenset({"samples", "max_samples", "min_correct", "agree", "per_question"})
_WHAT_IT_COSTS = frozenset({"price"})
_ASK = "plan --pilot 20 asks 20 questions"


def estimates(steps: Sequence[Step], store: Store, ledger: Ledger | None) -> Mapping[str, Estimate | Unknown]:
    """An estimate for every stage that asks the teacher and is not sealed, by the step's name."""
    found: dict[str, Estimate | Unknown] = {}
    distilled = next((step for step in steps if step.stage == "distil"), None)
    if distilled is None:
        return found
    observed = _observed(distilled, store, ledger)
    if store.sealed("distil", distilled.key) is None:
        found[distilled.name] = _distil(distilled, observed, store, ledger)
    for step in steps:
        if step.stage == "evaluate" and step.options.teacher and store.sealed(step.stage, step.key) is None:
            alone = Unknown("what the first of several teachers takes alone was not seen")
            found[step.name] = alone if distilled.options.further else _evaluate(step.options, observed)
    return found


def drawn(questions: Iterable[Question], count: int, purpose: str) -> list[Question]:
    """`count` questions by chance, in their own order: those whose ids have the smallest digests.

    So a larger draw holds a smaller one, and draws for different purposes have nothing to do with each other.
    """
    numbered = ((digest("drawn", purpose, q.id), i, q) for i, q in enumerate(questions))
    chosen = heapq.nsmallest(count, numbered, key=lambda entry: entry[0])
    return [question for _, _, question in sorted(chosen, key=lambda entry: entry[1])]


def _distil(step: Step, observed: Observed | None, store: Store, ledger: Ledger | None) -> Estimate | Unknown:
    if observed is None:
        return Unknown(_ASK)
    curated = store.sealed("curate", step.upstream["curate"].key)
    if curated is None:
        return Unknown(f"the questions are not curated yet: {_ASK}")
    section: DistilSection = step.options
    samples = section.samples if isinstance(section.samples, int) else 1
    share = _paid_share(section, (q for q in store.rows(curated, Question) if q.id not in observed.own), ledger)
    return estimate(section, observed, curated.rows_out, samples=samples, paid_share=share)


def _evaluate(options: EvaluateOptions, observed: Observed | None) -> Estimate | Unknown:
    """The teacher on a benchmark: as long and as dear as what it was seen to answer, on other questions."""
    if observed is None:
        return Unknown(_ASK)
    assert options.teacher is not None
    section = options.section
    rows: Iterator[Any] = find("benchmark", section.benchmark).call(section)
    questions = len({row.id for row in rows if isinstance(row, Question)})
    singles = [_single(seen, section.max_tokens, options.teacher.tariff) for seen in observed.seen if seen.requests]
    single = Observed(
        observed.basis, singles, per_request=True, is_elapsed=observed.is_elapsed, in_flight=observed.in_flight
    )
    count = questions if section.limit is None else min(section.limit, questions)
    return estimate(options.teacher, single, count, samples=section.samples, is_rough=True)


def _single(seen: Seen, max_tokens: int, price: PriceOptions | None) -> Seen:
    """One of a question's requests on average, cut at another limit."""
    n = seen.requests
    tokens_in = None if seen.tokens_in is None else round(seen.tokens_in / n)
    tokens_out = None if seen.tokens_out is None else min(max_tokens, round(seen.tokens_out / n))
    cost = price.cost_usd(tokens_in, tokens_out) if price else None
    return Seen(1, 1, tokens_in, tokens_out, cost, None if seen.seconds is None else seen.seconds / n)


def _observed(step: Step, store: Store, ledger: Ledger | None) -> Observed | None:
    """The best there is: a pilot of this very table, an earlier table asked in the same way, the ledger."""
    tables = [*store.manifests(PILOT), *store.manifests("distil")]
    own = [m for m in tables if m.metrics.get("of") == step.key and m.rows_out]
    if own:
        return _of_table(max(own, key=lambda m: m.rows_in), step.options, store, ledger, are_included=True)
    several = bool(step.options.further)  # then one request says nothing of another, and each has a price of its own
    for ignored in (frozenset[str](),) if several else (_WHAT_IT_COSTS, _WHAT_IT_COSTS | _HOW_OFTEN):
        alike = [m for m in tables if m.rows_out and _same(m.section, step.section, ignored)]
        if alike:
            latest = max(alike, key=lambda m: (m.rows_in, m.started_at))
            observed = _of_table(latest, step.options, store, ledger, are_included=False)
            return observed if not ignored & _HOW_OFTEN else _by_request(observed)
    return _of_ledger(step.options, ledger) if ledger and not several else None


def _same(section: Mapping[str, Any], other: Mapping[str, Any], ignored: frozenset[str]) -> bool:
    return all(section.get(name) == other.get(name) for name in {*section, *other} - ignored)


def _by_request(observed: Observed) -> Observed:
    """For a stage that asks another number of times: what one request took, on average over its question."""
    singles = [
        Seen(
            1,
            1,
            *(None if total is None else round(total / seen.requests) for total in (seen.tokens_in, seen.tokens_out)),
            *(None if total is None else total / seen.requests for total in (seen.cost_usd, seen.seconds)),
        )
        for seen in observed.seen
        if seen.requests
    ]
    return Observed(
        observed.basis,
        singles,
        per_request=True,
        is_elapsed=observed.is_elapsed,
        in_flight=observed.in_flight,
        bytes_per_row=observed.bytes_per_row,
    )


@dataclass(frozen=True, slots=True)
class _Took:
    """What one trace took: its columns but for the texts, which are nearly all of a table."""

    question_id: str
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None
    ledger_key: str | None


@dataclass(slots=True)
class _Sum:
    """What one question took, while its traces are read."""

    requests: int = 0
    rows: int = 0
    tokens_in: int | None = 0
    tokens_out: int | None = 0
    cost_usd: float | None = 0.0
    seconds: float | None = 0.0

    def add(self, tokens_in: int | None, tokens_out: int | None, cost: float | None, seconds: float | None) -> None:
        self.requests += 1
        self.rows += 1
        self.tokens_in = None if self.tokens_in is None or tokens_in is None else self.tokens_in + tokens_in
        self.tokens_out = None if self.tokens_out is None or tokens_out is None else self.tokens_out + tokens_out
        self.cost_usd = None if self.cost_usd is None or cost is None else self.cost_usd + cost
        self.seconds = None if self.seconds is None or seconds is None else self.seconds + seconds

    def seen(self) -> Seen:
        return Seen(self.requests, self.rows, self.tokens_in, self.tokens_out, self.cost_usd, self.seconds)


def _of_table(
    manifest: Manifest, section: DistilSection, store: Store, ledger: Ledger | None, *, are_included: bool
) -> Observed:
    """Every question of a table with what it took; of a large one, some drawn by chance."""
    asked, has_keys = set[str](), False
    for question_id, key in store.values(manifest, ["question_id", "ledger_key"]):
        asked.add(question_id)
        has_keys |= bool(key)
    refused = [name for (row_id,) in store.values(manifest, ["row_id"], "drops") if (name := _refused(row_id))]
    asked.update(refused)
    questions = sorted(asked, key=lambda name: digest("drawn", "history", name))[:_MOST_QUESTIONS]
    sums = {name: _Sum() for name in questions}
    kept = [_Took(*row) for row in store.values(manifest, tuple(_Took.__slots__)) if row[0] in sums]
    entries = ledger.answered([row.ledger_key for row in kept if row.ledger_key]) if ledger else {}
    elapsed = None if has_keys else manifest.seconds / manifest.rows_out
    for row in kept:
        entry = entries.get(row.ledger_key or "")
        is_priced = are_included or section.further  # by the price in force, of whoever answered
        cost = row.cost_usd if is_priced else _cost(section.tariff, row.tokens_in, row.tokens_out)
        seconds = elapsed if entry is None or entry.attempt == IMPORTED else entry.seconds
        sums[row.question_id].add(row.tokens_in, row.tokens_out, cost, seconds)
    for name in refused:
        if name in sums:
            sums[name].requests += 1
    what = "a pilot" if manifest.stage == PILOT else "an earlier table"
    # Where only some of a pilot's questions are looked at, the sample is a smaller one.
    are_included = are_included and len(asked) <= _MOST_QUESTIONS
    return Observed(
        basis=f"{what} of {manifest.rows_in:,} questions",
        seen=[total.seen() for total in sums.values()],
        are_included=are_included,
        own=frozenset(sums) if are_included else frozenset(),
        is_elapsed=elapsed is not None,
        in_flight=_in_flight(list(entries.values())),
        bytes_per_row=_text_bytes(manifest, store) / manifest.rows_out,
    )


def _cost(price: PriceOptions | None, tokens_in: int | None, tokens_out: int | None) -> float | None:
    return price.cost_usd(tokens_in, tokens_out) if price else None


def _refused(row_id: str) -> str:
    """The question of a request that found no answer; "" for another kind of drop."""
    question_id, mark, _ = row_id.partition("#")
    return question_id if mark else ""


def _text_bytes(manifest: Manifest, store: Store) -> int:
    """How much text a table's traces hold, from the shards' own figures."""
    import pyarrow.parquet as pq

    total = 0
    for shard in manifest.shards:
        if shard.contents == "rows":
            metadata = pq.read_metadata(store.folder(manifest.stage, manifest.key) / shard.path)
            groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
            columns = [group.column(i) for group in groups for i in range(group.num_columns)]
            total += sum(c.total_uncompressed_size for c in columns if c.path_in_schema in ("reasoning", "response"))
    return total


def _in_flight(entries: Sequence[LedgerEntry]) -> float | None:
    """How many requests were under way on average, while any was: their seconds, over the seconds that passed."""
    spans = sorted((entry.at, entry.at + entry.seconds) for entry in entries if entry.attempt != IMPORTED)
    busy, end = 0.0, float("-inf")
    for start, stop in spans:
        busy += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return sum(stop - start for start, stop in spans) / busy if busy > 0 else None


@dataclass(frozen=True, slots=True)
class _Identity:
    """Who answers, as the ledger's keys name them."""

    model: str
    served_by: str


def _identity(section: DistilSection) -> _Identity | None:
    """None for a teacher that is not paid, or that only says who it is once it is open (or has a key)."""
    try:
        teacher = find("teacher", section.teacher).call(section)
    except ReasonryError:
        return None
    model, served_by = getattr(teacher, "model", None), getattr(teacher, "served_by", None)
    if not getattr(teacher, "paid", False) or not isinstance(model, str) or not isinstance(served_by, str):
        return None
    return _Identity(model, served_by)


def _of_ledger(section: DistilSection, ledger: Ledger) -> Observed | None:
    """The newest answers of the same model at the same endpoint, to whatever it was asked."""
    identity = _identity(section)
    answers = ledger.usage(identity.model, identity.served_by, _MOST_QUESTIONS) if identity else []
    if not answers:
        return None
    seen = [
        Seen(1, 1, a.tokens_in, a.tokens_out, _cost(section.tariff, a.tokens_in, a.tokens_out), a.seconds)
        for a in answers
    ]
    return Observed(f"the ledger's newest {len(seen):,} answers", seen, per_request=True)


def _paid_share(section: DistilSection, questions: Iterable[Question], ledger: Ledger | None) -> float:
    """The share of the first round's requests whose answers are in the ledger: of all, or of some drawn by chance."""
    if ledger is None or not all(isinstance(one.samples, int) for one in section.responders):
        return 0.0
    samples = sum(one.samples for one in section.responders if isinstance(one.samples, int))
    looked_at = drawn(questions, max(1, _MOST_LOOKED_UP // samples), "paid")
    asked, held = 0, 0
    for one in section.responders:
        keys = _keys(one, looked_at)
        asked += len(looked_at) * (one.samples if isinstance(one.samples, int) else 0)
        held += len(ledger.holds(keys))
    return held / asked if asked else 0.0


def _keys(section: DistilSection, questions: Sequence[Question]) -> list[str]:
    """Of the first round's requests; none for a teacher whose answers are in no ledger."""
    identity = _identity(section)
    if identity is None or not isinstance(section.samples, int):
        return []
    return [
        request.key(identity.model, identity.served_by)
        for question in questions
        for request in QuestionSeries(section, question, section.samples, None).start()
    ]
