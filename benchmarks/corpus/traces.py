"""Traces as a teacher might have written them, right and wrong, with planted defects; as Parquet, in another order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import exp, log
from pathlib import Path
from typing import Any

from benchmarks.corpus.draw import Stream, seed_of
from benchmarks.corpus.grammar.reasoning import foreign_pool, pool
from benchmarks.corpus.template import respelled
from benchmarks.corpus.writing import dumps

__all__ = ["DEFECTS", "write_traces"]

DEFECTS = (
    ("none", 863),
    ("unclosed_think", 20),
    ("cut_off", 30),
    ("repetition_loop", 15),
    ("refusal", 10),
    ("empty", 5),
    ("placeholder", 10),
    ("very_long", 10),
    ("very_short", 15),
    ("wrong_language", 15),
    ("no_reasoning", 7),
)
RIGHT_SHARE = 0.80  # of the traces that give an answer, so that about 70% of all are right
SECOND_SHARE = 0.04  # of the questions have two traces
_SIGMA = 0.7  # of the logarithm of the lengths
_SHORTEST = 300
_SENTENCE_BYTES = 82  # the mean of the pool, as measured
_GROUP_BYTES = 24_000_000
_FILE_BYTES = 512_000_000
_LETTERS = "ABCDEFGHIJ"
_MODELS = ("reasoner-large", "reasoner-large", "reasoner-small")
_REFUSALS = (
    "I'm sorry, but I can't help with that request.",
    "I cannot assist with this.",
    "As an AI language model, I am unable to answer this question.",
    "I'm sorry, I can't provide a solution to this problem.",
)
_PLACEHOLDERS = ("your answer here", "...", "answer", "?", "\\text{final answer}", "TODO", "x", "N/A")
_CLOSINGS = (
    "Therefore the answer is",
    "So the final answer is",
    "**Final answer**\n\n",
    "Hence we conclude with",
    "Putting it together:",
    "The answer is",
)
_WITHOUT_ANSWER = ("unclosed_think", "cut_off", "repetition_loop", "refusal", "empty", "placeholder")


@dataclass(frozen=True, slots=True)
class _Trace:
    response: str
    finish: str
    right: bool
    defect: str


@dataclass(slots=True)
class _Writer:
    """Makes the text of traces out of the pools."""

    seed: int
    mean: int
    sentences: list[str]
    foreign: dict[str, list[str]]

    def trace(self, row: dict[str, Any], number: int) -> _Trace:
        s = Stream(seed_of("trace", self.seed, row["id"], number))
        defect = s.weighted(DEFECTS)
        right = s.chance(RIGHT_SHARE) and defect not in _WITHOUT_ANSWER
        text, finish = self._text(s, row, defect, right)
        return _Trace(text, finish, right and _has_reference(row), defect)

    def _text(self, s: Stream, row: dict[str, Any], defect: str, right: bool) -> tuple[str, str]:
        length = self._length(s)
        if defect == "empty":
            return s.pick(("", " \n", "<think>\n\n</think>\n\n")), "stop"
        if defect == "refusal":
            return s.pick(_REFUSALS), s.pick(("stop", "refusal"))
        if defect == "very_short":
            return f"<think>\nEasy.\n</think>\n\n{_answered(s, row, right)}", "stop"
        if defect == "no_reasoning":
            return _answered(s, row, right), "stop"
        if defect == "very_long":
            length = max(length, 8 * self.mean)
        think = self._reasoning(s, row, length, defect)
        if defect == "unclosed_think":
            return f"<think>\n{think}\n\n{_answered(s, row, right=False)}", "stop"
        if defect in ("cut_off", "repetition_loop"):
            return f"<think>\n{think.rstrip()[:-7]}", s.pick(
                ("length", "length", "stop") if defect[0] == "r" else ("length",)
            )
        answer = (
            f"The answer is \\boxed{{{s.pick(_PLACEHOLDERS)}}}."
            if defect == "placeholder"
            else _answered(s, row, right)
        )
        return f"<think>\n{think.rstrip()}\n</think>\n\n{self._solution(s, length)}{answer}", "stop"

    def _length(self, s: Stream) -> int:
        """Bytes, lognormal about the mean."""
        normal = sum(s.below(1_000_000) for _ in range(12)) / 1_000_000 - 6
        return max(_SHORTEST, min(12 * self.mean, int(exp(log(self.mean) - _SIGMA**2 / 2 + _SIGMA * normal))))

    def _reasoning(self, s: Stream, row: dict[str, Any], length: int, defect: str) -> str:
        rng = random.Random(s.below(1 << 62))
        opening = f"Okay, the question is: {str(row['question'])[:400]}\n\nLet me think about what is asked.\n\n"
        sentences = self.sentences
        if defect == "wrong_language":
            sentences = self.foreign[s.pick(sorted(self.foreign))]
        count = max(2, (length - len(opening)) // _SENTENCE_BYTES)
        if defect == "repetition_loop":
            start = rng.choices(sentences, k=max(2, count // 4))
            return "".join([opening, *start, *(start[-s.between(1, 2) :] * (count // 2))])
        return opening + "".join(rng.choices(sentences, k=count))

    def _solution(self, s: Stream, length: int) -> str:
        """A short write-up before the answer."""
        rng = random.Random(s.below(1 << 62))
        return "".join(rng.choices(self.sentences, k=max(1, min(12, length // 2000)))).rstrip() + "\n\n"


def _has_reference(row: dict[str, Any]) -> bool:
    return row.get("answer") is not None or row.get("program") is not None


def _answered(s: Stream, row: dict[str, Any], right: bool) -> str:
    if (program := row.get("program")) is not None:
        wrong = str(program).replace("print(", "print(7 + ", 1)
        return f"```python\n{program if right else wrong}```"
    answer = _said(s, row) if right else _wrong(s, row)
    return (
        f"{s.pick(_CLOSINGS)} $\\boxed{{{answer}}}$." if s.chance(0.5) else f"{s.pick(_CLOSINGS)} \\boxed{{{answer}}}"
    )


def _said(s: Stream, row: dict[str, Any]) -> str:
    """The reference, one time in five in another spelling."""
    answer = row.get("answer")
    if answer is None:
        return str(s.between(1, 500))
    forms = [form for form in respelled(str(answer)) if "boxed" not in form and "$" not in form]
    if row["domain"] in ("maths_words", "maths_latex") and forms and s.chance(0.2):
        return s.pick(forms).strip()
    return str(answer)


def _wrong(s: Stream, row: dict[str, Any]) -> str:
    answer, choices = row.get("answer"), row.get("choices")
    if choices:
        return s.pick([_LETTERS[i] for i, text in enumerate(choices) if answer not in (text, _LETTERS[i])])
    if answer is not None and str(answer).lstrip("-").isdigit():
        return str(int(answer) + s.pick((-2, -1, 1, 2, 3, 10)))
    return str(s.between(1000, 9999))


def write_traces(out: Path, rows: Iterable[dict[str, Any]], seed: int, mean: int) -> Counter[str]:
    """Write `traces-*.parquet` and `trace_truth.jsonl`; returns how many traces have each defect, and the bytes."""
    writer = _Writer(seed, mean, pool(seed), foreign_pool(seed))
    counts: Counter[str] = Counter()
    with (out / "trace_truth.jsonl").open("w", encoding="utf-8", newline="\n") as truth, _Parquet(out) as files:
        for row, number in _numbered(rows, seed):
            trace = writer.trace(row, number)
            size = files.add(_columns(row, number, trace, seed))
            truth.write(
                dumps(
                    {
                        "id": f"{row['id']}-{number}",
                        "question_id": row["id"],
                        "defect": trace.defect,
                        "right": trace.right,
                        "bytes": size,
                    }
                )
                + "\n"
            )
            counts.update({trace.defect: 1, "bytes": size, "right": trace.right})
    return counts


def _numbered(rows: Iterable[dict[str, Any]], seed: int) -> Iterator[tuple[dict[str, Any], int]]:
    for row in rows:
        yield row, 0
        if seed_of("second", seed, row["id"]) % 10_000 < SECOND_SHARE * 10_000:
            yield row, 1


def _columns(row: dict[str, Any], number: int, trace: _Trace, seed: int) -> dict[str, Any]:
    tokens = len(trace.response) * 10 // 36
    return {
        "id": f"{row['id']}-{number}",
        "question_id": row["id"],
        "question": row["question"],
        "response": trace.response,
        "model": _MODELS[seed_of("model", seed, row["id"], number) % 3],
        "finish": trace.finish,
        "tokens_in": len(row["question"]) * 10 // 40 + 12,
        "tokens_out": tokens,
    }


@dataclass(slots=True)
class _Parquet:
    """Parquet files of bounded size, written in row groups of bounded size."""

    out: Path
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    held: int = 0
    in_file: int = 0
    files: int = 0
    writer: Any = None

    def __enter__(self) -> _Parquet:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        if self.writer is not None:
            self.writer.close()

    def add(self, row: dict[str, Any]) -> int:
        """Take a row; returns the bytes of its response."""
        size = len(row["response"].encode())
        self.rows.append(row)
        self.held += size
        if self.held >= _GROUP_BYTES:
            self._flush()
        return size

    def _flush(self) -> None:
        if not self.rows:
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist(self.rows, schema=_schema())
        if self.writer is None:
            path = self.out / f"traces-{self.files:05d}.parquet"
            self.writer = pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=False)
        self.writer.write_table(table)
        self.in_file += self.held
        self.rows, self.held = [], 0
        if self.in_file >= _FILE_BYTES:
            self.writer.close()
            self.writer, self.files, self.in_file = None, self.files + 1, 0


def _schema() -> Any:
    import pyarrow as pa

    texts = ("id", "question_id", "question", "response", "model", "finish")
    return pa.schema([*((name, pa.string()) for name in texts), ("tokens_in", pa.int64()), ("tokens_out", pa.int64())])
