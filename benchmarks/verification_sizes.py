"""Does verification pay, at other sizes: `recipes/verified-vs-unverified.toml` with another N, as a recipe of its own.

    python -m benchmarks.verification_sizes FOLDER --n 300
    python -m benchmarks.verification_sizes FOLDER --n 16000 --numbers 6 --steps 2000 --teachers mixed --seeds 3

Writes `FOLDER/recipe.toml` and runs `reasonry ablate` on it below FOLDER; run again, it goes on where it stopped. There
are fewer than 7 x 16,000 sums of five one-digit numbers, hence `--numbers`. The arm matched by epochs is left out.
"""

from __future__ import annotations

import argparse
import copy
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "verified-vs-unverified.toml"
N = "train.0.examples"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--n", type=int, required=True, help="examples of the small arms; the large ones have 7 N")
    parser.add_argument("--numbers", type=int, default=5, help="of a sum")
    parser.add_argument("--steps", type=int, default=700, help="of 8 rows")
    parser.add_argument("--teachers", nargs="+", default=["slips", "misconception", "mixed"])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    path = arguments.folder / "recipe.toml"
    path.write_text(as_toml(resized(tomllib.loads(RECIPE.read_text(encoding="utf-8")), arguments)), encoding="utf-8")
    command = [sys.executable, "-m", "reasonry", "ablate", str(path), "--out", str(arguments.folder / "ablation")]
    return subprocess.run(command, check=False).returncode


def resized(recipe: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    """The recipe with that N, those teachers, and as many seeds."""
    recipe = copy.deepcopy(recipe)
    recipe["name"] = f"verified-vs-unverified-{arguments.n}"
    recipe["questions"][0]["count"] = 7 * arguments.n
    for section in (recipe["questions"][0], recipe["evaluate"][0]):
        section["steps"] = arguments.numbers - 1
    recipe["train"][0]["steps"] = arguments.steps
    recipe["ablate"]["seeds"] = arguments.seeds
    teacher, examples = recipe["ablate"]["factors"]
    teacher["levels"] = [level for level in teacher["levels"] if level["name"] in arguments.teachers]
    examples["levels"] = [level for level in examples["levels"] if level.get("match") != "epochs"]
    for level in examples["levels"]:
        if N in level.get("set", {}):
            level["set"][N] = arguments.n
    if len(teacher["levels"]) == 1:  # one level is no factor
        recipe["distil"]["mistakes"] = teacher["levels"][0]["set"]["distil.mistakes"]
        recipe["ablate"]["factors"] = [examples]
    return recipe


def as_toml(recipe: dict[str, Any]) -> str:
    """A recipe as text: sections and lists of tables in their own lines, all else inline."""
    return "\n".join(_lines("", recipe)) + "\n"


def _lines(place: str, table: dict[str, Any]) -> Iterator[str]:
    tables = {key: value for key, value in table.items() if _is_table(value, at_top=not place)}
    yield from (f"{json.dumps(key)} = {_inline(value)}" for key, value in table.items() if key not in tables)
    for key, value in tables.items():
        head = f"[{place}{key}]" if isinstance(value, dict) else f"[[{place}{key}]]"
        for one in [value] if isinstance(value, dict) else value:
            yield head
            yield from _lines(f"{place}{key}.", one)


def _is_table(value: Any, *, at_top: bool) -> bool:
    if isinstance(value, dict):
        return at_top
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _inline(value: Any) -> str:
    """JSON's scalars and lists of them are TOML's too."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_inline(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


if __name__ == "__main__":
    sys.exit(main())
