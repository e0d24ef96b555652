"""How often the filters drop what they should not, and miss what they should: on real data and on planted defects.

```
python -m benchmarks.filters_accuracy questions [--data DATA] [--show RULE]
python -m benchmarks.filters_accuracy traces [--data DATA] [--show RULE]
python -m benchmarks.filters_accuracy languages [--data DATA]
python -m benchmarks.filters_accuracy planted CORPUS [--rows 20000]
```

`questions` and `traces` run every filter over all real questions and recorded responses of DATA (by default
`shared/data`, looked for upward from here) and count what each rule drops; traces apart by whether the label that came
with them calls them correct. Curated questions and correct answers should nearly all be kept. `--show` prints what a
rule dropped, to be read by a person. `languages` tells questions in twenty languages apart, and English ones from them.
`planted` takes a corpus of `benchmarks.corpus` with traces: every planted defect should be found, nothing else.

CPU time is that of this process, for each 20,000 characters of trace and for each question.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.filters_prose import PROSE
from benchmarks.response_parts import find_data
from reasonry.languages import language_of
from reasonry.records import Record, open_records
from reasonry.registry import Kind, find, names
from reasonry.teachers.reasoning import finish_of, split_reasoning
from reasonry.types import Candidate, Drop, Question, Status, Trace, VerdictRow

OPTIONS: dict[str, dict[str, Any]] = {"license": {"allow": ["unknown"]}}
NOT_HERE = ("deduplicate", "decontaminate")
SHOWN = 50
PER = 20_000  # characters of a trace


# --- rows


def question_of(row: Record) -> Question:
    values, gold = row.values, row.values.get("gold")
    spec = {"tests": values["tests"]} if values.get("tests") else {}
    text, answer = values.get("question"), gold if isinstance(gold, str) else None
    return Question(text if isinstance(text, str) else json.dumps(text), answer, "math", spec, row.file.split(".")[0])


def candidate_of(row: Record) -> Candidate | None:
    values, question = row.values, question_of(row)
    response = values.get("response")
    if not isinstance(response, str):
        return None
    finish = finish_of(values.get("finish"))
    parts = split_reasoning(response, finish)
    tokens = values.get("tokens_out")
    trace = Trace(question.id, 0, parts.reasoning, parts.response, str(values.get("model")), finish, tokens_out=tokens)
    status = Status.CORRECT if values.get("label") is True else Status.INCORRECT
    return Candidate(question, trace, VerdictRow(trace.id, question.id, status, "label@1"))


def records_of(folder: Path) -> Iterator[Record]:
    for path in sorted(folder.iterdir()):
        yield from (row for row in open_records(path) if isinstance(row, Record))


# --- running


@dataclass(slots=True)
class Found:
    """What one filter dropped: the place of each row, with its drop; and the CPU time, in seconds."""

    name: str
    rules: Sequence[str]
    drops: dict[int, Drop] = field(default_factory=dict[int, Drop])
    seconds: float = 0.0


def run(kind: Kind, rows: Sequence[Any]) -> list[Found]:
    """Every filter of a kind over the rows, each on its own."""
    results: list[Found] = []
    for name in names(kind):
        if name in NOT_HERE:
            continue
        part = find(kind, name)
        assert part.options is not None
        options = part.options.model_validate({"filter": name, **OPTIONS.get(name, {})})
        list(part.call(rows[:200], options))  # models are loaded once
        start = time.process_time()
        outcomes = list(part.call(rows, options))
        found = Found(name, list(part.rules), seconds=time.process_time() - start)
        found.drops = {place: row for place, row in enumerate(outcomes) if isinstance(row, Drop)}
        results.append(found)
    return results


def show(results: Sequence[Found], rule: str, texts: Sequence[str]) -> None:
    """What a rule dropped, up to fifty of it, chosen by chance."""
    drops = [(place, drop) for found in results for place, drop in found.drops.items() if drop.rule == rule]
    for place, drop in random.Random(0).sample(drops, min(SHOWN, len(drops))):
        print(f"- {drop.reason}\n    {' '.join(texts[place][:160].split())}")


# --- the four reports


def report_questions(data: Path, rule: str | None) -> None:
    rows = [question_of(row) for row in records_of(data / "questions")]
    results = run("filter", rows)
    if rule is not None:
        show(results, rule, [row.prompt for row in rows])
        return
    print(f"{len(rows):,} real questions\n")
    print("| filter | rule | drops | of all | microseconds a question |\n|---|---|---|---|---|")
    for found in results:
        counts, cost = Counter(drop.rule for drop in found.drops.values()), f"{1e6 * found.seconds / len(rows):.0f}"
        for name in found.rules:
            print(f"| `{found.name}` | `{name}` | {counts[name]:,} | {counts[name] / len(rows):.2%} | {cost} |")


def report_traces(data: Path, rule: str | None) -> None:
    rows = [row for record in records_of(data / "recorded") if (row := candidate_of(record)) is not None]
    results = run("trace_filter", rows)
    if rule is not None:
        show(results, rule, [row.trace.response for row in rows])
        return
    right = [row.verdict.status is Status.CORRECT for row in rows]
    print(f"{len(rows):,} recorded responses, {sum(right):,} of them labelled correct\n")
    print("| filter | rule | correct dropped | of all correct | others dropped | of all others |")
    print("|---|---|---|---|---|---|")
    for found in results:
        counts = Counter((drop.rule, right[place]) for place, drop in found.drops.items())
        for name in found.rules:
            good, bad = counts[name, True], counts[name, False]
            shares = f"{good / sum(right):.3%} | {bad:,} | {bad / (len(rows) - sum(right)):.3%}"
            print(f"| `{found.name}` | `{name}` | {good:,} | {shares} |")


def report_languages(data: Path) -> None:
    print("| language | questions | right | 50% sure and right | called English |\n|---|---|---|---|---|")
    for code, prompts in PROSE.items():
        told = [language_of(prompt) for prompt in prompts]
        right = [one for one in told if one.code == code]
        sure = sum(one.confidence >= 0.5 for one in right)
        print(f"| {code} | {len(told)} | {len(right)} | {sure} | {sum(one.code == 'en' for one in told)} |")
    codes = Counter[str | None]()
    for row in records_of(data / "questions"):
        told_ = language_of(question_of(row).prompt)
        codes[told_.code if told_.code in ("en", "zh", None) or told_.confidence >= 0.5 else "unsure"] += 1
    others = {code: count for code, count in codes.items() if code not in ("en", "zh", None, "unsure")}
    print(
        f"\nreal questions: {codes['en']:,} English, {codes['zh']:,} Chinese, {codes[None]:,} without prose,", end=" "
    )
    print(f"{codes['unsure']} unsure, {sum(others.values())} at least 50% surely another language: {others}")


def report_planted(corpus: Path, most: int) -> None:
    with (corpus / "trace_truth.jsonl").open(encoding="utf-8") as lines:
        defects = {row["id"]: row["defect"] for row in map(json.loads, lines)}
    records = [row for path in sorted(corpus.glob("traces-*.parquet"))[:1] for row in islice(_records(path), most)]
    rows = [row for record in records if (row := candidate_of(record)) is not None]
    results = run("trace_filter", rows)
    by_defect: dict[str, Counter[str]] = defaultdict(Counter)
    for place, record in enumerate(records):
        found = " + ".join(f"`{r.name}`: `{r.drops[place].rule}`" for r in results if place in r.drops)
        by_defect[defects[record.values["id"]]][found or "kept"] += 1
    print("| planted | traces | found by |\n|---|---|---|")
    for defect, outcomes in sorted(by_defect.items()):
        listed = "; ".join(f"{outcome} {count:,}" for outcome, count in outcomes.most_common())
        print(f"| {defect} | {outcomes.total():,} | {listed} |")
    size = sum(len(row.trace.reasoning) + len(row.trace.response) for row in rows)
    print(
        f"\n{len(rows):,} traces of {size / len(rows):,.0f} characters; CPU microseconds for each {PER:,} characters:"
    )
    costs = {found.name: 1e6 * found.seconds / size * PER for found in results}
    print(", ".join(f"{name} {cost:.0f}" for name, cost in costs.items()), f"; all {sum(costs.values()):.0f}")


def _records(path: Path) -> Iterator[Record]:
    return (row for row in open_records(path) if isinstance(row, Record))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=["questions", "traces", "languages", "planted"])
    parser.add_argument("corpus", nargs="?", type=Path)
    parser.add_argument("--data", type=Path, default=find_data())
    parser.add_argument("--show", metavar="RULE")
    parser.add_argument("--rows", type=int, default=20_000)
    given = parser.parse_args(arguments)
    needed = given.corpus if given.what == "planted" else given.data
    if needed is None or not needed.is_dir():
        print(f"the data are not there: {needed}", file=sys.stderr)
        return 2
    if given.what == "questions":
        report_questions(given.data, given.show)
    elif given.what == "traces":
        report_traces(given.data, given.show)
    elif given.what == "languages":
        report_languages(given.data)
    else:
        report_planted(given.corpus, given.rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
