"""Real rows through the trainer `trl`, with a kill: recorded GSM8K answers, and a random-weight Qwen2 of this machine.

    python -m benchmarks.trl_gsm8k --questions 200 --steps 40

The line of recipes/gsm8k-replay.toml, with so many of its questions, and a train stage behind it. It is run three ways:
undisturbed; killed by SIGKILL once a state was kept; and again into the killed run's folder. Printed are the losses,
the rows, the tokens, and whether both tables and both checkpoints are the same, bit for bit. 1 is returned where not.
Needs the data folder beside the checkout (../shared/data); without it, it says so and returns 2.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.trainers.qwen import base_model

from reasonry.identity import file_digest
from reasonry.store import Store
from reasonry.types import TrainStep

__all__ = ["main"]

_RECIPE = Path(__file__).parents[1] / "recipes" / "gsm8k-replay.toml"
_DATA = Path(__file__).parents[2] / "shared" / "data"


def _recipe(folder: Path, questions: int, steps: int) -> Path:
    text = _RECIPE.read_text(encoding="utf-8").replace("../../shared/data", str(_DATA))
    text = text.replace('source = "jsonl"', f'source = "jsonl"\ntake = {questions}')
    text = text.replace("per_question = 4", "per_question = 1")
    base = base_model(folder / "base")
    train = f"""
[[train]]
trainer = "trl"
base = "{base}"
steps = {steps}
batch_size = 4
max_length = 512
learning_rate = 0.003
save_every = 10
"""
    path = folder / "gsm8k-trl.toml"
    path.write_text(text + train, encoding="utf-8")
    return path


def _start(recipe: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "reasonry", "run", str(recipe), "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _kill_once_kept(recipe: Path, out: Path) -> int:
    """Kill a run with SIGKILL as soon as it has kept a state."""
    run = _start(recipe, out)
    while run.poll() is None:
        if any((out / "tables" / "train").glob("*.work/checkpoint-*/whole.json")):
            os.kill(run.pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    return run.wait()


def _trained(out: Path) -> dict[str, Any]:
    store = Store(out / "tables")
    (manifest,) = store.manifests("train")
    steps = list(store.rows(manifest, TrainStep))
    folder = store.folder("train", manifest.key)
    return {
        "table": manifest.digest,
        "weights": file_digest(folder / "checkpoint" / "model.safetensors"),
        "first_loss": round(steps[0].loss, 3),
        "last_loss": round(steps[-1].loss, 3),
        "steps": len(steps),
        "work_left": len(list(folder.parent.glob("*.work"))),
        **{name: manifest.metrics[name] for name in ("rows", "skipped_rows", "tokens", "parameters")},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print. Returns 1 where the resumed run differs from the undisturbed one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--steps", type=int, default=40)
    given = parser.parse_args(arguments)
    if not _DATA.is_dir():
        print("there is no data folder beside the checkout", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        recipe = _recipe(Path(name), given.questions, given.steps)
        killed = _kill_once_kept(recipe, Path(name) / "killed")
        again = _start(recipe, Path(name) / "killed").wait()
        whole = _start(recipe, Path(name) / "whole").wait()
        resumed, undisturbed = _trained(Path(name) / "killed"), _trained(Path(name) / "whole")
    is_same = resumed == undisturbed and killed == -signal.SIGKILL
    print(json.dumps({"exit_codes": [killed, again, whole], "same": is_same, **undisturbed}))
    return int(not is_same)


if __name__ == "__main__":
    sys.exit(main())
