"""Which traces of a question come first, and how many of them there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from reasonry.sections import SelectSection
from reasonry.stages.selecting.fates import Fate, by_question
from reasonry.types import Trace, whole_text

__all__ = ["Lots", "distinct", "ranked"]


class Lots:
    """A number of 64 bits for a row, from its id and a seed: random, and always the same."""

    def __init__(self, seed: int | None) -> None:
        self._hasher = blake2b(digest_size=8, key=str(seed or 0).encode()[:64], person=b"reasonry lot")

    def of(self, row_id: str) -> int:
        hasher = self._hasher.copy()
        hasher.update(row_id.encode())
        return int.from_bytes(hasher.digest(), "big")


def distinct(fates: Iterable[Fate]) -> Iterator[Fate]:
    """Of the standing traces of a question that say the same, word by word, all but the first are dropped."""
    for group in by_question(fates):
        first: dict[str, str] = {}
        for fate in group:
            trace = fate.candidate.trace
            same = first.setdefault(_text(trace), trace.id) if fate.is_standing else trace.id
            yield fate if same == trace.id else fate.dropped("repeated", "it says what another one says", other_id=same)


def _text(trace: Trace) -> str:
    return whole_text(trace.reasoning, trace.response, trace.finish)


def ranked(section: SelectSection, fates: Iterable[Fate]) -> Iterator[Fate]:
    """Every fate with its rank among the standing ones of its question; those beyond `per_question` are dropped."""
    if section.per_question is None and section.mix is None:
        yield from fates
        return
    lots = Lots(section.seed)
    for group in by_question(fates):
        standing = [fate for fate in group if fate.is_standing]
        yield from group if len(standing) < 2 else _Contest.among(section, standing, lots).decided(group)


@dataclass(frozen=True, slots=True)
class _Contest:
    """The standing traces of one question, the first to be kept first. `unit` is what their lengths are measured in."""

    section: SelectSection
    order: Sequence[Trace]
    unit: str

    @classmethod
    def among(cls, section: SelectSection, standing: Sequence[Fate], lots: Lots) -> _Contest:
        traces = [fate.candidate.trace for fate in standing]
        unit = "tokens" if all(trace.tokens_out is not None for trace in traces) else "characters"
        orders: dict[str, Callable[[Trace], tuple[int, int]]] = {
            "first": lambda trace: (trace.index, 0),
            "random": lambda trace: (0, lots.of(trace.id)),
            "shortest": lambda trace: (_length(trace, unit), lots.of(trace.id)),
            "longest": lambda trace: (-_length(trace, unit), lots.of(trace.id)),
        }
        return cls(section, sorted(traces, key=orders[section.best]), unit)

    def decided(self, group: Sequence[Fate]) -> Iterator[Fate]:
        """The fates of the question, each with its rank or as a drop."""
        ranks = {trace.id: rank for rank, trace in enumerate(self.order)}
        limit = self.section.per_question
        is_full = limit is not None and len(self.order) > limit
        for fate in group:
            rank = ranks.get(fate.candidate.trace.id, 0)
            if not fate.is_standing:
                yield fate
            elif limit is not None and rank >= limit:
                yield fate.dropped("per_question", self._lost(fate.candidate.trace), other_id=self.order[0].id)
            else:
                yield fate.kept(*((self._won(),) if is_full else ()))._replace(rank=rank)

    def _won(self) -> str:
        section = self.section
        of = f"{len(self.order)} correct" if section.keep == "correct" else str(len(self.order))
        best = "drawn" if section.best == "random" else section.best
        return f"{best} of {of}" if section.per_question == 1 else f"the {section.per_question} {best} of {of}"

    def _lost(self, trace: Trace) -> str:
        if self.section.best not in ("shortest", "longest"):
            return f"{self._won()} kept (select.per_question)"
        ours, best = _length(trace, self.unit), _length(self.order[0], self.unit)
        return f"{self._won()} kept; {ours:,} {self.unit}, the first has {best:,} (select.per_question)"


def _length(trace: Trace, unit: str) -> int:
    if unit == "tokens" and trace.tokens_out is not None:
        return trace.tokens_out
    return len(trace.reasoning) + len(trace.response)
