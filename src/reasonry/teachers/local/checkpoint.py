"""A student: any checkpoint folder in HuggingFace's format, answering batches of conversations.

Generation is a loop of our own over the model's KV cache. It is as fast as `generate()` on these students, and it lets
each row draw from a generator that is seeded by the row's own content, so that a sample does not depend on which rows
share its batch. Padding stands on the left and is masked. What is left of the batch in a result are the last bits of
the logits, because matrix kernels round differently for different shapes: a choice can differ only where two tokens are
equally likely to about one part in a million.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from reasonry.errors import InputError, TeacherError, UsageError
from reasonry.identity import digest, file_digest
from reasonry.registry import Input
from reasonry.teachers.local.turns import chat_of, parts_of, turn_start
from reasonry.torch_extra import need_training_libraries, quiet, threads, uncollected
from reasonry.types import Finish, Message, Reply, Sampling

__all__ = ["Device", "LocalStudent", "checkpoint_digest", "checkpoint_input", "load_student"]

Device = Literal["cpu", "cuda", "auto"]

_WINDOW_BATCHES = 8  # rows are sorted by length within this many batches, so replies still stream
_ONE_THREAD_BELOW = 10_000_000  # parameters; a tiny student takes 3 times as long on two threads as on one
_DEFAULT_CONTEXT = 2048  # tokens, for a model that does not name its own

# What trainers leave beside a model. Any other file may decide what it answers: weights, config, tokenizer, template.
_BESIDE_THE_MODEL = re.compile(
    r"\..*|README.*|LICENSE.*|training\.json|training_args\.bin|trainer_state\.json|(optimizer|scheduler|rng_state).*"
)


@dataclass(slots=True)
class _Row:
    """One conversation on its way: what goes in, what came out so far."""

    messages: Sequence[Message]
    text: str  # the prompt, as the chat template renders it
    prompt: list[int]
    sampling: Sampling
    limit: int  # most tokens to write
    draws: random.Random | None = None  # None: the most likely token, each time
    written: list[int] = field(default_factory=list[int])
    finish: Finish = "length"

    @property
    def is_open(self) -> bool:
        return self.finish == "length" and len(self.written) < self.limit


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class LocalStudent:
    """A causal language model of this machine, in float32. Make one with `load_student`."""

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
        seen, rows = Counter[tuple[Message, ...]](), list[_Row]()
        for messages in conversations:
            rows.append(self._row(messages, sampling, seed, seen[messages]))
            seen[messages] += 1
        window = batch_size * _WINDOW_BATCHES
        for start in range(0, len(rows), window):
            shown = rows[start : start + window]
            self._write_all(shown, batch_size, _never)
            yield from map(self._reply, shown)

    def replies(
        self,
        asked: Sequence[tuple[tuple[Message, ...], Sampling]],
        *,
        seed: int,
        batch_size: int,
        stopped: Callable[[], bool] = _never,
    ) -> list[Reply]:
        """One reply for each conversation, each with a sampling of its own; the same request gets the same reply.

        Where the last message is the assistant's, the model goes on from it. `stopped` is asked before every token;
        once it says True, TeacherError is raised.
        """
        rows = [self._row(messages, sampling, seed, 0) for messages, sampling in asked]
        self._write_all(rows, batch_size, stopped)
        return [self._reply(row) for row in rows]

    def _row(self, messages: tuple[Message, ...], sampling: Sampling, seed: int, repeat: int) -> _Row:
        context = getattr(self.model.config, "max_position_embeddings", None) or _DEFAULT_CONTEXT
        text = self.tokenizer.apply_chat_template(chat_of(messages), tokenize=False, **turn_start(messages))
        prompt: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        limit = min(sampling.max_tokens or context, context - len(prompt))
        content = digest("student sample", seed, messages, sampling.index, repeat)
        draws = random.Random(content) if sampling.temperature else None
        return _Row(messages, text, prompt, sampling, limit, draws)

    def _write_all(self, rows: Sequence[_Row], batch_size: int, stopped: Callable[[], bool]) -> None:
        count = 1 if self.model.num_parameters() < _ONE_THREAD_BELOW else None
        by_length = sorted((row for row in rows if row.is_open), key=lambda row: len(row.prompt))
        with threads(count):
            for first in range(0, len(by_length), batch_size):
                self._write(by_length[first : first + batch_size], stopped)

    def _write(self, rows: Sequence[_Row], stopped: Callable[[], bool]) -> None:
        """Write the rows of one batch to their ends. `tokens` and `mask` are rows x width."""
        import torch

        ends, padding, device = self._ends(), self.tokenizer.pad_token_id or 0, self.model.device
        longest = max(len(row.prompt) for row in rows)
        gaps = [longest - len(row.prompt) for row in rows]
        padded = [[padding] * gap + row.prompt for gap, row in zip(gaps, rows, strict=True)]
        shown = [[0] * gap + [1] * len(row.prompt) for gap, row in zip(gaps, rows, strict=True)]
        tokens, mask = torch.tensor(padded, device=device), torch.tensor(shown, device=device)
        positions, cache = (mask.cumsum(-1) - 1).clamp(min=0), None
        with torch.inference_mode():
            while any(row.is_open for row in rows):
                if stopped():
                    raise TeacherError("stopped before it had answered", retryable=True)
                seen = self.model(
                    input_ids=tokens,
                    attention_mask=mask,
                    position_ids=positions,
                    cache=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
                chosen, cache = _choose(seen.logits[:, -1], rows), seen.cache
                _append(rows, chosen, ends)
                tokens = torch.tensor(chosen, device=device)[:, None]
                mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=-1)
                positions = positions[:, -1:] + 1

    def _ends(self) -> set[int]:
        """The tokens that end a turn: those of the generation config and the tokenizer's own."""
        named = self.model.generation_config.eos_token_id
        listed: list[int | None] = list(named) if isinstance(named, list | tuple) else [named]
        return {end for end in (*listed, self.tokenizer.eos_token_id) if end is not None}

    def _reply(self, row: _Row) -> Reply:
        text = self.tokenizer.decode(row.written, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        parts = parts_of(text, row.finish, row.messages, row.text)
        ended = row.finish == "stop"
        return Reply(
            response=parts.response,
            reasoning=parts.reasoning,
            finish=row.finish,
            model=self.name,
            tokens_in=len(row.prompt),
            tokens_out=len(row.written) + ended,  # the end of turn is a token that was written too
        )


def checkpoint_digest(folder: Path) -> str:
    """The digest of all that decides what a checkpoint answers. Its folder's name and place do not.

    Raises InputError where a file cannot be read.
    """
    try:
        files = [
            path
            for path in sorted(folder.iterdir())
            if path.is_file() and _BESIDE_THE_MODEL.fullmatch(path.name) is None
        ]
        facts = [(path, path.stat()) for path in files]
        return digest("checkpoint", {p.name: _digest_of(p, s.st_size, s.st_mtime_ns) for p, s in facts})
    except OSError as exc:
        raise InputError(f"the checkpoint cannot be read: {exc.strerror}", place=str(folder)) from exc


def checkpoint_input(folder: Path) -> Input:
    """A checkpoint as what a stage's key depends on."""
    return Input(folder.name, checkpoint_digest(folder))


@lru_cache(maxsize=256)
def _digest_of(path: Path, size: int, changed_ns: int) -> str:  # noqa: ARG001 - so that a changed file is read again
    """Plan, run and every evaluation ask for it, and weights may be large."""
    return file_digest(path)


def load_student(checkpoint: Path, device: Device = "cpu") -> LocalStudent:
    """The student in a checkpoint folder: weights, tokenizer and chat template, from that folder alone.

    `device` "auto" is the GPU where torch finds one. Code that a checkpoint brings is never run. Raises InputError for
    a folder that is no checkpoint, whose weights are incomplete, or that has no chat template; PartError where torch or
    transformers is missing; UsageError where there is no GPU.
    """
    need_training_libraries()
    if not (checkpoint / "config.json").is_file():
        raise InputError(
            "not a checkpoint: there is no config.json",
            place=str(checkpoint),
            hint="name a folder in HuggingFace's format, for example the `checkpoint` of a train stage",
        )
    chosen = _device(device)
    student = _load(checkpoint)
    if student.tokenizer.chat_template is None:
        raise InputError(
            "the tokenizer has no chat template, so nobody can say how to ask this model",
            place=str(checkpoint),
            hint="use the chat version of the model, or add a chat_template.jinja to the folder",
        )
    student.model.to(chosen)
    return student


def _device(wanted: Device) -> str:
    import torch

    has_gpu = torch.cuda.is_available()
    if wanted == "cuda" and not has_gpu:
        raise UsageError(
            "torch finds no CUDA device on this machine",
            place="distil.device",
            hint='device = "cpu", or install a build of torch with CUDA',
        )
    return "cuda" if has_gpu and wanted != "cpu" else "cpu"


def _load(checkpoint: Path) -> LocalStudent:
    try:
        with uncollected(), quiet():
            from transformers import AutoModelForCausalLM, AutoTokenizer

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


def _choose(logits: Any, rows: Sequence[_Row]) -> list[int]:
    """The next token of each row; `logits` is rows x vocabulary.

    Sampling inverts the cumulative distribution at a number that the row itself draws. `top_p` keeps the
    smallest set of likely tokens that holds this probability (nucleus sampling, Holtzman et al. 2020).
    """
    import torch

    chosen: list[int] = logits.argmax(-1).tolist()
    drawing = [i for i, row in enumerate(rows) if row.draws is not None]
    if not drawing:
        return chosen

    def column(values: Sequence[float]) -> Any:
        return torch.tensor(values, dtype=torch.float64, device=logits.device)[:, None]

    temperatures = column([rows[i].sampling.temperature or 1.0 for i in drawing])
    nuclei = column([rows[i].sampling.top_p or 1.0 for i in drawing])
    likely, order = (logits[drawing].double() / temperatures).softmax(-1).sort(dim=-1, descending=True, stable=True)
    likelier = likely.cumsum(-1) - likely
    likely = likely.masked_fill(likelier >= nuclei, 0.0)
    reached = likely.cumsum(-1)
    draws = column([draw.random() for i in drawing if (draw := rows[i].draws)])
    last = (likely > 0).sum(-1, keepdim=True) - 1
    picked = (reached <= draws * reached[:, -1:]).sum(-1, keepdim=True).minimum(last)
    for i, token in zip(drawing, order.gather(-1, picked)[:, 0].tolist(), strict=True):
        chosen[i] = token
    return chosen
