"""The shapes of decoders and how many weights they have: from a config.json at hand, or known by a model's name.

Nothing is fetched: a model of the Hub is known here, or its config.json is in the Hub's cache on this machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.errors import InputError
from reasonry.estimating import Unknown
from reasonry.sections import RecipePath

__all__ = ["SHAPES", "Shape", "file_at_hand", "shape_at_hand", "shape_of"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a decoder with gated MLPs and grouped attention: Llama, Qwen2 and their kin."""

    layers: int
    hidden: int
    mlp: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    is_tied: bool
    has_attention_bias: bool

    @property
    def parameters(self) -> int:
        """All weights, counted matrix by matrix."""
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        attention = self.hidden * (2 * queries + 2 * keys)
        bias = queries + 2 * keys if self.has_attention_bias else 0
        layer = attention + bias + 3 * self.hidden * self.mlp + 2 * self.hidden
        return self.layers * layer + self.hidden + self.vocabulary * self.hidden * (1 if self.is_tied else 2)

    def lora_parameters(self, rank: int) -> int:
        """Adapters of this rank on every linear matrix of every layer: rank x (rows + columns) each."""
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        sides = 2 * (self.hidden + queries) + 2 * (self.hidden + keys) + 3 * (self.hidden + self.mlp)
        return self.layers * rank * sides


def _qwen2(layers: int, hidden: int, mlp: int, heads: int, kv_heads: int, vocabulary: int, *, tied: bool) -> Shape:
    head = hidden // heads
    return Shape(layers, hidden, mlp, heads, kv_heads, head, vocabulary, is_tied=tied, has_attention_bias=True)


# Figures of each model's https://huggingface.co/NAME/blob/main/config.json; the counts that follow from them are those
# of the weights published beside it (tests/trainers/test_shapes.py).
SHAPES = {
    "Qwen/Qwen2.5-0.5B-Instruct": _qwen2(24, 896, 4864, 14, 2, 151936, tied=True),
    "Qwen/Qwen2.5-1.5B-Instruct": _qwen2(28, 1536, 8960, 12, 2, 151936, tied=True),
    "Qwen/Qwen2.5-3B-Instruct": _qwen2(36, 2048, 11008, 16, 2, 151936, tied=True),
    "Qwen/Qwen2.5-7B-Instruct": _qwen2(28, 3584, 18944, 28, 4, 152064, tied=False),
    "Qwen/Qwen2.5-14B-Instruct": _qwen2(48, 5120, 13824, 40, 8, 152064, tied=False),
    "Qwen/Qwen2.5-32B-Instruct": _qwen2(64, 5120, 27648, 40, 8, 152064, tied=False),
}


def shape_of(config_file: Path) -> Shape:
    """The shape that a config.json tells. Raises InputError where it is of another kind of model."""
    try:
        config: Mapping[str, Any] = json.loads(config_file.read_text(encoding="utf-8"))
        kind, heads = config["model_type"], config["num_attention_heads"]
        if kind not in ("llama", "qwen2"):
            raise InputError(f"how many weights a '{kind}' has is not known here", place=str(config_file))
        return Shape(
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            mlp=config["intermediate_size"],
            heads=heads,
            kv_heads=config.get("num_key_value_heads") or heads,
            head=config.get("head_dim") or config["hidden_size"] // heads,
            vocabulary=config["vocab_size"],
            is_tied=bool(config.get("tie_word_embeddings", False)),
            has_attention_bias=kind == "qwen2" or bool(config.get("attention_bias")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as exc:
        raise InputError(f"not a model's config.json: {exc}", place=str(config_file)) from exc


def shape_at_hand(base: RecipePath | str, revision: str | None) -> Shape | Unknown:
    """The shape of a base model, without asking anybody for it."""
    if isinstance(base, str) and base in SHAPES:
        return SHAPES[base]
    config_file = file_at_hand(base, revision, "config.json")
    if config_file is None:
        return Unknown(f"the config.json of {base} is not on this machine: hf download {base} config.json")
    try:
        return shape_of(config_file)
    except InputError as error:
        return Unknown(error.message)


def file_at_hand(base: RecipePath | str, revision: str | None, name: str) -> Path | None:
    """A file of the base model: in its folder, or in the Hub's cache on this machine."""
    if isinstance(base, RecipePath):
        file = base.resolved / name
        return file if file.is_file() else None
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    cached = try_to_load_from_cache(base, name, revision=revision)
    return Path(cached) if isinstance(cached, str) else None
