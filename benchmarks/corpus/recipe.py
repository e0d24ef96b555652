"""The recipe of the whole line over a corpus."""

from __future__ import annotations

from pathlib import Path

from benchmarks.corpus.template import DOMAINS, Domain

__all__ = ["write_recipe"]

_VERIFIERS: dict[Domain, str] = {
    "maths_words": "math",
    "maths_latex": "math",
    "choice": "choice",
    "code": "code",
    "code_output": "exact",
    "puzzle": "exact",
}
_HEAD = """# The whole line over a generated corpus: its recorded traces are replayed, so no teacher is asked.
name = "corpus-line"
seed = 7
"""
_QUESTIONS = """
[[questions]]
source = "jsonl"
path = "questions/{domain}.jsonl.zst"
fields = {{ prompt = "question", answer = "answer", id = "id", license = "license"{extra} }}
verifier = "{verifier}"
domain = "{domain}"
name = "{domain}"
"""
_LINE = """
[curate]
deduplicate = {{ method = "minhash" }}
decontaminate = {{ against = ["benchmark.jsonl"], fields = {{ prompt = "question", answer = "answer", id = "id" }} }}

[[curate.filters]]
filter = "garbled"

[[curate.filters]]
filter = "language"

[[curate.filters]]
filter = "references"

[[curate.filters]]
filter = "parts"

[[curate.filters]]
filter = "proof"

[[curate.filters]]
filter = "answer"

[distil]
teacher = "replay"
path = [{traces}]
fields = {{ prompt = "question", response = "response", {fields} }}
samples = "all"

[select]
keep = "correct"
per_question = 1

[[select.filters]]
filter = "format"

[[select.filters]]
filter = "repetition"

[[select.filters]]
filter = "refusal"

[[select.filters]]
filter = "placeholder"

[[select.filters]]
filter = "language"

[publish]
title = "A generated corpus, its traces replayed"
"""


def write_recipe(out: Path) -> None:
    """Write `recipe.toml` beside the corpus that it reads."""
    made = [_HEAD]
    for domain in DOMAINS:
        if (out / "questions" / f"{domain}.jsonl.zst").exists():
            extra = {"choice": ', choices = "choices"', "code": ', spec = "spec"'}.get(domain, "")
            made.append(_QUESTIONS.format(domain=domain, verifier=_VERIFIERS[domain], extra=extra))
    traces = ", ".join(f'"{path.name}"' for path in sorted(out.glob("traces-*.parquet")))
    told = ", ".join(f'{name} = "{name}"' for name in ("model", "finish", "tokens_in", "tokens_out"))
    made.append(_LINE.format(traces=traces, fields=told) if traces else "")
    (out / "recipe.toml").write_text("".join(made), encoding="utf-8")
