"""Questions by their licence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pydantic import Field

from reasonry.filters.each import Fault, RowFilterSection, each
from reasonry.registry import part
from reasonry.types import Drop, Question

__all__ = ["RULES", "LicenseSection", "license_", "license_name"]

RULES = {
    "license_not_allowed": "the licence is not in `allow`",
    "license_unknown": "no licence is known, and `allow` does not list `unknown`",
}

_NO_NAME = frozenset(("", "unknown", "noassertion"))
_GAPS = re.compile(r"[\s_,-]+")
_NOISE = re.compile(r"^the-|-licen[cs]e(?=-|$)|-version(?=-|$)|(?<=\d)\.0(?=[-+]|$)|(?<=-)v(?=\d)")
_EITHER = re.compile(r" or ", re.IGNORECASE)
_BOTH = re.compile(r" and | ?\+ |;", re.IGNORECASE)
_LONGEST = 500  # characters of a licence that are read: what is longer is no name


class LicenseSection(RowFilterSection):
    """Which licences are allowed."""

    allow: list[str] = Field(
        min_length=1, description='names as SPDX has them, in any case: ["MIT", "Apache-2.0", "CC-BY-4.0", "unknown"]'
    )


def license_name(name: str) -> str:
    """A licence's name without its spelling: `Apache License 2.0`, `apache-2.0` and `APACHE 2` are one."""
    text = _NOISE.sub("", _GAPS.sub("-", name.strip().casefold().strip("()")))
    return "" if text in _NO_NAME else text


@part("filter", "license", options=LicenseSection, rules=RULES)
def license_(rows: Iterable[Question], options: LicenseSection) -> Iterator[Question | Drop]:
    """Drop questions whose licence is not on the list."""
    allowed = frozenset(map(license_name, options.allow))
    listed = ", ".join(options.allow)

    def check(question: Question) -> Fault | None:
        if _is_allowed(question.license, allowed):
            return None
        if not license_name(question.license[:_LONGEST]):
            return Fault("license_unknown", f"no licence is known; allowed are {listed}")
        return Fault("license_not_allowed", f"'{question.license[:200]}' is not one of {listed}")

    return each(rows, options, check)


def _is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """One of several by `OR` is enough; of those joined by `AND`, all are needed."""
    choices = _EITHER.split(" ".join(expression[:_LONGEST].split()))
    return any(all(license_name(name) in allowed for name in _BOTH.split(choice)) for choice in choices)
