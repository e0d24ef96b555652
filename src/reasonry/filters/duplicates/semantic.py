"""Near-duplicates by the embeddings of a model that the user names: questions whose vectors are close.

Only questions of one group are compared (the same numbers, choices and schema), so that most need no vector at all. A
model finds two questions alike where they differ in one word that turns them round; so what speaks against one question
for `likeness` speaks against it here too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reasonry.errors import PartError
from reasonry.filters.duplicates.clusters import Merge, merges
from reasonry.filters.duplicates.gathered import Gathered
from reasonry.filters.duplicates.likeness import Judge
from reasonry.identity import digest, file_digest
from reasonry.registry import Input
from reasonry.sections import DeduplicateOptions
from reasonry.torch_extra import quiet

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["model_input", "semantic_merges"]

EMBEDDED_AT_ONCE = 1024
COMPARED_AT_ONCE = 1024  # rows of the matrix of similarities that is in memory


def model_input(model: str) -> Input:
    """The model: a folder by the content of its files, another by its name."""
    folder = Path(model)
    if not folder.is_dir():
        return Input(model, digest("model", model))
    files = [(str(path.relative_to(folder)), file_digest(path)) for path in sorted(folder.rglob("*")) if path.is_file()]
    return Input(folder.name, digest("model", files))


def semantic_merges(
    gathered: Gathered, groups: Sequence[Sequence[int]], options: DeduplicateOptions, threshold: float
) -> Iterator[Merge]:
    """The merges among the members of each group. Raises PartError where the library or the model is not there."""
    judge = Judge(threshold, numbers=options.numbers, answers=options.answers)
    if not groups:
        return
    with tempfile.TemporaryFile(prefix="reasonry-") as file:
        vectors = _embedded(list(chain.from_iterable(groups)), gathered, str(options.model), file)
        start = 0
        for places in groups:
            of_group = vectors[start : start + len(places)]
            start += len(places)
            close = dict(_close(places, of_group, threshold))

            def similarity(one: int, other: int, close: dict[tuple[int, int], float] = close) -> float | None:
                found = close.get((min(one, other), max(one, other)))
                if found is None or judge.contradicts(gathered.reading(one), gathered.reading(other)):
                    return None
                return found

            yield from merges(close, similarity, gathered.rank)


def _embedded(places: Sequence[int], gathered: Gathered, model: str, file: Any) -> Array:
    """The vectors of questions, each of length one, in a file."""
    import numpy as np

    encoder = _encoder(model)
    width = 0
    for start in range(0, len(places), EMBEDDED_AT_ONCE):
        prompts = [gathered.record(place).prompt for place in places[start : start + EMBEDDED_AT_ONCE]]
        vectors = encoder.encode(prompts, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True)
        width = vectors.shape[1]
        file.write(np.ascontiguousarray(vectors, np.float32).tobytes())
    file.flush()
    return np.memmap(file, np.float32, "r", shape=(len(places), width))


def _encoder(model: str) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as exc:
        raise PartError(
            "semantic deduplication needs sentence-transformers, which is not installed",
            place="curate.deduplicate.method",
            hint="pip install torch==2.13.0 && pip install 'reasonry[semantic]'",
        ) from exc
    try:
        with quiet():
            return SentenceTransformer(model)
    except (OSError, ValueError) as exc:
        raise PartError(
            f"the embedding model '{model}' cannot be loaded: {str(exc).splitlines()[0] if str(exc) else exc!r}",
            place="curate.deduplicate.model",
            hint="name a model of the Hugging Face Hub, or a folder that sentence-transformers saved",
        ) from exc


def _close(places: Sequence[int], vectors: Array, threshold: float) -> Iterator[tuple[tuple[int, int], float]]:
    """The pairs of a group whose cosine reaches the threshold, a block of rows of the matrix at a time."""
    import numpy as np

    for start in range(0, len(places), COMPARED_AT_ONCE):
        cosines = vectors[start : start + COMPARED_AT_ONCE] @ vectors[start:].T
        for row, column in np.argwhere(np.triu(cosines >= threshold, 1)).tolist():
            yield (places[start + row], places[start + column]), min(float(cosines[row, column]), 1.0)
