"""ShareGPT and Alpaca files with the `dataset_info.json` that LLaMA-Factory reads.

`llamafactory-cli train` finds them with `dataset_dir: <dataset>/llamafactory` and `dataset: <name>_sharegpt`. (The
format is that of LLaMA-Factory's `data/README.md`: a description for each dataset, with `file_name`, `formatting`,
`columns` and, for ShareGPT, `tags`.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reasonry.errors import WorkFailed
from reasonry.exporters.contract import Exported, PublishedFile, Publishing, published_file
from reasonry.registry import part
from reasonry.store import write_durably
from reasonry.types import Example

__all__ = ["alpaca", "sharegpt"]

FOLDER = "llamafactory"
FORMATS = ("sharegpt", "alpaca")
_FROM = {"user": "human", "assistant": "gpt"}
_DESCRIPTIONS: dict[str, dict[str, Any]] = {
    "sharegpt": {
        "file_name": "sharegpt.jsonl",
        "formatting": "sharegpt",
        "columns": {"messages": "conversations", "system": "system"},
        "tags": {
            "role_tag": "from",
            "content_tag": "value",
            "user_tag": "human",
            "assistant_tag": "gpt",
        },
    },
    "alpaca": {
        "file_name": "alpaca.jsonl",
        "formatting": "alpaca",
        "columns": {"prompt": "instruction", "query": "input", "response": "output", "system": "system"},
    },
}
# Line breaks to some readers of JSONL, though not to JSON.
_ESCAPES = str.maketrans({"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})


@part("exporter", "sharegpt")
def sharegpt(publishing: Publishing, target: Path) -> Exported:
    """ShareGPT conversations as JSONL, for LLaMA-Factory."""
    return _export(publishing, target, "sharegpt", _as_sharegpt)


@part("exporter", "alpaca")
def alpaca(publishing: Publishing, target: Path) -> Exported:
    """Alpaca instructions as JSONL, for LLaMA-Factory."""
    return _export(publishing, target, "alpaca", _as_alpaca)


def _export(publishing: Publishing, target: Path, name: str, convert: Callable[[Example], dict[str, Any]]) -> Exported:
    (target / FOLDER).mkdir(parents=True, exist_ok=True)
    path = f"{FOLDER}/{_DESCRIPTIONS[name]['file_name']}"
    rows = _write_lines(target / path, (convert(example) for example in _examples(publishing)))
    files = [published_file(target, path, rows), *_dataset_info(publishing, target, name)]
    return Exported(target / FOLDER, tuple(files))


def _examples(publishing: Publishing) -> Iterator[Example]:
    return publishing.store.rows(publishing.manifests["select"], Example)


def _write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    temporary = path.with_name(path.name + ".writing")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).translate(_ESCAPES) + "\n")
            count += 1
    temporary.replace(path)
    return count


def _dataset_info(publishing: Publishing, target: Path, name: str) -> Iterator[PublishedFile]:
    """Names the files of all formats of the section, so the first of them writes it and no later one changes it."""
    formats = [known for known in FORMATS if known in publishing.section.formats or known == name]
    order = [known for known in publishing.section.formats if known in FORMATS] or [name]
    if name in order and order[0] != name:
        return
    info = {f"{publishing.name}_{known}": _DESCRIPTIONS[known] for known in formats}
    path = f"{FOLDER}/dataset_info.json"
    write_durably(target / path, json.dumps(info, indent=2, ensure_ascii=False) + "\n")
    yield published_file(target, path, None)


def _system_of(example: Example) -> str:
    first = example.messages[0]
    return first.content if first.role == "system" else ""


def _as_sharegpt(example: Example) -> dict[str, Any]:
    turns = [message for message in example.messages if message.role != "system"]
    conversations = [{"from": _FROM.get(message.role, message.role), "value": message.content} for message in turns]
    return {"conversations": conversations, "system": _system_of(example)}


def _as_alpaca(example: Example) -> dict[str, Any]:
    turns = [message for message in example.messages if message.role != "system"]
    if [turn.role for turn in turns] != ["user", "assistant"]:
        raise WorkFailed(
            f"an Alpaca row holds one question and one answer, this example has {len(turns)} turns",
            place=f"example {example.id}",
            hint='leave "alpaca" out of publish.formats',
        )
    prompt, answer = turns
    return {"instruction": prompt.content, "input": "", "output": answer.content, "system": _system_of(example)}
