"""The first rules: what the verdicts say of each trace, and of its question as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from reasonry.sections import SelectSection
from reasonry.stages.selecting.difficulty import DifficultyTally, difficulty_of, level_of, misfit
from reasonry.stages.selecting.fates import Fate
from reasonry.stages.selecting.voting import SHOWN, Election
from reasonry.types import Candidate, Status

__all__ = ["judged"]


def judged(section: SelectSection, candidates: Iterable[Candidate], tally: DifficultyTally) -> Iterator[Fate]:
    """Every candidate after `keep` and `difficulty`, which look at all samples of a question together."""
    for _, samples in groupby(candidates, key=lambda candidate: candidate.trace.question_id):
        group = list(samples)
        yield from _as_hard(section, _wanted(section, group), group, tally)


def _wanted(section: SelectSection, group: Sequence[Candidate]) -> list[Fate]:
    if section.keep == "majority":
        return _elected(section, group)
    return [_by_status(section, candidate) for candidate in group]


def _by_status(section: SelectSection, candidate: Candidate) -> Fate:
    fate, trace, verdict = Fate(candidate), candidate.trace, candidate.verdict
    if section.keep == "correct" and verdict.status is not Status.CORRECT:
        return fate.dropped(f"not_correct_{verdict.status}", verdict.detail or f"verdict: {verdict.status}")
    if not trace.response and not trace.reasoning:
        return fate.dropped("empty", "the teacher wrote nothing")
    said = f"{verdict.status} by {verdict.verifier}"
    return fate.kept(said if section.keep == "correct" else f"keep = all, {said}")


def _elected(section: SelectSection, group: Sequence[Candidate]) -> list[Fate]:
    election = Election.among(group)
    return [_voted(section, Fate(c), vote, election) for c, vote in zip(group, election.votes, strict=True)]


def _voted(section: SelectSection, fate: Fate, vote: str | None, election: Election) -> Fate:
    verdict, winner = fate.candidate.verdict, election.winner
    if vote is None or winner is None:
        said = verdict.detail or f"no answer was found; verdict: {verdict.status}"
        return fate.dropped("verdict_error" if verdict.status is Status.ERROR else "no_answer", said)
    votes = f"{election.count(winner)} of {election.voters}"
    if vote != winner:
        reason = f"{election.count(vote)} of {election.voters} answer {vote:.{SHOWN}}, but {votes} {winner:.{SHOWN}}"
        return fate.dropped("not_majority", reason)
    if section.agreement is not None and election.count(winner) < section.agreement * election.voters:
        return fate.dropped("no_agreement", f"only {votes} agree, wanted {section.agreement:.0%} (select.agreement)")
    return fate.kept(f"majority: {votes} agree, {verdict.status} by {verdict.verifier}")


def _as_hard(
    section: SelectSection, fates: Sequence[Fate], group: Sequence[Candidate], tally: DifficultyTally
) -> Iterator[Fate]:
    """Those of one question after a look at how hard it is."""
    options = section.difficulty
    if options is None:
        yield from fates
        return
    difficulty = difficulty_of(options, group)
    level = level_of(options, difficulty)
    tally.add(level if options.levels else "known", difficulty)
    wrong = misfit(options, difficulty)
    for fate in fates:
        if not fate.is_standing:
            yield fate
        elif wrong is not None:
            yield fate.dropped(*wrong)
        else:
            yield fate.kept(*((difficulty.told,) if difficulty.value is not None else ()))._replace(level=level)
