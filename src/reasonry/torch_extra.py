"""The libraries of the `train` extra: asked for with a clear error where they lack, and their global state borrowed."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Generator
from contextlib import contextmanager

from reasonry.errors import PartError

__all__ = ["need_training_libraries", "quiet", "threads", "uncollected"]


def need_training_libraries() -> None:
    """Import torch and transformers. Raises PartError, with the command that installs them, where one lacks."""
    for name in ("torch", "tokenizers", "transformers"):
        try:
            with uncollected():
                importlib.import_module(name)
        except ImportError as exc:
            raise PartError(
                f"students need {name}, which is not installed",
                hint="pip install torch==2.13.0 && pip install 'reasonry[train]'",
            ) from exc


@contextmanager
def uncollected() -> Generator[None]:
    """No garbage is looked for: while these libraries are imported there is none, and looking takes a sixth of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def quiet() -> Generator[None]:
    """No progress bar of transformers' own around the files of one folder."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextmanager
def threads(count: int | None) -> Generator[None]:
    """This many threads of torch, and afterwards as many as before. None leaves them as they are."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
