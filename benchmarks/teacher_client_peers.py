"""One peer, measured in this process, which is one of the peer's own virtual environment. Prints one line of JSON.

    PEERS/curator/bin/python -m benchmarks.teacher_client_peers curator --base-url URL --requests 2000 --concurrency 500

Measured as in `teacher_client_measured`, after one request to warm up. Both are used as their documentation shows, with
their caches off and their own limits set so high that only the concurrency binds.

curator      bespokelabs-curator: `LLM(...)(dataset)`, with max_concurrent_requests; its response file is in the figure
distilabel   a pipeline of LoadDataFromDicts and TextGeneration with OpenAILLM, as many inputs a batch as may be in
             flight; it starts a process for each step, and their start is in the figure
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.teacher_client_common import MAX_TOKENS, MODEL, TEMPERATURE, Clock, Spent, prompts, raise_open_files

__all__ = ["PEERS", "curator", "distilabel", "environment"]

_KEY = "none"
_UNBOUND = 1_000_000_000


def environment(peer: Path, folder: Path) -> dict[str, str]:
    """The peer's environment variables: nothing leaves this machine, nothing is shown, nothing is kept."""
    tokenizers = sorted(peer.glob("lib/python*/site-packages/litellm/litellm_core_utils/tokenizers"))
    return {
        "PATH": f"{peer / 'bin'}:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "NO_PROXY": "127.0.0.1",
        "OPENAI_API_KEY": _KEY,
        "HF_HUB_OFFLINE": "1",
        "TELEMETRY_ENABLED": "false",
        "CURATOR_DISABLE_RICH_DISPLAY": "1",
        "CURATOR_DISABLE_CACHE": "1",
        "CURATOR_CACHE_DIR": str(folder / "curator"),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "DISTILABEL_LOG_LEVEL": "WARNING",
        **({"TIKTOKEN_CACHE_DIR": str(tokenizers[0])} if tokenizers else {}),
    }


def curator(base_url: str, requests: int, concurrency: int) -> tuple[Spent, int]:
    """Its OpenAI backend."""
    module: Any = importlib.import_module("bespokelabs.curator")
    rows = [{"instruction": prompt} for prompt in prompts(requests)]

    class Solver(module.LLM):
        def prompt(self, input: dict[str, str]) -> str:  # noqa: A002 - the peer's name
            return input["instruction"]

        def parse(self, input: dict[str, str], response: str) -> dict[str, str]:  # noqa: A002
            return {**input, "response": response}

    clock = Clock()
    llm = Solver(
        model_name=MODEL,
        backend="openai",
        generation_params={"temperature": TEMPERATURE, "max_tokens": MAX_TOKENS},
        backend_params={
            "base_url": base_url,
            "max_concurrent_requests": concurrency,
            "max_requests_per_minute": _UNBOUND,
            "max_tokens_per_minute": _UNBOUND,
        },
    )
    found = llm(rows)
    spent = clock.spent()
    return spent, sum(bool(row["response"]) for row in found.dataset)


def distilabel(base_url: str, requests: int, concurrency: int) -> tuple[Spent, int]:
    """Its OpenAI client in a pipeline."""
    llms: Any = importlib.import_module("distilabel.models.llms")
    pipelines: Any = importlib.import_module("distilabel.pipeline")
    steps: Any = importlib.import_module("distilabel.steps")
    tasks: Any = importlib.import_module("distilabel.steps.tasks")
    rows = [{"instruction": prompt} for prompt in prompts(requests)]
    clock = Clock()
    with pipelines.Pipeline(name="benchmark") as pipeline:
        load = steps.LoadDataFromDicts(data=rows, batch_size=concurrency)
        options = {"temperature": TEMPERATURE, "max_new_tokens": MAX_TOKENS}
        llm = llms.OpenAILLM(model=MODEL, base_url=base_url, api_key=_KEY, generation_kwargs=options)
        answer = tasks.TextGeneration(llm=llm, input_batch_size=concurrency)
        load.connect(answer)
    found = pipeline.run(use_cache=False)
    spent = clock.spent()
    return spent, sum(bool(row["generation"]) for row in found["default"]["train"])


PEERS = {"curator": curator, "distilabel": distilabel}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("client", choices=PEERS)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    given = parser.parse_args()
    raise_open_files()
    ask = PEERS[given.client]
    ask(given.base_url, 1, given.concurrency)
    spent, right = ask(given.base_url, given.requests, given.concurrency)
    print(json.dumps({**asdict(spent), "right": right}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
