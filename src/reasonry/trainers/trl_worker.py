"""One of the processes that share a training by `trl`: started by torchrun (see trl_processes.py)."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from reasonry.errors import WorkFailed
from reasonry.torch_extra import quiet, threads
from reasonry.trainers.resuming import Progress
from reasonry.trainers.trl_options import TrlOptions
from reasonry.trainers.trl_processes import RESULT
from reasonry.trainers.trl_training import Job, trained


def main(folder: Path) -> None:
    """Train with the others; the first process saves the result."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the input's end ends this process
    threading.Thread(target=_end_with_whoever_started_this, daemon=True).start()
    said: dict[str, Any] = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    options = TrlOptions.model_validate(said["options"])
    with threads(options.threads), quiet():
        trainer = trained(_job(folder, Path(said["base"]), options, said["state"]), lambda _: None)
        if trainer.args.world_size != options.processes:
            raise WorkFailed(f"each process trained for itself: {trainer.args.world_size} of {options.processes} met")
        trainer.save_model(str(folder / RESULT))


def _job(folder: Path, base: Path, options: TrlOptions, state: str | None) -> Job:
    import torch
    from datasets import load_from_disk
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    rows = load_from_disk(str(folder / "rows"))
    return Job(model, tokenizer, rows, options, Progress(folder.parent), None if state is None else Path(state))


def _end_with_whoever_started_this() -> None:
    """Nothing is ever said on the input: it ends when the process that holds it does."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
