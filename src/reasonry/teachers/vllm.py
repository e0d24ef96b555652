"""vLLM's offline engine as teacher: a model on the GPUs of this machine, without a server.

Written against vLLM's documented offline API: `LLM`, `LLM.chat` and `SamplingParams`. Requests are gathered into large
batches, since the engine schedules within a batch. Its answers cost time, so they go through the ledger like paid ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from reasonry.cluster import Share
from reasonry.env import tame_vllm
from reasonry.errors import PartError, TeacherError
from reasonry.identity import digest
from reasonry.registry import Input, part
from reasonry.sections import OUT_OF_KEY, DistilSection, RecipePath
from reasonry.teachers.local.checkpoint import checkpoint_digest, checkpoint_input
from reasonry.teachers.local.gathering import Gatherer
from reasonry.teachers.local.turns import chat_of, is_continuation, parts_of, turn_start
from reasonry.types import Finish, JsonMap, Question, Reply, Request

__all__ = ["VllmOptions", "VllmTeacher", "need_vllm", "vllm"]

_OURS = frozenset(
    {"model", "revision", "dtype", "tensor_parallel_size", "max_model_len", "gpu_memory_utilization", "seed"}
)
_RUNS_CODE = frozenset({"trust_remote_code", "worker_cls", "worker_extension_cls", "logits_processors"})
_FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length"}
_DETAIL_CHARACTERS = 500

# Words of the errors with which vLLM and torch say so.
_NO_GPU = (
    "infer device type",
    "no cuda",
    "nvidia driver",
    "no gpu",
    "not compiled with cuda",
    "invalid device ordinal",
)
_NO_ROOM = ("memory", "kv cache", "max_model_len", "max seq len", "engine core initialization failed")


class VllmOptions(DistilSection):
    """Which model vLLM loads, and how."""

    paid: ClassVar[bool] = True

    model: Annotated[RecipePath | str, Field(union_mode="left_to_right")] = Field(
        description="a name on the HuggingFace Hub, or a checkpoint folder"
    )
    revision: str | None = Field(
        default=None, description="of a model on the Hub: name a commit, so that later runs load the same weights"
    )
    seed: int | None = Field(default=None, description="default: derived from the recipe's seed")
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    max_model_len: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="tokens of prompt and answer; default: what the model was made for"
    )
    template: dict[str, Any] = Field(
        default_factory=dict[str, Any], description="values for the chat template, such as enable_thinking"
    )
    engine: dict[str, Any] = Field(
        default_factory=dict[str, Any], description="further arguments of vLLM's LLM, such as quantization"
    )
    tensor_parallel_size: Annotated[int, Field(ge=1), OUT_OF_KEY] = Field(default=1, description="GPUs for one model")
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1), OUT_OF_KEY] = Field(
        default=0.9, description="share of a GPU's memory that vLLM takes"
    )
    batch_size: Annotated[int, Field(ge=1), OUT_OF_KEY] = Field(
        default=256, description="requests given to the engine at once; no more than `concurrency` are ever there"
    )

    @field_validator("model")
    @classmethod
    def _is_named(cls, model: RecipePath | str) -> RecipePath | str:
        if isinstance(model, str) and (not model or model.startswith(("/", ".", "~"))):
            raise PydanticCustomError("no_such_file", "no such folder: {given}", {"given": model})
        if isinstance(model, RecipePath) and not (model.resolved / "config.json").is_file():
            raise PydanticCustomError("no_checkpoint", "no checkpoint: there is no config.json in it", {})
        return model

    @field_validator("engine", "template")
    @classmethod
    def _is_json(cls, given: dict[str, Any]) -> dict[str, Any]:
        try:
            json.dumps(given, allow_nan=False)
        except (TypeError, ValueError) as exc:
            raise PydanticCustomError("not_json", "not JSON: {why}", {"why": str(exc)}) from exc
        return given

    @field_validator("engine")
    @classmethod
    def _is_free(cls, engine: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(_OURS & engine.keys()):
            raise PydanticCustomError("taken", "'{name}' is an option of its own", {"name": taken[0]})
        if coded := sorted(_RUNS_CODE & engine.keys()):
            what = "'{name}' runs code that nobody has read: serve such a model with `vllm serve`, as teacher openai"
            raise PydanticCustomError("runs_code", what, {"name": coded[0]})
        return engine

    @property
    def folder(self) -> Path | None:
        """The checkpoint folder; None for a model of the Hub."""
        return self.model.resolved if isinstance(self.model, RecipePath) else None

    def share(self, gpus: int) -> Share:
        """What one replica takes of a cluster."""
        return Share("GPU", self.tensor_parallel_size)

    @property
    def engine_arguments(self) -> dict[str, Any]:
        """What vLLM's LLM is called with."""
        return {
            "model": str(self.model.resolved if isinstance(self.model, RecipePath) else self.model),
            "revision": self.revision,
            "dtype": self.dtype,
            "max_model_len": self.max_model_len,
            "tensor_parallel_size": self.tensor_parallel_size,
            "gpu_memory_utilization": self.gpu_memory_utilization,
            **self.engine,
        }


class VllmTeacher(AbstractAsyncContextManager["VllmTeacher"]):
    """A model in vLLM's offline engine, which is started when this is entered."""

    paid = True
    served_by = "vllm"

    def __init__(self, options: VllmOptions) -> None:
        self._options = options
        self._seed = options.seed or 0
        folder = options.folder
        self._name = f"vllm/{checkpoint_digest(folder)[:12]}" if folder else str(options.model)
        self._llm: Any = None
        self._gatherer: Gatherer[Request, Reply] | None = None
        self._stack = AsyncExitStack()

    @property
    def model(self) -> str:
        """With a digest of what else changes the answers."""
        options = self._options
        how = (options.revision, options.dtype, options.max_model_len, options.template, options.engine, self._seed)
        return f"{self._name}+{digest('vllm', *how)[:12]}"

    def recorded(self, question: Question) -> int | None:
        return None

    async def __aenter__(self) -> VllmTeacher:
        self._llm = await asyncio.to_thread(_start, self._options.engine_arguments)
        gatherer = Gatherer[Request, Reply](self._answers, self._options.batch_size)
        self._gatherer = await self._stack.enter_async_context(gatherer)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Waits for the batch under way, which vLLM cannot be told to leave; then lets go of the engine."""
        await self._stack.aclose()
        self._gatherer = self._llm = None

    async def __call__(self, request: Request) -> Reply:
        """One try."""
        if self._gatherer is None:
            raise TeacherError("the teacher is not open", hint="use it as an async context manager")
        return await self._gatherer.asked(request)

    def _answers(self, requests: Sequence[Request]) -> list[Reply | TeacherError]:
        """In the order of the requests. Those that go on from a text are another call, with another template."""
        replies: dict[int, Reply | TeacherError] = {}
        for goes_on in (False, True):
            places = [i for i, request in enumerate(requests) if is_continuation(request.messages) == goes_on]
            chosen = [requests[i] for i in places]
            if chosen:
                replies.update(zip(places, self._chat(chosen), strict=True))
        return [replies[i] for i in range(len(requests))]

    def _chat(self, requests: Sequence[Request]) -> list[Reply | TeacherError]:
        more = {"chat_template_kwargs": dict(self._options.template)} if self._options.template else {}
        try:
            outputs = self._llm.chat(
                [chat_of(request.messages) for request in requests],
                [self._sampling(request) for request in requests],
                use_tqdm=False,
                **turn_start(requests[0].messages),
                **more,
            )
        except Exception as exc:
            if "EngineDead" in type(exc).__name__:
                raise TeacherError(
                    f"vLLM's engine died: {_said(exc)}",
                    fatal=True,
                    hint="its log above says why; answers so far are in the ledger: run again to resume",
                ) from exc
            raise
        return [self._reply(request, output) for request, output in zip(requests, outputs, strict=True)]

    def _sampling(self, request: Request) -> Any:
        """What the recipe leaves open is the model's own (its generation config), as with `vllm serve`."""
        from vllm import SamplingParams  # pyright: ignore[reportMissingImports]

        given, usual = request.sampling, self._llm.get_default_sampling_params()
        content = digest("vllm sample", self._seed, request.messages, given.index)
        return SamplingParams(
            temperature=usual.temperature if given.temperature is None else given.temperature,
            top_p=usual.top_p if given.top_p is None else given.top_p,
            top_k=usual.top_k,
            min_p=usual.min_p,
            repetition_penalty=usual.repetition_penalty,
            max_tokens=given.max_tokens,  # None: as long as the context allows
            seed=int(content[:15], 16),
        )

    def _reply(self, request: Request, output: Any) -> Reply | TeacherError:
        (written,) = output.outputs
        finish = _FINISHES.get(written.finish_reason)
        if finish is None:
            return TeacherError(f"vLLM ended the answer with '{written.finish_reason}'", retryable=True)
        parts = parts_of(written.text, finish, request.messages, output.prompt)
        return Reply(
            response=parts.response,
            reasoning=parts.reasoning,
            finish=finish,
            model=self._name,
            tokens_in=len(output.prompt_token_ids or ()) or None,
            tokens_out=len(written.token_ids),
        )


def need_vllm() -> None:
    """Raise PartError, with the command that installs it, where vLLM lacks. It is not imported: that takes long."""
    if find_spec("vllm") is None:
        raise PartError("the teacher 'vllm' needs vLLM, which is not installed", hint="pip install 'reasonry[vllm]'")


def _start(arguments: JsonMap) -> Any:
    """The engine with its model loaded. Raises PartError where vLLM lacks, TeacherError where it does not start."""
    need_vllm()
    tame_vllm()
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for data
            from vllm import LLM  # pyright: ignore[reportMissingImports]

            return LLM(**arguments)
    except ImportError as exc:
        hint = "pip install --force-reinstall 'reasonry[vllm]', in an environment of its own"
        raise PartError(f"vLLM cannot be imported: {_said(exc)}", hint=hint) from exc
    except Exception as exc:
        raise _start_error(exc) from exc


def _start_error(exc: Exception) -> TeacherError:
    said = _said(exc)
    if any(words in said.lower() for words in _NO_GPU):
        what, hint = "vLLM finds no GPU for this", "lower tensor_parallel_size, or use a machine with more GPUs"
        return TeacherError(f"{what}: {said}", fatal=True, hint=f'{hint}; teacher = "student" runs on a CPU')
    if any(words in said.lower() for words in _NO_ROOM):
        return TeacherError(
            f"vLLM cannot start the model; most often it does not fit into the GPU's memory: {said}",
            fatal=True,
            hint="lower distil.max_model_len, or raise gpu_memory_utilization or tensor_parallel_size; "
            "its log above has the cause",
        )
    return TeacherError(f"vLLM cannot start the model: {said}", fatal=True, hint="its log above has the cause")


def _said(exc: BaseException) -> str:
    return " ".join(f"{type(exc).__name__}: {exc}".split())[:_DETAIL_CHARACTERS]


def _inputs(options: VllmOptions) -> list[Input]:
    return [] if options.folder is None else [checkpoint_input(options.folder)]


@part("teacher", "vllm", version=1, options=VllmOptions, inputs=_inputs, needs=need_vllm)
def vllm(options: VllmOptions) -> VllmTeacher:
    """A model from the Hub or a folder, in vLLM's offline engine on this machine's GPUs."""
    return VllmTeacher(options)
