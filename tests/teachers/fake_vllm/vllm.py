"""What the tests put in vLLM's place: its offline API as documented, strict about how it is called.

The real engine needs a GPU and several GB of wheels, so it was not run here. Names, arguments and defaults are those of
the documentation of vLLM 0.12 to 0.32 (docs.vllm.ai: `vllm.LLM`, `LLM.chat`, `vllm.SamplingParams`,
`vllm.outputs.RequestOutput`). An argument that is not documented there is a TypeError here, as it is there.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from typing import Any

CONTEXT = 200  # tokens: words of the prompt and of the answer

started: list[LLM] = []
start_error: Exception | None = None
call_error: Exception | None = None
usual: dict[str, Any] = {}
"""What the generation config of the model says."""
finish_reason: str | None = None
environment: dict[str, str] = {}
"""That in which the engine was started last."""
prompt_end = ""
"""With which the chat template ends a prompt."""


@dataclass
class SamplingParams:
    n: int = 1
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = 16
    min_tokens: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.temperature <= 2.0:
            raise ValueError(f"temperature must be in [0, 2], got {self.temperature}.")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p must be in (0, 1], got {self.top_p}.")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}.")
        assert self.seed is None or 0 <= self.seed < 1 << 63, "a seed crosses to the engine as 64 bits"


@dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: list[int]
    finish_reason: str | None


@dataclass
class RequestOutput:
    request_id: str
    prompt: str | None
    prompt_token_ids: list[int] | None
    outputs: list[CompletionOutput]
    finished: bool = True


@dataclass
class Call:
    """One call of `chat`, as it came."""

    messages: list[list[dict[str, str]]]
    params: list[SamplingParams]
    more: dict[str, Any] = field(default_factory=dict[str, Any])


class LLM:
    def __init__(
        self,
        model: str,
        *,
        dtype: str = "auto",
        quantization: str | None = None,
        revision: str | None = None,
        max_model_len: int | None = None,
        tensor_parallel_size: int = 1,
        gpu_memory_utilization: float = 0.9,
        enforce_eager: bool = False,
    ) -> None:
        print("the engine starts")
        environment.update(os.environ)
        if start_error is not None:
            raise start_error
        self.model, self.calls, self._requests = model, list[Call](), 0
        self.arguments = {
            "dtype": dtype,
            "quantization": quantization,
            "revision": revision,
            "max_model_len": max_model_len,
            "tensor_parallel_size": tensor_parallel_size,
            "gpu_memory_utilization": gpu_memory_utilization,
            "enforce_eager": enforce_eager,
        }
        started.append(self)

    def get_default_sampling_params(self) -> SamplingParams:
        return SamplingParams(**usual)

    def chat(
        self,
        messages: list[list[dict[str, str]]],
        sampling_params: list[SamplingParams] | None = None,
        use_tqdm: bool = True,
        lora_request: None = None,
        chat_template: str | None = None,
        chat_template_content_format: str = "auto",
        add_generation_prompt: bool = True,
        continue_final_message: bool = False,
        tools: None = None,
        chat_template_kwargs: dict[str, Any] | None = None,
    ) -> list[RequestOutput]:
        assert isinstance(messages, list)
        assert isinstance(sampling_params, list)
        assert len(messages) == len(sampling_params)
        assert use_tqdm is False, "a progress bar of its own would run over ours"
        if add_generation_prompt and continue_final_message:
            raise ValueError("Cannot set both `add_generation_prompt` and `continue_final_message` to True.")
        self.calls.append(Call(messages, sampling_params, chat_template_kwargs or {}))
        if call_error is not None:
            raise call_error
        outputs = [
            self._output(talk, params, goes_on=continue_final_message, starts=add_generation_prompt)
            for talk, params in zip(messages, sampling_params, strict=True)
        ]
        return sorted(outputs, key=lambda output: int(output.request_id))

    def _output(
        self, talk: list[dict[str, str]], params: SamplingParams, *, goes_on: bool, starts: bool
    ) -> RequestOutput:
        for message in talk:
            assert set(message) == {"role", "content"}
            assert isinstance(message["content"], str)
        assert goes_on == (talk[-1]["role"] == "assistant"), "goes on from an assistant's message, and only from one"
        assert starts != goes_on
        asked = talk[-1]["content"].split()
        if len(asked) >= CONTEXT:
            raise ValueError(f"The decoder prompt (length {len(asked)}) is longer than the maximum model length.")
        draw = random.Random(params.seed).random() if params.temperature and params.seed is not None else 0.5
        words = f"<think> about {draw} </think> the answer to {asked[-1]} is {draw}".split()
        if goes_on:
            words = f" more </think> so it is {draw}".split()
        room = min(params.max_tokens or CONTEXT, CONTEXT - len(asked))
        cut = words[:room]
        reason = finish_reason or ("length" if len(cut) < len(words) else "stop")
        text = " ".join(cut).removeprefix(f"{prompt_end} " if prompt_end else "")
        self._requests += 1
        return RequestOutput(
            request_id=str(self._requests),
            prompt=f"{talk[-1]['content']}<|assistant|>{prompt_end}",
            prompt_token_ids=list(range(len(asked))),
            outputs=[CompletionOutput(0, text, list(range(len(cut))), reason)],
        )
