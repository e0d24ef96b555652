"""A training in several processes on this machine, one for each GPU: started, followed step by step, ended with us.

`torchrun` starts them (trl_worker.py), accelerate inside TRL's trainer joins them. Each reads the rows
and the base as they were saved, so none of them asks the Hub.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reasonry.errors import UsageError, WorkFailed
from reasonry.trainers.trl_training import Job, no_noise
from reasonry.types import TrainStep

__all__ = ["FOLDER", "RESULT", "gpus_here", "trained_apart"]

FOLDER = "apart"
"""In the work folder: what the processes read (`rows`, `job.json`), what they say (`errors.txt`), what they make."""

RESULT = "model"
WORKER = "reasonry.trainers.trl_worker"
_POLL_SECONDS = 0.2
_SAID = 1500  # characters of what the processes said that an error shows


def trained_apart(job: Job, base: Path, on_step: Callable[[TrainStep], None]) -> Any:
    """The trained model; under LoRA with its adapters on. Raises WorkFailed where a process failed."""
    _check_gpus(job.options.processes)
    folder = job.progress.folder / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with no_noise():
        job.rows.save_to_disk(str(folder / "rows"))
    said = {"base": str(base.resolve()), "state": None if job.state is None else str(job.state)}
    (folder / "job.json").write_text(json.dumps({**said, "options": _plain(job)}), encoding="utf-8")
    with _processes(job.options.processes, folder) as process:
        log = _Log(job.progress.log)
        while process.poll() is None:
            time.sleep(_POLL_SECONDS)
            log.report(on_step)
        log.report(on_step)
        if process.returncode != 0:
            raise _failed(folder, process.returncode)
    return _result(job, folder / RESULT)


def gpus_here() -> int:
    """How many GPUs this process may use; 0: it trains on the CPU."""
    import torch

    return torch.cuda.device_count()


def _check_gpus(processes: int) -> None:
    if 0 < (count := gpus_here()) < processes:
        raise UsageError(
            f"{processes} processes want a GPU each, and this machine has {count}",
            place="train.processes",
            hint=f"processes = {count}",
        )


def _plain(job: Job) -> dict[str, Any]:
    """The options as JSON. The base is read from where it was saved, so here it is only a name."""
    return {**job.options.content(), "base": "base", "revision": None, "preset": None}


@contextmanager
def _processes(count: int, folder: Path) -> Generator[subprocess.Popen[bytes]]:
    """torchrun with its processes. They end when this one does: their input, which only we hold open, ends."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    command = [sys.executable, *launch, "-m", WORKER, str(folder)]
    with (folder / "errors.txt").open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=errors, stderr=errors)
        try:
            yield process
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()


@dataclass(slots=True)
class _Log:
    """The steps that the processes write down, read as they come. What stands there already was reported."""

    path: Path
    read: int = field(init=False)

    def __post_init__(self) -> None:
        self.read = self.path.stat().st_size if self.path.is_file() else 0

    def report(self, on_step: Callable[[TrainStep], None]) -> None:
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            file.seek(self.read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]  # the last line may still be on its way
        self.read += len(whole)
        for line in whole.splitlines():
            on_step(TrainStep(**json.loads(line)))


def _failed(folder: Path, code: int) -> WorkFailed:
    text = (folder / "errors.txt").read_text(encoding="utf-8", errors="replace")
    return WorkFailed(
        f"the training's processes ended with code {code}: {text[-_SAID:].strip() or 'they said nothing'}",
        place="train.processes",
        hint=f"all they said is in {folder / 'errors.txt'}; the same run goes on from the last whole state",
    )


def _result(job: Job, folder: Path) -> Any:
    import torch

    if job.options.method == "lora":
        from peft import PeftModel

        with no_noise():
            return PeftModel.from_pretrained(job.model, str(folder))
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32, local_files_only=True)
