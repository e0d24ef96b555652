"""Environment variables: one table, read nowhere else.

Secrets come from the environment and stay there: `secret` is called where a request is sent, and its
value is never stored, logged or put into a key.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "VARIABLES",
    "Variable",
    "cache_folder",
    "for_workers",
    "read",
    "sandbox_packages",
    "secret",
    "tame_ray",
    "tame_vllm",
]

# What a worker process needs to find its libraries and files. Nothing here is a secret.
_PASSED_ON = (
    "PATH",
    "HOME",
    "REASONRY_CACHE",
    "REASONRY_SANDBOX_PACKAGES",
    "XDG_CACHE_HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
)


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    meaning: str
    secret: bool = False


VARIABLES: tuple[Variable, ...] = (
    Variable("OPENAI_API_KEY", "key for an OpenAI-compatible endpoint", secret=True),
    Variable("OPENAI_BASE_URL", "endpoint used where the recipe names neither base_url nor provider"),
    Variable("ANTHROPIC_API_KEY", "key for Anthropic", secret=True),
    Variable("DEEPSEEK_API_KEY", "key for DeepSeek", secret=True),
    Variable("FIREWORKS_API_KEY", "key for Fireworks", secret=True),
    Variable("GROQ_API_KEY", "key for Groq", secret=True),
    Variable("MISTRAL_API_KEY", "key for Mistral", secret=True),
    Variable("OPENROUTER_API_KEY", "key for OpenRouter", secret=True),
    Variable("TOGETHER_API_KEY", "key for Together", secret=True),
    Variable("HF_HOME", "where HuggingFace libraries keep their cache"),
    Variable("HF_TOKEN", "token for gated datasets and models", secret=True),
    Variable("HF_HUB_OFFLINE", "1: HuggingFace libraries use their cache only"),
    Variable("REASONRY_LEDGER", "ledger file shared by runs (default: ledger.sqlite in the run folder)"),
    Variable("REASONRY_CACHE", "folder for what can be made again (default: reasonry in the user's cache folder)"),
    Variable("REASONRY_SANDBOX_PACKAGES", "folders with Python packages that sandboxed programs may import"),
    Variable("REASONRY_WORKERS", "worker processes (default: the processors this process may use)"),
    Variable("RAY_ADDRESS", 'Ray cluster for executor = "ray", host:port (default: the one started on this machine)'),
    Variable("NO_COLOR", "any value: no colours on the terminal"),
    Variable("FORCE_COLOR", "any value: colours even where the output is not a terminal"),
    Variable("TERM", "dumb: no colours, no progress bars"),
)

_BY_NAME = {variable.name: variable for variable in VARIABLES}


def read(name: str) -> str | None:
    """The value of a variable in the table; None where it is unset or empty."""
    if _BY_NAME[name].secret:
        raise KeyError(f"{name} is a secret: use secret()")
    return os.environ.get(name) or None


def secret(name: str) -> str | None:
    """The value of a secret. A recipe may name a variable of its own (`api_key_env`)."""
    return os.environ.get(name) or None


def cache_folder() -> Path:
    """Where things are kept that can be made again. It may not exist yet."""
    given = read("REASONRY_CACHE")
    if given is not None:
        return Path(given)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "reasonry"


def sandbox_packages() -> list[str]:
    """Folders whose packages sandboxed programs may import."""
    given = (read("REASONRY_SANDBOX_PACKAGES") or "").split(os.pathsep)
    return [str(Path(folder).resolve()) for folder in given if folder]


def for_workers() -> dict[str, str]:
    """The part of the environment that worker processes inherit: where things are, and no secret."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def tame_vllm() -> None:
    """Before vLLM is imported: its log goes to stderr, also from its own processes, and it sends nobody its usage.

    What the user has set stands.
    """
    os.environ.setdefault("VLLM_LOGGING_STREAM", "ext://sys.stderr")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")


def tame_ray() -> None:
    """Before Ray is imported: it sends nobody its usage. What the user has set stands."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
