"""The mix: targets, shares and temperatures against what is there, spread over questions, by lot and not by chance."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reasonry.sections import SelectSection
from tests.stages.selecting import RIGHT, WRONG, Asked, Sample, selected

DOMAINS = ("code", "law", "math")
COUNTS = st.fixed_dictionaries({name: st.integers(0, 12) for name in DOMAINS})


def corpus(counts: dict[str, int], samples: int = 1) -> list[Asked]:
    """So many questions of each domain."""
    return [Asked([RIGHT] * samples, domain=domain) for domain, count in counts.items() for _ in range(count)]


def kept_of(asked: list[Asked], **mix: Any) -> dict[str, int]:
    return {group: kept for group, kept in selected(asked, mix=mix).figures("kept").items() if kept}


@given(COUNTS, st.fixed_dictionaries({name: st.integers(1, 12) for name in DOMAINS}))
def test_no_target_is_passed_and_none_is_missed_where_it_can_be_met(
    counts: dict[str, int], targets: dict[str, int]
) -> None:
    done = selected(corpus(counts), mix={"targets": targets})
    assert done.figures("kept") == {name: min(counts[name], targets[name]) for name in DOMAINS}
    missing = sum(max(0, targets[name] - counts[name]) for name in DOMAINS)
    assert done.metrics["mix_missing"] == missing
    assert any("short of what is asked" in remark for remark in done.remarks) == bool(missing)


@given(COUNTS, st.integers(1, 40))
def test_temperature_0_is_equal_as_far_as_groups_reach(counts: dict[str, int], total: int) -> None:
    kept = selected(corpus(counts), mix={"temperature": 0.0, "total": total}).figures("kept")
    assert sum(kept.values()) == min(total, sum(counts.values()))
    with_more = [kept[name] for name in kept if kept[name] < counts[name]]
    assert not with_more or max(kept.values()) - min(with_more) <= 1


@given(COUNTS)
def test_temperature_1_is_as_it_is(counts: dict[str, int]) -> None:
    asked = corpus(counts)
    assert len(selected(asked, mix={"temperature": 1.0}).standing) == len(asked)


@given(COUNTS, st.sampled_from([0.0, 0.5, 1.0]), st.integers(1, 20), st.integers(0, 10))
def test_a_larger_total_keeps_all_of_a_smaller_one(
    counts: dict[str, int], temperature: float, total: int, more: int
) -> None:
    asked = corpus(counts, samples=2)
    small = selected(asked, mix={"temperature": temperature, "total": total})
    large = selected(asked, mix={"temperature": temperature, "total": total + more})
    assert set(small.kept) <= set(large.kept)


@given(COUNTS, st.integers(1, 9), st.integers(1, 30))
def test_a_cap_holds_whatever_else_is_asked(counts: dict[str, int], cap: int, total: int) -> None:
    asked = [Asked([RIGHT] * 2, domain=a.domain, source="ab"[n % 2]) for n, a in enumerate(corpus(counts))]
    done = selected(asked, mix={"by": "domain", "total": total, "temperature": 0.5, "caps": {"source": cap}})
    by_source = Counter(fate.candidate.question.source for fate in done.standing)
    assert all(number <= cap for number in by_source.values())
    assert len(done.standing) <= total


@given(COUNTS, st.integers(1, 30))
def test_a_question_has_a_second_trace_only_where_all_of_its_group_have_one(counts: dict[str, int], total: int) -> None:
    done = selected(corpus(counts, samples=3), mix={"total": total})
    for domain in DOMAINS:
        kept = Counter(fate.candidate.question.id for fate in done.standing if fate.candidate.question.domain == domain)
        most = max(kept.values(), default=0)
        assert all(number >= most - 1 for number in kept.values())
        assert most < 2 or len(kept) == counts[domain]


def test_the_best_of_a_question_stays_first() -> None:
    asked = [Asked([Sample(tokens=9), Sample(tokens=3), Sample(tokens=5)]) for _ in range(6)]
    done = selected(asked, best="shortest", mix={"total": 6})
    assert [sample for _, sample in done.kept] == [1] * 6


def test_another_seed_is_another_draw_and_the_same_seed_the_same() -> None:
    asked = corpus({"math": 60})
    draws = [selected(asked, seed=seed, mix={"total": 20}).kept for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_the_draw_does_not_hang_on_what_else_is_there() -> None:
    """A group's lots are its own: rows of another group, before or behind, change nothing."""
    maths = corpus({"math": 30})
    alone = selected(maths, mix={"targets": {"math": 10}})
    together = selected([*maths, *corpus({"law": 50})], mix={"targets": {"math": 10, "law": 5}})
    assert [place for place in together.kept if place[0] < 30] == alone.kept


def test_shares_fill_up_where_a_group_is_short_unless_told_otherwise() -> None:
    asked = corpus({"code": 10, "law": 2, "math": 30})
    shares = {"math": 5, "code": 3, "law": 2}
    assert kept_of(asked, total=20, shares=shares) == {"code": 7, "law": 2, "math": 11}
    assert kept_of(asked, total=20, shares=shares, short="leave") == {"code": 6, "law": 2, "math": 10}


def test_shares_without_a_total_hold_for_as_many_as_there_can_be() -> None:
    done = selected(corpus({"code": 10, "law": 2, "math": 30}), mix={"shares": {"math": 5, "code": 3, "law": 2}})
    assert done.figures("kept") == {"code": 4, "law": 2, "math": 6}
    assert done.remarks == ["the shares hold for 12 examples: domain law has no more"]


def test_a_group_that_is_not_named_is_left_out_aloud() -> None:
    asked = corpus({"law": 3, "math": 4})
    done = selected(asked, mix={"shares": {"math": 1}, "total": 4})
    assert [drop.reason for drop in done.drops] == ["the mix names no domain 'law' (select.mix)"] * 3
    assert 'the mix leaves out what it does not name ("*" would): domain law, 3 traces' in done.remarks
    assert kept_of(asked, shares={"math": 1, "*": 1}, total=4) == {"law": 2, "math": 2}


def test_a_name_of_which_there_is_nothing_is_told_with_the_nearest() -> None:
    done = selected(corpus({"math": 4}), mix={"targets": {"maths": 2}})
    assert "the mix names groups of which there is no trace: domain maths (did you mean 'math'?)" in done.remarks
    assert done.figures("wanted") == {"math": 0, "maths": 2}


def test_a_mix_within_a_mix_keeps_to_both() -> None:
    hard, easy = Asked([RIGHT, WRONG, WRONG]), Asked([RIGHT, RIGHT, RIGHT])
    asked = [hard] * 8 + [easy] * 30 + [Asked([RIGHT] * 3, domain="law")] * 9
    mix = {
        "by": "domain",
        "targets": {"math": 20, "law": 5},
        "within": {"by": "difficulty", "shares": {"hard": 1, "easy": 1}},
    }
    done = selected(asked, per_question=1, difficulty={"levels": {"hard": 0.5, "easy": 1.0}}, mix=mix)
    assert done.figures("kept") == {
        "law": 5, "law / easy": 5, "law / hard": 0, "math": 20, "math / easy": 12, "math / hard": 8,
    }  # fmt: skip
    assert done.figures("wanted")["math / hard"] == 10


def test_every_drop_of_the_mix_has_the_numbers_of_its_group() -> None:
    done = selected(corpus({"law": 3, "math": 4}), mix={"targets": {"math": 1, "law": 3}, "caps": {"source": 6}})
    by_rule = {rule: {drop.reason for drop in done.drops if drop.rule == rule} for rule in set(done.rules)}
    assert by_rule["mix"] == {"1 of 4 of domain math (select.mix)"}
    assert by_rule["mix_cap"] == {"source a: at most 6 (select.mix.caps)"}
    assert "correct by math@3, in the mix: 1 of 4 of domain math" in done.because


def test_a_cap_for_some_leaves_the_others_alone() -> None:
    asked = [Asked(source=source) for source in "aaabbbccc"]
    kept = selected(asked, mix={"by": "source", "caps": {"source": {"a": 1, "b": 2}}}).figures("kept")
    assert kept == {"a": 1, "b": 2, "c": 3}
    assert selected(asked, mix={"by": "source", "caps": {"source": {"a": 1, "*": 2}}}).figures("kept")["c"] == 2


@pytest.mark.parametrize("by", ["source", "license", "teacher", "domain"])
def test_groups_go_by_what_the_recipe_says(by: str) -> None:
    one = Asked([Sample(teacher="t")], domain="t", source="t", license="t")
    other = Asked([Sample(teacher="u")], domain="u", source="u", license="u")
    done = selected([one, one, other], mix={"by": by, "temperature": 0})
    assert done.figures("kept") == {"t": 1, "u": 1}


def test_the_words_of_the_mix_say_all_that_was_asked() -> None:
    mix = {
        "by": "domain",
        "total": 1000,
        "shares": {"math": 3, "*": 1},
        "within": {"by": "source", "temperature": 0.5, "short": "leave"},
        "caps": {"teacher": 50, "license": {"MIT": 7}},
    }
    assert selected(corpus({"math": 1}), mix=mix).metrics["mix"]["rule"] == (
        "by domain: shares math 3, * 1, then within each by source: temperature 0.5 (a short group leaves its rest); "
        "1,000 in all; at most 50 of each teacher; at most (MIT 7) of each license"
    )


CONTRADICTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "shares and temperature": ({"mix": {"total": 5, "shares": {"a": 1}, "temperature": 0.5}}, "choose one"),
    "targets and shares": ({"mix": {"targets": {"a": 1}, "shares": {"a": 1}}}, "targets and shares contradict"),
    "targets and total": ({"mix": {"targets": {"a": 1}, "total": 3}}, "targets make the total"),
    "targets of nothing": ({"mix": {"targets": {"a": 0}}}, "no target is above 0"),
    "shares of nothing": ({"mix": {"shares": {"a": 0}}}, "no share is above 0"),
    "a cap below its target": ({"mix": {"targets": {"a": 9}, "caps": {"domain": 5}}}, "is below its target"),
    "short without a total": ({"mix": {"temperature": 0, "short": "leave"}}, "short needs a total"),
    "twice by the same": ({"mix": {"total": 5, "within": {"by": "domain"}}}, "two levels of the mix go by the same"),
    "nothing": ({"mix": {"by": "source"}}, "the mix asks for nothing"),
    "difficulty without levels": ({"mix": {"by": "difficulty", "total": 5}}, "needs levels"),
    "an unknown level": (
        {"mix": {"by": "difficulty", "shares": {"hrd": 1}}, "difficulty": {"levels": {"hard": 1.0}}},
        "no level of difficulty is named 'hrd'; there are hard, unknown",
    ),
    "levels that fall": ({"difficulty": {"levels": {"a": 0.5, "b": 0.4}}}, "do not ascend"),
    "an empty range": ({"difficulty": {"min": 0.5, "max": 0.4}}, "nothing would be kept"),
    "a rate above 1": ({"difficulty": {"max": 90}}, "between 0 and 1"),
    "samples of a judge": ({"difficulty": {"measure": "judge", "min_samples": 4}}, "min_samples speaks of a pass"),
    "best of all": ({"best": "shortest"}, "best chooses nothing"),
    "agreement of one": ({"agreement": 0.5}, "agreement needs"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_is_refused(case: str) -> None:
    section, said = CONTRADICTIONS[case]
    with pytest.raises(ValidationError, match=said):
        SelectSection.model_validate(section)
