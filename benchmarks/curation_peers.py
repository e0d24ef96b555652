"""How others find near-duplicates and contamination, written as their documentation or pipelines have it.

Each is a function from the rows to findings: which row leaves, and because of which (None where the peer cannot say).
None is a dependency of the package: an absent one is reported as absent.

exact               casefolded words, without punctuation
rensa-words         README: RMinHashDeduplicator over `text.split()`, 128 permutations, LSH, threshold 0.8
rensa-words-0.7     the same at 0.7
rensa-7grams        the same over runs of seven characters, threshold 0.8
rensa-7grams-0.7    the same at 0.7
datasketch          MinHashLSH over runs of five words, 128 permutations, threshold 0.8
datatrove           the four blocks of its local MinHash pipeline with their defaults (5-grams, 14 buckets of 8)
rapidfuzz           OpenThoughts: fuzz.ratio of all pairs, at least 95, `process.extract` with its default limit of 5
"""

# pyright: reportMissingImports=false
# The peers are installed by whoever runs the comparison.

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.curation_rows import Texts, read_benchmark, stored_rows

__all__ = ["DECONTAMINATE", "DEDUPLICATE", "Finding", "Method"]

_PERMUTATIONS = 128
_RATIO = 95
_WORD = re.compile(r"\w+")


class Finding(NamedTuple):
    """The row at this place leaves, because of `other` (a place, or a benchmark's id)."""

    place: int
    other: int | str | None


Method = Callable[[Path, Path], Iterable[Finding]]  # of the folder with the stored rows, and of the corpus


def _first_of(keys: Iterable[Any]) -> Iterator[Finding]:
    first: dict[Any, int] = {}
    for place, key in enumerate(keys):
        if (kept := first.setdefault(key, place)) != place:
            yield Finding(place, kept)


def exact(folder: Path, _corpus: Path) -> Iterator[Finding]:
    return _first_of(" ".join(_WORD.findall(text.casefold())) for text in Texts(folder))


def _rensa(tokens: Callable[[str], list[str]], threshold: float) -> Method:
    def run(folder: Path, _corpus: Path) -> Iterator[Finding]:
        import rensa

        deduplicator: Any = vars(rensa)["RMinHashDeduplicator"]  # a compiled module without stubs
        index = deduplicator(threshold=threshold, num_perm=_PERMUTATIONS, use_lsh=True)
        kept = index.add_pairs((str(place), tokens(text)) for place, text in enumerate(Texts(folder)))
        return (Finding(place, None) for place, new in enumerate(kept) if not new)

    return run


def _sevens(text: str) -> list[str]:
    return [text[i : i + 7] for i in range(max(1, len(text) - 6))]


def datasketch(folder: Path, _corpus: Path) -> Iterator[Finding]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.8, num_perm=_PERMUTATIONS)
    for place, text in enumerate(Texts(folder)):
        words = text.split()
        runs = {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))}
        sketch = MinHash(num_perm=_PERMUTATIONS)
        sketch.update_batch([run.encode() for run in sorted(runs)])
        if found := index.query(sketch):
            yield Finding(place, min(int(str(key)) for key in found))
        else:
            index.insert(str(place), sketch)


def datatrove(folder: Path, _corpus: Path) -> Iterator[Finding]:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter

    work = folder / "datatrove"
    (work / "in").mkdir(parents=True)
    with (work / "in" / "rows.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"id": str(place), "text": text}) + "\n" for place, text in enumerate(Texts(folder)))
    config, at = MinhashConfig(), {name: str(work / name) for name in ("in", "signatures", "buckets", "remove", "kept")}
    blocks: tuple[tuple[list[Any], int], ...] = (
        ([JsonlReader(at["in"]), MinhashDedupSignature(at["signatures"], config=config)], 1),
        ([MinhashDedupBuckets(at["signatures"], at["buckets"], config=config)], config.num_buckets),
        ([MinhashDedupCluster(at["buckets"], at["remove"], config=config)], 1),
        ([JsonlReader(at["in"]), MinhashDedupFilter(at["remove"]), JsonlWriter(at["kept"], compression=None)], 1),
    )
    for number, (pipeline, tasks) in enumerate(blocks):
        LocalPipelineExecutor(pipeline, tasks=tasks, logging_dir=str(work / f"log{number}"), skip_completed=False).run()
    kept = {
        int(json.loads(line)["id"]) for path in (work / "kept").glob("*.jsonl") for line in path.open(encoding="utf-8")
    }
    return (Finding(place, None) for place, _ in enumerate(Texts(folder)) if place not in kept)


def rapidfuzz(folder: Path, _corpus: Path) -> Iterator[Finding]:
    from rapidfuzz import fuzz, process

    places: dict[str, int] = {}
    for place, text in enumerate(Texts(folder)):
        if (first := places.setdefault(text, place)) != place:
            yield Finding(place, first)
    texts = list(places)
    gone: set[str] = set()
    for text in texts:
        if text in gone:
            continue
        for other, _score, _index in process.extract(text, texts, scorer=fuzz.ratio, score_cutoff=_RATIO):
            if other != text and other not in gone and places[other] > places[text]:
                gone.add(other)
                yield Finding(places[other], places[text])


def _overlap(size: int, words: Callable[[str], list[str]]) -> Method:
    """A row is contaminated that shares a run of `size` words with a benchmark's question; shorter ones have no run."""

    def run(folder: Path, corpus: Path) -> Iterator[Finding]:
        index: dict[str, str] = {}
        for row in read_benchmark(corpus):
            for gram in _runs(words(row["question"]), size):
                index.setdefault(gram, row["id"])
        for place, row in enumerate(stored_rows(folder)):
            hit = next((index[gram] for gram in _runs(words(row.question), size) if gram in index), None)
            if hit is not None:
                yield Finding(place, hit)

    return run


def _runs(words: list[str], size: int) -> Iterator[str]:
    return (" ".join(words[i : i + size]) for i in range(len(words) - size + 1))


def _split(text: str) -> list[str]:
    return text.lower().split()


def _folded(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def whole_question(folder: Path, corpus: Path) -> Iterator[Finding]:
    """The same words as a benchmark's question."""
    index = {" ".join(_folded(row["question"])): row["id"] for row in read_benchmark(corpus)}
    for place, row in enumerate(stored_rows(folder)):
        if (hit := index.get(" ".join(_folded(row.question)))) is not None:
            yield Finding(place, hit)


def ratio(folder: Path, corpus: Path) -> Iterator[Finding]:
    """OpenThoughts: fuzz.ratio of at least 95 with any question of the benchmark."""
    from rapidfuzz import fuzz, process

    benchmark = read_benchmark(corpus)
    texts = [row["question"] for row in benchmark]
    for place, row in enumerate(stored_rows(folder)):
        best = process.extractOne(row.question, texts, scorer=fuzz.ratio, score_cutoff=_RATIO)
        if best is not None:
            yield Finding(place, benchmark[best[2]]["id"])


DEDUPLICATE: dict[str, Method] = {
    "exact": exact,
    "rensa-words": _rensa(str.split, 0.8),
    "rensa-words-0.7": _rensa(str.split, 0.7),
    "rensa-7grams": _rensa(_sevens, 0.8),
    "rensa-7grams-0.7": _rensa(_sevens, 0.7),
    "datasketch": datasketch,
    "datatrove": datatrove,
    "rapidfuzz": rapidfuzz,
}
DECONTAMINATE: dict[str, Method] = {
    "exact": whole_question,
    "8-gram": _overlap(8, _split),
    "13-gram": _overlap(13, _folded),
    "rapidfuzz": ratio,
}
