"""Make a corpus: questions with planted near-duplicates and contaminations, a benchmark, traces, and the truth.

    python -m benchmarks.corpus OUT --rows 173000 --seed 7 [--trace-bytes 20000] [--no-traces] [--benchmark-rows 5000]

The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.corpus.bases import Grammar, RealPool
from benchmarks.corpus.recipe import write_recipe
from benchmarks.corpus.rows import benchmark_groups, question_groups
from benchmarks.corpus.traces import write_traces
from benchmarks.corpus.writing import Buckets, write_questions

__all__ = ["main", "make"]


def make(
    out: Path, *, rows: int, seed: int, benchmark_rows: int, real: Path | None = None, trace_bytes: int | None = None
) -> None:
    """Write a corpus into `out`, which must not exist. Without `trace_bytes` there are no traces."""
    out.mkdir(parents=True)
    pool = RealPool(real, seed) if real is not None else Grammar(seed)
    groups = itertools.chain(benchmark_groups(pool, seed, benchmark_rows, rows), question_groups(pool, seed))
    answered = Buckets(out / "traces.partial", f"traces-{seed}") if trace_bytes is not None else None
    written = write_questions(out, groups, rows, traces=answered)
    _tell(f"{written.total} questions {dict(written.rows)}, {written.benchmark} benchmark rows")
    _tell(f"{sum(written.plants.values())} planted: {dict(sorted(written.plants.items()))}")
    if answered is not None and trace_bytes is not None:
        _tell(f"traces: {dict(write_traces(out, answered.read(), seed, trace_bytes))}")
    write_recipe(out)


def _tell(text: str) -> None:
    print(f"{time.process_time():.1f} CPU-s: {text}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.corpus", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=173_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--benchmark-rows", type=int, default=5_000)
    parser.add_argument("--trace-bytes", type=int, default=20_000, help="the mean length of a trace")
    parser.add_argument("--no-traces", action="store_true")
    parser.add_argument("--real", type=Path, help="a folder of real questions, as the base pool")
    given = parser.parse_args(arguments)
    if given.out.exists():
        print(f"error: {given.out} exists\n\nhint: name a new folder", file=sys.stderr)
        return 2
    make(
        given.out,
        rows=given.rows,
        seed=given.seed,
        benchmark_rows=given.benchmark_rows,
        real=given.real,
        trace_bytes=None if given.no_traces else given.trace_bytes,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
