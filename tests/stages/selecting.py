"""Questions with samples and verdicts, and what the rules of a select section make of them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reasonry.console import Console
from reasonry.ledger import Ledger
from reasonry.sections import SelectSection, VerifySection
from reasonry.stages.context import StageContext
from reasonry.stages.select import select
from reasonry.stages.selecting.fates import Fate
from reasonry.stages.selecting.line import SelectLine
from reasonry.store import Manifest, Store
from reasonry.types import Candidate, Drop, Example, Question, Status, Trace, Verdict, VerdictRow


@dataclass(frozen=True, slots=True)
class Sample:
    """One trace and its verdict. `tokens` and `characters` are its lengths."""

    status: Status = Status.CORRECT
    extracted: str | None = "7"
    tokens: int | None = None
    characters: int = 10
    teacher: str = "teacher"
    finish: str = "stop"
    verifier: str = "math@3"
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])


RIGHT, WRONG = Sample(), Sample(Status.INCORRECT, "8")
UNPARSED, FAILED = Sample(Status.UNPARSED, None), Sample(Status.ERROR, None)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and its samples."""

    samples: Sequence[Sample] = (RIGHT,)
    domain: str = "math"
    source: str = "a"
    license: str = "MIT"
    difficulty: Any = None


@dataclass(slots=True)
class Selected:
    """What became of all traces: in order, with the figures and the remarks."""

    fates: list[Fate]
    metrics: Mapping[str, Any]
    remarks: list[str]
    candidates: list[Candidate]

    @property
    def standing(self) -> list[Fate]:
        return [fate for fate in self.fates if fate.is_standing]

    @property
    def drops(self) -> list[Drop]:
        return [fate.drop for fate in self.fates if fate.drop is not None]

    @property
    def rules(self) -> list[str]:
        return [drop.rule for drop in self.drops]

    @property
    def kept(self) -> list[tuple[int, int]]:
        """The numbers of the questions and samples that stay."""
        return [place_of(fate.candidate) for fate in self.standing]

    @property
    def because(self) -> list[str]:
        return [", ".join(fate.because) for fate in self.standing]

    @property
    def groups(self) -> dict[str, dict[str, Any]]:
        """The lines of the mixing table, by `outer / inner`."""
        return {" / ".join(line["group"]): line for line in self.metrics["mix"]["groups"]}

    def figures(self, name: str) -> dict[str, Any]:
        """One column of the mixing table."""
        return {group: line[name] for group, line in self.groups.items()}


def place_of(candidate: Candidate) -> tuple[int, int]:
    """The number of a candidate's question, and of the sample."""
    return int(candidate.question.prompt.split()[-1]), candidate.trace.index


def selected(asked: Sequence[Asked], **section: Any) -> Selected:
    """Let the rules of a section, as a recipe gives it, decide on all samples."""
    return selected_from(candidates_of(asked), len(asked), **section)


def selected_from(rows: list[Candidate], questions: int, **section: Any) -> Selected:
    """Let the rules decide on these candidates, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        line = SelectLine(SelectSection.model_validate({"seed": 1, **section}), lambda: rows, Path(folder))
        fates = list(line.fates())
    return Selected(fates, line.metrics(questions), list(line.remarks()), rows)


def candidates_of(asked: Sequence[Asked]) -> list[Candidate]:
    """The candidates in the order of the tables."""
    questions, traces, verdicts = rows_of(asked)
    by_id = {question.id: question for question in questions}
    return [Candidate(by_id[t.question_id], t, v) for t, v in zip(traces, verdicts, strict=True)]


def rows_of(asked: Sequence[Asked]) -> tuple[list[Question], list[Trace], list[VerdictRow]]:
    """The rows that stand in the tables before select."""
    questions = [_question(number, one) for number, one in enumerate(asked)]
    traces: list[Trace] = []
    verdicts: list[VerdictRow] = []
    for question, one in zip(questions, asked, strict=True):
        for index, sample in enumerate(one.samples):
            text = "x" * sample.characters
            trace = Trace(question.id, index, "", text, sample.teacher, sample.finish, tokens_out=sample.tokens)  # type: ignore[arg-type]
            verdict = Verdict(sample.status, sample.verifier, sample.extracted, evidence=sample.evidence)
            traces.append(trace)
            verdicts.append(VerdictRow.of(trace.id, question.id, verdict))
    return questions, traces, verdicts


def _question(number: int, asked: Asked) -> Question:
    meta = {} if asked.difficulty is None else {"difficulty": asked.difficulty}
    return Question(
        f"question {number}", "7", "math", domain=asked.domain, source=asked.source, license=asked.license, meta=meta
    )


@dataclass(frozen=True, slots=True)
class Sealed:
    """The table that the stage wrote, and what it warned of."""

    store: Store
    manifest: Manifest
    warnings: list[str]

    @property
    def examples(self) -> list[Example]:
        return list(self.store.rows(self.manifest, Example))

    @property
    def drops(self) -> list[Drop]:
        return list(self.store.drops(self.manifest))


class _Listening(Console):
    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def sealed(folder: Path, asked: Sequence[Asked], **section: Any) -> Sealed:
    """Run the stage on tables in a folder."""
    questions, traces, verdicts = rows_of(asked)
    store = Store(folder)
    upstream = {
        "curate": _sealed(store, "curate", Question, questions),
        "distil": _sealed(store, "distil", Trace, traces),
        "verify": _sealed(store, "verify", VerdictRow, verdicts),
    }
    console = _Listening()
    context = StageContext(
        store=store,
        upstream=upstream,
        console=console,
        open_ledger=lambda: Ledger(folder / "ledger.sqlite"),
        workers=1,
        budget=None,
        verify=VerifySection(),
        name="test",
        run_id="test-0",
        recipe_text="",
        overrides=(),
        folder=folder,
    )
    with store.write("select", "key", Example) as writer:
        options = SelectSection.model_validate({"seed": 1, **section})
        result = select(options, context, writer)
        manifest = writer.seal(
            section=options.key_content(), parts=[], inputs={}, rows_in=result.rows_in, metrics=result.metrics
        )
    return Sealed(store, manifest, console.warnings)


def _sealed(store: Store, stage: str, row_type: type[Any], rows: Sequence[Any]) -> Manifest:
    with store.write(stage, "key", row_type) as writer:
        for row in rows:
            writer.append(row)
        return writer.seal(section={}, parts=[], inputs={}, rows_in=len(rows))
