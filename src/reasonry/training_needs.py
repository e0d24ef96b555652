"""What each training of a plan needs: memory, tokens, steps, hours, money. Asks nobody and fetches nothing.

Tokens are counted in the sealed examples: by the base's own tokenizer where that is on this machine, else from
characters. Before there are examples, the estimate of the teacher's tokens bounds them from above.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path
from typing import Any

from reasonry.estimating import Estimate, Range, Unknown
from reasonry.identity import digest
from reasonry.plan import Step
from reasonry.store import Manifest, Store
from reasonry.trainers.fitting import remedies, setup_of
from reasonry.trainers.needs import GPUS, UTILIZATION, Memory, hours, train_flops
from reasonry.trainers.shapes import Shape, file_at_hand, shape_at_hand
from reasonry.trainers.tiny import TinyOptions, tiny_shape
from reasonry.trainers.trl_options import TrlOptions

__all__ = ["CHARACTERS_PER_TOKEN", "Tokens", "TrainingNeeds", "training_needs"]

CHARACTERS_PER_TOKEN = 3.5
"""Of reasoning in English with formulas and code, where no tokenizer is at hand: a rule of thumb, not a measurement."""

_SAMPLE = 200  # examples by which a tokenizer is measured
_LENGTH = len("The answer is \\boxed{}.") + 8  # of what is learnt with target = "answer"


@dataclass(frozen=True, slots=True)
class Tokens:
    """Those of one pass over the data. `is_most`: an upper bound; `too_long`: rows beyond max_length, left out."""

    tokens: int
    rows: int
    too_long: int
    basis: str
    is_most: bool = False


@dataclass(frozen=True, slots=True)
class TrainingNeeds:
    """What one training needs. None: unknown, or it has no such thing (`tiny` needs no GPU).

    `trained` are the parameters that change, `sequences` those of a step, `trained_tokens` those of all steps.
    """

    model: str
    parameters: int | Unknown
    trained: int | None
    tokens: Tokens | Unknown
    sequences: int
    steps: int | None
    trained_tokens: float | None = None
    gpu: str | None = None
    gpus: int = 1
    gpu_bytes: float | None = None
    memory: Memory | None = None
    fits: bool | None = None
    remedies: tuple[str, ...] = ()
    utilization: Range | None = None
    hours: Range | None = None
    gpu_usd_per_hour: float | None = None
    cost_usd: Range | None = None


def training_needs(
    steps: Sequence[Step], store: Store, estimates: Mapping[str, Estimate | Unknown]
) -> Mapping[str, TrainingNeeds]:
    """The needs of every training that is not sealed, by the step's name. Other people's trainers say nothing."""
    found: dict[str, TrainingNeeds] = {}
    for step in steps:
        if step.stage != "train" or store.sealed(step.stage, step.key) is not None:
            continue
        if isinstance(step.options, TrlOptions):
            found[step.name] = _of_trl(step.options, _tokens(step, store, estimates))
        elif isinstance(step.options, TinyOptions):
            found[step.name] = _of_tiny(step.options)
    return found


def _of_tiny(options: TinyOptions) -> TrainingNeeds:
    """A model from scratch, whose tokenizer is made of the data."""
    parameters = tiny_shape(options, options.vocabulary).parameters  # at most: data may hold fewer tokens
    reason = Unknown("its tokenizer is made of the data")
    return TrainingNeeds("tiny", parameters, parameters, reason, options.batch_size, options.steps)


def _of_trl(options: TrlOptions, tokens: Tokens | Unknown) -> TrainingNeeds:
    base = options.base if isinstance(options.base, str) else options.base.given
    shape = shape_at_hand(options.base, options.revision)
    steps, trained_tokens = _steps(options, tokens), _trained_tokens(options, tokens)
    facts: dict[str, Any] = {"gpu": options.gpu, "gpus": options.devices, "gpu_usd_per_hour": options.gpu_usd_per_hour}
    trained = None
    if isinstance(shape, Shape):
        trained = shape.lora_parameters(options.lora_rank) if options.method == "lora" else shape.parameters
        facts |= _memory(options, shape) | _time(options, shape, trained_tokens)
    parameters = shape if isinstance(shape, Unknown) else shape.parameters
    return TrainingNeeds(base, parameters, trained, tokens, options.sequences, steps, trained_tokens, **facts)


def _memory(options: TrlOptions, shape: Shape) -> dict[str, Any]:
    setup = setup_of(options)
    if options.gpu is None:
        return {"memory": setup.memory(shape)}
    gpu_bytes = GPUS[options.gpu].bytes
    fits = setup.fits(shape, gpu_bytes)
    facts = {"memory": setup.memory(shape), "gpu_bytes": gpu_bytes, "fits": fits}
    return facts if fits else {**facts, "remedies": remedies(setup, shape, gpu_bytes)}


def _time(options: TrlOptions, shape: Shape, tokens: float | None) -> dict[str, Any]:
    """Hours at the utilization given, or between twice and half of the usual one."""
    if options.gpu is None or tokens is None:
        return {}
    flops = train_flops(
        shape.parameters,
        tokens,
        checkpointing=options.gradient_checkpointing,
        is_frozen=options.method == "lora",
    )
    given = options.gpu_utilization
    share = Range(given, given, given) if given else Range(UTILIZATION, UTILIZATION / 2, UTILIZATION * 2)
    ends = (share.estimate, share.high, share.low)
    took = Range(*(hours(flops, options.gpu, options.devices, utilization=end) for end in ends))
    price = options.gpu_usd_per_hour
    cost = took.over(1 / (options.devices * price)) if price else None
    return {"utilization": share, "hours": took, "cost_usd": cost}


def _sequences_of_a_pass(options: TrlOptions, tokens: Tokens) -> int:
    return math.ceil(tokens.tokens / options.max_length) if options.packing else tokens.rows


def _steps(options: TrlOptions, tokens: Tokens | Unknown) -> int | None:
    if options.steps is not None:
        return options.steps
    if isinstance(tokens, Unknown):
        return None
    of_a_pass = math.ceil(_sequences_of_a_pass(options, tokens) / options.sequences)
    return math.ceil(of_a_pass * (options.epochs or 1.0))


def _trained_tokens(options: TrlOptions, tokens: Tokens | Unknown) -> float | None:
    if isinstance(tokens, Unknown):
        return None
    if options.steps is None:
        return tokens.tokens * (options.epochs or 1.0)
    return options.steps * options.sequences * tokens.tokens / max(1, _sequences_of_a_pass(options, tokens))


def _tokens(step: Step, store: Store, estimates: Mapping[str, Estimate | Unknown]) -> Tokens | Unknown:
    options: TrlOptions = step.options
    selected = step.upstream["select"]
    manifest = store.sealed("select", selected.key)
    if manifest is not None:
        return _counted(options, manifest, store)
    distilled = selected.upstream["distil"]
    if options.target == "answer":
        return Unknown("no examples yet")
    sealed = store.sealed("distil", distilled.key)
    if sealed is not None:
        metrics = sealed.metrics
        counts = _Counts(metrics.get("tokens_in"), metrics.get("tokens_out"), sealed.rows_out)
        return _at_most(options, counts, "the traces, if all are kept")
    estimate = estimates.get(distilled.name)
    if isinstance(estimate, Estimate):
        counts = _Counts(_value(estimate.tokens_in), _value(estimate.tokens_out), estimate.rows.estimate)
        return _at_most(options, counts, "the estimate of distil, if all is kept")
    return Unknown("no examples yet, and what the teacher writes is not known: plan --pilot 20")


def _value(figure: Range | None) -> float | None:
    return None if figure is None else figure.estimate


@dataclass(frozen=True, slots=True)
class _Counts:
    """What a teacher counted, or will."""

    tokens_in: float | None
    tokens_out: float | None
    rows: float


def _at_most(options: TrlOptions, counts: _Counts, basis: str) -> Tokens | Unknown:
    """As if every trace became an example: by the teacher's tokenizer, which is not quite the student's."""
    if not counts.tokens_out or not counts.rows:
        return Unknown("no examples yet, and the teacher does not count its tokens")
    share = min(1.0, options.examples / counts.rows) if options.examples else 1.0
    total = ((counts.tokens_in or 0) + counts.tokens_out) * share
    return Tokens(round(total), round(counts.rows * share), 0, basis, is_most=True)


@dataclass(frozen=True, slots=True)
class _Row:
    """An example by the digest that chooses it, with the length of its text in characters."""

    rank: str
    characters: int
    text: str


def _counted(options: TrlOptions, manifest: Manifest, store: Store) -> Tokens | Unknown:
    """The tokens of the examples that this training chooses, and how many are too long for it."""
    chosen = sorted(_rows(options, manifest, store), key=lambda row: row.rank)[: options.examples]
    if not chosen:
        return Unknown("no example was kept")
    measured = _characters_per_token(options, [row.text for row in chosen if row.text])
    ratio, basis = (measured, "by its tokenizer") if measured else (CHARACTERS_PER_TOKEN, "")
    lengths = [row.characters / ratio for row in chosen]
    kept = [length for length in lengths if length <= options.max_length]
    basis = basis or f"from characters, {CHARACTERS_PER_TOKEN} a token"
    return Tokens(round(math.fsum(kept)), len(kept), len(lengths) - len(kept), basis)


def _rows(options: TrlOptions, manifest: Manifest, store: Store) -> list[_Row]:
    """Every example's length; the text of some, drawn by chance."""
    ids = [str(example) for (example,) in store.values(manifest, ["id"])]
    sample = set(nsmallest(_SAMPLE, ids, key=lambda example: digest("measured", example)))
    rows = list[_Row]()
    for example, messages in store.values(manifest, ["id", "messages"]):
        contents = [str(message["content"]) for message in messages]
        if options.target == "answer":
            contents[-1] = contents[-1][-_LENGTH:]
        text = "".join(contents)
        kept = text if example in sample else ""
        rows.append(_Row(digest("train examples", example), len(text), kept))
    return rows


def _characters_per_token(options: TrlOptions, texts: Sequence[str]) -> float | None:
    """By the base's tokenizer; None where it is not on this machine."""
    file = file_at_hand(options.base, options.revision, "tokenizer.json")
    if file is None or not texts:
        return None
    try:
        from tokenizers import Tokenizer
    except ImportError:
        return None
    return _measured(Tokenizer, file, texts)


def _measured(tokenizer: Any, file: Path, texts: Sequence[str]) -> float | None:
    try:
        loaded = tokenizer.from_file(str(file))
    except Exception:  # noqa: BLE001 - whatever is wrong with the file, the trainer says it; here it cannot be used
        return None
    tokens = sum(len(encoded.ids) for encoded in loaded.encode_batch(list(texts), add_special_tokens=False))
    return sum(map(len, texts)) / tokens if tokens else None
