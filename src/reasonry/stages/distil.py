"""distil: ask the teachers, through the ledger. A request that finds no answer is a drop, and harms no other.

Each teacher is asked on its own, all at the same time; what they say of a question comes together in one table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from reasonry.contracts import Recording, Teacher
from reasonry.errors import UsageError
from reasonry.sections import DistilSection
from reasonry.stages.context import StageContext, StageResult
from reasonry.stages.live import verifying_live
from reasonry.stages.sampling import QuestionSeries, Verify, joined, samples_of
from reasonry.stages.tally import AnswerTally, ask_questions, spending, teacher_of, together, unanswered_drop
from reasonry.store import TableWriter
from reasonry.teachers.asking.company import Company, side_by_side
from reasonry.teachers.asking.outcomes import Answered, Counters, Outcome
from reasonry.types import Drop, Question, Trace

VERSION = 2
ROWS = Trace


def distil(section: DistilSection, context: StageContext, writer: TableWriter) -> StageResult:
    """Ask every teacher for every question as often as the recipe says.

    Traces come in the order of questions; within one, in that of the teachers and their samples.
    """
    curated = context.upstream["curate"]
    with (
        _verifier(section, context) as verify,
        context.console.meter("distil", _total(section, curated.rows_out)) as meter,
    ):
        responders = _responders(section, context, verify)
        company, counters = Company(), [Counters() for _ in responders]

        def watch(place: int, now: Counters) -> None:
            counters[place] = now
            meter.tell(spending(*counters))

        streams = [one.answers(company, partial(watch, i)) for i, one in enumerate(responders)]
        for answers in side_by_side(streams):
            _keep_all(responders, answers, writer)
    for one in responders:
        one.close(writer)
    tallies = [one.tally for one in responders]
    metrics = {**together(tallies), **_unmatched(responders), **responders[0].stopped()}
    if section.further:
        metrics["responders"] = [one.metrics() for one in responders]
    return StageResult(curated.rows_out, metrics, metrics["cost_usd"])


def _responders(section: DistilSection, context: StageContext, verify: Verify | None) -> list[_Responder]:
    """Everybody who is asked. They count what was paid together, since one key may answer two of them."""
    paid = set[str]()
    return [
        _Responder(one, f"distil.further[{i - 1}]" if i else "distil", context, verify, paid)
        for i, one in enumerate(section.responders)
    ]


def _total(section: DistilSection, questions: int) -> int | None:
    """The requests to come, where that can be told."""
    samples = [one.samples for one in section.responders if isinstance(one.samples, int) and not one.is_adaptive]
    return questions * sum(samples) if len(samples) == len(section.responders) else None


def _verifier(section: DistilSection, context: StageContext) -> AbstractContextManager[Verify | None]:
    if not any(one.is_adaptive for one in section.responders):
        return nullcontext()
    return verifying_live(context.verify, context)


def _keep_all(responders: Sequence[_Responder], answers: Sequence[Sequence[Outcome]], writer: TableWriter) -> None:
    """What came of one question. Its samples are numbered through, whoever gave them."""
    first = 0
    for one, outcomes in zip(responders, answers, strict=True):
        first += one.keep(outcomes, first, writer)
    if not first:
        question = responders[0].last
        writer.drop(Drop(question.id, "distil", "no_recorded_response", "the recording has no answer to it"))


def _unmatched(responders: Sequence[_Responder]) -> dict[str, int]:
    """Recordings that answer none of the questions, where there are recordings."""
    counts = [one.unmatched for one in responders if one.unmatched is not None]
    return {"recordings_unmatched": sum(counts)} if counts else {}


class _Held(AbstractAsyncContextManager[Teacher]):
    """A teacher that can be reached while someone else keeps it open."""

    def __init__(self, teacher: AbstractAsyncContextManager[Teacher]) -> None:
        self._teacher = teacher
        self.opened: Teacher | None = None

    async def __aenter__(self) -> Teacher:
        self.opened = await self._teacher.__aenter__()
        return self.opened

    async def __aexit__(self, kind: Any, value: Any, trace: Any) -> bool | None:
        return await self._teacher.__aexit__(kind, value, trace)


class _Responder:
    """One teacher with what it is asked: the questions as series, and how each of them ended, in the same order."""

    def __init__(
        self, section: DistilSection, place: str, context: StageContext, verify: Verify | None, paid: set[str]
    ) -> None:
        self.tally = AnswerTally(paid)
        self.unmatched: int | None = None
        self._section = section
        self._place = place
        self._teacher = _Held(teacher_of(section, context))
        self._context = context
        self._verify = verify if section.is_adaptive else None
        self._stopped = Counter[str]()
        self._under_way: dict[int, QuestionSeries] = {}
        self._begun = self._ended = 0
        self._last: Question | None = None

    @property
    def last(self) -> Question:
        """The question that was kept last."""
        assert self._last is not None
        return self._last

    def answers(self, company: Company, watch: Callable[[Counters], None]) -> Iterator[Sequence[Outcome]]:
        """All outcomes of each question, in order."""
        return ask_questions(self._section, self._teacher, self._series(), self._context, watch, company)

    def keep(self, outcomes: Sequence[Outcome], first: int, writer: TableWriter) -> int:
        """The samples of the next question as traces and drops, numbered from `first` on; how many they are."""
        series = self._under_way.pop(self._ended)
        self._ended += 1
        self._last = series.question
        samples = samples_of(outcomes)
        for sample in samples:
            self._keep(sample, first, writer)
        if samples:
            self._stopped[series.why] += 1
        return len(samples)

    def close(self, writer: TableWriter) -> None:
        """What is left to tell once everything was asked. Raises WorkFailed where too much found no answer."""
        recording = self._teacher.opened
        set_aside = recording.set_aside if isinstance(recording, Recording) else ()
        for drop in set_aside:
            writer.drop(drop)
        self.tally.check(self._section, self._place, set_aside)
        if isinstance(recording, Recording):
            questions = self._context.store.rows(self._context.upstream["curate"], Question)
            self.unmatched = recording.unmatched(questions)
            if self.unmatched:  # nobody verifies them, so their number is told
                what = f"{self.unmatched:,} recorded responses answer a question that is not in this run"
                self._context.console.warn(what)

    def stopped(self) -> dict[str, Any]:
        """Why questions were asked no further, where verdicts decide that."""
        return {"stopped": dict(sorted(self._stopped.items()))} if self._section.is_adaptive else {}

    def metrics(self) -> dict[str, Any]:
        teacher = self._teacher.opened
        return {
            "teacher": self._section.teacher,
            "model": None if teacher is None else teacher.model,
            **self.tally.metrics(),
            **self.stopped(),
        }

    def _keep(self, sample: Sequence[Outcome], first: int, writer: TableWriter) -> None:
        """One sample as a trace, with what went on with it; or as a drop."""
        answered = [outcome for outcome in sample if isinstance(outcome, Answered)]
        for outcome in sample:
            self.tally.add(outcome)
            if not isinstance(outcome, Answered):
                writer.drop(unanswered_drop(outcome, "distil", first))
        if answered:
            writer.append(_trace(answered, first))

    def _series(self) -> Iterator[QuestionSeries]:
        """Made lazily, so the teacher is open by the time it is asked what it has recorded."""
        for question in self._context.store.rows(self._context.upstream["curate"], Question):
            recorded = self._recorded(question)
            made = QuestionSeries(self._section, question, self._samples(recorded), self._verify, recorded)
            self._under_way[self._begun] = made
            self._begun += 1
            yield made

    def _recorded(self, question: Question) -> int | None:
        assert self._teacher.opened is not None
        return self._teacher.opened.recorded(question)

    def _samples(self, recorded: int | None) -> int:
        """How many samples are wanted of a question: none of one that a recording does not answer."""
        section = self._section
        if section.samples == "all" and recorded is None:
            raise UsageError(
                f'samples = "all" needs recorded answers, and {section.teacher} makes new ones',
                place=f"{self._place}.samples",
                hint=f"{self._place}.samples = 1",
            )
        wanted = recorded or 0 if section.samples == "all" else section.samples
        return wanted if recorded is None else min(wanted, recorded)


def _trace(parts: Sequence[Answered], first: int) -> Trace:
    """The trace of a sample: one answer, or one and what went on with it, whose ledger keys are joined by "+".

    `first` is the number of the teacher's first sample among all of the question.
    """
    reply, request = joined([part.reply for part in parts]), parts[0].request
    keys = [part.key for part in parts if part.key is not None]
    costs = [part.cost_usd for part in parts]
    return Trace(
        question_id=request.question.id,
        index=first + request.sampling.index,
        reasoning=reply.reasoning,
        response=reply.response,
        teacher=reply.model,
        finish=reply.finish,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        ledger_key="+".join(keys) or None,
    )
