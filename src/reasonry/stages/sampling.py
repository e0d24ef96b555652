"""How many samples a question gets, and when it has had enough.

Decided question by question, from the verdicts on its own samples and from what they used, never from what other
questions got or from who answered first: so the same answers always lead to the same requests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from reasonry.prompts import messages_of
from reasonry.sections import DistilSection
from reasonry.teachers.asking.outcomes import Answered, Outcome
from reasonry.types import Finish, Message, Question, Reply, Request, Sampling, Status, Verdict, whole_text
from reasonry.verifiers.batch import VerifyItem

__all__ = ["Decision", "Finding", "QuestionSeries", "Verify", "decide", "joined", "samples_of"]

Verify = Callable[[Sequence[VerifyItem]], Awaitable[Sequence[Verdict]]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one sample. `status` is None where it was not verified or not answered."""

    status: Status | None = None
    answer: str | None = None
    tokens: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """How many more samples to ask for now; where none, why that is enough."""

    ask: int
    why: str = ""


def decide(section: DistilSection, samples: int, findings: Sequence[Finding], recorded: int | None = None) -> Decision:
    """What to ask for after `findings`, all samples of a question so far. `samples` are wanted in any case.

    `recorded` is how many a recording has; None where there is none.
    """
    asked = len(findings)
    most = max(samples, section.max_samples or 0)
    if asked and (spent := _spent(section, findings)):
        return Decision(0, spent)
    if section.agree is not None and asked >= section.agree and _agree(findings):
        return Decision(0, "agreed")
    if asked < samples:
        return Decision(_affordable(section, findings, _first_round(section, samples, asked)))
    if section.max_samples is None:
        return Decision(0, "asked")
    if sum(finding.status is Status.CORRECT for finding in findings) >= section.min_correct:
        return Decision(0, "solved")
    if asked >= most:
        return Decision(0, "max_samples")
    if recorded is not None and asked >= recorded:
        return Decision(0, "recorded")
    most = most if recorded is None else min(most, recorded)
    return Decision(_affordable(section, findings, min(samples, most - asked)))


def _first_round(section: DistilSection, samples: int, asked: int) -> int:
    """So few that enough may be known after them."""
    if section.agree is not None and asked < section.agree:
        return min(samples, section.agree) - asked
    return samples - asked


def _agree(findings: Sequence[Finding]) -> bool:
    if all(finding.status is Status.CORRECT for finding in findings):
        return True
    answers = {finding.answer for finding in findings}
    return len(answers) == 1 and answers != {None}


def _spent(section: DistilSection, findings: Sequence[Finding]) -> str:
    limits = section.per_question
    if limits.tokens is not None and sum(finding.tokens for finding in findings) >= limits.tokens:
        return "per_question.tokens"
    if limits.usd is not None and sum(finding.usd for finding in findings) >= limits.usd:
        return "per_question.usd"
    return ""


def _affordable(section: DistilSection, findings: Sequence[Finding], wanted: int) -> int:
    """At most as many as the question's budget has room for, by what its samples used so far; at least one."""
    limits = section.per_question
    uses = [
        (limits.tokens, [float(finding.tokens) for finding in findings]),
        (limits.usd, [finding.usd for finding in findings]),
    ]
    for limit, used in uses:
        if limit is None:
            continue
        if not used:
            return 1
        if mean := sum(used) / len(used):
            wanted = min(wanted, max(1, int((limit - sum(used)) / mean)))
    return wanted


class QuestionSeries:
    """The requests for one question, by the recipe's rules."""

    def __init__(
        self,
        section: DistilSection,
        question: Question,
        samples: int,
        verify: Verify | None,
        recorded: int | None = None,
    ) -> None:
        self.question = question
        self._section = section
        self._samples = samples
        self._recorded = recorded
        self._verify = verify
        self._messages = messages_of(section, question)
        self._findings: list[Finding] = []
        self._open: dict[int, list[Answered]] = {}  # samples of this round that were cut, with their parts
        self._waiting: list[tuple[int, Reply, float]] = []  # those of this round that are whole, unverified
        self._unanswered = 0
        self.why = ""

    @property
    def has_more(self) -> bool:
        section = self._section
        limits = section.per_question
        return section.is_adaptive or section.continuations > 0 or limits.tokens is not None or limits.usd is not None

    def start(self) -> Sequence[Request]:
        if not self.has_more:
            return self._requests(self._samples)
        return self._requests(decide(self._section, self._samples, ()).ask) if self._samples else ()

    async def proceed(self, outcomes: Sequence[Outcome]) -> Sequence[Request]:
        cut = [request for outcome in outcomes if (request := self._take(outcome)) is not None]
        if cut:
            return cut
        self._findings += await self._found()
        decision = decide(self._section, self._samples, self._findings, self._recorded)
        self.why = decision.why
        return self._requests(decision.ask)

    def _requests(self, count: int) -> list[Request]:
        section, first = self._section, len(self._findings)
        return [
            Request(
                self._messages,
                Sampling(section.temperature_of(index), section.top_p, section.max_tokens, index),
                self.question,
            )
            for index in range(first, first + count)
        ]

    def _take(self, outcome: Outcome) -> Request | None:
        """Keep what an outcome says; the request that goes on with it where it was cut."""
        index = outcome.request.sampling.index
        parts = self._open.pop(index, [])
        if isinstance(outcome, Answered):
            parts.append(outcome)
        elif not parts:
            self._unanswered += 1
            return None
        reply = joined([part.reply for part in parts])
        is_cut = isinstance(outcome, Answered) and reply.finish == "length"
        if is_cut and len(parts) <= self._section.continuations:
            self._open[index] = parts
            so_far = Message("assistant", whole_text(reply.reasoning, reply.response, reply.finish))
            return replace(outcome.request, messages=(*self._messages, so_far))
        self._waiting.append((index, reply, sum(part.cost_usd or 0.0 for part in parts)))
        return None

    async def _found(self) -> list[Finding]:
        waiting = sorted(self._waiting, key=lambda sample: sample[0])
        findings = [Finding() for _ in range(self._unanswered)]
        self._waiting, self._unanswered = [], 0
        verdicts: Sequence[Verdict | None] = [None] * len(waiting)
        if self._verify is not None and waiting:
            verdicts = await self._verify([self._item(reply) for _, reply, _ in waiting])
        for (_, reply, usd), verdict in zip(waiting, verdicts, strict=True):
            status, answer = (None, None) if verdict is None else (verdict.status, verdict.extracted)
            findings.append(Finding(status, answer, reply.tokens_out or 0, usd))
        return findings

    def _item(self, reply: Reply) -> VerifyItem:
        return VerifyItem(self.question, whole_text(reply.reasoning, reply.response, reply.finish), reply.finish)


def samples_of(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """Outcomes of one question by sample, in order: the first answer of each, then what went on with it."""
    by_index: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        by_index.setdefault(outcome.request.sampling.index, []).append(outcome)
    return [by_index[index] for index in sorted(by_index)]


def joined(parts: Sequence[Reply]) -> Reply:
    """An answer and what went on with it, as one."""
    first = parts[0]
    for part in parts[1:]:
        first = _joined(first, part)
    return first


def _joined(start: Reply, rest: Reply) -> Reply:
    reasoning, response = rest.reasoning, rest.response
    if start.response:
        reasoning, response = start.reasoning, start.response + reasoning + response
    elif start.reasoning and not reasoning and rest.finish == "length":
        reasoning, response = start.reasoning + response, ""  # cut again before the reasoning was closed
    else:
        reasoning = start.reasoning + reasoning
    finish: Finish = rest.finish
    return replace(
        start,
        reasoning=reasoning,
        response=response,
        finish=finish,
        tokens_in=_sum(start.tokens_in, rest.tokens_in),
        tokens_out=_sum(start.tokens_out, rest.tokens_out),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
