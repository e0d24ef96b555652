"""LiveCodeBench: contest problems with dates, so that those after a model's training can be chosen (extra: hub).

livecodebench/code_generation_lite; release 6 has 1,055 problems from May 2023 to April 2025. Its card says "cc" without
a variant; the problem texts are those of LeetCode, AtCoder and Codeforces. Its files are read as they are, since the
dataset's own loading script is code that we do not run. Hidden tests are packed text in it: base64, zlib, and a pickle
of one text, of which nothing but a text is accepted.
"""

from __future__ import annotations

import base64
import io
import json
import pickle
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import Field, StringConstraints

from reasonry.benchmarks.datasets import STAGE, Published, inputs_of_copy, mapped_as
from reasonry.benchmarks.programs import PublishedCodeSection
from reasonry.errors import InputError
from reasonry.records import Record, SetAside, file_sha256, open_records
from reasonry.registry import Input, part
from reasonry.sections import FieldMap
from reasonry.sources.hub import HubSection, hub_inputs, needs_datasets
from reasonry.sources.mapping import drop_of, question_from
from reasonry.types import Drop, Question

__all__ = ["LIVECODEBENCH", "LiveCodeBenchSection", "hidden_tests", "read_livecodebench"]

LIVECODEBENCH = Published(
    name="livecodebench",
    dataset="livecodebench/code_generation_lite",
    revision="0fe84c3912ea0c4d4a78037083943e8f0c4dd505",
    split="test",
    rows=1055,
    license="other (cc, variant not stated)",
    citation="Jain et al., LiveCodeBench, 2024 (arXiv:2403.07974)",
    summary="LiveCodeBench: contest problems by date, with hidden tests.",
    fields=FieldMap(prompt="task", answer=None, id="question_id", spec="spec", difficulty="level"),
)
_LEVELS = {"easy": 1, "medium": 2, "hard": 3}
_MOST_BYTES = 1 << 30  # of one problem's hidden tests, unpacked
_NAMES = re.compile(r"test(\d*)\.jsonl(?:\.gz|\.zst)?")

Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class LiveCodeBenchSection(PublishedCodeSection):
    """An evaluation on LiveCodeBench's problems of code generation."""

    prompt: str | None = "{prompt}\n\nGive the whole program in one block of Python code."
    release: Annotated[int, Field(ge=1, le=6)] = Field(default=6, description="its release: 1 has 400 problems")
    since: Day | None = Field(default=None, description="only contests on this day or later: 2024-08-01")
    until: Day | None = Field(default=None, description="only contests before this day")


def _inputs(options: LiveCodeBenchSection) -> Sequence[Input]:
    if options.path is None:
        revision = options.revision or LIVECODEBENCH.revision
        return hub_inputs(HubSection(source="hub", path=LIVECODEBENCH.dataset, split="test", revision=revision))
    files = inputs_of_copy(options)
    return files or [Input(f.name, file_sha256(f), f.stat().st_size) for f in _files(options)]


@part("benchmark", "livecodebench", version=2, options=LiveCodeBenchSection, inputs=_inputs, needs=needs_datasets)
def read_livecodebench(options: LiveCodeBenchSection) -> Iterator[Question | Drop]:
    """LiveCodeBench: contest problems by date, with hidden tests."""
    mapped = mapped_as(LIVECODEBENCH, options, LIVECODEBENCH.fields)
    revision = None if options.path else options.revision or LIVECODEBENCH.revision
    for file in _files(options):
        place = {"dataset": LIVECODEBENCH.dataset, "file": file.name, "revision": revision}
        for row in open_records(file):
            if isinstance(row, SetAside):
                yield drop_of(row, STAGE)
            elif _is_wanted(row.values, options):
                shaped = _shaped(row)
                origin = {**place, "row": row.row, "date": str(row.values.get("contest_date", ""))[:10]}
                yield shaped if isinstance(shaped, Drop) else question_from(shaped, mapped, origin)


def _files(options: LiveCodeBenchSection) -> list[Path]:
    """The files of the release, in its order: test.jsonl, test2.jsonl, ... A file given by name is taken as it is."""
    if options.path is None:
        return [_downloaded(f"test{n if n > 1 else ''}.jsonl", options) for n in range(1, options.release + 1)]
    given = options.path.resolved
    if given.is_file():
        return [given]
    numbered = {int(found[1] or 1): file for file in given.iterdir() if (found := _NAMES.fullmatch(file.name))}
    files = [numbered[number] for number in sorted(numbered) if number <= options.release]
    if not files:
        raise InputError("no test.jsonl, test2.jsonl, ... in it", place=str(given), hint="name the dataset's folder")
    return files


def _downloaded(name: str, options: LiveCodeBenchSection) -> Path:
    from huggingface_hub import hf_hub_download

    revision = options.revision or LIVECODEBENCH.revision
    try:
        return Path(hf_hub_download(LIVECODEBENCH.dataset, name, repo_type="dataset", revision=revision))
    except Exception as exc:
        raise InputError(
            f"cannot be read from the Hub: {type(exc).__name__}: {str(exc).splitlines()[0] if str(exc) else ''}"[:300],
            place=f"{LIVECODEBENCH.dataset}/{name}",
            hint="check the network, or set path to a copy of the dataset's folder",
        ) from exc


def _is_wanted(values: Mapping[str, Any], options: LiveCodeBenchSection) -> bool:
    day = str(values.get("contest_date", ""))[:10]
    return (options.since is None or day >= options.since) and (options.until is None or day < options.until)


def _shaped(record: Record) -> Record | Drop:
    """The row with its task and its tests; a Drop where the tests cannot be read: without them none could pass."""
    values = record.values
    try:
        tests = [*_listed(values["public_test_cases"]), *hidden_tests(values["private_test_cases"])]
        function = json.loads(values.get("metadata") or "{}").get("func_name")
        spec: dict[str, Any] = {"tests": [_test(test, function) for test in tests]}
        task = _task(values["question_content"], values.get("starter_code") or "")
    except (KeyError, TypeError, AttributeError, ValueError, EOFError, zlib.error, pickle.UnpicklingError) as exc:
        reason = f"its tests cannot be read: {type(exc).__name__}: {exc}"[:300]
        return Drop(f"{record.file}:{record.row}", STAGE, "unreadable_tests", reason, content=record.content)
    if function:
        spec |= {"fn_name": function, "starter_code": values.get("starter_code") or ""}
    level = _LEVELS.get(str(values.get("difficulty")))
    return replace(record, values={**values, "task": task, "spec": spec, "level": level})


def _task(content: str, starter: str) -> str:
    if starter.strip():
        return f"{content}\n\nComplete this code:\n\n```python\n{starter}\n```"
    return f"{content}\n\nRead the input from stdin and write the answer to stdout."


def _test(test: Mapping[str, str], function: str | None) -> dict[str, Any]:
    """A functional test has one argument in JSON on each line, and the value expected in JSON."""
    if not function:
        return {"input": test["input"], "output": test["output"]}
    args = [json.loads(line) for line in test["input"].split("\n") if line.strip()]
    return {"args": args, "expected": json.loads(test["output"])}


def hidden_tests(packed: str) -> list[Mapping[str, str]]:
    """Tests in JSON, or packed. Raises ValueError, or what the unpackers raise, for what is neither."""
    if packed.lstrip().startswith("["):
        return _listed(packed)
    unpacker = zlib.decompressobj()
    pickled = unpacker.decompress(base64.b64decode(packed, validate=True), _MOST_BYTES)
    if unpacker.unconsumed_tail:
        raise ValueError(f"more than {_MOST_BYTES >> 20} MiB, unpacked")
    text = _TextOnly(io.BytesIO(pickled)).load()
    if not isinstance(text, str):
        raise ValueError(f"a {type(text).__name__} where a text should be")  # noqa: TRY004 - the data's fault, not the caller's
    return _listed(text)


def _listed(text: str) -> list[Mapping[str, str]]:
    tests = json.loads(text)
    if not isinstance(tests, list) or not all(isinstance(test, dict) for test in tests):
        raise ValueError("no list of tests")
    return tests


class _TextOnly(pickle.Unpickler):
    """A pickle can name any function to be called; this one may name none."""

    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:
        raise pickle.UnpicklingError(f"names {module_name}.{global_name}, where only a text is expected")
