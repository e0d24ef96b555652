"""`reasonry verify` on a very long file: rows per second, and that memory does not grow with the file.

    python -m benchmarks.verify_stream                        # 10,000,000 rows
    python -m benchmarks.verify_stream --rows 1000000 --repeat 0.8 --pipe

Makes seeded, realistic rows (short answers as in GSM8K, LaTeX, whole responses with reasoning, one unusable row in
10,000, one row in 100,000 with an expression that is large once it is multiplied out), runs the real command on them,
and samples the resident memory of the command and its workers from /proc (Linux only). No two rows are the same unless
--repeat says so. Exit 1 where the largest memory of the run's last quarter exceeds that of its first by more than
--growth-mb, or where a row's verdict is missing, doubled or out of its place.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

HOSTILE_EVERY = 100_000
UNUSABLE_EVERY = 10_000
PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1024
TICKS = os.sysconf("SC_CLK_TCK")
WORDS = ("so", "we", "add", "the", "first", "number", "to", "the", "second", "then", "check", "each", "step", "again")


def main() -> int:
    options = _options()
    lines = made_lines(options.rows, options.seed, options.repeat)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        source, out = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        if options.pipe:
            run = run_verify("-", out, options, lines)
        else:
            with source.open("w", encoding="utf-8") as file:
                file.writelines(lines)
            print(f"{options.rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB", flush=True)
            run = run_verify(str(source), out, options)
        found = statuses(out) if run.returncode == 0 else Counter[str]()
    growth = report(run, options.rows, found)
    failed = run.returncode != 0 or sum(found.values()) != options.rows
    return 1 if failed or growth > options.growth_mb else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=5.0, help="CPU seconds per row")
    parser.add_argument("--repeat", type=float, default=0.0, help="share of rows that repeat an earlier one")
    parser.add_argument("--pipe", action="store_true", help="rows go to `reasonry verify -`, without a file")
    parser.add_argument("--growth-mb", type=float, default=32.0)
    parser.add_argument("--folder", type=Path, help="where the files go (default: the system's temporary folder)")
    return parser.parse_args()


def made_lines(rows: int, seed: int, repeat: float) -> Iterator[str]:
    """The lines of the file. Every UNUSABLE_EVERY-th cannot be read; each other has its number for an id."""
    generator = random.Random(seed)
    recent: list[dict[str, Any]] = []
    for number in range(rows):
        if number % UNUSABLE_EVERY == UNUSABLE_EVERY // 4:
            yield '{"id": broken\n'
            continue
        if recent and generator.random() < repeat:
            row = {**generator.choice(recent), "id": number}
        else:
            row = made_row(generator, number)
            recent = [*recent[-99:], row] if repeat else []
        yield json.dumps(row) + "\n"


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
    """What was seen of a run. A sample is the resident memory in MB of the command, and of its workers together."""

    returncode: int = 0
    seconds: float = 0.0
    command_cpu_s: float = 0.0
    workers_cpu_s: float = 0.0
    samples: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])


def run_verify(source: str, out: Path, options: argparse.Namespace, lines: Iterator[str] | None = None) -> Run:
    """Run the command to its end, fed with `lines` where its source is stdin."""
    limits = ["--workers", str(options.workers), "--timeout", str(options.timeout)]
    command = [sys.executable, "-m", "reasonry", "verify", source, "-o", str(out), *limits]
    run, start = Run(), time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.PIPE if lines else None, text=True) as process:
        if lines and process.stdin:
            threading.Thread(target=_feed, args=(process.stdin, lines), daemon=True).start()
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            run.samples.append((resident_mb(process.pid), sum(map(resident_mb, children(process.pid)))))
            time.sleep(1.0)
        run.command_cpu_s, run.workers_cpu_s = cpu_s(process.pid)  # not waited for yet: its figures are still there
    run.seconds, run.returncode = time.monotonic() - start, process.returncode
    return run


def _feed(pipe: IO[str], lines: Iterator[str]) -> None:
    with pipe:
        pipe.writelines(lines)


def cpu_s(pid: int) -> tuple[float, float]:
    """The processor time of a process, and of the children that it waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / TICKS, sum(map(int, fields[13:15])) / TICKS


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
    """How many verdicts there are of each status. Their ids must count up from 0, but for unusable rows."""
    found = Counter[str]()
    with out.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            row = json.loads(line)
            if row["id"] != (None if number % UNUSABLE_EVERY == UNUSABLE_EVERY // 4 else number):
                raise SystemExit(f"verdict {number} is that of row {row['id']}")
            found[row["status"]] += 1
    return found


def report(run: Run, rows: int, found: Counter[str]) -> float:
    """Print the figures; by how many MB memory grew, of the command or of its workers."""
    samples = [sample for sample in run.samples if sample[1]] or [(0.0, 0.0)]  # while there were workers
    quarter = max(1, len(samples) // 4)
    print(f"{rows / run.seconds:,.0f} rows/s ({run.seconds:.1f} s); {dict(found)}")
    command, workers = (1e6 * seconds / rows for seconds in (run.command_cpu_s, run.workers_cpu_s))
    print(f"microseconds of processor time for a row: {command:.1f} of the command, {workers:.1f} of its workers")
    growth = 0.0
    for at, who in enumerate(("command", "workers")):
        first = max(sample[at] for sample in samples[:quarter])
        last = max(sample[at] for sample in samples[-quarter:])
        growth = max(growth, last - first)
        print(f"memory of the {who}: {first:.0f} MB in the first quarter, {last:.0f} MB in the last")
    return growth


if __name__ == "__main__":
    sys.exit(main())
