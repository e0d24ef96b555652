"""The dataset card: a template filled from manifests and counted rows. No number in it is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reasonry.exporters.card_selection import Selection, selection_of
from reasonry.exporters.contract import Publishing
from reasonry.exporters.markdown import cell, fenced, yaml_text
from reasonry.exporters.shards import ConfigFile
from reasonry.exporters.tally import Tally
from reasonry.identity import digest
from reasonry.stats import Interval, wilson
from reasonry.store import Manifest
from reasonry.types import Status

__all__ = ["Configs", "render_card", "write_card"]

Configs = Mapping[str, Sequence[ConfigFile]]
STAGES = ("collect", "curate", "distil", "verify", "select")
_MEANING = {
    "collect": "questions read from the sources",
    "curate": "questions after deduplication, decontamination and filters",
    "distil": "traces written by the teacher",
    "verify": "traces with a verdict",
    "select": "examples",
}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
# The Hub's own names for licences are SPDX's in lower case, for these.
_HUB_LICENSE = re.compile(
    r"apache-2\.0|mit|isc|zlib|wtfpl|unlicense|unknown|bsd(-[23]-clause)?|mpl-2\.0|odbl|odc-by|pddl|cc0-1\.0"
    r"|cc-by(-nc)?(-nd|-sa)?-[234]\.0|[al]?gpl-[23]\.[01]|cdla-(permissive|sharing)-[12]\.0|openrail|llama(2|3(\.[123])?)"
)


@dataclass(frozen=True, slots=True)
class DomainLine:
    """One line of the verification table. `rate` None: nothing in the domain has a score."""

    domain: str
    statuses: Mapping[str, int]
    rate: Interval | None


def write_card(path: Path, publishing: Publishing, tally: Tally, configs: Configs) -> None:
    """Write the card."""
    path.write_text(render_card(publishing, tally, configs), encoding="utf-8", newline="\n")


def render_card(publishing: Publishing, tally: Tally, configs: Configs) -> str:
    """The card's text: a YAML header that the Hub reads, then Markdown."""
    import jinja2

    # Markdown, not HTML: values are escaped by `cell`, which is the filter of every value that comes from data.
    environment = jinja2.Environment(  # noqa: S701
        loader=jinja2.PackageLoader("reasonry.exporters", "."),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": cell, "fenced": fenced, "yaml": yaml_text}
    return environment.get_template("card.md.j2").render(**_facts(publishing, tally, configs))


def _facts(publishing: Publishing, tally: Tally, configs: Configs) -> dict[str, Any]:
    manifests = [publishing.manifests[stage] for stage in STAGES if stage in publishing.manifests]
    licenses = _licenses(publishing, tally)
    selection = selection_of(publishing.manifests["select"])
    return {
        "title": publishing.section.title or publishing.name,
        "publishing": publishing,
        "tally": tally,
        "configs": {name: sum(file.rows for file in files) for name, files in configs.items()},
        "manifests": manifests,
        "meaning": _MEANING,
        "licenses": licenses,
        "hub_licenses": _hub_licenses(licenses),
        "size": next((name for limit, name in _SIZES if tally.examples < limit), "n>1M"),
        "tags": sorted({"reasoning", "reasonry", *tally.by_domain} - {"unknown"}),
        "statuses": [status.value for status in Status],
        "domains": [_domain_line(name, tally.by_domain[name]) for name in sorted(tally.by_domain)],
        "total": _domain_line("all", tally.statuses),
        "teachers": sorted(tally.by_teacher.items()),
        "sources": sorted(tally.by_source.items()),
        "inputs": _inputs(manifests),
        "selection": selection,
        "caveats": [*_caveats(publishing, tally, selection), *_empty(configs)],
        "recipe_digest": digest("text", publishing.recipe_text),
    }


def _domain_line(domain: str, statuses: Mapping[str, int]) -> DomainLine:
    scored = sum(statuses.get(status.value, 0) for status in Status if status.score is not None)
    rate = wilson(statuses.get("correct", 0), scored) if scored else None
    return DomainLine(domain, statuses, rate)


def _licenses(publishing: Publishing, tally: Tally) -> list[str]:
    if publishing.section.license:
        return [publishing.section.license]
    return sorted({license_name for _, license_name in tally.by_source}) or ["unknown"]


def _hub_licenses(licenses: Sequence[str]) -> list[str]:
    """The Hub's own names for licences; `other` for what it does not know."""
    return sorted({name.lower() if _HUB_LICENSE.fullmatch(name.lower()) else "other" for name in licenses})


def _inputs(manifests: Sequence[Manifest]) -> list[Mapping[str, Any]]:
    """The files that were read, each once, in the order of the stages."""
    seen: dict[str, Mapping[str, Any]] = {}
    for manifest in manifests:
        for source in manifest.sources:
            seen.setdefault(f"{source.get('name')} {source.get('digest')}", source)
    return list(seen.values())


def _caveats(publishing: Publishing, tally: Tally, selection: Selection) -> list[str]:
    """What a reader could overlook, each said only where it holds."""
    statuses = tally.statuses
    ours = statuses["error"] + statuses["skipped"]
    caveats = [
        "A verdict speaks of what its verifier checks. One of final answers says nothing about the steps before them."
    ]
    if ours:
        caveats.append(
            f"{ours:,} verdicts are `error` or `skipped`: our side failed or did not look. They have no score and are "
            "in no rate."
        )
    if _samples(publishing) != 1:
        caveats.append(
            "Several traces answer the same question, so they are not independent, and the Wilson intervals are "
            "narrower than a resampling of questions would give."
        )
    caveats += [*_contamination(publishing), *selection.caveats]
    if any(teacher.startswith("simulated") for teacher in tally.by_teacher):
        caveats.append("The teacher is simulated: a program that writes traces with planned mistakes, not a model.")
    return caveats


def _empty(configs: Configs) -> list[str]:
    """`datasets` refuses a split without rows, unless it streams."""
    names = [name for name, files in configs.items() if not any(file.rows for file in files)]
    return [f"The config `{name}` has no row: `load_dataset` opens it with `streaming=True` only." for name in names]


def _samples(publishing: Publishing) -> Any:
    section = publishing.manifests["distil"].section
    return "several" if section.get("further") else section.get("samples", 1)


def _contamination(publishing: Publishing) -> list[str]:
    section = publishing.manifests["curate"].section if "curate" in publishing.manifests else {}
    if section.get("curate", section).get("decontaminate"):
        return []
    kept_out = " Only the questions that this recipe evaluates on were kept out." if section.get("kept_out") else ""
    return [f"The questions were not decontaminated against files of benchmark questions.{kept_out}"]
