"""A student: any checkpoint folder in HuggingFace's format, answering batches of conversations.

Generation is a loop of our own over the model's KV cache. It is as fast as `generate()` on these students, and it lets
each row draw from a generator that is seeded by the row's own content, so that a sample does not depend on which rows
share its batch. Padding stands on the left and is masked. What is left of the batch in a result are the last bits of
the logits, because matrix kernels round differently for different shapes: a choice can differ only where two tokens are
equally likely to about one part in a million.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reasonry.errors import InputError
from reasonry.identity import digest
from reasonry.teachers.reasoning import split_reasoning
from reasonry.trainers.extra import need_training_libraries, quiet, threads
from reasonry.types import Finish, Message, Reply, Sampling

__all__ = ["LocalStudent", "load_student"]

_WINDOW_BATCHES = 8  # rows are sorted by length within this many batches, so replies still stream
_ONE_THREAD_BELOW = 10_000_000  # parameters; a tiny student takes 3 times as long on two threads as on one
_DEFAULT_CONTEXT = 2048  # tokens, for a model that does not name its own


@dataclass(slots=True)
class _Row:
    """One conversation on its way: what goes in, what came out so far."""

    prompt: list[int]
    limit: int  # most tokens to write
    draws: random.Random | None = None
    written: list[int] = field(default_factory=list[int])
    finish: Finish = "length"

    @property
    def is_open(self) -> bool:
        return self.finish == "length" and len(self.written) < self.limit


@dataclass(frozen=True, slots=True)
class LocalStudent:
    """A causal language model of this machine, on the CPU in float32. Make one with `load_student`."""

    name: str
    model: Any
    tokenizer: Any

    def generate(
        self, conversations: Sequence[tuple[Message, ...]], sampling: Sampling, *, seed: int, batch_size: int
    ) -> Iterator[Reply]:
        """One reply for each conversation, in order. A temperature of 0 (or None) is greedy.

        `max_tokens` None means: as long as the model's context allows. A repeated conversation is another
        sample. A prompt that fills the context alone gets an empty reply that finishes by length.
        """
        rows = self._rows(conversations, sampling, seed)
        window = batch_size * _WINDOW_BATCHES
        count = 1 if self.model.num_parameters() < _ONE_THREAD_BELOW else None
        for start in range(0, len(rows), window):
            shown = rows[start : start + window]
            by_length = sorted((row for row in shown if row.is_open), key=lambda row: len(row.prompt))
            with threads(count):
                for first in range(0, len(by_length), batch_size):
                    self._write(by_length[first : first + batch_size], sampling)
            yield from map(self._reply, shown)

    def _rows(self, conversations: Sequence[tuple[Message, ...]], sampling: Sampling, seed: int) -> list[_Row]:
        context = getattr(self.model.config, "max_position_embeddings", None) or _DEFAULT_CONTEXT
        seen, rows = Counter[tuple[Message, ...]](), list[_Row]()
        for messages in conversations:
            prompt = self._encode(messages)
            limit = min(sampling.max_tokens or context, context - len(prompt))
            content = digest("student sample", seed, messages, sampling.index, seen[messages])
            rows.append(_Row(prompt, limit, random.Random(content) if sampling.temperature else None))
            seen[messages] += 1
        return rows

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        chat = [{"role": message.role, "content": message.content} for message in messages]
        text = self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def _write(self, rows: Sequence[_Row], sampling: Sampling) -> None:
        """Write the rows of one batch to their ends. `tokens` and `mask` are rows x width."""
        import torch

        ends, padding = self._ends(), self.tokenizer.pad_token_id or 0
        longest = max(len(row.prompt) for row in rows)
        gaps = [longest - len(row.prompt) for row in rows]
        tokens = torch.tensor([[padding] * gap + row.prompt for gap, row in zip(gaps, rows, strict=True)])
        mask = torch.tensor([[0] * gap + [1] * len(row.prompt) for gap, row in zip(gaps, rows, strict=True)])
        positions, cache = (mask.cumsum(-1) - 1).clamp(min=0), None
        with torch.inference_mode():
            while any(row.is_open for row in rows):
                seen = self.model(
                    input_ids=tokens,
                    attention_mask=mask,
                    position_ids=positions,
                    cache=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
                chosen, cache = _choose(seen.logits[:, -1], rows, sampling), seen.past_key_values
                _append(rows, chosen, ends)
                tokens = torch.tensor(chosen)[:, None]
                mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=-1)
                positions = positions[:, -1:] + 1

    def _ends(self) -> set[int]:
        """The tokens that end a turn: those of the generation config and the tokenizer's own."""
        named = self.model.generation_config.eos_token_id
        listed: list[int | None] = list(named) if isinstance(named, list | tuple) else [named]
        return {end for end in (*listed, self.tokenizer.eos_token_id) if end is not None}

    def _reply(self, row: _Row) -> Reply:
        text = self.tokenizer.decode(row.written, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        parts = split_reasoning(text, row.finish)
        ended = row.finish == "stop"
        return Reply(
            response=parts.response,
            reasoning=parts.reasoning,
            finish=row.finish,
            model=self.name,
            tokens_in=len(row.prompt),
            tokens_out=len(row.written) + ended,  # the end of turn is a token that was written too
        )


def load_student(checkpoint: Path) -> LocalStudent:
    """The student in a checkpoint folder: weights, tokenizer and chat template, from that folder alone.

    Code that a checkpoint brings is never run. Raises InputError for a folder that is no checkpoint, whose
    weights are incomplete, or that has no chat template; PartError where torch or transformers is missing.
    """
    need_training_libraries()
    if not (checkpoint / "config.json").is_file():
        raise InputError(
            "not a checkpoint: there is no config.json",
            place=str(checkpoint),
            hint="name a folder in HuggingFace's format, for example the `checkpoint` of a train stage",
        )
    student = _load(checkpoint)
    if student.tokenizer.chat_template is None:
        raise InputError(
            "the tokenizer has no chat template, so nobody can say how to ask this model",
            place=str(checkpoint),
            hint="use the chat version of the model, or add a chat_template.jinja to the folder",
        )
    return student


def _load(checkpoint: Path) -> LocalStudent:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(checkpoint, local_files_only=True, trust_remote_code=False)
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                checkpoint, local_files_only=True, trust_remote_code=False, output_loading_info=True
            )
            model, loading = loaded
    except Exception as exc:
        raise InputError(
            f"the checkpoint cannot be loaded: {exc}", place=str(checkpoint), hint="train or download it again"
        ) from exc
    if missing := sorted(loading["missing_keys"]):
        raise InputError(
            f"{len(missing)} weights are missing, the first is {missing[0]}",
            place=str(checkpoint),
            hint="train or download it again",
        )
    return LocalStudent(checkpoint.name, model.float().eval(), tokenizer)


def _append(rows: Sequence[_Row], chosen: Sequence[int], ends: set[int]) -> None:
    for row, token in zip(rows, chosen, strict=True):
        if row.is_open and token in ends:
            row.finish = "stop"
        elif row.is_open:
            row.written.append(token)


def _choose(logits: Any, rows: Sequence[_Row], sampling: Sampling) -> list[int]:
    """The next token of each row; `logits` is rows x vocabulary.

    Sampling inverts the cumulative distribution at a number that the row itself draws. `top_p` keeps the
    smallest set of likely tokens that holds this probability (nucleus sampling, Holtzman et al. 2020).
    """
    import torch

    if not sampling.temperature:
        return logits.argmax(-1).tolist()
    likely, order = (logits.double() / sampling.temperature).softmax(-1).sort(dim=-1, descending=True, stable=True)
    likelier = likely.cumsum(-1) - likely
    likely = likely.masked_fill(likelier >= (sampling.top_p or 1.0), 0.0)
    reached = likely.cumsum(-1)
    draws = torch.tensor([[row.draws.random() if row.draws else 0.0] for row in rows], dtype=torch.float64)
    last = (likely > 0).sum(-1, keepdim=True) - 1
    picked = (reached <= draws * reached[:, -1:]).sum(-1, keepdim=True).minimum(last)
    return order.gather(-1, picked)[:, 0].tolist()
