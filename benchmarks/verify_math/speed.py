"""Pairs for each second of CPU time: ours beside the peers, on the same pairs, and whole responses."""

from __future__ import annotations

import gc
import math
import random
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.verify_math.caches import clear_caches, without_caches
from benchmarks.verify_math.data import LABELLED, UNLABELLED, Pair, pairs_of, rows_of
from benchmarks.verify_math.peers import Grader
from benchmarks.verify_math.tree import helpers_cpu_s
from reasonry.registry import find, run_verifier
from reasonry.types import Question
from reasonry.verifiers.math import judge
from reasonry.verifiers.warm import warm_up

__all__ = [
    "ABSOLUTE",
    "FILES",
    "Speed",
    "failures",
    "mixture",
    "our_speeds",
    "peer_speed",
    "responses",
    "timed",
]

FILES = (*UNLABELLED, *LABELLED)
LARGE = ("zeroeval_gsm", "openai_gsm8k", "zeroeval_mathl5", "adj_odyssey")  # most of the mixture: a larger sample
RIVAL = "math-verify"
LEAST_RATIO, LEAST_RATIO_OF_ONE = 100.0, 50.0  # of the mixture, and of each file
ABSOLUTE = {"zeroeval_gsm": 15_000.0, "openai_gsm8k": 15_000.0, "zeroeval_mathl5": 9_000.0}  # pairs per CPU-second
RESPONSES_PER_S = 12_000.0
SLOWEST_MS = 5.0  # of the 99th percentile
ROUNDS = 3
WAITED_S = 0.002  # wall time beyond the CPU time from which a helper is suspected
RECORDED = ("zeroeval_gsm8k", "zeroeval_math_l5", "odyssey_math", "qwen_math_example", "gsm8k_openai_2021")
SIZES = range(1_000, 1_401)  # characters of a whole response


@dataclass(slots=True)
class Speed:
    """CPU seconds of each pair, in order, the work of helper processes included; and how often each pair occurred."""

    seconds: list[float] = field(default_factory=list[float])
    counts: list[int] = field(default_factory=list[int])
    helped: list[int] = field(default_factory=list[int])
    """The places of pairs for which a helper worked."""

    @property
    def total_s(self) -> float:
        return math.fsum(self.seconds)

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.total_s

    @property
    def p99_ms(self) -> float:
        return 1e3 * sorted(self.seconds)[min(len(self.seconds) - 1, math.ceil(0.99 * len(self.seconds)))]

    @property
    def mean_s(self) -> float:
        """Seconds of a pair, each weighted by how often it occurred."""
        return math.fsum(s * c for s, c in zip(self.seconds, self.counts, strict=True)) / sum(self.counts)

    def of(self, places: Sequence[int]) -> Speed:
        """Only the pairs at these places."""
        return Speed([self.seconds[i] for i in places], [self.counts[i] for i in places])


def distinct(data: Path, file: str) -> list[Pair]:
    """The pairs of a file, each once."""
    return list({(pair.answer, pair.response): pair for pair in pairs_of(data, file)}.values())


def sample_places(file: str, total: int, size: int) -> list[int]:
    """The places of a seeded sample, for graders that are too slow for all pairs."""
    return sorted(random.Random(f"speed {file}").sample(range(total), min(size, total)))


def our_speeds(pairs: Sequence[Pair], *, caches: bool) -> Speed:
    """Our comparison on bare pairs, without any cache, or with the caches as they are and empty at first."""
    calls = [_call(judge, pair.answer, pair.response) for pair in pairs]
    speed = _best(calls, caches=caches)
    speed.counts = [pair.count for pair in pairs]
    return speed


def _call(function: Callable[..., object], *arguments: object) -> Callable[[], object]:
    return lambda: function(*arguments)


def _best(calls: Sequence[Callable[[], object]], *, caches: bool) -> Speed:
    """The fastest of three rounds, after one that is not counted."""
    warm_up(find("verifier", "math").call)
    rounds = list[Speed]()
    for _ in range(ROUNDS + 1):
        clear_caches()
        gc.collect()
        with nullcontext() if caches else without_caches():
            rounds.append(timed(calls))
    return min(rounds[1:], key=lambda one: one.total_s)


def timed(calls: Sequence[Callable[[], object]]) -> Speed:
    """Each call's CPU time. Only where it waited can a helper have worked: then that time is added."""
    cpu, wall = time.process_time, time.perf_counter
    speed, helpers = Speed(counts=[1] * len(calls)), helpers_cpu_s()
    for i, call in enumerate(calls):
        waiting, start = wall(), cpu()
        call()
        spent = cpu() - start
        if wall() - waiting - spent > WAITED_S and (now := helpers_cpu_s()) > helpers:
            spent, helpers = spent + now - helpers, now
            speed.helped.append(i)
        speed.seconds.append(spent)
    return speed


def peer_speed(grader: Grader, pairs: Sequence[Pair], budget_s: float) -> Speed:
    """A peer on the same pairs: the fastest of three rounds, or fewer where they would take longer than `budget_s`."""
    rounds, start = list[Speed](), time.monotonic()
    while len(rounds) < ROUNDS:
        grader.clear()
        seconds = [grader.grade(pair.answer, pair.response).cpu_s for pair in pairs]
        rounds.append(Speed(seconds, [pair.count for pair in pairs]))
        if (time.monotonic() - start) * (len(rounds) + 1) / len(rounds) > budget_s:
            break
    return min(rounds, key=lambda one: one.total_s)


def mixture(speeds: dict[str, Speed], weights: dict[str, int]) -> float:
    """Pairs for each CPU second of all files together, each file weighted by its rows (or their counts)."""
    seconds = math.fsum(weights[file] * speed.mean_s for file, speed in speeds.items())
    return sum(weights[file] for file in speeds) / seconds


def responses(data: Path, most: int) -> tuple[Speed, float]:
    """Our verifier on whole recorded responses of 1.0 to 1.4 kB, by `run_verifier`. Also their mean length."""
    rows = _responses(data)
    rows = random.Random(7).sample(rows, min(most, len(rows)))
    part = find("verifier", "math")
    questions = [Question(row["question"], row["gold"], "math") for row in rows]
    asked = zip(questions, rows, strict=True)
    calls = [_call(run_verifier, part, question, row["response"]) for question, row in asked]
    length = sum(len(row["response"]) for row in rows) / len(rows)
    return _best(calls, caches=True), length


def _responses(data: Path) -> list[dict[str, Any]]:
    paths = [data / "recorded" / f"{name}.jsonl.zst" for name in RECORDED]
    rows = [row for path in paths if path.is_file() for row in rows_of(path)]
    return [row for row in rows if len(row["response"]) in SIZES and row["gold"]]


def failures(report: dict[str, Any], *, absolute: bool) -> list[str]:
    """The bars that were missed, in words."""
    missed = list[str]()
    ratios: dict[str, float] = report.get("ratios", {})
    if ratios and ratios["mixture"] < LEAST_RATIO:
        missed.append(f"mixture: {ratios['mixture']:.0f} times {RIVAL}, below {LEAST_RATIO:.0f}")
    missed += [
        f"{file}: {ratio:.0f} times {RIVAL}, below {LEAST_RATIO_OF_ONE:.0f}"
        for file, ratio in ratios.items()
        if file != "mixture" and ratio < LEAST_RATIO_OF_ONE
    ]
    for file, figures in report["ours"].items():
        if figures["p99_ms"] > SLOWEST_MS:
            missed.append(f"{file}: 99 of 100 pairs take up to {figures['p99_ms']:.1f} ms, above {SLOWEST_MS:g}")
        if absolute and figures["without_caches"] < (bar := ABSOLUTE.get(file, 0.0)):
            missed.append(f"{file}: {figures['without_caches']:.0f} pairs per CPU-second, below {bar:.0f}")
    if absolute and report["responses_per_s"] < RESPONSES_PER_S:
        missed.append(f"whole responses: {report['responses_per_s']:.0f} per CPU-second, below {RESPONSES_PER_S:.0f}")
    return missed
