"""A training's process with FSDP on a CPU, which torch can and accelerate refuses: here it believes to be on GPUs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from accelerate import state

from reasonry.trainers import trl_worker

_original = state.AcceleratorState.__init__


def _with_plugin(self: Any, *given: Any, fsdp_plugin: Any = None, **named: Any) -> None:
    _original(self, *given, fsdp_plugin=fsdp_plugin, **named)
    if fsdp_plugin is not None:
        shared = state.PartialState._shared_state  # pyright: ignore[reportPrivateUsage]
        self.distributed_type = shared["distributed_type"] = state.DistributedType.FSDP
        self.fsdp_plugin = fsdp_plugin


def _checked(job: Any, on_step: Any) -> Any:
    """The trainer, whose weights are in pieces."""
    trainer = _trained(job, on_step)
    kinds = {type(weight).__name__ for weight in trainer.model.parameters()}
    assert trainer.is_fsdp_enabled, "no FSDP"
    assert kinds == {"DTensor"}, kinds
    return trainer


state.AcceleratorState.__init__ = _with_plugin
_trained, trl_worker.trained = trl_worker.trained, _checked

if __name__ == "__main__":
    trl_worker.main(Path(sys.argv[1]))
