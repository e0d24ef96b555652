"""The parts of `response_agreement`: which rows of the recorded files are asked about, and with which label."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import zstandard

__all__ = ["PARTS", "Case", "cases_of", "find_data", "path_of"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A recorded response with its reference. `published` is the answer that the source read in it, or ""."""

    id: str
    model: str
    prompt: str
    reference: str
    response: str
    label: bool | None
    published: str = ""
    spec: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Part:
    """A file, or some of its rows. `is_noisy`: labelled by a grader that errs, so shown and not counted."""

    file: str
    verifier: str
    case: Callable[[Row], Case | None]
    is_noisy: bool = False


def _plain(row: Row) -> Case | None:
    """A row of mathematics as it is."""
    return _case(row) if row["kind"] == "math" else None


def _case(row: Row) -> Case:
    return Case(
        id=row["id"],
        model=row["model"],
        prompt=row["question"] or "",
        reference=row["gold"] or "",
        response=row["response"],
        label=row["label"],
        published=_text_of(row["meta"].get("extracted")),
    )


def _text_of(published: object) -> str:
    if isinstance(published, list):
        return "".join(str(item) for item in published)  # pyright: ignore[reportUnknownVariableType]
    text = str(published or "")
    return "" if text == "No final answer found" else text


def _one_letter(row: Row) -> Case | None:
    """Questions with one choice: the others have several parts, or several right letters."""
    return _case(row) if isinstance(row["gold"], str) and len(row["gold"]) == 1 else None


def _natural_program(row: Row) -> Case | None:
    """The gold is a solution; what it comes to is in the meta data, like the label of the answer."""
    meta = row["meta"]
    if row["kind"] != "math":
        return None
    return replace(_case(row), reference=str(meta["final_answer"]), label=meta["final_answer_correct"])


def _natural_choice(row: Row) -> Case | None:
    meta = row["meta"]
    choices = (meta.get("extra") or {}).get("choices")
    if row["kind"] != "mcq" or not choices or len(set(choices)) < len(choices):
        return None
    label = meta["final_answer_correct"]
    return replace(_case(row), reference=str(meta["final_answer"]), label=label, spec={"choices": choices})


_LETTERS = re.compile(r"\$?[A-H](?:, ?[A-H])*\$?\.?")


def _labelled_prediction(row: Row) -> Case | None:
    """The label is that of a prediction in the meta data, often of another run than the response.

    References that are letters of choices stay out: the choices are not in the row.
    """
    prediction = row["meta"].get("repo_prediction")
    if prediction is None or _LETTERS.fullmatch(row["gold"].strip()):
        return None
    return replace(_case(row), response=prediction if isinstance(prediction, str) else json.dumps(prediction))


_GYM_TASKS = frozenset(
    (
        "aiw",
        "basic_arithmetic",
        "binary_alternation",
        "chain_sum",
        "complex_arithmetic",
        "count_bits",
        "count_primes",
        "decimal_chain_sum",
        "dice",
        "gcd",
        "gsm_symbolic",
        "largest_island",
        "lcm",
        "leg_counting",
        "letter_counting",
        "maze",
        "number_sequence",
        "products",
        "rectangle_count",
        "rotten_oranges",
        "self_reference",
        "simple_equations",
        "simple_geometry",
    )
)
"""Tasks whose answer is one number and whose own grader compares its value."""


_GYM_DIGITS = 10  # significant ones that the references of `decimal_chain_sum` are cut to


def _gym(row: Row) -> Case | None:
    """No label where the grader saw no answer for want of a tag, gave a part of a point for the right value in another
    form than it wants, or compared with a reference that was cut to a number of digits.
    """
    meta = row["meta"]
    if meta["task"] not in _GYM_TASKS:
        return None
    score = float(meta["score"])
    is_cut = meta["task"] == "decimal_chain_sum" and sum(c.isdigit() for c in row["gold"]) >= _GYM_DIGITS
    is_graded = meta.get("extracted") and not is_cut and not 0.05 < score < 1.0
    return replace(_case(row), label=score == 1.0 if is_graded else None)


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "zeroeval_gsm8k": Part("zeroeval_gsm8k", "math", _plain),
        "gsm8k_openai_2021": Part("gsm8k_openai_2021", "math", _plain),
        "tora_gsm8k": Part("tora_gsm8k", "math", _plain),
        "mr_gsm8k_human": Part("mr_gsm8k_human", "math", _plain),
        "zeroeval_math_l5": Part("zeroeval_math_l5", "math", _plain),
        "qwen_math_example": Part("qwen_math_example", "math", _plain),
        "rasbt_math": Part("rasbt_math", "math", _plain),
        "thought_anchors_r1_distill": Part("thought_anchors_r1_distill", "math", _plain),
        "trace_topology_r1": Part("trace_topology_r1", "math", _plain),
        "dynamic_cheatsheet": Part("dynamic_cheatsheet", "math", _plain),
        "thinking_traces_qwen3": Part("thinking_traces_qwen3", "math", _plain),
        "meta_prompting_gpt4": Part("meta_prompting_gpt4", "math", _plain),
        "verify_cot_math": Part("verify_cot_human", "math", _natural_program),
        "verify_cot_choice": Part("verify_cot_human", "choice", _natural_choice),
        "reasoning_gym_eval": Part("reasoning_gym_eval", "math", _gym),
        "gaokao_gpt4_zh": Part("gaokao_gpt4_zh", "choice", _one_letter),
        "odyssey_math": Part("odyssey_math", "math", _labelled_prediction, is_noisy=True),
    }
)


# --- reading


def find_data() -> Path:
    """The nearest `shared/data` at or above this repository."""
    for folder in Path(__file__).resolve().parents:
        if (data := folder / "shared" / "data").is_dir():
            return data
    return Path(__file__).resolve().parents[1].parent / "shared" / "data"


def path_of(data: Path, part: Part) -> Path:
    """The part's file, compressed or plain."""
    packed = data / "recorded" / f"{part.file}.jsonl.zst"
    plain = packed.with_suffix("")
    return plain if plain.is_file() else packed


def cases_of(path: Path, part: Part) -> list[Case]:
    return [case for row in _rows_of(path) if (case := part.case(row)) is not None]


def _rows_of(path: Path) -> Iterator[Row]:
    is_packed = path.suffix == ".zst"
    with zstandard.open(path, "rt", encoding="utf-8") if is_packed else path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
