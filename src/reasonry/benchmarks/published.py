"""Benchmarks of the field by name, as thin definitions over datasets of the Hub (extra: hub).

| name | dataset | rows | licence |
|---|---|---|---|
| `math500` | HuggingFaceH4/MATH-500 | 500 | MIT (of MATH) |
| `aime24` | HuggingFaceH4/aime_2024 | 30 | not stated; problems of the MAA |
| `aime25` | math-ai/aime25 | 30 | not stated; problems of the MAA |
| `amc23` | math-ai/amc23 | 40 | not stated; problems of the MAA |
| `gsm8k` | openai/gsm8k, main | 1,319 | MIT |
| `gpqa_diamond` | Idavidrein/gpqa, gpqa_diamond | 198 | CC-BY-4.0; gated: accept its terms, then set HF_TOKEN |

Each is pinned to a commit, so that it can be named without a network. `path` points to a local copy instead.
"""

from __future__ import annotations

import re
from dataclasses import replace

from reasonry.benchmarks.datasets import Published, PublishedSection, define
from reasonry.identity import digest
from reasonry.records import Record
from reasonry.sections import FieldMap

__all__ = ["PUBLISHED", "PublishedChoiceSection", "PublishedMathSection"]

_MAA = "Mathematical Association of America, American Mathematics Competitions"
PUBLISHED = {
    one.name: one
    for one in (
        Published(
            name="math500",
            dataset="HuggingFaceH4/MATH-500",
            revision="6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
            split="test",
            rows=500,
            license="MIT",
            citation=(
                "Hendrycks et al., Measuring Mathematical Problem Solving With the MATH Dataset, 2021"
                " (arXiv:2103.03874);"
                " Lightman et al., Let's Verify Step by Step, 2023 (arXiv:2305.20050)"
            ),
            summary="MATH-500: 500 problems of MATH's test split.",
            fields=FieldMap(prompt="problem", answer="answer", id="unique_id", difficulty="level"),
        ),
        Published(
            name="aime24",
            dataset="HuggingFaceH4/aime_2024",
            revision="2fe88a2f1091d5048c0f36abc874fb997b3dd99a",
            split="train",
            rows=30,
            license="unknown",
            citation=f"{_MAA}: AIME I and II 2024",
            summary="AIME 2024: 30 problems with integer answers.",
            fields=FieldMap(prompt="problem", answer="answer", id="id"),
        ),
        Published(
            name="aime25",
            dataset="math-ai/aime25",
            revision="563bb8404243c5f09de6ec262f2db674fe5bce9b",
            split="test",
            rows=30,
            license="unknown",
            citation=f"{_MAA}: AIME I and II 2025",
            summary="AIME 2025: 30 problems with integer answers.",
            fields=FieldMap(prompt="problem", answer="answer", id="id"),
        ),
        Published(
            name="amc23",
            dataset="math-ai/amc23",
            revision="80815d37005feb82cd7f8fbc6901d5d3eff43057",
            split="test",
            rows=40,
            license="unknown",
            citation=f"{_MAA}: AMC 12 2023",
            summary="AMC 2023: 40 problems with numbers as answers.",
            fields=FieldMap(prompt="question", answer="answer", id="id"),
        ),
        Published(
            name="gsm8k",
            dataset="openai/gsm8k",
            revision="740312add88f781978c0658806c59bc2815b9866",
            config="main",
            split="test",
            rows=1319,
            license="MIT",
            citation="Cobbe et al., Training Verifiers to Solve Math Word Problems, 2021 (arXiv:2110.14168)",
            summary="GSM8K: 1,319 word problems of the test split.",
            fields=FieldMap(prompt="question", answer="answer"),
        ),
        Published(
            name="gpqa_diamond",
            dataset="Idavidrein/gpqa",
            revision="83022cefff930aea54f654c0b282e74b9eeda5c6",
            config="gpqa_diamond",
            split="train",
            rows=198,
            license="CC-BY-4.0",
            citation="Rein et al., GPQA: A Graduate-Level Google-Proof Q&A Benchmark, 2023 (arXiv:2311.12022)",
            summary="GPQA Diamond: 198 choices of graduate science (gated: HF_TOKEN).",
            fields=FieldMap(prompt="Question", answer="Correct Answer", id="Record ID"),
        ),
    )
}
_LEVEL = re.compile(r"(?:Level )?([1-5])")
_WRONG_ANSWERS = ("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")


class PublishedMathSection(PublishedSection):
    """An evaluation on a published benchmark of mathematics."""

    verifier: str = "math"
    domain: str = "math"


class PublishedChoiceSection(PublishedSection):
    """An evaluation on a published benchmark of choices."""

    verifier: str = "choice"
    domain: str = "science"


def _with_final_answer(record: Record) -> Record:
    """GSM8K's solutions end in `#### ` and the number."""
    solution = record.values.get("answer")
    if not isinstance(solution, str) or "####" not in solution:
        return record
    final = solution.rpartition("####")[2].strip().replace(",", "")
    return replace(record, values={**record.values, "answer": final})


def _with_choices(record: Record) -> Record:
    """GPQA's four answers as choices, in an order that only their texts decide; the answer becomes its letter."""
    values = record.values
    question, right = values.get("Question"), values.get("Correct Answer")
    answers = [right, *(values.get(name) for name in _WRONG_ANSWERS)]
    if not isinstance(question, str) or not all(isinstance(answer, str) for answer in answers):
        return record
    choices = sorted((str(answer).strip() for answer in answers), key=lambda choice: digest("choice", question, choice))
    listed = "\n".join(f"({letter}) {choice}" for letter, choice in zip("ABCD", choices, strict=True))
    changed = {
        "Question": f"{question.strip()}\n\n{listed}",
        "Correct Answer": "ABCD"[choices.index(str(right).strip())],
        "choices": choices,
    }
    return replace(record, values={**values, **changed})


def _with_level(record: Record) -> Record:
    """MATH's level, 1 to 5, as the difficulty: a number in MATH-500, `Level 5` in MATH itself, not in every copy."""
    found = _LEVEL.fullmatch(str(record.values.get("level")))
    return replace(record, values={**record.values, "level": None if found is None else int(found[1])})


define(PUBLISHED["math500"], PublishedMathSection, _with_level, version=2)
for _name in ("aime24", "aime25", "amc23"):
    define(PUBLISHED[_name], PublishedMathSection)
define(PUBLISHED["gsm8k"], PublishedMathSection, _with_final_answer)
_gpqa = PUBLISHED["gpqa_diamond"]
define(_gpqa, PublishedChoiceSection, _with_choices, _gpqa.fields.model_copy(update={"choices": "choices"}))
