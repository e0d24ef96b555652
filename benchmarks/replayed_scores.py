"""Scores replayed from recorded responses beside those that the shipped labels say; and what an evaluation costs.

```
python -m benchmarks.replayed_scores [DATA] [--workers 2] [--only PART ...] [--speed]
```

For every model of a part (see `response_parts`) its labelled answers are replayed through the same function that
`reasonry eval --replay` calls, and the score is held against the mean of the labels of the same answers. Rows whose
label or reference is wrong (`response_labels`) are in neither. A part's two scores may differ by what the verifier is
stated to err in all: 0.5 points, the bar of `response_agreement`. A single model's may differ by that or by two
answers, whichever is more. Exit code 0 where both hold, 1 where not, 2 when the data are not there.

`--speed` measures instead: `reasonry eval` of 500 questions in CPU-seconds of all its processes, with all that it
starts and imports, for recorded answers and a tiny checkpoint that has learnt to end its answers; and beside it what
importing torch and transformers takes alone. The bar (issue 7) is 10.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.response_agreement import BAR
from benchmarks.response_labels import reason_of
from benchmarks.response_parts import PARTS, Case, cases_of, find_data, path_of
from reasonry.console import Console
from reasonry.evaluating import evaluate_replay, options_from

__all__ = ["Replayed", "main", "replayed", "usable_cases"]

DEFAULT_PARTS = ("gsm8k_openai_2021", "tora_gsm8k", "zeroeval_gsm8k", "qwen_math_example", "thinking_traces_qwen3")
STATED_ERROR = (100.0 - BAR) / 100.0
FEW_ANSWERS = 2
SPEED_QUESTIONS = 500
SPEED_BAR_CPU_S = 10.0
SPEED_ROUNDS = 3  # the least of them counts: other work on the machine only ever adds
_COLUMNS = {"prompt": "prompt", "response": "response", "model": "model"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """One model's answers: how many, how many the labels call right, and what the evaluation made of them."""

    model: str
    answers: int
    labelled_right: int
    scored: int
    score: float
    errors: int
    unparsed: int

    @property
    def labelled(self) -> float:
        return self.labelled_right / self.answers

    @property
    def difference(self) -> float:
        return self.score - self.labelled

    @property
    def agrees(self) -> bool:
        return abs(self.difference) <= max(STATED_ERROR, FEW_ANSWERS / self.answers) + 1e-9  # shares are floats


def usable_cases(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """By model: the answers that have a label, to prompts with one reference."""
    labelled = [c for c in cases if c.label is not None and not reason_of(c.id, c.reference) and c.prompt.strip()]
    references = defaultdict[str, set[str]](set)
    for case in labelled:
        references[_spaced(case.prompt)].add(case.reference)
    usable = defaultdict[str, list[Case]](list)
    for case in labelled:
        if len(references[_spaced(case.prompt)]) == 1 and not case.spec:
            usable[case.model].append(case)
    return dict(usable)


def _spaced(prompt: str) -> str:
    return " ".join(prompt.split())


def replayed(model: str, cases: Sequence[Case], verifier: str, folder: Path, workers: int) -> Replayed:
    """The model's answers through the evaluation."""
    folder.mkdir(parents=True, exist_ok=True)
    questions = {_spaced(case.prompt): {"prompt": case.prompt, "answer": case.reference} for case in cases}
    answers = [{"prompt": case.prompt, "response": case.response, "model": model} for case in cases]
    asked, recorded = _written(folder / "questions.jsonl", questions.values()), _written(folder / "r.jsonl", answers)
    samples = max(Counter(_spaced(case.prompt) for case in cases).values())
    section = {"path": str(asked), "verifier": verifier, "samples": samples, "max_error_rate": 1.0}
    # A question may have been asked less often than others: what is not recorded is no answer.
    teacher = {"path": str(recorded), "model": model, "fields": _COLUMNS, "max_refused": 1.0}
    manifest = evaluate_replay(
        model,
        options_from("teacher", "replay", teacher, "teacher"),
        options_from("benchmark", "jsonl", section, "benchmark"),
        folder / "out",
        workers=workers,
        console=Console(quiet=True),
    )
    metrics = manifest.metrics
    statuses: dict[str, int] = metrics["statuses"]
    right = sum(case.label is True for case in cases)
    score = metrics.get("accuracy", 0.0)
    return Replayed(model, len(cases), right, metrics["n"], score, statuses["error"], statuses["unparsed"])


def _written(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def _total(rows: Sequence[Replayed]) -> Replayed:
    """Over all models of a part, each answer alike."""
    scored = sum(row.scored for row in rows)
    return Replayed(
        model="all",
        answers=sum(row.answers for row in rows),
        labelled_right=sum(row.labelled_right for row in rows),
        scored=scored,
        score=sum(row.score * row.scored for row in rows) / scored if scored else 0.0,
        errors=sum(row.errors for row in rows),
        unparsed=sum(row.unparsed for row in rows),
    )


def _show(part: str, row: Replayed) -> None:
    figures = f"{row.answers:>7,}{row.labelled:>9.2%}{row.score:>9.2%}{100 * row.difference:>+8.2f}"
    print(f"{part:<22}{row.model:<42}{figures}{row.unparsed:>9}{row.errors:>7}{'' if row.agrees else '  DIFFERS'}")


def show_scores(paths: dict[str, Path], workers: int) -> bool:
    """Print every model's two scores; whether all agree within the stated error."""
    print(f"{'part':<22}{'model':<42}{'answers':>7}{'labels':>9}{'eval':>9}{'points':>8}{'unparsed':>9}{'errors':>7}")
    agree = True
    for name, path in paths.items():
        with tempfile.TemporaryDirectory(prefix="replayed-") as folder:
            usable = sorted(usable_cases(cases_of(path, PARTS[name])).items())
            rows = [
                replayed(model, cases, PARTS[name].verifier, Path(folder) / str(number), workers)
                for number, (model, cases) in enumerate(usable)
            ]
        for row in (*rows, _total(rows)):
            _show(name, row)
            agree = agree and row.agrees
    return agree


# --- speed

_TRAINED = """
name = "speed"
seed = 7
[[questions]]
source = "procedural"
steps = 3
digits = 1
count = 1500
verifier = "steps"
[distil]
teacher = "simulated"
accuracy = 1.0
[[train]]
trainer = "tiny"
steps = 400
"""


_SETTINGS = [argument for one in (f"count={SPEED_QUESTIONS}", "steps=3", "digits=1") for argument in ("--set", one)]


def show_speed(data: Path) -> bool:
    """Print the CPU-seconds of both evaluations; whether both are within the bar."""
    with tempfile.TemporaryDirectory(prefix="replayed-speed-") as name:
        folder = Path(name)
        commands = {"replay": _replay_command(data, folder), "tiny checkpoint": _checkpoint_command(folder)}
        spent = {what: _least(command, folder) for what, command in commands.items()}
    for what, seconds in spent.items():
        print(f"{what:<16} {SPEED_QUESTIONS} questions  {seconds:6.2f} CPU-s  (bar {SPEED_BAR_CPU_S:g})")
    imports = min(_cpu_seconds(_imported) for _ in range(SPEED_ROUNDS))
    print(f"importing torch and transformers {imports:8.2f} CPU-s")
    return all(seconds < SPEED_BAR_CPU_S for seconds in spent.values())


def _replay_command(data: Path, folder: Path) -> list[str]:
    """One model's recorded answers to 500 questions; the recording has those of 17 more models."""
    path, part = path_of(data, PARTS["zeroeval_gsm8k"]), PARTS["zeroeval_gsm8k"]
    cases = cases_of(path, part)
    questions = {case.prompt: {"prompt": case.prompt, "answer": case.reference} for case in cases}
    asked = _written(folder / "questions.jsonl", list(questions.values())[:SPEED_QUESTIONS])
    fields = ["--ask", "fields.prompt=question", "--ask", "fields.model=model"]
    return ["eval", cases[0].model, "--benchmark", str(asked), "--set", "verifier=math", "--replay", str(path), *fields]


def _checkpoint_command(folder: Path) -> list[str]:
    (folder / "speed.toml").write_text(_TRAINED, encoding="utf-8")
    _reasonry(["run", "speed.toml", "--out", "run", "--quiet"], folder)
    (checkpoint,) = (folder / "run" / "tables" / "train").glob("*/checkpoint")
    return ["eval", str(checkpoint), "--benchmark", "procedural", *_SETTINGS]


def _cpu_seconds(work: Callable[[], None]) -> float:
    """Of all the processes that the work started and waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _least(command: Sequence[str], folder: Path) -> float:
    """Of some rounds, each into a folder of its own, since what is sealed is not done again."""
    rounds = [[*command, "--workers", "2", "--out", tempfile.mkdtemp(dir=folder)] for _ in range(SPEED_ROUNDS)]
    return min(_cpu_seconds(_evaluated(one, folder)) for one in rounds)


def _evaluated(command: Sequence[str], folder: Path) -> Callable[[], None]:
    return lambda: print(_reasonry(command, folder).splitlines()[0])


def _imported() -> None:
    program = "import torch; from transformers import AutoModelForCausalLM, AutoTokenizer"
    subprocess.run([sys.executable, "-c", program], check=True)


def _reasonry(arguments: Sequence[str], folder: Path) -> str:
    command = [sys.executable, "-m", "reasonry", *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description="Scores replayed from recorded responses beside the shipped labels")
    parser.add_argument("data", nargs="?", type=Path, default=find_data())
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(DEFAULT_PARTS), help="these parts")
    parser.add_argument("--speed", action="store_true", help="measure what an evaluation costs, and nothing else")
    arguments = parser.parse_args()
    data = arguments.data.resolve()
    paths = {name: path_of(data, PARTS[name]) for name in arguments.only}
    if missing := sorted({path.name for path in paths.values() if not path.is_file()}):
        print(f"error: no {', '.join(missing)} in {data / 'recorded'}", file=sys.stderr)
        print("\nhint: give the folder that holds recorded/ as the first argument", file=sys.stderr)
        return 2
    return 0 if (show_speed(data) if arguments.speed else show_scores(paths, arguments.workers)) else 1


if __name__ == "__main__":
    sys.exit(main())
