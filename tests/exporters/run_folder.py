"""A small whole run on disk, written with the real store: nasty text, every status, drops at every stage."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reasonry.exporters.contract import PublishedFile, Publishing
from reasonry.exporters.hub import hub
from reasonry.exporters.llamafactory import alpaca, sharegpt
from reasonry.identity import digest
from reasonry.sections import PublishSection
from reasonry.stats import wilson
from reasonry.store import Manifest, Store
from reasonry.types import (
    Completion,
    Drop,
    Example,
    Message,
    Question,
    Status,
    Trace,
    TrainStep,
    VerdictRow,
    conversation,
    whole_text,
    with_origin,
)

ALL_STAGES = ("collect", "curate", "distil", "verify", "select", "publish", "train", "evaluate")
SCRIPT = "<script>alert('pwned')</script>"
RECIPE = f"""name = "nasty"
seed = 7

[[questions]]
source = "jsonl"          # with ``` a fence, {SCRIPT} and {{{{ braces }}}}
path = "nasty.jsonl"
prompt = \'\'\'$\\frac{{1}}{{2}}$\'\'\'
"""
PROMPTS = (
    "What is 12 + 30?",
    f"{SCRIPT}<img src=x onerror=alert(1)> What is 2 + 2?",
    "Solve $\\frac{1}{2} x = \\sqrt{9}$ for $x$, where \\(x \\in \\mathbb{R}\\) & x < 10.",
    "ما هو مجموع ٢ و ٣؟ \u202eevil\u202c",
    "Control \x01\x02\x1b[31mred\x1b[0m\x0b\x0c\x85\u2028 characters: 1 + 1?",
    "Long: " + "add one, then " * 3_000 + "what is the sum?",
    '| a | table | `code` **bold** {{ 7 * 7 }} {% raw %} --> ]]> "><svg onload=alert(1)> #1 [x](javascript:alert(1))',
    "日本語の問題：三足す四は？ 🧮",
)
DOMAINS = ("math", "logic", "<b onmouseover=alert(1)>evil|domain</b>")
TEACHERS = ("teacher-a", "priceless <i>teacher</i>")
STUDENTS = ("steps", "answers-only")


@dataclass(slots=True)
class RunFolder:
    """A run folder being written, a stage at a time."""

    folder: Path
    samples: int = 3
    prompts: Sequence[str] = PROMPTS
    manifests: dict[str, Manifest] = field(default_factory=dict[str, Manifest])
    """By stage, and for train and evaluate by stage and label."""

    @property
    def store(self) -> Store:
        return Store(self.folder / "tables")

    def seal(
        self,
        stage: str,
        row_type: type[Any],
        rows: Sequence[Any],
        drops: Sequence[Drop] = (),
        *,
        label: str = "",
        **facts: Any,
    ) -> Manifest:
        key = digest("stage", stage, label)
        with self.store.write(stage, key, row_type) as writer:
            for row in rows:
                writer.append(row)
            for drop in drops:
                writer.drop(drop)
            inputs = {name: manifest.key for name, manifest in self.manifests.items() if not manifest.label}
            manifest = writer.seal(
                section=facts.pop("section", {"of": stage}),
                parts=[f"{stage}@1"],
                inputs=inputs,
                rows_in=facts.pop("rows_in", len(rows) + len(drops)),
                label=label,
                **facts,
            )
        self.manifests[f"{stage}:{label}" if label else stage] = manifest
        return manifest

    def publishing(self, formats: Sequence[str] = ("hub", "sharegpt", "alpaca"), **section: Any) -> Publishing:
        upstream = {name: self.manifests[name] for name in ALL_STAGES[:5] if name in self.manifests}
        return Publishing(
            store=self.store,
            manifests=upstream,
            section=PublishSection(formats=list(formats), **section),
            name="nasty",
            run_id="nasty-01234567",
            recipe_text=RECIPE,
        )

    def rows(self, stage: str, row_type: type[Any]) -> list[Any]:
        return list(self.store.rows(self.manifests[stage], row_type))

    def drops(self, stage: str) -> list[Drop]:
        return list(self.store.drops(self.manifests[stage]))


def build_run(
    folder: Path, stages: Sequence[str] = ALL_STAGES, *, samples: int = 3, prompts: Sequence[str] = PROMPTS
) -> RunFolder:
    """Write the run folder, with the stages named."""
    folder.mkdir(parents=True, exist_ok=True)
    run = RunFolder(folder, samples, prompts)
    writers = {
        "collect": _collect,
        "curate": _curate,
        "distil": _distil,
        "verify": _verify,
        "select": _select,
        "publish": _publish,
        "train": _train,
        "evaluate": _evaluate,
    }
    for stage in stages:
        writers[stage](run)
    _write_run(run)
    return run


def _question(prompt: str, row: int) -> Question:
    origin = {"file": "nasty.jsonl", "row": row, "sha256": "ab" * 32}
    return Question(
        prompt=prompt,
        answer=None if row % 5 == 4 else str(row),
        verifier="math",
        domain=DOMAINS[row % len(DOMAINS)],
        source=("nasty.jsonl", "other.csv")[row % 2],
        license=("MIT", "CC-BY-4.0")[row % 2],
        meta=with_origin({}, origin),
    )


def _collect(run: RunFolder) -> None:
    questions = [_question(prompt, row) for row, prompt in enumerate(run.prompts)]
    drops = [
        Drop("nasty.jsonl:97", "collect", "no_prompt", "the row has no 'prompt'", content='{"q": "' + SCRIPT + '"}'),
        Drop("nasty.jsonl:98", "collect", "not_json", "expected a value at column 3", content="{,\x00}"),
        Drop("nasty.jsonl:99", "collect", "same_question", "the same as row 0", other_id=questions[0].id),
    ]
    sources = [{"name": "nasty.jsonl", "digest": "ab" * 32, "bytes": 12345}]
    run.seal("collect", Question, questions, drops, sources=sources, metrics={"questions": len(questions)})


def _curate(run: RunFolder) -> None:
    questions = run.rows("collect", Question)
    kept, dropped = questions[:-1], questions[-1]
    drop = Drop(dropped.id, "curate", "decontaminate", f"13-gram shared with {SCRIPT}", other_id="bench:3")
    section = {"curate": {"decontaminate": None}, "kept_out": []}
    run.seal("curate", Question, kept, [drop], section=section, metrics={"questions": len(kept)})


def _distil(run: RunFolder) -> None:
    traces = list(_traces(run))
    question = run.rows("curate", Question)[0]
    drops = [Drop(f"{question.id}#{run.samples}", "distil", "unanswered", "endpoint: 500 after 8 tries")]
    metrics = {
        "requests": len(traces) + 1,
        "answered": len(traces),
        "unanswered": 1,
        "from_ledger": 4,
        "tokens_in": sum(trace.tokens_in or 0 for trace in traces),
        "tokens_out": sum(trace.tokens_out or 0 for trace in traces),
        "cost_usd": None,
    }
    run.seal("distil", Trace, traces, drops, rows_in=len(traces) + 1, metrics=metrics, section={"samples": run.samples})


def _traces(run: RunFolder) -> Iterator[Trace]:
    for row, question in enumerate(run.rows("curate", Question)):
        for index in range(run.samples):
            teacher = TEACHERS[(row + index) % 2]
            priced = teacher == TEACHERS[0]
            yield Trace(
                question_id=question.id,
                index=index,
                reasoning=f"Read {question.prompt[:60]}.\nThen: {SCRIPT}</think> \\boxed{{{row}}}\n" * (row + 1),
                response=f"<think>not a tag</think> The answer is \\boxed{{{row}}}. </pre><iframe src='//evil.test'>",
                teacher=teacher,
                finish="length" if index == 2 else "stop",
                tokens_in=20 + row,
                tokens_out=100 * (index + 1),
                cost_usd=0.0005 if priced else None,
                ledger_key=f"r-{row}-{index}",
            )


def _verify(run: RunFolder) -> None:
    statuses = [Status.CORRECT, Status.CORRECT, *Status]
    verdicts = [
        VerdictRow(
            trace_id=trace.id,
            question_id=trace.question_id,
            status=statuses[row % len(statuses)],
            verifier="math@1",
            extracted=None if statuses[row % len(statuses)] is Status.UNPARSED else f"{row} {SCRIPT}",
            detail=f"compared <b>{row}</b>",
            evidence={"row": row, "html": SCRIPT},
            seconds=0.01,
        )
        for row, trace in enumerate(run.rows("distil", Trace))
    ]
    run.seal("verify", VerdictRow, verdicts, metrics=_verify_metrics(run, verdicts))


def _verify_metrics(run: RunFolder, verdicts: Sequence[VerdictRow]) -> dict[str, Any]:
    domains = {question.id: question.domain for question in run.rows("curate", Question)}
    by_domain: dict[str, Counter[str]] = {}
    by_teacher: dict[str, Counter[str]] = {}
    for trace, verdict in zip(run.rows("distil", Trace), verdicts, strict=True):
        by_domain.setdefault(domains[verdict.question_id], Counter())[verdict.status.value] += 1
        by_teacher.setdefault(trace.teacher, Counter())[verdict.status.value] += 1
    counts = Counter(verdict.status.value for verdict in verdicts)
    scored = sum(counts[status.value] for status in Status if status.score is not None)
    metrics: dict[str, Any] = {"rows": len(verdicts), **{status.value: counts[status.value] for status in Status}}
    if scored:
        rate = wilson(counts["correct"], scored)
        metrics |= {"correct_rate": rate.estimate, "correct_rate_low": rate.low, "correct_rate_high": rate.high}
    return metrics | {"scored": scored, "by_domain": _plain(by_domain), "by_teacher": _plain(by_teacher)}


def _plain(counts: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {name: dict(counter) for name, counter in sorted(counts.items())}


def _select(run: RunFolder) -> None:
    questions = {question.id: question for question in run.rows("curate", Question)}
    examples: list[Example] = []
    drops: list[Drop] = []
    for trace, verdict in zip(run.rows("distil", Trace), run.rows("verify", VerdictRow), strict=True):
        if verdict.status is not Status.CORRECT:
            drops.append(Drop(trace.id, "select", f"not_correct_{verdict.status}", verdict.detail))
        elif any(example.question_id == trace.question_id for example in examples):
            drops.append(Drop(trace.id, "select", "per_question", "1 is kept already", other_id=examples[-1].id))
        else:
            answer = Message("assistant", whole_text(trace.reasoning, trace.response, trace.finish))
            system = "Think, then answer." if len(examples) % 2 else None
            messages = (*conversation(questions[trace.question_id].prompt, system), answer)
            examples.append(Example(messages, trace.question_id, trace.id, verdict.id, "correct by math@1"))
    run.seal("select", Example, examples, drops, section={"keep": "correct"}, metrics={"examples": len(examples)})


def _publish(run: RunFolder) -> None:
    publishing = run.publishing()
    files = [f for export in (hub, sharegpt, alpaca) for f in export(publishing, run.folder / "dataset").files]
    run.seal("publish", PublishedFile, files, rows_in=run.manifests["select"].rows_out, metrics={"files": len(files)})


def _train(run: RunFolder) -> None:
    for number, student in enumerate(STUDENTS):
        steps = [
            TrainStep(step, 3.2 * math.exp(-step / (60 + 90 * number)) + 0.05 * (step % 7) / 7, 5e-3, 900, 0.02)
            for step in range(1, 501)
        ]
        metrics = {
            "student": student,
            "parameters": 108_000,
            "final_loss": steps[-1].loss,
            "target": ("trace", "answer")[number],
            "rows": 16_000,
            "examples": run.manifests["select"].rows_out,
            "seconds": 21.5,
        }
        run.seal("train", TrainStep, steps, label=student, rows_in=7, metrics=metrics)


def _evaluate(run: RunFolder) -> None:
    right = {"steps": 37, "steps/untrained": 0, "answers-only": 9, "answers-only/untrained": 0}
    for name, correct in right.items():
        rows = [_completion(name, row, is_right=row < correct) for row in range(40)]
        share = wilson(correct, 39)
        metrics = {
            "student": name.removesuffix("/untrained"),
            "benchmark": "heldout",
            "untrained": name.endswith("/untrained"),
            "n": 39,
            "accuracy": share.estimate,
            "low": share.low,
            "high": share.high,
            "interval": "wilson",
            "statuses": dict(Counter(row.status.value for row in rows)),
            "truncated_rate": 0.025,
            "conditions": {"samples": 1, "temperature": 0.0, "max_tokens": 128, "limit": None},
        }
        run.seal("evaluate", Completion, rows, label=f"heldout/{name}", metrics=metrics)


def _completion(student: str, row: int, *, is_right: bool) -> Completion:
    status = Status.ERROR if row == 39 else Status.CORRECT if is_right else Status.INCORRECT
    return Completion(
        student=student,
        benchmark="heldout",
        question_id=f"q-held-out-{row}",
        index=0,
        prompt=f"12 + {row} + {SCRIPT}",
        answer=str(12 + row),
        domain="chain_sum",
        response=f"12 + {row} = {12 + row}\n\\boxed{{{12 + row}}}{SCRIPT}",
        finish="stop",
        status=status,
        verifier="steps@1",
        extracted=str(12 + row),
        detail="every step holds" if is_right else "step 2 is wrong",
    )


def _write_run(run: RunFolder) -> None:
    manifests = list(run.manifests.values())
    rate = run.manifests["verify"].metrics.get("correct_rate") if "verify" in run.manifests else None
    names = ("benchmark", "student", "untrained", "n", "accuracy", "low", "high")
    facts = {
        "schema": 1,
        "run": "nasty-01234567",
        "name": "nasty",
        "digest": digest("run", [manifest.digest for manifest in manifests]),
        "recipe_digest": digest("recipe", RECIPE),
        "status": "gate_missed",
        "stages": [_outcome(manifest) for manifest in manifests],
        "scores": [{n: m.metrics[n] for n in names} for m in manifests if m.stage == "evaluate"],
        "gates": [
            {
                "metric": "verify.correct_rate",
                "value": rate,
                "min": 0.5,
                "max": None,
                "passed": rate is not None,
                "detail": "",
            },
            {
                "metric": "evaluate.heldout/nobody.accuracy",
                "value": None,
                "min": 0.9,
                "max": None,
                "passed": False,
                "detail": f"no figure {SCRIPT}",
            },
        ],
        "started_at": 1_700_000_000.0,
        "seconds": 93.25,
    }
    (run.folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    (run.folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    lock = {"schema": 1, "recipe": facts["recipe_digest"], "values": {"seed": {"value": 7, "origin": "recipe:2"}}}
    (run.folder / "recipe.lock.json").write_text(json.dumps(lock), encoding="utf-8")


def _outcome(manifest: Manifest) -> dict[str, Any]:
    return {
        "stage": manifest.stage,
        "label": manifest.label,
        "key": manifest.key,
        "digest": manifest.digest,
        "cached": manifest.stage == "collect",
        "rows_in": manifest.rows_in,
        "rows_out": manifest.rows_out,
        "dropped": dict(manifest.dropped),
        "cost_usd": manifest.cost_usd,
        "seconds": 1.5,
    }
