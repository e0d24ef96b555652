"""Whether a training by `trl` fits its GPUs, and what would make it fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from typing import Any

from reasonry.trainers.needs import Memory, Sharding, memory_of
from reasonry.trainers.shapes import Shape
from reasonry.trainers.trl_options import TrlOptions

__all__ = ["ROOM", "Setup", "remedies", "setup_of"]

ROOM = 0.9
"""The share of a GPU's memory that the formulas may fill. Fragments, the driver and work space take the rest."""

_SHOWN = 2
_LORA_RANK = 16


@dataclass(frozen=True, slots=True)
class Setup:
    """What decides the memory of one GPU. `lora_rank` None: all weights are trained.

    `batch` are the sequences on one GPU at once, `sequences` those of a step on all of them. `shared_by` is what a
    recipe says to share everything.
    """

    batch: int
    sequences: int
    length: int
    gpus: int
    sharding: Sharding
    checkpointing: bool
    lora_rank: int | None
    shared_by: str = "zero3"

    def memory(self, shape: Shape) -> Memory:
        return memory_of(
            shape,
            batch=self.batch,
            length=self.length,
            gpus=self.gpus,
            sharding=self.sharding,
            checkpointing=self.checkpointing,
            lora_rank=self.lora_rank,
        )

    def fits(self, shape: Shape, gpu_bytes: float) -> bool:
        return self.memory(shape).total <= ROOM * gpu_bytes


def setup_of(options: TrlOptions) -> Setup:
    """The setup that a recipe asks for."""
    return Setup(
        batch=options.share_among(options.devices).batch,
        sequences=options.sequences,
        length=options.max_length,
        gpus=options.devices,
        sharding=options.zero_stage,
        checkpointing=options.gradient_checkpointing,
        lora_rank=options.lora_rank if options.method == "lora" else None,
        shared_by="fsdp" if options.processes > 1 else "zero3",
    )


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of the recipe as its lines say it, and the fields of the setup that it sets."""

    said: str
    fields: Mapping[str, Any]


def remedies(setup: Setup, shape: Shape, gpu_bytes: float) -> tuple[str, ...]:
    """What would make it fit, and nothing more than that: one change or two together; and more GPUs."""
    singles = list(_singles(setup))
    found = list[tuple[_Change, ...]]()
    for chosen in (*combinations(singles, 1), *combinations(singles, 2)):
        is_more_than_enough = any(all(change in chosen for change in enough) for enough in found)
        if not is_more_than_enough and _changed(setup, chosen).fits(shape, gpu_bytes):
            found.append(chosen)
    is_spread_enough = any("sharding" in change.fields for enough in found for change in enough)
    more = () if is_spread_enough else _more_gpus(setup)
    spread = (chosen for chosen in more if _changed(setup, chosen).fits(shape, gpu_bytes))
    return tuple(", ".join(change.said for change in chosen) for chosen in (*found[:_SHOWN], *islice(spread, 1)))


def _changed(setup: Setup, changes: Sequence[_Change]) -> Setup:
    for change in changes:
        setup = replace(setup, **change.fields)
    return setup


def _singles(setup: Setup) -> Iterator[_Change]:
    if not setup.checkpointing:
        yield _Change("gradient_checkpointing = true", {"checkpointing": True})
    if setup.batch > 1:
        yield _Change(f"batch_size = 1 with {setup.batch} times the accumulation", {"batch": 1})
    if setup.gpus > 1 and setup.sharding < 3:
        yield _Change(f'sharding = "{setup.shared_by}"', {"sharding": 3})
    if setup.lora_rank is None:
        yield _Change('method = "lora"', {"lora_rank": _LORA_RANK})


def _more_gpus(setup: Setup) -> Iterator[tuple[_Change, ...]]:
    """Twice as many GPUs, and again, that share everything; with checkpointing where it takes both."""
    checkpointing = _Change("gradient_checkpointing = true", {"checkpointing": True})
    counts = [setup.gpus << doublings for doublings in range(1, 11)]
    shared = [gpus for gpus in counts if setup.sequences % (gpus * setup.batch) == 0]
    for more in ((), () if setup.checkpointing else (checkpointing,)):
        for gpus in shared:
            yield (_Change(f'gpus = {gpus}, sharding = "{setup.shared_by}"', {"gpus": gpus, "sharding": 3}), *more)
