"""Questions that ask for a proof: there is no answer to compare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import Field

from reasonry.filters.choices import has_choices
from reasonry.filters.each import Fault, RowFilterSection, each
from reasonry.registry import part
from reasonry.types import Drop, Question

__all__ = ["RULES", "ProofSection", "proof"]

RULES = {
    "proof": "it asks to prove, to show or to disprove something, and for nothing else",
    "proof_and_value": 'it asks for a proof and for a value as well (with `with_value = "drop"`)',
}


class ProofSection(RowFilterSection):
    """What happens to questions that ask for more than a proof."""

    with_value: Literal["keep", "drop"] = Field(
        default="keep", description='questions such as "Show that ... and find ...": a value can be compared'
    )


# The instruction begins a clause: "the formula can be used to prove that" is none.
_CLAUSE = r"(?:^|[.:;,!?)\]$}\n]|\b(?:and|then|or|please|also|hence|thus|\d\.|\([a-z0-9]\)))\s*\**"
_PROVE = re.compile(
    rf"{_CLAUSE}(?:(?:prove|disprove)\**\s+(?:or\s+disprove\s+)?"
    r"(?:that|the|this|it|your|if|by|using|each|every|there|for|in|\$|\\|[A-Z]\b)"
    r"|(?:establish|demonstrate|justify)\s+(?:that|why)\b"
    r"|(?:show|verify|deduce|conclude)\s+(?:that|why)\b(?!\s+you\b)"
    r"|give\s+a\s+(?:formal\s+)?proof)"
    r"|\b(?:beweise|zeigen?\s+sie,?\s+dass|zeige,?\s+dass|montrer\s+que|montrez\s+que|démontrer|démontrez|demuestr[ae]"
    r"|demostrar\s+que|dimostra|prove\s+que|mostre\s+que|докажите|доказать)\b"
    r"|(?:^|[。，；：,;:\n)）]|试|请)\s*(?:证明|求证|証明)(?!人|书|材料|文件|责任|标准|商标)",
    re.IGNORECASE | re.MULTILINE,
)
_WORDS = (
    *("prov", "show", "verify", "justify", "deduce", "conclude", "establish", "demonstrate", "proof"),
    *("bewei", "zeige", "montr", "démontr", "demuestr", "demostr", "dimostra", "mostre", "дока", "证", "証"),
)
_ASKS = re.compile(
    r"[?？]"
    r"|\b(?:find|determine|compute|calculate|evaluate|what\s+is|how\s+(?:many|much|long|far)|solve|(?:what|which)\s+are"
    r"|express|simplify|state\s+the|write\s+(?:a|an|down)|give\s+the\s+(?:value|number|answer)|for\s+which|estimate)\b"
    r"|求(?!证)|计算|berechne|bestimme|calcul|trouver|déterminer|halla|encontrar|найдите|вычислите",
    re.IGNORECASE,
)


@part("filter", "proof", options=ProofSection, rules=RULES)
def proof(rows: Iterable[Question], options: ProofSection) -> Iterator[Question | Drop]:
    """Drop questions that ask to prove something: nothing can be compared with a proof."""

    def check(question: Question) -> Fault | None:
        text, lower = question.prompt, question.prompt.lower()
        if not any(word in lower for word in _WORDS):
            return None
        found = _PROVE.search(text)
        if found is None or has_choices(question):
            return None
        words = " ".join(text[found.start() : found.end() + 40].split()).lstrip(".,:;!?)]}$ ")
        if not _ASKS.search(text):
            return Fault("proof", f"'{words}'")
        return Fault("proof_and_value", f"'{words}', and a value") if options.with_value == "drop" else None

    return each(rows, options, check)
