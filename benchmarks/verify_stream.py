"""`reasonry verify` on a large file: rows per second, and that memory does not grow with the file.

    .venv/bin/python benchmarks/verify_stream.py --rows 1000000

Makes a seeded file of realistic rows (short answers as in GSM8K, LaTeX, whole responses with reasoning, one row in
100,000 that uses up its limits), runs the real command on it, and samples the resident memory of the command and its
workers from /proc (Linux only). No two rows are the same unless --repeat says so. Exit 1 where the largest memory of
the run's last quarter exceeds that of its first by more than --growth-mb, or where a row's verdict is missing.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOSTILE_EVERY = 100_000
PAGE_KB = 4
WORDS = ("so", "we", "add", "the", "first", "number", "to", "the", "second", "then", "check", "each", "step", "again")


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        source, out = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        write_rows(source, options.rows, options.seed, options.repeat)
        print(f"{options.rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB", flush=True)
        run = run_verify(source, out, options)
        found = statuses(out)
    growth = report(run, options.rows, found)
    failed = run.returncode != 0 or sum(found.values()) != options.rows
    return 1 if failed or growth > options.growth_mb else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=5.0, help="CPU seconds per row")
    parser.add_argument("--repeat", type=float, default=0.0, help="share of rows that repeat an earlier one")
    parser.add_argument("--growth-mb", type=float, default=32.0)
    parser.add_argument("--folder", type=Path, help="where the files go (default: the system's temporary folder)")
    return parser.parse_args()


def write_rows(path: Path, rows: int, seed: int, repeat: float) -> None:
    generator = random.Random(seed)
    recent: list[dict[str, Any]] = []
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            if recent and generator.random() < repeat:
                row = {**generator.choice(recent), "id": number}
            else:
                row = made_row(generator, number)
                recent = [*recent[-99:], row] if repeat else []
            file.write(json.dumps(row) + "\n")


def made_row(generator: random.Random, number: int) -> dict[str, Any]:
    """One row. `number` stands in its response, so that no two are the same."""
    if number % HOSTILE_EVERY == HOSTILE_EVERY // 2:
        power = f"(a+b+c+d+e)^{{{40 + number % 7}}}"
        return {"id": number, "answer": "1", "response": rf"\boxed{{{power} + {number}}}"}
    kind = generator.choices(("short", "latex", "long"), (70, 20, 10))[0]
    return {"id": number, **{"short": _short, "latex": _latex, "long": _long}[kind](generator, number)}


def _short(generator: random.Random, number: int) -> dict[str, str]:
    """As in GSM8K: a sentence or two, then the number."""
    a, b = generator.randint(2, 900), generator.randint(2, 900)
    right = a + b if generator.random() < 0.7 else a + b + 1
    ending = generator.choice((f"#### {right}", f"The answer is {right}.", f"So \\boxed{{{right}}}."))
    return {"answer": str(a + b), "response": f"Box {number} holds {a} + {b} = {a + b} coins.\n{ending}"}


def _latex(generator: random.Random, number: int) -> dict[str, str]:
    top, bottom = generator.randint(1, 99), generator.randint(2, 99)
    written = generator.choice((rf"\frac{{{top}}}{{{bottom}}}", rf"\dfrac{{{2 * top}}}{{{2 * bottom}}}"))
    return {"answer": rf"\frac{{{top}}}{{{bottom}}}", "response": rf"For n = {number}: $x = \boxed{{{written}}}$"}


def _long(generator: random.Random, number: int) -> dict[str, str]:
    """A whole response with its reasoning, of about 2,000 characters."""
    row = _short(generator, number)
    thoughts = " ".join(generator.choices(WORDS, k=400))
    return {**row, "response": f"<think>\n{thoughts}\n</think>\n\n{row['response']}"}


@dataclass(slots=True)
class Run:
    """What was seen of a run. `cpu_s` is of the command and its workers.

    A sample is the resident memory in MB of the command, and of its workers together.
    """

    returncode: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    samples: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])


def run_verify(source: Path, out: Path, options: argparse.Namespace) -> Run:
    limits = ["--workers", str(options.workers), "--timeout", str(options.timeout)]
    command = [sys.executable, "-m", "reasonry", "verify", str(source), "-o", str(out), *limits]
    run, start = Run(), time.monotonic()
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            run.samples.append((resident_mb(process.pid), sum(map(resident_mb, children(process.pid)))))
            time.sleep(1.0)
    run.seconds, run.returncode = time.monotonic() - start, process.returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    run.cpu_s = used.ru_utime + used.ru_stime
    return run


def resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KB / 1024
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def children(pid: int) -> Iterator[int]:
    try:
        yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        return


def statuses(out: Path) -> Counter[str]:
    """How many verdicts there are of each status. Their ids must count up from 0."""
    found = Counter[str]()
    with out.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            row = json.loads(line)
            if row["id"] != number:
                raise SystemExit(f"verdict {number} is that of row {row['id']}")
            found[row["status"]] += 1
    return found


def report(run: Run, rows: int, found: Counter[str]) -> float:
    """Print the figures; by how many MB memory grew, of the command or of its workers."""
    quarter = max(1, len(run.samples) // 4)
    print(f"{rows / run.seconds:,.0f} rows/s ({run.seconds:.1f} s); {dict(found)}")
    print(f"{run.cpu_s / rows * 1e6:.0f} microseconds of processor time for a row, in all processes")
    growth = 0.0
    for at, who in enumerate(("command", "workers")):
        first = max(sample[at] for sample in run.samples[:quarter])
        last = max(sample[at] for sample in run.samples[-quarter:])
        growth = max(growth, last - first)
        print(f"memory of the {who}: {first:.0f} MB in the first quarter, {last:.0f} MB in the last")
    return growth


if __name__ == "__main__":
    sys.exit(main())
