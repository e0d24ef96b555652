"""ShareGPT and Alpaca files with the `dataset_info.json` that LLaMA-Factory reads.

`llamafactory-cli train` finds them with `dataset_dir: <dataset>/llamafactory` and `dataset: <name>_sharegpt`. (The
format is that of LLaMA-Factory's `data/README.md`: a description for each dataset, with `file_name`, `formatting`,
`columns` and, for ShareGPT, `tags`.) The recipe's trainings stand beside them, as files that it reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reasonry.errors import WorkFailed
from reasonry.exporters.contract import Exported, PublishedFile, Publishing, published_file
from reasonry.registry import part
from reasonry.store import write_durably

__all__ = ["FORMATS", "alpaca", "dataset_name", "sharegpt"]

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
_LINE_BREAKS = ("\u0085", "\u2028", "\u2029")  # to some readers of JSONL, though not to JSON
_JSON = json.JSONEncoder(ensure_ascii=False)

Turn = Mapping[str, str]
Convert = Callable[[str, Sequence[Turn]], dict[str, Any]]
"""From an example's id and messages to a row."""


def dataset_name(name: str, known: str) -> str:
    """What a format's file is called in `dataset_info.json`."""
    return f"{name}_{known}"


@part("exporter", "sharegpt")
def sharegpt(publishing: Publishing, target: Path) -> Exported:
    """ShareGPT conversations as JSONL, for LLaMA-Factory."""
    return _export(publishing, target, "sharegpt", _as_sharegpt)


@part("exporter", "alpaca")
def alpaca(publishing: Publishing, target: Path) -> Exported:
    """Alpaca instructions as JSONL, for LLaMA-Factory."""
    return _export(publishing, target, "alpaca", _as_alpaca)


def _export(publishing: Publishing, target: Path, name: str, convert: Convert) -> Exported:
    (target / FOLDER).mkdir(parents=True, exist_ok=True)
    path = f"{FOLDER}/{_DESCRIPTIONS[name]['file_name']}"
    examples = publishing.store.values(publishing.manifests["select"], ["id", "messages"])
    rows = _write_lines(target / path, (convert(example, messages) for example, messages in examples))
    files = [published_file(target, path, rows), *_beside(publishing, target, name)]
    return Exported(target / FOLDER, tuple(files))


def _write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    temporary = path.with_name(path.name + ".writing")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(_line(row))
            count += 1
    temporary.replace(path)
    return count


def _line(row: dict[str, Any]) -> str:
    line = _JSON.encode(row)
    for mark in _LINE_BREAKS:  # seldom there, and quickly not found
        if mark in line:
            line = line.replace(mark, f"\\u{ord(mark):04x}")
    return line + "\n"


def _beside(publishing: Publishing, target: Path, name: str) -> Iterator[PublishedFile]:
    """What the formats of the section have in common, so the first of them writes it and no later one changes it."""
    formats = [known for known in FORMATS if known in publishing.section.formats or known == name]
    order = [known for known in publishing.section.formats if known in FORMATS] or [name]
    if name in order and order[0] != name:
        return
    info = {dataset_name(publishing.name, known): _DESCRIPTIONS[known] for known in formats}
    texts = {"dataset_info.json": json.dumps(info, indent=2, ensure_ascii=False) + "\n", **publishing.trainings}
    for file, text in texts.items():
        path = f"{FOLDER}/{file}"
        write_durably(target / path, text)
        yield published_file(target, path, None)


def _system_of(messages: Sequence[Turn]) -> str:
    return messages[0]["content"] if messages[0]["role"] == "system" else ""


def _as_sharegpt(_: str, messages: Sequence[Turn]) -> dict[str, Any]:
    turns = [message for message in messages if message["role"] != "system"]
    conversations = [{"from": _FROM.get(turn["role"], turn["role"]), "value": turn["content"]} for turn in turns]
    return {"conversations": conversations, "system": _system_of(messages)}


def _as_alpaca(example: str, messages: Sequence[Turn]) -> dict[str, Any]:
    turns = [message for message in messages if message["role"] != "system"]
    if [turn["role"] for turn in turns] != ["user", "assistant"]:
        raise WorkFailed(
            f"an Alpaca row holds one question and one answer, this example has {len(turns)} turns",
            place=f"example {example}",
            hint='leave "alpaca" out of publish.formats',
        )
    prompt, answer = turns
    return {
        "instruction": prompt["content"],
        "input": "",
        "output": answer["content"],
        "system": _system_of(messages),
    }
