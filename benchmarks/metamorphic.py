"""The same answer written differently must be accepted, one with another digit must not: seeded, on real references.

```
python -m benchmarks.metamorphic [--data DATA] [--respellings 6000] [--mutations 6000] [--peers math-verify]
```

References come from `shared/data/maths` and `shared/data/questions/math_*`. Each is respelled in ways that never
change its meaning (`verify_math.respell`), and mutated in one digit so that its value changes. Prose, and LaTeX that is
torn, is left out and counted. Exit code 0 when every respelling is accepted and no mutation is, 1 otherwise, 2 when the
data are not there.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.verify_math.data import LABELLED, UNLABELLED, find_data, missing, path_of, rows_of
from benchmarks.verify_math.peers import OURS, Grader
from benchmarks.verify_math.respell import RESPELLINGS, is_mathematics, mutated, unwrapped

__all__ = ["Outcome", "Variant", "grade", "mutations_of", "references", "respellings_of"]

LEAST = 5_000  # of each, for a verdict worth the name


@dataclass(frozen=True, slots=True)
class Variant:
    """A reference, and the response made from it. `way` names the respelling, or is "another digit"."""

    reference: str
    response: str
    way: str


@dataclass(slots=True)
class Outcome:
    """What one grader made of the variants. `wrong` holds the variants that it should have judged otherwise."""

    grader: str
    total: int = 0
    accepted: int = 0
    pairs: dict[str, int] = field(default_factory=dict[str, int])
    refused: dict[str, int] = field(default_factory=dict[str, int])
    wrong: list[dict[str, str]] = field(default_factory=list[dict[str, str]])


def references(data: Path) -> tuple[list[str], int, int]:
    """Distinct references that are mathematics, in a fixed order; how many there are in all; how many are left out."""
    paths = [path_of(data, file) for file in (*LABELLED, *UNLABELLED)]
    paths += sorted((data / "questions").glob("math_*.jsonl.zst"))
    found = {str(row["answer"] if "answer" in row else row["gold"]) for path in paths for row in rows_of(path)}
    texts = {unwrapped(reference) for reference in found}
    kept = sorted(text for text in texts if is_mathematics(text))
    return kept, len(texts), len(texts) - len(kept)


def respellings_of(texts: Sequence[str], size: int, seed: int) -> list[Variant]:
    """A seeded sample of respellings, evenly over the ways as far as they apply."""
    by_way = {way: list[Variant]() for way in RESPELLINGS}
    for text in texts:
        draw = random.Random(f"{seed} {text}")
        for way, respell in RESPELLINGS.items():
            if (new := respell(text, draw)) is not None:
                by_way[way].append(Variant(text, _as_response(way, new), way))
    return _even_sample(by_way, size, seed)


def _as_response(way: str, text: str) -> str:
    """A respelling that brings no delimiters of its own is given in a box."""
    whole = way in ("dollars", "parentheses of LaTeX", "a box", "a full stop")
    return text if whole else f"\\boxed{{{text}}}"


def _even_sample(by_way: dict[str, list[Variant]], size: int, seed: int) -> list[Variant]:
    """The scarcest way first: what it cannot fill is left to the others."""
    draw, chosen = random.Random(seed), list[Variant]()
    ways = sorted(by_way, key=lambda way: (len(by_way[way]), way))
    for i, way in enumerate(ways):
        share = (size - len(chosen)) // (len(ways) - i)
        chosen += draw.sample(by_way[way], min(share, len(by_way[way])))
    return chosen


def mutations_of(texts: Sequence[str], size: int, seed: int) -> list[Variant]:
    """A seeded sample of references with one digit changed, at most two of each reference."""
    found = dict[tuple[str, str], Variant]()
    for text in texts:
        draw = random.Random(f"{seed} {text}")
        for _ in range(2):
            if (new := mutated(text, draw)) is not None:
                found[text, new] = Variant(text, f"\\boxed{{{new}}}", "another digit")
    variants = list(found.values())
    return random.Random(seed).sample(variants, min(size, len(variants)))


def grade(grader: Grader, variants: Iterable[Variant], *, is_same: bool) -> Outcome:
    """Ask a grader about every variant; `is_same` says what it should answer."""
    outcome = Outcome(grader.name)
    for variant in variants:
        found = grader.grade(variant.reference, variant.response)
        outcome.total += 1
        outcome.accepted += found.equal
        outcome.pairs[variant.way] = outcome.pairs.get(variant.way, 0) + 1
        outcome.refused[variant.way] = outcome.refused.get(variant.way, 0) + (not found.equal)
        if found.equal != is_same:
            said = found.said or {}
            rung, status = said.get("compared", ""), said.get("status", found.outcome)
            outcome.wrong.append({**asdict(variant), "said": status, "rung": rung, "detail": said.get("detail", "")})
    return outcome


def _show(title: str, outcomes: list[Outcome], *, is_same: bool) -> None:
    print(f"\n{title}")
    for one in outcomes:
        wrong = len(one.wrong)
        verb = "refused" if is_same else "accepted"
        print(f"  {one.grader:<14}{verb} {wrong} of {one.total} ({100 * wrong / max(one.total, 1):.2f}%)")
    if not is_same:
        return
    print(f"\n  {'way':<26}{'pairs':>7}" + "".join(f"{one.grader:>14}" for one in outcomes) + "   (refused)")
    for way in RESPELLINGS:
        refused = "".join(f"{one.refused.get(way, 0):>14}" for one in outcomes)
        print(f"  {way:<26}{outcomes[0].pairs.get(way, 0):>7}{refused}")


def main(arguments_given: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(arguments_given)
    absent = missing(arguments.data, (*LABELLED, *UNLABELLED))
    if absent or not list((arguments.data / "questions").glob("math_*.jsonl.zst")):
        print(f"error: no {', '.join(absent) or 'questions/math_*'} in {arguments.data}", file=sys.stderr)
        print("\nhint: name the folder that holds maths/ and questions/ with --data", file=sys.stderr)
        return 2
    texts, total, left_out = references(arguments.data)
    print(f"{len(texts)} references; {left_out} of {total} left out: prose, torn LaTeX, or longer than 300 characters")
    same = respellings_of(texts, arguments.respellings, arguments.seed)
    other = mutations_of(texts, arguments.mutations, arguments.seed)
    respelled, changed = list[Outcome](), list[Outcome]()
    for name in (OURS, *(arguments.peers.split(",") if arguments.peers != "none" else ())):
        with Grader(name, arguments.peers_python) as grader:
            respelled.append(grade(grader, same, is_same=True))
            changed.append(grade(grader, other, is_same=False))
    _show("the same, written differently", respelled, is_same=True)
    _show("another digit", changed, is_same=False)
    report = {"respelled": [asdict(one) for one in respelled], "mutated": [asdict(one) for one in changed]}
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    too_few = min(len(same), len(other)) < min(LEAST, arguments.respellings, arguments.mutations)
    return 1 if respelled[0].wrong or changed[0].wrong or too_few else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metamorphic", description="Respellings and mutations")
    parser.add_argument("--data", type=Path, default=find_data())
    parser.add_argument("--respellings", type=int, default=6_000)
    parser.add_argument("--mutations", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", default="math-verify", help="names, with commas; `none` for ours alone")
    parser.add_argument("--peers-python", type=Path, help="the interpreter of the peers' environment")
    parser.add_argument("--json", type=Path, help="write all figures, and every wrong verdict, to this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
