"""Our `math` verifier beside its peers, in one run, on the same pairs.

```
python -m benchmarks.verify_math [accuracy|speed|all] [--peers-python PATH | --install-peers] [--peers none]
```

`accuracy` grades every labelled row of `shared/data/maths` and of `verifier-cases/math_equivalence`; `speed` counts
pairs for each second of CPU time. Graders from other packages run under an interpreter of their own, which
`--install-peers` makes (in a temporary folder) and `--peers-python` names; without either, only those that our own
environment has take part. Exit code 0 when every bar is reached, 1 when one is missed, 2 when the data are not there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.verify_math import accuracy, speed, tables
from benchmarks.verify_math.accuracy import FileResult
from benchmarks.verify_math.data import LABELLED, UNLABELLED, Pair, find_data, missing, pairs_of
from benchmarks.verify_math.peers import OURS, OWN_LIBRARIES, PEERS, CannotStart, Grade, Grader, install_peers
from benchmarks.verify_math.speed import Speed

PEER_BUDGET_S = 6.0  # wall time of a peer's rounds on one file's sample


def main(arguments_given: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(arguments_given)
    if absent := missing(arguments.data, (*arguments.files, *UNLABELLED)):
        print(f"error: no {', '.join(absent)} in {arguments.data}", file=sys.stderr)
        print("\nhint: name the folder that holds maths/ and verifier-cases/ with --data", file=sys.stderr)
        return 2
    peers_python = install_peers() if arguments.install_peers else arguments.peers_python
    peers = _peers(arguments.peers, peers_python)
    missed = list[str]()
    report: dict[str, Any] = {}
    if arguments.what in ("accuracy", "all"):
        results, versions = measure_accuracy(arguments, peers, peers_python)
        tables.show_accuracy(results, versions)
        missed += accuracy.failures(results)
        report["accuracy"] = [asdict(result) for result in results]
        report["versions"] = versions
        _write_list(arguments.list, results)
    if arguments.what in ("speed", "all"):
        report["speed"] = measure_speed(arguments, peers, peers_python)
        tables.show_speed(report["speed"])
        missed += speed.failures(report["speed"], absolute=arguments.absolute)
    for line in missed:
        print(f"MISSED  {line}")
    if arguments.json:
        arguments.json.write_text(json.dumps({**report, "missed": missed}, indent=1) + "\n", encoding="utf-8")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verify_math", description="The math verifier's peers")
    parser.add_argument("what", nargs="?", choices=("accuracy", "speed", "all"), default="all")
    parser.add_argument("--data", type=Path, default=find_data())
    parser.add_argument("--files", type=lambda text: text.split(","), default=LABELLED, help="names, with commas")
    parser.add_argument("--sample", type=int, help="rows of each file, seeded, for accuracy; all by default")
    parser.add_argument("--peers", default="all", help="names, with commas; `all` or `none`")
    parser.add_argument("--peers-python", type=Path, help="the interpreter of the peers' environment")
    parser.add_argument("--install-peers", action="store_true", help="make that environment in a temporary folder")
    parser.add_argument("--remember", type=Path, help="keep the peers' verdicts in this file, and use those it has")
    parser.add_argument(
        "--speed-sample", type=int, default=100, help="pairs of a file for the peers, thrice as many of large ones"
    )
    parser.add_argument("--responses", type=int, default=2_000, help="whole responses for the speed")
    parser.add_argument("--list", type=Path, help="write every disagreement with a label to this JSONL file")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument(
        "--absolute", action="store_true", help="gate on absolute speeds too: they depend on the machine"
    )
    return parser


def _peers(asked: str, python: Path | None) -> list[str]:
    if asked == "none":
        return []
    known = PEERS if python else OWN_LIBRARIES
    return list(known) if asked == "all" else asked.split(",")


def measure_accuracy(
    arguments: argparse.Namespace, peers: list[str], python: Path | None
) -> tuple[list[FileResult], dict[str, str]]:
    """Every file through every grader. Also each grader's version."""
    files = {file: accuracy.sample_of(arguments.data, file, arguments.sample) for file in arguments.files}
    grades: dict[str, dict[str, list[Grade]]] = {file: {} for file in files}
    versions: dict[str, str] = {}
    memory = Memory(arguments.remember)
    for name in (OURS, *peers):
        try:
            with Grader(name, python) as grader:
                versions[name] = grader.version
                for file, pairs in files.items():
                    grades[file][name] = memory.grades(grader, pairs, _progress(f"{name} {file}"))
        except CannotStart:
            print(f"{name}: cannot be loaded, left out", file=sys.stderr)
    memory.save()
    print("\r" + " " * 60, end="\r", file=sys.stderr)
    return [accuracy.result_of(file, pairs, grades[file]) for file, pairs in files.items()], versions


def measure_speed(arguments: argparse.Namespace, peers: list[str], python: Path | None) -> dict[str, Any]:
    """Our speed on every file, and everybody's on the same samples."""
    files = {file: speed.distinct(arguments.data, file) for file in speed.FILES}
    weights = {file: sum(pair.count for pair in pairs_of(arguments.data, file)) for file in files}
    sizes = {file: arguments.speed_sample * (3 if file in speed.LARGE else 1) for file in files}
    places = {file: speed.sample_places(file, len(pairs), sizes[file]) for file, pairs in files.items()}
    ours, sampled, shown = dict[str, Speed](), dict[str, Speed](), dict[str, dict[str, float]]()
    helped = dict[str, list[str]]()
    for file, pairs in files.items():
        ours[file] = speed.our_speeds(pairs, caches=False)
        sampled[file] = ours[file].of(places[file])
        cached = speed.our_speeds(pairs, caches=True)
        shown[file] = {
            "pairs": len(pairs),
            "without_caches": ours[file].per_second,
            "with_caches": cached.per_second,
            "p99_ms": ours[file].p99_ms,
            "helped": len(ours[file].helped),
        }
        helped[file] = [pairs[i].id for i in ours[file].helped]
    theirs = _peer_speeds({file: [files[file][i] for i in places[file]] for file in files}, peers, python, weights)
    ours_sampled = {file: one.per_second for file, one in sampled.items()} | {
        "mixture": speed.mixture(sampled, weights)
    }
    rival = theirs.get(speed.RIVAL, {})
    whole, length = speed.responses(arguments.data, arguments.responses)
    return {
        "sample": arguments.speed_sample,
        "ours": shown,
        "ours_mixture": speed.mixture(ours, weights),
        "helped": helped,
        "sampled": ours_sampled,
        "peers": theirs,
        "ratios": {file: ours_sampled[file] / rival[file] for file in rival},
        "responses_per_s": whole.per_second,
        "response_length": length,
    }


def _peer_speeds(
    files: dict[str, list[Pair]], peers: list[str], python: Path | None, weights: dict[str, int]
) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name in peers:
        try:
            with Grader(name, python) as grader:
                speeds = {file: speed.peer_speed(grader, pairs, PEER_BUDGET_S) for file, pairs in files.items()}
        except CannotStart:
            continue
        found[name] = {file: one.per_second for file, one in speeds.items()}
        found[name]["mixture"] = speed.mixture(speeds, weights)
    return found


def _progress(label: str) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if done % 25 == 0 and sys.stderr.isatty():
            print(f"\r{label:<40}{done:>6}", end="", file=sys.stderr, flush=True)

    return tell


class Memory:
    """Verdicts of peers kept between runs, for work on our own side. Ours are never kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        known = path is not None and path.is_file()
        self._known: dict[str, list[Any]] = json.loads(path.read_text("utf-8")) if path is not None and known else {}

    def grades(self, grader: Grader, pairs: list[Pair], tell: Callable[[int], None]) -> list[Grade]:
        if self._path is None or grader.name == OURS:
            return accuracy.grade_all(grader, pairs, tell)
        grades = list[Grade]()
        for pair in accuracy.counted(pairs):
            key = json.dumps([grader.name, grader.version, pair.answer, pair.response])
            if key not in self._known:
                grade = grader.grade(pair.answer, pair.response)
                self._known[key] = [grade.equal, grade.outcome]
            grades.append(Grade(*self._known[key]))
            tell(len(grades))
        return grades

    def save(self) -> None:
        if self._path is not None:
            self._path.write_text(json.dumps(self._known), encoding="utf-8")


def _write_list(path: Path | None, results: list[FileResult]) -> None:
    if path is not None:
        rows = [row for result in results for row in result.disagreements]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
