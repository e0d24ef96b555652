"""All questions of a table as deduplication holds them: some numbers for each in memory, the texts on disk."""

from __future__ import annotations

import json
from array import array
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from reasonry.contracts import Mapper, Work
from reasonry.filters.duplicates.answers import Answer
from reasonry.filters.duplicates.fingerprints import DIGEST_BYTES, FINGERPRINTS, to_plain
from reasonry.filters.duplicates.preference import Preference
from reasonry.filters.duplicates.reading import Reading
from reasonry.filters.duplicates.spill import Spill
from reasonry.filters.normal import place_of
from reasonry.identity import digest
from reasonry.sections import DeduplicateOptions
from reasonry.types import JsonMap, Question

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["Gathered", "Record"]

CACHED_CHARACTERS = 4_000_000  # of texts that were read for comparing: about 100 MB
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Record(NamedTuple):
    """What is on disk of a question: its text, folded; its answer, folded and as it was given; what makes its id."""

    text: str
    folded_answer: str | None
    given_answer: str | None
    prompt: str
    reference: str | None
    verifier: str
    spec: JsonMap
    origin: str

    @property
    def id(self) -> str:
        return Question(self.prompt, self.reference, self.verifier, self.spec).id

    @property
    def answer(self) -> Answer | None:
        if self.folded_answer is None or self.given_answer is None:
            return None
        return Answer(self.folded_answer, self.given_answer)

    @property
    def reading(self) -> Reading:
        """The question as it is compared."""
        tests = [self.spec[name] for name in ("tests", "harness") if self.spec.get(name)]
        compared = digest("tests", tests) if tests else None
        return Reading(self.text, self.prompt, self.answer, compared, choices=bool(self.spec.get("choices")))


class Gathered:
    """The questions of a table, by their place in it. Used as a context manager: leaving it removes the texts."""

    def __init__(self, options: DeduplicateOptions) -> None:
        self._with_numbers = options.numbers
        self._preference = Preference(options)
        self._keys = bytearray()
        self._groups = bytearray()
        self._ranks = array("q")
        self._texts = Spill()
        self._cache: OrderedDict[int, Reading] = OrderedDict()
        self._cached = 0

    def __enter__(self) -> Gathered:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._texts.close()

    def __len__(self) -> int:
        return len(self._ranks)

    def read(self, rows: Iterable[Question], mapper: Mapper) -> None:
        """Take in every question of a table."""
        under_way: deque[Question] = deque()
        work = Work(FINGERPRINTS, {"numbers": self._with_numbers})
        for key, group, *texts in mapper(work, self._sent(rows, under_way)):
            self._keys += bytes.fromhex(key)
            self._groups += bytes.fromhex(group)
            question = under_way.popleft()
            identity = (question.prompt, question.answer, question.verifier, dict(question.spec))
            record = _to_json([*texts, *identity, place_of(question)])
            self._texts.append(record.encode("utf-8", "surrogatepass"))
        self._texts.finish()

    def _sent(self, rows: Iterable[Question], under_way: deque[Question]) -> Iterator[dict[str, Any]]:
        for question in rows:
            self._ranks.append(self._preference.rank(question))
            under_way.append(question)
            yield to_plain(question)

    @property
    def keys(self) -> Array:
        """The keys, as two numbers each: equal for questions that are exactly the same."""
        return _pairs_of_numbers(self._keys)

    @property
    def groups(self) -> Array:
        """The groups, as two numbers each: near-duplicates are of one group."""
        return _pairs_of_numbers(self._groups)

    @property
    def ranks(self) -> Array:
        import numpy as np

        return np.asarray(self._ranks)

    def rank(self, place: int) -> tuple[int, int]:
        """The lower of two is preferred."""
        return self._ranks[place], place

    def record(self, place: int) -> Record:
        return Record(*json.loads(self._texts[place].decode("utf-8", "surrogatepass")))

    def reading(self, place: int) -> Reading:
        """The question as it is compared. The latest that were asked for are kept in memory."""
        if (known := self._cache.get(place)) is not None:
            self._cache.move_to_end(place)
            return known
        reading = self._cache[place] = self.record(place).reading
        self._cached += len(reading.text)
        while self._cached > CACHED_CHARACTERS and len(self._cache) > 2:
            self._cached -= len(self._cache.popitem(last=False)[1].text)
        return reading


def _pairs_of_numbers(digests: bytearray) -> Array:
    import numpy as np

    return np.frombuffer(bytes(digests), ">u8").reshape(-1, DIGEST_BYTES // 8)
